"""Looks a heading up among everything that the fields of a record type may be called."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from app.mappings.suggesting.synonyms import SYNONYMS, Synonyms
from app.resources.canonical import fold
from app.resources.schema import Field, Resource

Reason = Literal["template", "exact", "label", "spelling", "synonym", "values"]

# How sure it is that a name means its field, from 0 to 1. From HIGH on nobody has to look at it.
EXACT: Final = 1.0
LABEL: Final = 0.98
SPELLED: Final = 0.95  # differs in case, accents, blanks and punctuation alone
SYNONYM: Final = 0.9
SHORTENED: Final = 0.85  # at most: a remark in brackets, a number at the end or what a slash separates was left out
HIGH: Final = 0.8
MISSPELLED: Final = 0.7
WEAK: Final = 0.6  # the word has other meanings

ALIKE: Final = 0.91  # of difflib, from 0 to 1
FUZZY_LENGTHS: Final = range(5, 41)  # of names that are compared: it takes time that grows with the lengths multiplied
FUZZY_SEARCHES: Final = 20
MOST_NAMES: Final = 1_000

_brackets = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_first_number = re.compile(r"(?<=\D)0?1$")


@dataclass(frozen=True, slots=True)
class KnownName:
    """What a heading means. `why` is a sentence for people about the heading. `rank` orders names of one field that are
    equally sure: 0 is the best."""

    field: Field
    reason: Reason
    confidence: float
    why: str
    rank: int = 0


class FieldNames:
    """The names of the fields, each reduced to its letters and digits. A heading with a slip of the pen is found only
    among the first FUZZY_SEARCHES that are not known."""

    def __init__(self, fields: Sequence[Field], resource: Resource) -> None:
        self._names: dict[str, list[KnownName]] = {}
        for field in fields:
            for name, known in list_names(field, resource):
                others = self._names.setdefault(name, [])
                if all(each.field is not field for each in others):  # what is listed first counts
                    others.append(known)
        self._comparable = [name for name in list(self._names)[:MOST_NAMES] if len(name) in FUZZY_LENGTHS]
        self._searches = 0

    def look_up(self, heading: str) -> list[KnownName]:
        """The fields that the heading may mean."""
        reduced = reduce_name(heading)
        if known := self._names.get(reduced):
            return known
        for part in heading.split("/"):
            short = reduce_name(_first_number.sub("", _brackets.sub("", part).strip()))
            if known := self._names.get(short):
                return [replace(each, confidence=min(each.confidence, SHORTENED)) for each in known]
        if len(reduced) not in FUZZY_LENGTHS or self._searches >= FUZZY_SEARCHES:
            return []
        self._searches += 1
        return list(self._find_alike(reduced))

    def _find_alike(self, reduced: str) -> Iterator[KnownName]:
        for close in difflib.get_close_matches(reduced, self._comparable, n=1, cutoff=ALIKE):
            for each in self._names[close]:
                if each.confidence > WEAK:
                    why = f"It is spelled almost like a name of `{each.field.id}`"
                    yield replace(each, reason="spelling", confidence=MISSPELLED, why=why)


def list_names(field: Field, resource: Resource) -> Iterator[tuple[str, KnownName]]:
    """All names of a field. A word with other meanings stays one even if it is the id: `name` of a contact."""
    meanings = list(find_meanings(field, resource))
    for meaning, synonyms in meanings:
        weak = KnownName(field, "synonym", WEAK, f"It can mean {meaning}, or something else")
        yield from ((word, replace(weak, rank=rank)) for rank, word in enumerate(split_words(synonyms.weak)))
    if field.label:
        yield reduce_name(field.label), KnownName(field, "label", LABEL, f"It is the label of `{field.id}`")
    yield reduce_name(field.id), KnownName(field, "spelling", SPELLED, f"It is spelled almost like `{field.id}`")
    for meaning, synonyms in meanings:
        strong = KnownName(field, "synonym", SYNONYM, f"It is a usual name for {meaning}")
        yield from ((word, replace(strong, rank=rank)) for rank, word in enumerate(split_words(synonyms.words)))


def find_meanings(field: Field, resource: Resource) -> Iterator[tuple[str, Synonyms]]:
    """What a field of a built-in type is listed under, or any other field is called like."""
    declared, own = f"{resource.name}.{field.id}", {reduce_name(field.id), reduce_name(field.label)}
    listed = [item for item in SYNONYMS.items() if declared in item[1].fields.split("; ")]
    yield from listed or (item for item in SYNONYMS.items() if not own.isdisjoint(split_words(item[1].words)))


@lru_cache(maxsize=256)  # more than there are in the table
def split_words(words: str) -> tuple[str, ...]:
    return tuple(reduce_name(word) for word in words.split(";") if word)


def reduce_name(name: str) -> str:
    """The letters and digits of a name, in lower case and without accents."""
    return "".join(filter(str.isalnum, fold(name)))
