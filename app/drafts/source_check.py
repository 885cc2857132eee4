"""Tests whether the file of a draft that is elsewhere can be imported, and keeps what was found with the draft."""

from typing import Any

from app.auth.identity import Identity
from app.connections.check import check_import
from app.connections.outcome import outcome_to_json
from app.connections.pull import Pull, is_pattern
from app.drafts.begin import store
from app.drafts.draft import Draft
from app.imports.sources.pattern import list_matching
from app.runtime import Runtime
from app.transports.failed import TransportFailed


async def check_source(runtime: Runtime, draft: Draft, pull: Pull, sender: Identity) -> Draft:
    """Up to a minute. The steps are those of the test of a connection; `files` is how many match a pattern. Raises
    Refused: not_found (the draft is done meanwhile), not_authenticated."""
    check = await check_import(pull.remote, pull.path, runtime.policy_for(draft.account_id))
    found: dict[str, Any] = {"steps": outcome_to_json("", check.steps)["steps"]}
    if check.ok and is_pattern(pull.remote.scheme, pull.path):
        found["files"] = await count_files(runtime, draft, pull)
    return await store(runtime, draft.account_id, sender, draft, {"checked": found})


async def count_files(runtime: Runtime, draft: Draft, pull: Pull) -> int | None:
    """None if the server does not answer any more."""
    try:
        return len(await list_matching(runtime, draft.account_id, pull))
    except TransportFailed:
        return None
