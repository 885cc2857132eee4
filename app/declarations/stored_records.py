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
    key_forms = (await load_key_forms(session, account_id, [type])).get(type)
    if key_forms is None:
        raise unknown_type(type)
    for form in dict.fromkeys([*key_forms(key), to_nfc(key)]):
        row = await records.get(session, account_id, type, form)
        if row is not None:
            return row
    raise Refused("not_found", f'There is no record of type "{type}" with this key')
