"""Record types as a page lists them: what a file of one needs, and how many records there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from app.dashboard.words import count_of, write_number
from app.resources.registry import BUILT_IN
from app.resources.schema import Field, Resource
from app.storage.counts.records import RecordCount


@dataclass(frozen=True, slots=True)
class TypeLine:
    """One type in the list. `keys` are the fields that may identify a record, `required` those that a new one needs."""

    name: str
    path: str
    sample: str
    count: str
    keys: Sequence[str]
    required: Sequence[str]
    fields: int


def list_types(
    resources: Sequence[Resource], counts: Mapping[str, RecordCount]
) -> tuple[list[TypeLine], list[TypeLine]]:
    """The built-in types, and those that the account has declared."""
    lines = [describe_type(each, counts.get(each.name, RecordCount(0))) for each in resources]
    built_in = {each.name for each in resources if is_built_in(each)}
    return [each for each in lines if each.name in built_in], [each for each in lines if each.name not in built_in]


def is_built_in(resource: Resource) -> bool:
    """An account may have declared a type before there was a built-in one of its name."""
    built_in = BUILT_IN.get(resource.name)
    return built_in is not None and built_in.keys == resource.keys


def describe_type(resource: Resource, count: RecordCount) -> TypeLine:
    path, sample = type_path(resource.name), f"/app/samples/{quote(resource.name, safe='')}"
    required = [each.id for each in resource.fields if each.required and each.id not in resource.keys]
    keys = list(resource.keys)
    return TypeLine(resource.name, path, sample, write_count(count), keys, required, len(resource.fields))


def type_path(name: str) -> str:
    return f"/app/records/{quote(name, safe='')}"


def write_count(found: RecordCount) -> str:
    """ "about" says that it is an estimate, in two digits."""
    if found.precision == "exact":
        return write_number(found.count)
    if found.precision == "at_least":
        return f"more than {write_number(found.count)}"
    return f"about {write_number(round(found.count, 2 - len(str(found.count))))}"


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field of a type, with what its values may be."""

    id: str
    label: str
    type: str
    role: str
    limits: str


def list_fields(resource: Resource) -> list[FieldLine]:
    """The fields in their order, and the families of nested ones at the end."""
    families = [FieldLine(each.path, "", each.field.type, "any number of them", "") for each in resource.families]
    return [*(describe_field(resource, each) for each in resource.fields), *families]


def describe_field(resource: Resource, field: Field) -> FieldLine:
    return FieldLine(field.id, field.label, field.type, find_role(resource, field), describe_limits(field))


def find_role(resource: Resource, field: Field) -> str:
    if field.id == resource.keys[0]:
        return "key, made by the service if it is blank" if resource.generates_key else "key"
    if field.id in resource.keys:
        return "key, if the others are blank"
    if field.read_only:
        return "set by the service"
    return "required" if field.required else ""


def describe_limits(field: Field) -> str:
    """As few words as the limits need."""
    said = [f"from {field.min}"] if field.min is not None else []
    said += [f"up to {field.max}"] if field.max is not None else []
    said += [f"at most {count_of(field.max_length, 'character')}"] if field.max_length is not None else []
    said += [f"one of {', '.join(field.options[:8])}{' …' if len(field.options) > 8 else ''}"] if field.options else []
    said += [f"names records of {field.to}"] if field.to else []
    return ", ".join(said)
