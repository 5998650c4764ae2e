"""What is expected to go wrong at the roof, and which errors of all rooms are said in one line."""


class RoofError(Exception):
    """The text is one clear line, safe to show."""


def expected() -> tuple[type[Exception], ...]:
    """Errors whose text is meant for people; anything else is a bug of ours."""
    from bot.errors import BotError
    from ingest.errors import IngestError
    from knowledge.errors import KnowledgeError
    from sandbox.errors import BadStateFile, PortInUse
    from store.durable import DurableError
    from store.migrating import StoreError
    from tickets.errors import TicketError

    return (
        RoofError,
        StoreError,
        DurableError,
        KnowledgeError,
        IngestError,
        TicketError,
        BotError,
        PortInUse,
        BadStateFile,
    )
