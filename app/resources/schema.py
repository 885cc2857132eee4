"""How a record type is described: its fields, its keys, and what happens to a column that it does not know."""

import dataclasses
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

UnknownColumns = Literal["ignore", "keep", "error"]
KEY_CHARACTERS = 24  # of a generated key


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `type` is a key of `app.resources.field_types.TYPES`, which also says which of the limits
    apply: `min` and `max` bound numbers, `max_length` counts characters, `options` are the allowed values of an enum or
    list."""

    id: str
    type: str
    label: str = ""  # what people call it
    required: bool = False  # must be filled when a record is created
    options: tuple[str, ...] = ()
    min: Decimal | None = None
    max: Decimal | None = None
    max_length: int | None = None
    separator: str = "|"  # between the values of a list
    to: str = ""  # the type of the records that a reference, or each value of a list, names by their keys
    read_only: bool = False  # a column of this name is ignored, with a warning
    # Accepts spellings around the strict one: a date with a time, a phone number with spaces; from JSON Lines a text
    # given as a whole number, a boolean given as 1 or 0.
    lenient: bool = False
    kept: bool = False  # takes any JSON value of JSON Lines as it came; of a delimited file the text
    # What a new record gets where its row leaves the field alone, in a type that generates its keys: JSON text, or the
    # text of the field `made_from`.
    default: str = ""
    made_from: str = ""
    items: str = "text"  # what the items of a list are: a key of `app.resources.texts.ITEMS`
    # A reference that its row does not fill is taken from the field with this `alias_of` it, which names the records as
    # their type is `named_by`, and is not stored itself.
    alias_of: str = ""
    # Required in a new record whose reference in this field leads to a record that has one as well.
    deep: str = ""
    samples: tuple[str, ...] = ()  # cells for sample.csv, repeated if there are fewer than it has rows


@dataclass(frozen=True, slots=True)
class Family:
    """Fields of a nested record that share a pattern. In `path` the segment `#` stands for any position of a list (0 to
    999), and `*` at the end for any path: `variants.#.attr.*`. `field.id` is the pattern itself."""

    path: str
    field: Field


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Records are known by an id that this service generates. A row names its record by the field `id` (the record must
    then exist) or else by the field `source`, the caller's own id, which never changes. A row with neither is a new
    record."""

    prefix: str  # of the generated id
    id: str
    source: str


SEGMENTS = {"#": r"(?:0|[1-9][0-9]{0,2})", "*": r"[^\0]+"}


def family(path: str, type: str, *, lenient: bool = False, kept: bool = False) -> Family:
    return Family(path, Field(path, type, lenient=lenient, kept=kept))


@lru_cache(maxsize=1_024)
def compile_path(path: str) -> re.Pattern[str]:
    """What the path of a family, or the beginning of one, matches."""
    return re.compile(r"\.".join(SEGMENTS.get(segment) or re.escape(segment) for segment in path.split(".")))


@lru_cache(maxsize=8_192)
def find_member(families: tuple[Family, ...], id: str) -> Field | None:
    """The field with that id in one of the families."""
    match = next((each for each in families if compile_path(each.path).fullmatch(id)), None)
    return replace(match.field, id=id) if match else None


@dataclass(frozen=True, slots=True)
class Resource:
    """A record type. `keys` are the fields that can identify a record: the first of them that is filled in a row is its
    key. A type with `families` has nested records; they are stored flat, with paths (`variants.0.sku`) as field ids."""

    name: str
    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    unknown_columns: UnknownColumns = "ignore"
    unknown_prefix: str = ""  # put before the heading of an unknown column that is kept
    surrogate: Surrogate | None = None  # None: the key is the value of the key field
    # A row whose key field is blank is a new record with a key that this service makes; any other names a record that
    # must exist. The key is stored in its field, too.
    generates_key: bool = False
    fixed: str | None = None  # a field that never changes once the record exists (a coupon's set)
    families: tuple[Family, ...] = ()
    named_by: str = ""  # a field by whose text other records may refer to one of this type, besides its key
    _by_id: dict[str, Field] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {each.id: each for each in reversed(self.fields)})

    def field(self, id: str) -> Field | None:
        """The field with exactly that id."""
        match = self._by_id.get(id)
        return find_member(self.families, id) if match is None and self.families else match

    def type_named_in(self, field: Field) -> str:
        """The type of the records that cells of one of its fields name; "" if they name none."""
        reference = self.field(field.alias_of) if field.alias_of else field
        return reference.to if reference else ""

    @property
    def made_field(self) -> str | None:
        """The field that holds the id which this service makes."""
        if self.generates_key:
            return self.keys[0]
        return self.surrogate.id if self.surrogate else None

    @property
    def named_types(self) -> frozenset[str]:
        """The types of the records that a record may name."""
        return frozenset(each.to for each in self.fields if each.to)

    @property
    def outer(self) -> re.Pattern[str]:
        """Matches the paths that have fields below them: `variants`, `variants.0`, `sale`."""
        paths = [*(each.id for each in self.fields), *(each.path for each in self.families)]
        ancestors = dict.fromkeys(ancestor for path in paths for ancestor in list_ancestors(path))
        return re.compile("|".join(compile_path(ancestor).pattern for ancestor in ancestors))

    @property
    def lists(self) -> tuple[str, ...]:
        """The paths of lists: `variants`."""
        paths = (each.path.partition(".#")[0] for each in self.families if ".#" in each.path)
        return tuple(dict.fromkeys(paths))

    def has_room_for(self, path: str) -> bool:
        """Whether a path that no field declares can be kept. In a type of nested records it must not begin as a
        declared path does: inside `variants` or `sale` only what is declared can be put together again."""
        return not self.families or path.partition(".")[0] not in self.members

    @property
    def members(self) -> frozenset[str]:
        """The members of a nested record: the first segments of all declared paths."""
        paths = [*(each.id for each in self.fields), *(each.path for each in self.families)]
        return frozenset(path.partition(".")[0] for path in paths)

    def unknown_field_id(self, heading: str) -> str:
        """The id under which a column that no field declares is kept."""
        return heading if heading.startswith(self.unknown_prefix) else self.unknown_prefix + heading


def list_ancestors(path: str) -> list[str]:
    """Of `variants.#.sku`: `variants` and `variants.#`."""
    segments = path.split(".")
    return [".".join(segments[:end]) for end in range(1, len(segments))]
