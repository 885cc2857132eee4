"""The command `sluice history`: what has changed a record, newest first."""

from collections.abc import Mapping
from typing import Any, Final

from app.cli.client.http import build_path, connect, fetch_pages
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Limit, Url
from app.cli.client.printing import show_json, show_time
from app.cli.client.tables import TableColumn, print_pages
from app.cli.managing.records import RecordKey, RecordType

LARGEST_PAGE: Final = 100


def tell_fields(change: Mapping[str, Any]) -> str:
    """`price: 3 → 4, name: "A" → none`"""
    if change.get("unknown"):
        return "not noted"
    return ", ".join(
        f"{each['field']}: {tell_value(each, 'before')} → {tell_value(each, 'after')}" for each in change["fields"]
    )


def tell_value(field: Mapping[str, Any], side: str) -> str:
    return show_json(field[side]) if side in field else "none"


def tell_place(change: Mapping[str, Any]) -> str:
    """The file and the line, or the row; else the run; else the key or person."""
    if "fileName" not in change:
        return str(change.get("runId") or change.get("sentBy") or "")
    line, row = change.get("line"), change.get("row")
    place = f", line {line}" if line else f", row {row}" if row else ""
    return f"{change['fileName']}{place}"


CHANGES: Final = (
    TableColumn("AT", "at", show=show_time),
    TableColumn("WHAT", "outcome"),
    TableColumn("BY", tell_place, cut=True),
    TableColumn("FIELDS", tell_fields, cut=True, least=32),
)


def list_history(
    type: RecordType,
    record_key: RecordKey,
    *,
    limit: Limit = 20,
    url: Url = DEFAULT_URL,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Show what has changed a record, newest first: when, by what, and each field before and after."""
    with connect(url, key, as_json=as_json) as client:
        path = build_path("records", type, record_key, "history")
        print_pages(CHANGES, fetch_pages(client, path, limit=limit, largest=LARGEST_PAGE), as_json=as_json)
