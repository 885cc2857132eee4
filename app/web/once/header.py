"""Reads the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07)."""

import re
from typing import Annotated, Final

from fastapi import Header, Request
from pydantic import WithJsonSchema

from app.errors import Complaint, Refused
from app.storage.idempotency.keys import KEPT_HOURS

NAME: Final = "Idempotency-Key"
MOST_CHARACTERS: Final = 255
# A string of RFC 8941, as the draft wants it, or the same without quotes, as most clients send it.
QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
BARE: Final = re.compile(r"[!#-~][ -~]*")
DESCRIPTION: Final = (
    "A text of your choice, new for every new request: a UUID, say. Sent again with the same key within "
    f"{KEPT_HOURS} hours, the request starts nothing and gets the first answer again"
)
NOT_A_KEY: Final = (
    f"`{NAME}` must be sent once, and have 1 to {MOST_CHARACTERS} ASCII characters, with or without quotes around them"
)
# For the documentation only: the header is read by `read_key`. Without quotes, as generated clients are to send it.
SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS, "pattern": "^[!#-~]([ -~]*[!-~])?$"}
IdempotencyKey = Annotated[str | None, Header(alias=NAME, description=DESCRIPTION), WithJsonSchema(SCHEMA)]


def read_key(request: Request) -> str | None:
    """The key; None if the request has none. Raises Refused("bad_request")."""
    sent = request.headers.getlist(NAME)
    if not sent:
        return None
    key = parse_key(sent[0].strip(" \t")) if len(sent) == 1 else None
    if key is None:
        raise Refused("bad_request", NOT_A_KEY, [Complaint(NAME, NOT_A_KEY)])
    return key


def parse_key(value: str) -> str | None:
    """The key of a header's value; None if it is none."""
    quoted = QUOTED.fullmatch(value)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    well_formed = quoted is not None or BARE.fullmatch(value) is not None
    return key if well_formed and 1 <= len(key) <= MOST_CHARACTERS else None
