"""Finds a stored record by what a caller calls it, and counts those of each type."""

from collections.abc import Mapping
from typing import Any

from app.declarations.types import load_key_forms, unknown_type
from app.errors import Refused
from app.resources.canonical import to_nfc
from app.resources.registry import BUILT_IN
from app.storage import records, types
from app.storage.counts.records import RecordCount, count_records
from app.storage.database import ReadSession


async def count_stored(session: ReadSession, account_id: int) -> Mapping[str, RecordCount]:
    """By the name of each type that the account can import: the built-in ones first, then its own."""
    own = await types.list_names(session, account_id)
    return await count_records(session, account_id, list(dict.fromkeys([*BUILT_IN, *own])))


async def find_record(session: ReadSession, account_id: int, type: str, key: str) -> Mapping[Any, Any]:
    """The row of the record: an e-mail address may be in any case, a customer named by the caller's own id. Raises
    Refused("not_found")."""
    for form in await list_key_forms(session, account_id, type, key):
        row = await records.get(session, account_id, type, form)
        if row is not None:
            return row
    raise no_record(type)


async def list_key_forms(session: ReadSession, account_id: int, type: str, key: str) -> list[str]:
    """The keys that a record may have which a caller calls so: the first that is stored is meant. Raises
    Refused("not_found") for the type."""
    key_forms = (await load_key_forms(session, account_id, [type])).get(type)
    if key_forms is None:
        raise unknown_type(type)
    return list(dict.fromkeys([*key_forms(key), to_nfc(key)]))


def no_record(type: str) -> Refused:
    return Refused("not_found", f'There is no record of type "{type}" with this key')
