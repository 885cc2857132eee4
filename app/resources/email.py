"""E-mail addresses: the spelling is checked, never the network."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from app.resources.conversion import BadCell, Convert, limited, not_a, quoted
from app.resources.vocabulary import Field

LONGEST = 254  # RFC 5321; the validator refuses all beyond, but only after a long look at them
NOT_EMAIL = not_a("an e-mail address")

# The plain addresses, a subset of what the validator accepts (a test holds it to that): ASCII, no two hyphens in a row
# (IDNA), no reserved top-level name. At most QUICK characters, so that none of the validator's limits (64 before the
# @-sign, 63 in a label, 254 in all) can be broken. Nothing in it needs an escape in JSON.
QUICK = 64
_atom = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]++"
_label = r"[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+"
_reserved = "|".join(sorted({re.escape(name.rpartition(".")[2]) for name in SPECIAL_USE_DOMAIN_NAMES}))
_quick = re.compile(rf"{_atom}(?:\.{_atom})*+@(?:{_label}\.)++(?!(?i:{_reserved})\Z)[A-Za-z]{{2,}}").fullmatch


def email(field: Field) -> Convert:
    return limited(field, email_text, trimmed=True)


def email_text(text: str) -> str | BadCell:
    if _quick(text) and len(text) <= QUICK:
        return f'"{text}"'
    text = text.strip()
    if len(text) > LONGEST:
        return NOT_EMAIL
    try:
        # Syntax only: `shop.local` and `example.test` are addresses, though no mail gets there from outside.
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return NOT_EMAIL
    _, dot, top = found.ascii_domain.rpartition(".")
    return quoted(text) if dot and (top.isalpha() or top.startswith("xn--")) else NOT_EMAIL
