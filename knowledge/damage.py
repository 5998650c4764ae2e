"""Physical damage, which must not be answered from an article about something else.

A swollen battery or a smoking dock is dangerous, and an article on the same device ("Battery doesn't charge") ranks
high for it. So an answer is only sure if its article speaks of that very damage.
"""

import re

# Forms of one word, as whole words.
DAMAGES = tuple(
    re.compile(rf"\b(?:{forms})\b", re.IGNORECASE)
    for forms in (
        r"crack(?:s|ed|ing)?",
        r"swell(?:s|ed|ing)?|swollen|bulg(?:e|es|ed|ing)|bloated",
        r"leak(?:s|ed|ing|age)?",
        r"spill(?:s|ed|ing)?|spilt",
        r"smok(?:e|es|ed|ing|y)",
        r"burn(?:s|ed|t|ing)?",
        r"fire|flames?",
        r"spark(?:s|ed|ing)?",
        r"melt(?:s|ed|ing)?|molten",
        r"shatter(?:s|ed|ing)?|smash(?:es|ed|ing)?",
    )
)


def speaks_of_all_damage(article: str, question: str) -> bool:
    """True when each kind of damage that the question names is named in the article too, or it names none."""
    return all(damage.search(article) for damage in DAMAGES if damage.search(question))
