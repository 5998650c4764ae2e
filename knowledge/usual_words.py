"""What people write for the words that articles use: abbreviations, other spellings, what a neighbour calls it."""

import re
from collections.abc import Callable

WORD = re.compile(r"\b[\w-]+\b")
USUAL = {
    "pw": "password",
    "pwd": "password",
    "passwort": "password",
    "wifi": "Wi-Fi",
    "wlan": "Wi-Fi",
    "handy": "phone",
    "cellphone": "phone",
    "smartphone": "phone",
    "mobile": "phone",
    "notebook": "laptop",
    "beamer": "projector",
    "drucker": "printer",
    "akku": "battery",
    "bildschirm": "monitor",
    "rechner": "computer",
    "authentificator": "authenticator",
    "2fa": "MFA",
    "homeoffice": "home office",
    "login": "sign in",
    "logon": "sign in",
    "signin": "sign in",
    "email": "mail",
    "e-mail": "mail",
    "mailbox": "mail",
    "licence": "license",
    "license": "licence",
    "app": "application",
    "pc": "computer",
    "admin": "administrator",
}


def in_usual_words(question: str, known: Callable[[str], bool]) -> str:
    """The question with each word that no article has replaced by the usual one for it; `known` says which they
    have. So a base in another language, or with words of its own, keeps them."""

    def usual(found: re.Match[str]) -> str:
        word = found[0]
        other = USUAL.get(word.lower())
        return other if other and not known(word) and known(other) else word

    return WORD.sub(usual, question)
