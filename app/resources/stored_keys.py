"""The keys under which records are stored: the ids that this service makes, and the forms that a key may have."""

from collections.abc import Callable
from hashlib import blake2b

from app.resources.field_types import compile_key, normalize_key
from app.resources.schema import KEY_CHARACTERS, Field, Resource, Surrogate

ID_BYTES = KEY_CHARACTERS // 2  # of a generated id, written as hexadecimal characters


# From what somebody calls a record to the keys that it may have. The first of them that is stored is meant.
KeyForms = Callable[[str], tuple[str, ...]]


def compile_key_forms(resource: Resource, account_id: int) -> KeyForms:
    """How the records of a type are named: by the fields that their keys may come from."""
    forms = [compile_key(field) for field in map(resource.field, resource.keys) if field]
    surrogate = resource.surrogate
    if surrogate is not None:
        forms.append(lambda text: key_from_source(surrogate, account_id, text))
    first, *others = forms
    if not others:
        return lambda text: (first(text),)
    return lambda text: tuple(dict.fromkeys(form(text) for form in forms))


def key_from_source(surrogate: Surrogate, account_id: int, source: str) -> str:
    """The key of the account's record that the caller knows as `source`."""
    return generate_id(surrogate.prefix, f"{account_id}:{normalize_key(Field(surrogate.source, 'text'), source)}")


def generate_id(prefix: str, seed: str) -> str:
    return prefix + blake2b(seed.encode(), digest_size=ID_BYTES).hexdigest()
