"""What can be wrong with a wish about a ticket; the text of each error may be shown to the person who asked."""


class TicketError(Exception):
    """The common class of this package's errors."""


class TicketNotFound(TicketError):
    def __init__(self, asked: str) -> None:
        super().__init__(f"There is no ticket {asked[:40]}.")


class NotAllowedInThisState(TicketError):
    def __init__(self, number: str, state: str, wish: str) -> None:
        self.state = state
        super().__init__(f"{number} is {state.replace('_', ' ')}, so it can't be {wish}.")


class ConversationHasAnotherTicket(TicketError):
    def __init__(self, number: str, other: str) -> None:
        self.other = other
        super().__init__(f"{number} can't be reopened: {other} is open in the same conversation.")


class NotARating(TicketError):
    def __init__(self) -> None:
        super().__init__("A rating has one to five stars.")


class EmptyText(TicketError):
    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} is empty.")
