"""What can go wrong in the bot and is said in words that are safe to show to anybody."""


class BotError(Exception):
    """Base of the bot's errors; the text may be shown to the person who caused it."""


class FileElsewhere(BotError):
    """A file that was shared in Slack lies with somebody else, who mustn't get our token."""


class SlackUnavailable(BotError):
    """Slack did not take a call after all retries."""
