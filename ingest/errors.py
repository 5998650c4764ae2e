"""Why something could not be taken in; each text is one line and safe to show."""


class IngestError(Exception):
    """A path or a file that could not be taken in; the text says why and, where it can, what to do."""


class AccessUnclear(IngestError):
    """A file that means to restrict who may see it, but it can't be told to whom."""
