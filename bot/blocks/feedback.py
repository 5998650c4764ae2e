"""The form behind the thumb that points down."""

from dataclasses import dataclass
from typing import Any, Self

from bot.blocks import kit
from bot.slack import Block

FEEDBACK_FORM = "feedback_form"
REASON, WRONG, TICKET, STORY = "reason", "wrong", "ticket", "story"

REASONS = {
    "not_my_question": "It answers another question",
    "outdated": "It is wrong or out of date",
    "incomplete": "Something is missing",
    "did_not_work": "I did it, and it still doesn't work",
    "other": "Something else",
}


@dataclass(frozen=True)
class FeedbackForm:
    """What the employee filled in, plain text."""

    wrong: str
    """The chosen reason in words, and what they added; may be empty."""
    open_ticket: bool
    story: str
    """The ticket's text."""

    @classmethod
    def from_state(cls, values: dict[str, Any]) -> Self:
        """From a view's `state.values`; whatever is missing counts as left empty."""

        def field(block: str) -> dict[str, Any]:
            return (values.get(block) or {}).get("value") or {}

        reason = REASONS.get((field(REASON).get("selected_option") or {}).get("value", ""), "")
        added = (field(WRONG).get("value") or "").strip()
        return cls(
            wrong=": ".join(part for part in (reason, added) if part),
            open_ticket=any(option.get("value") == "open" for option in field(TICKET).get("selected_options") or ()),
            story=(field(STORY).get("value") or "").strip(),
        )


def feedback_form(story: str) -> Block:
    """`story` is the conversation so far, plain; the ticket starts from it."""
    reasons = {"type": "radio_buttons", "options": [kit.option(label, value) for value, label in REASONS.items()]}
    wish = {"type": "checkboxes", "options": [kit.option("Open a ticket with this conversation", "open")]}
    return kit.modal(
        FEEDBACK_FORM,
        "What was wrong?",
        [
            kit.question(REASON, "What was wrong?", reasons, optional=True),
            kit.question(WRONG, "In your own words", kit.text_input(limit=1_000), optional=True),
            kit.question(TICKET, "Bring in a human", wish, optional=True),
            kit.question(STORY, "Text of the ticket", kit.text_input(initial=story), optional=True),
        ],
        submit="Send",
    )
