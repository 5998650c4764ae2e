"""What can go wrong in the knowledge base, in words that are safe to show."""


class KnowledgeError(Exception):
    """The knowledge base can't do that."""


class UnsupportedIndex(KnowledgeError):
    """A vector index is configured that can't be had here: what it needs is missing."""


class IndexUnreachable(KnowledgeError):
    """The server that keeps the vector index doesn't answer, or refuses us."""


class OtherModel(KnowledgeError):
    """The stored passages or the index folder were made with another embedding model or chunker version."""


class ModelUnavailable(KnowledgeError):
    """The embedding model can't be loaded or exported."""


class RerankerUnavailable(KnowledgeError):
    """The cross-encoder of `DESKMATE_RERANKER` can't be loaded."""


class TooFewPairs(KnowledgeError):
    """There is too little that an embedding model could learn from."""


class TooFewQuestions(KnowledgeError):
    """There are too few questions to tell which of two models is better."""


class TrainingRuns(KnowledgeError):
    """Another process trains a model in this home."""


class NotAllowed(KnowledgeError):
    """That article doesn't exist, or this person may not see it (which of the two is not said)."""


class LanguageModelUnavailable(KnowledgeError):
    """The language model can't be set up as configured."""


class UnknownGeneration(KnowledgeError):
    """No index generation has that name."""


class IncompleteGeneration(KnowledgeError):
    """The index generation lacks articles."""


class IndexInUse(KnowledgeError):
    """Another process owns the index folder."""
