"""What a request says of its mapping: one that it brings along, the id of a template, or the default."""

import json
from collections.abc import Mapping as Members
from dataclasses import dataclass
from typing import Any, Final

from app.errors import Complaint, Refused
from app.mappings.declaring.declaration import MOST_BYTES, parse_mapping
from app.mappings.mapping import DEFAULT, Mapping

ID_MEMBER: Final = "mappingId"
BODY_MEMBER: Final = "mapping"
# Ours, for any type: headings are ids, labels, or what looks the same.
DEFAULT_MAPPING: Final = Mapping(matching="loose")


@dataclass(frozen=True, slots=True)
class MappingChoice:
    """What a request says of its mapping: `mappingId`, and `mapping` as JSON, which is text in a form."""

    type: str
    id: str | None = None
    body: object | None = None

    @property
    def names_template(self) -> bool:
        """Whether it is a stored one, by its id alone."""
        return self.body is None and self.id not in (None, DEFAULT)


def choice_from(members: Members[str, object], type: str) -> MappingChoice:
    """What the parts of a form say, or the members of a JSON body. Empty ones count as absent: HTML forms send every
    field that they have."""
    id_ = members.get(ID_MEMBER) or None
    return MappingChoice(type, None if id_ is None else str(id_), members.get(BODY_MEMBER) or None)


def chooses_mapping(members: Members[str, object]) -> bool:
    return bool(members.get(ID_MEMBER) or members.get(BODY_MEMBER))


def build_mapping(choice: MappingChoice) -> Mapping | None:
    """The mapping that the request chooses, unless it names a template; None if it chooses none. Raises
    Refused("invalid")."""
    if choice.id is not None and choice.body is not None:
        raise _refuse(ID_MEMBER, f"Send either `{BODY_MEMBER}` or `{ID_MEMBER}`, not both")
    if choice.body is not None:
        body = parse_json(choice.body) if isinstance(choice.body, str) else choice.body
        of = body.get("type") if isinstance(body, dict) else None
        if of is not None and of != choice.type:
            raise _refuse(
                BODY_MEMBER, f"`{BODY_MEMBER}` is for another type than `type`, which is `{choice.type[:100]}`"
            )
        return parse_mapping(body, prefix=f"{BODY_MEMBER}.")
    return DEFAULT_MAPPING if choice.id == DEFAULT else None


def parse_json(text: str) -> object:
    """Raises Refused("invalid") for what is no JSON, is too long, or has a name twice."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise _refuse(BODY_MEMBER, f"`{BODY_MEMBER}` must have at most {MOST_BYTES:,} bytes")
    try:
        return json.loads(text, object_pairs_hook=_build_object)
    except (ValueError, RecursionError):
        raise _refuse(BODY_MEMBER, f"`{BODY_MEMBER}` must be JSON, with no name twice in one object") from None


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is there twice")
    return members


def fill_options(members: Members[str, Any], mapping: Mapping | None) -> dict[str, Any]:
    """The members of a request, and where it does not set an option that of its mapping."""
    options = mapping.options if mapping else {}
    return {**members, **{name: value for name, value in options.items() if members.get(name) in (None, "")}}


def _refuse(path: str, reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint(path, reason)])
