"""Codes that stand for one thing: an answer about another one is none, however near its article is."""

import re

CODE = re.compile(r"\b(?:0x[0-9a-f]{4,16}|[a-z]{2,8}\d{5,12})\b", re.IGNORECASE)


def codes_of(text: str) -> set[str]:
    """`0x8007007A`, `TF400813`, `KB5004442`, in lower case; years, versions, ports and asset tags (`LT-00412`) are
    none."""
    return {code.lower() for code in CODE.findall(text)}


def speaks_of_all_codes(article: str, question: str) -> bool:
    """True when each code that the question names is in the article as a whole word, or it names none."""
    return codes_of(question) <= codes_of(article)
