"""Fits a mapping to a record type: names what the type does not have or cannot take, and reads the constants."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from app.errors import Complaint, Refused, describe
from app.formats.characters import spell_heading
from app.mappings.columns import MOST_DESCRIBED
from app.mappings.conversions import UnconvertibleCell, compile_conversions, find_misfit
from app.mappings.declaring.declaration import NAMED_MISTAKES
from app.mappings.declaring.requested import BODY_MEMBER, ID_MEMBER
from app.mappings.mapping import INLINE, MappedColumn, Mapping
from app.mappings.nearest import NearestName
from app.resources.conversion import BadCell
from app.resources.field_types import compile_cell, compile_value
from app.resources.schema import Field, Resource


def fit_mapping(mapping: Mapping, resource: Resource) -> Mapping:
    """The mapping with constants as their fields store them. Blocking: some 5 ms for 2,000 columns.

    Raises one Refused("invalid") that names every field that the type lacks, every conversion that does not fit its
    field, and every text of the mapping that its field would refuse.
    """
    if not mapping.is_native:
        return mapping
    nearest = NearestName([field.id for field in resource.fields])
    complaints: list[Complaint] = []
    for column in mapping.columns:
        complaints += check_column(column, resource, nearest)
    constants = {}
    for name, value in mapping.constants.items():
        mistake = check_constant(name, mapping, resource, nearest)
        converted = "" if mistake else convert_constant(resource.field(name), value)
        if isinstance(converted, BadCell):
            mistake = f"The constant of `{name}` cannot be stored: {lower_first(converted.message)}"
        if mistake:
            complaints.append(Complaint("constants", mistake))
        else:
            constants[name] = str(converted)
    if complaints:
        raise Refused("invalid", describe(complaints[:MOST_DESCRIBED]), complaints[:NAMED_MISTAKES])
    return replace(mapping, constants=constants)


def fit_requested(mapping: Mapping, resource: Resource) -> Mapping:
    """As `fit_mapping`, for a request that brings the mapping as its `mapping`, or names it by its `mappingId`."""
    try:
        return fit_mapping(mapping, resource)
    except Refused as refused:
        inline = mapping.id == INLINE
        complaints = [
            replace(each, path=f"{BODY_MEMBER}.{each.path}" if inline else ID_MEMBER) for each in refused.complaints
        ]
        raise Refused(refused.code, refused.detail, complaints) from None


def find_field(id: str, resource: Resource) -> Field | None:
    """The field with that id; where the type keeps unknown columns beside its fields, one of those."""
    field = resource.field(id)
    prefix = resource.unknown_prefix
    is_beside = field is None and prefix and len(prefix) < len(id) and id.startswith(prefix)
    return Field(id, "text") if is_beside and resource.has_room_for(id) else field


def check_column(column: MappedColumn, resource: Resource, nearest: NearestName) -> Iterator[Complaint]:
    if not column.field:
        return
    field, name = find_field(column.field, resource), f"column `{spell_heading(column.name)}`"
    if field is None:
        yield Complaint("columns", f"C{name[1:]} cannot be mapped: {describe_lack(column.field, resource, nearest)}")
        return
    for conversion, value in column.conversions.items():
        misfit = find_misfit(conversion, value, field)
        if misfit:
            yield Complaint("columns", f"`{conversion}` of {name} {misfit}")
            return
    yield from check_texts(column, field, name)


def check_texts(column: MappedColumn, field: Field, name: str) -> Iterator[Complaint]:
    """The texts that the mapping itself puts into cells."""
    convert = compile_cell(field)
    for text, listed in column.conversions.get("values", {}).items():
        converted = convert(listed) if listed else ""
        if isinstance(converted, BadCell):
            shown = spell_heading(text)
            message = lower_first(converted.message)
            yield Complaint("columns", f'`values` of {name} cannot be used for "{shown}": {message}')
            return
    default = column.conversions.get("default")
    change = compile_conversions(column.conversions, field)
    if default is None or change is None:
        return
    read = change([default])[0]
    bad = read.bad if isinstance(read, UnconvertibleCell) else convert(read) if read else None
    if isinstance(bad, BadCell):
        yield Complaint("columns", f"`default` of {name} cannot be used: {lower_first(bad.message)}")


def describe_lack(id: str, resource: Resource, nearest: NearestName) -> str:
    meant = nearest.find(id)
    lack = f"the type `{resource.name}` has no field `{spell_heading(id)}`"
    return f"{lack}. Did you mean `{meant}`?" if meant else lack


def check_constant(name: str, mapping: Mapping, resource: Resource, nearest: NearestName) -> str | None:
    """Why a field cannot have a constant."""
    field = find_field(name, resource)
    if field is None:
        lack = describe_lack(name, resource, nearest)
        return f"T{lack[1:]}"
    if name in resource.keys or name == resource.made_field:
        return f"`{name}` cannot be a constant, because records are told apart by it"
    if field.read_only and name != resource.fixed:  # the set of a coupon comes with the request
        return f"`{name}` cannot be a constant, because the service fills this field itself"
    filled = next((column for column in mapping.columns if column.field == name), None)
    if filled is not None:
        return f"`{name}` cannot be a constant, because column `{spell_heading(filled.name)}` fills it"
    return None


def convert_constant(field: Field | None, value: str) -> str | BadCell:
    """The JSON text of a constant as its field stores it; the same if that is what it is already."""
    read = json.loads(value, parse_int=Decimal, parse_float=Decimal)
    return compile_value(field)(read) if field is not None else value


def lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
