"""The import that a draft would become as a command for scripts, without key, password and the like."""

import json
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any, Final

from app.dashboard.script import KEY, write_curl
from app.drafts.draft import Draft
from app.drafts.type_choice import OF_DRAFTS, find_options
from app.mappings.mapping import Mapping as ColumnMapping

SERVER: Final = ("transport", "host", "port", "path", "bucket", "region")


def script_of_draft(draft: Draft, mapping: ColumnMapping, base: str) -> str:
    """`base` is the address of the service."""
    members = list_members(draft, mapping)
    if draft.is_upload:
        parts = [f"--form-string {quote(f'{name}={value}')}" for name, value in write_parts(members)]
        file = f"-F {quote(f'file=@{draft.file_name}')}"
        return " \\\n  ".join([f"curl {KEY}", *parts, file, quote(f"{base}/imports")])
    source = draft.source or {}
    if "connection_id" in source:
        body = {"path": source["path"], **members}
        return write_curl(base, f"/connections/{source['connection_id']}/imports", body=body)
    server = {name: source[name] for name in SERVER if name in source}
    return write_curl(base, "/imports/", body={**members, "source": server})


def list_members(draft: Draft, mapping: ColumnMapping) -> dict[str, Any]:
    """The members of a request. Some built-in types want the delimiter and how records that exist are met."""
    found = find_options(draft.choices, mapping)
    always: dict[str, Any] = {name: found[name] for name in ("overrideExisting", "updateOnlyEmptyFields")}
    delimited = draft.facts is not None and draft.facts.format == "csv"
    always["delimiter"] = draft.facts.delimiter if draft.facts and delimited else "auto"
    chosen = {name: value for name, value in draft.choices.items() if name not in OF_DRAFTS}
    return {**always, **chosen}


def write_parts(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
