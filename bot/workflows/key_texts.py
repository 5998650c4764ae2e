"""What registering a security key says, in Slack and by mail. Pure."""

from datetime import datetime

from bot.message import escape
from bot.slack import Block
from bot.workflows.limits import moment_text
from bot.workflows.records import KeyRequest
from bot.workflows.reset_texts import button, section, slack_time

OPEN_PAGE = "key_open"

LINK_MINUTES = 10

ASK_AGAIN = "To start again, write “register a security key” to me."

NOT_HERE = (
    "I can't register a security key from here. Write “register a security key” to me in a direct message, and I'll "
    "tell you why."
)
LINK_BELOW = "You can register a security key or a passkey. Go on with the link below."
LINK_ELSEWHERE = (
    "You can register a security key or a passkey. I've sent you a link in our direct messages: go on there."
)


def link_message(account: str, url: str, until: datetime) -> tuple[str, list[Block]]:
    what = f"Register a security key or a passkey for your account {escape(account)}"
    text = f"{what} on this page: it works once, until {slack_time(until)}. {url}"
    shown = section(
        f"*{what}*\nThe page asks for what you prove yourself with today, the code of your authenticator app for "
        f"example. The link works once, until {slack_time(until)}."
    )
    open_it = button("Register a security key", OPEN_PAGE, style="primary", url=url)
    return text, [shown, {"type": "actions", "block_id": "key_link", "elements": [open_it]}]


def registered_message(request: KeyRequest, usable_from: datetime) -> str:
    return (
        f"The security key “{escape(request.name or '')}” is registered for your account. You can reset your password "
        f"with it from {slack_time(usable_from)} on; until then I reset it for nobody, with the authenticator app "
        "neither. If that wasn't you, follow the link in the mail that I sent you, or call IT now."
    )


def requested_mail(name: str, account: str, link: str) -> tuple[str, str]:
    return (
        "A security key is to be registered",
        f"Hello {name},\n\nsomebody asked in Slack to register a security key for your account {account}. It isn't "
        "registered without the code of your authenticator app, or a security key that you have already.\n\nIf it was "
        "you, there is nothing to do.\nIf it wasn't you, open this page and press the button; your account is disabled "
        f"then, and IT calls you:\n{link}\n",
    )


def registered_mail(
    name: str, account: str, key: str, link: str, at: datetime, usable_from: datetime
) -> tuple[str, str]:
    return (
        "A security key was registered",
        f"Hello {name},\n\nthe security key “{key}” was registered for your account {account} on {moment_text(at)}. "
        f"From {moment_text(usable_from)} on, it can be used to reset your password.\n\nIf it was you, there is "
        "nothing to do.\nIf it wasn't you, open this page and press the button; the key is removed and your account "
        f"disabled then, and IT calls you:\n{link}\n",
    )


def manager_mail(name: str, account: str, news: str) -> tuple[str, str]:
    if news == "requested":
        return (
            f"{name} asked to register a security key",
            f"Hello,\n\nsomebody asked in Slack to register a security key for {name} ({account}). Nothing is changed "
            "so far. You get this as their manager. If they don't know of it, tell IT now.\n",
        )
    return (
        f"{name} registered a security key",
        f"Hello,\n\na security key was registered for {name} ({account}), with which the password can be reset. You "
        "get this as their manager. If they don't know of it, tell IT now.\n",
    )
