"""E-mail addresses: only the spelling is checked, the network is never asked."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from app.resources.conversion import BadCell, Convert, limit_length, quote_json, type_error
from app.resources.schema import Field

MAX_LENGTH = 254  # RFC 5321. The validator refuses longer ones too, but only after looking at them for a long time
NOT_EMAIL = type_error("The value is not a valid e-mail address")
RESERVED_DOMAIN = type_error(
    "The domain of the e-mail address is reserved for local use or tests, so that no mail reaches it"
)

# The plain addresses. They are a subset of what the validator accepts, and a test makes sure of that: ASCII, no two
# hyphens in a row (IDNA), no reserved top-level name, and at most QUICK_LENGTH characters, so that none of the
# validator's limits (64 before the @ sign, 63 in a label, 254 in all) can be exceeded. Nothing in one needs an escape
# in JSON. The pattern also serves where NUL follows each of many addresses.
QUICK_LENGTH = 64
_atom = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]++"
_label = r"[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+"
_reserved = "|".join(sorted({re.escape(name.rpartition(".")[2]) for name in SPECIAL_USE_DOMAIN_NAMES}))
PLAIN_ADDRESS = rf"{_atom}(?:\.{_atom})*+@(?:{_label}\.)++(?!(?i:{_reserved})(?:\0|\Z))[A-Za-z]{{2,}}+"
_match_plain = re.compile(PLAIN_ADDRESS).fullmatch
_match_reserved = re.compile(rf"{_atom}(?:\.{_atom})*+@(?:{_label}\.)*+(?i:{_reserved})").fullmatch


def compile_email(field: Field) -> Convert:
    return limit_length(field, convert_email, trimmed=True)


def convert_email(text: str) -> str | BadCell:
    if _match_plain(text) and len(text) <= QUICK_LENGTH:
        return f'"{text}"'
    text = text.strip()
    if len(text) > MAX_LENGTH:
        return NOT_EMAIL
    try:
        address = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return RESERVED_DOMAIN if _match_reserved(text) else NOT_EMAIL
    _, dot, top_level = address.ascii_domain.rpartition(".")
    return quote_json(text) if dot and (top_level.isalpha() or top_level.startswith("xn--")) else NOT_EMAIL


def decode_domain(address: str) -> str:
    """The address with its domain in Unicode: `xn--mnchen-3ya.de` and `münchen.de` are one domain (RFC 5890). As it is
    if it is not valid, for its row fails anyway."""
    local, _, domain = address.rpartition("@")
    if (domain.isascii() and "xn--" not in domain) or len(address) > MAX_LENGTH:
        return address
    try:
        found = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return address
    return f"{local}@{found.domain}"
