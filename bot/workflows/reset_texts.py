"""What a password reset says, in Slack and by mail. Pure."""

from datetime import datetime

from bot.message import escape
from bot.slack import Block
from bot.workflows.records import ResetRequest

CONTINUE, CANCEL, OPEN_PAGE = "reset_continue", "reset_cancel", "reset_open"

LINK_MINUTES = 10

ASK_AGAIN = "To start again, write “reset my password” to me."

NOT_HERE = (
    "I can't reset your password from here. Write “reset my password” to me in a direct message, and I'll tell you why."
)
NOT_YOURS = f"That card isn't about your account, or isn't in use any more, so nothing has happened. {ASK_AGAIN}"

CARD_BELOW = "I can reset your password. Go on with the card below."
CARD_ELSEWHERE = "I can reset your password. I've sent you a card in our direct messages: go on there."
CARD_USED = "Password reset: go on with the link below."
CARD_CLOSED = "Password reset: this card is closed."

CLICKED_LATE = {
    "offered": "",
    "linked": "Your link is in the message below the card. It works once.",
    "changing": "Your password is being changed at this moment.",
    "unsure": "I'm finding out whether your password was changed, and tell you here.",
    "changed": "That is done: your password was changed.",
    "unchanged": f"That has ended without a change. {ASK_AGAIN}",
    "cancelled": f"That was cancelled. {ASK_AGAIN}",
    "expired": f"That link's time was over. {ASK_AGAIN}",
    "superseded": "You have asked again since, so this card is out of use. Use the newest one.",
    "denied": "That was refused.",
}
"""What a click on a card brings when the request isn't waiting for it any more."""


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def card(account: str, minutes: int) -> tuple[str, list[Block]]:
    text = (
        f"Reset the password of your account {escape(account)}? You need the code of your authenticator app, or your "
        "security key. "
        f"Continue gives you a link to a page for your new password; it works once, for {minutes} minutes. "
        "Never write a password here."
    )
    buttons: Block = {
        "type": "actions",
        "block_id": "reset",
        "elements": [
            button("Continue", CONTINUE, style="primary"),
            button("Cancel", CANCEL),
        ],
    }
    shown = section(
        f"*Reset the password of your account {escape(account)}?*\n"
        f"You need the code of your authenticator app, or your security key. _Continue_ gives you a link to a page for "
        f"your new password; it works once, for {minutes} minutes.\nNever write a password here."
    )
    return text, [shown, buttons]


def button(label: str, action: str, *, style: str | None = None, url: str | None = None) -> Block:
    made: Block = {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action}
    return made | ({"style": style} if style else {}) | ({"url": url} if url else {})


def link_message(url: str, until: datetime) -> tuple[str, list[Block]]:
    text = f"Choose your new password on this page: it works once, until {slack_time(until)}. {url}"
    shown = section(f"Choose your new password on a page of its own. The link works once, until {slack_time(until)}.")
    open_it = button("Choose a new password", OPEN_PAGE, style="primary", url=url)
    return text, [shown, {"type": "actions", "block_id": "reset_link", "elements": [open_it]}]


def slack_time(moment: datetime) -> str:
    """A moment that Slack shows in the reader's own time zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{moment:%H:%M} UTC>"


def changed_message(request: ResetRequest) -> str:
    at = slack_time(request.settled_at) if request.settled_at else "just now"
    recorded = f" It's recorded as {request.ticket}." if request.ticket else ""
    return (
        f"Your password was changed, {at}.{recorded} If that wasn't you, follow the link in the mail that I sent you, "
        "or call IT now."
    )


UNCHANGED = f"Your password was *not* changed; the old one still works. {ASK_AGAIN}"
UNSETTLED = "I couldn't find out whether your password was changed: the directory doesn't answer. IT looks into it."


def requested_mail(name: str, account: str, link: str) -> tuple[str, str]:
    return (
        "A new password was asked for",
        f"Hello {name},\n\nsomebody asked in Slack for a new password for your account {account}. It isn't changed "
        "without your authenticator app or security key.\n\nIf it was you, there is nothing to do.\nIf it wasn't "
        "you, open this page and press the button; your account is disabled then, and IT calls you:\n"
        f"{link}\n",
    )


def changed_mail(name: str, account: str, link: str, at: datetime) -> tuple[str, str]:
    return (
        "Your password was changed",
        f"Hello {name},\n\nthe password of your account {account} was changed on {at:%-d %B %Y, %H:%M} UTC, from "
        "Slack and with your authenticator app or security key.\n\nIf it was you, there is nothing to do.\nIf it "
        "wasn't you, open this page and press the button; your account is disabled then, and IT calls you:\n"
        f"{link}\n",
    )


def manager_mail(name: str, account: str, news: str) -> tuple[str, str]:
    if news == "requested":
        return (
            f"{name} asked for a new password",
            f"Hello,\n\nsomebody asked in Slack for a new password for {name} ({account}). Nothing is changed "
            "so far. You get this as their manager. If they don't know of it, tell IT now.\n",
        )
    return (
        f"The password of {name} was changed",
        f"Hello,\n\nthe password of {name} ({account}) was changed from Slack, with their second factor. You get "
        "this as their manager. If they don't know of it, tell IT now.\n",
    )
