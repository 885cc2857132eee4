"""Makes slugs: texts as they stand in the path of a web address."""

import re
from unicodedata import category

from app.resources.canonical import fold, to_nfc
from app.resources.conversion import BadCell, Convert, limit_length, quote_json, type_error
from app.resources.schema import Field

NOT_SLUG = type_error("The value must have a letter or a digit, because a slug is made of those")

_replace_others = re.compile(r"[^a-z0-9]+").sub
_remove_accents = re.compile(r"(?<=[a-z])[\u0300-\u036f]+").sub
KEPT = "LNM"  # the categories of letters, digits, and marks: in many scripts those are vowels


def make_slug(text: str) -> str:
    """`Crème brûlée!` -> `creme-brulee`. Latin letters lose their accents; letters of other scripts stay as they are.
    "" if the text has neither a letter nor a digit. A slug is its own slug."""
    if text.isascii():
        return _replace_others("-", text.lower()).strip("-")
    characters = map(_write, _remove_accents("", fold(text)))
    return to_nfc(re.sub("-+", "-", "".join(characters)).strip("-"))


def compile_slug(field: Field) -> Convert:
    def convert(text: str) -> str | BadCell:
        slug = make_slug(text)
        return quote_json(slug) if slug else NOT_SLUG

    return limit_length(field, convert)


def _write(character: str) -> str:
    kind = category(character)
    return character if kind[0] in KEPT else "" if kind == "Cf" else "-"
