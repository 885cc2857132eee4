"""Every route that changes something is in the audit log, or has a reason not to be."""

import re
from collections.abc import Mapping
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from app.audit.actions import ACTIONS
from app.main import create_app
from app.runs.kinds import Kind
from app.runtime import Runtime
from app.settings import Settings

# A new route belongs into one of these two tables. What it writes into a table that has a trigger of the audit log is
# noted without a line of code: `migrations/versions/0041_audit_log.py`. Else it calls `app.storage.audit.noting`.
NOTED: Final[Mapping[str, str]] = {
    "PUT /account/defaults": "account.changed",
    "POST /app/settings/account": "account.changed",
    "POST /admin/accounts": "account.created",
    "PATCH /admin/accounts/{name}": "account.changed",
    "DELETE /admin/accounts/{name}": "account.deletion_begun",
    "POST /admin/accounts/{name}/keys": "key.created",
    "DELETE /admin/accounts/{name}/keys/{key_id}": "key.revoked",
    "POST /keys": "key.created",
    "POST /app/keys/new": "key.created",
    "DELETE /keys/{key_id}": "key.revoked",
    "POST /app/keys/{key_id}/revoke": "key.revoked",
    "POST /v1/oauth/token": "token.issued",
    "POST /v1/oauth/token/revoke": "token.revoked",
    "POST /people": "person.invited",
    "POST /app/people/new": "person.invited",
    "PUT /people/{person_id}": "person.changed",
    "POST /app/people/{person_id}": "person.changed",
    "POST /people/{person_id}/link": "person.link_made",
    "POST /app/people/{person_id}/link": "person.link_made",
    "DELETE /people/{person_id}": "person.removed",
    "POST /app/people/{person_id}/remove": "person.removed",
    "POST /app/welcome/{token}": "person.joined",
    "POST /app/me/password": "person.changed",
    "POST /app/me/account": "session.started",
    "POST /app/sign-in": "session.started",
    "POST /connections": "connection.created",
    "POST /app/settings/connections/new": "connection.created",
    "PUT /connections/{connection_id}": "connection.changed",
    "POST /app/settings/connections/{connection_id}": "connection.changed",
    "DELETE /connections/{connection_id}": "connection.deleted",
    "POST /app/settings/connections/{connection_id}/delete": "connection.deleted",
    "PUT /types/{name}": "type.created",
    "POST /app/imports/new/{draft_id}/type": "type.created",
    "DELETE /types/{name}": "type.deleted",
    "POST /app/types/{type}/delete": "type.deleted",
    "POST /mappings": "mapping.created",
    "POST /app/templates/new/{draft_id}": "mapping.created",
    "PUT /mappings/{mapping_id}": "mapping.changed",
    "POST /app/templates/{template_id}": "mapping.changed",
    "DELETE /mappings/{mapping_id}": "mapping.deleted",
    "POST /app/templates/{template_id}/delete": "mapping.deleted",
    "PUT /coupon-sets/{set_id}": "coupon_set.created",
    "POST /item-syncs": "item_sync.created",
    "POST /app/syncs/new": "item_sync.created",
    "PUT /item-syncs/{sync_id}": "item_sync.changed",
    "POST /app/syncs/{sync_id}/change": "item_sync.changed",
    "DELETE /item-syncs/{sync_id}": "item_sync.deleted",
    "POST /app/syncs/{sync_id}/delete": "item_sync.deleted",
    "POST /item-syncs/{sync_id}/runs": "sync.started",
    "POST /app/syncs/{sync_id}/run": "sync.started",
    "POST /schedules": "schedule.created",
    "POST /app/schedules/new": "schedule.created",
    "PUT /schedules/{schedule_id}": "schedule.changed",
    "POST /app/schedules/{schedule_id}/change": "schedule.changed",
    "DELETE /schedules/{schedule_id}": "schedule.deleted",
    "POST /app/schedules/{schedule_id}/delete": "schedule.deleted",
    "POST /schedules/{schedule_id}/pause": "schedule.paused",
    "POST /app/schedules/{schedule_id}/pause": "schedule.paused",
    "POST /schedules/{schedule_id}/resume": "schedule.resumed",
    "POST /app/schedules/{schedule_id}/resume": "schedule.resumed",
    "POST /feeds": "feed.created",
    "POST /app/feeds/new": "feed.created",
    "PUT /feeds/{feed_id}": "feed.changed",
    "POST /app/feeds/{feed_id}/change": "feed.changed",
    "DELETE /feeds/{feed_id}": "feed.deleted",
    "POST /app/feeds/{feed_id}/delete": "feed.deleted",
    "POST /feeds/{feed_id}/pause": "feed.paused",
    "POST /app/feeds/{feed_id}/pause": "feed.paused",
    "POST /feeds/{feed_id}/resume": "feed.resumed",
    "POST /app/feeds/{feed_id}/resume": "feed.resumed",
    "POST /webhooks": "webhook.created",
    "POST /app/settings/webhooks/new": "webhook.created",
    "PUT /webhooks/{webhook_id}": "webhook.changed",
    "POST /app/settings/webhooks/{webhook_id}/change": "webhook.changed",
    "POST /webhooks/{webhook_id}/rotate": "webhook.changed",
    "POST /app/settings/webhooks/{webhook_id}/rotate": "webhook.changed",
    "POST /app/settings/webhooks/{webhook_id}/disable": "webhook.paused",
    "POST /app/settings/webhooks/{webhook_id}/enable": "webhook.resumed",
    "DELETE /webhooks/{webhook_id}": "webhook.deleted",
    "POST /app/settings/webhooks/{webhook_id}/delete": "webhook.deleted",
    "POST /imports": "import.started",
    "POST /imports/file": "import.started",
    "POST /connections/{connection_id}/imports": "import.started",
    "POST /v1/customers/importCSV": "import.started",
    "POST /customers/importCSV": "import.started",
    "POST /v1/customers/bulk/async": "import.started",
    "POST /v1/customers/metadata/async": "import.started",
    "POST /v2/productimports": "import.started",
    "POST /productimports": "import.started",
    "POST /app/imports/new/{draft_id}/run": "import.started",
    "POST /app/imports/new/{draft_id}/check/whole": "import.started",
    "POST /imports/{import_id}/commit": "import.committed",
    "POST /app/runs/{run_id}/commit": "import.committed",
    "POST /imports/{import_id}/resume": "import.resumed",
    "POST /runs/{run_id}/resume": "import.resumed",
    "POST /app/runs/{run_id}/resume": "import.resumed",
    "POST /imports/{import_id}/cancel": "import.cancelled",
    "POST /runs/{run_id}/cancel": "import.cancelled",
    "POST /app/runs/{run_id}/cancel": "import.cancelled",
    "POST /imports/{import_id}/rerun": "import.rerun",
    "POST /imports/{import_id}/retry": "import.retried",
    "POST /app/runs/{run_id}/retry": "import.retried",
    "POST /imports/{import_id}/corrections": "import.corrected",
    "POST /app/runs/{run_id}/fix": "import.corrected",
    "DELETE /imports/{import_id}": "import.deleted",
    "POST /app/runs/{run_id}/delete": "import.deleted",
    "POST /imports/{import_id}/undo": "undo.started",
    "POST /runs/{run_id}/undo": "undo.started",
    "POST /app/runs/{run_id}/undo": "undo.started",
    "POST /exports": "export.started",
    "POST /app/exports/new": "export.started",
    "POST /exports/{export_id}/rerun": "export.rerun",
    "POST /exports/{export_id}/retry": "export.retried",
    "POST /app/exports/{export_id}/retry": "export.retried",
    "POST /exports/{export_id}/cancel": "export.cancelled",
    "DELETE /exports/{export_id}": "export.deleted",
    "PUT /records/{type}/{key}": "record.created",
    "PATCH /records/{type}/{key}": "record.changed",
    "DELETE /records/{type}/{key}": "record.deleted",
    "POST /app/records/{type}": "record.deleted",
    "POST /v2/products": "record.created",
    "DELETE /v2/products/{product_id}": "record.deleted",
}
READS: Final = "it changes nothing"
TESTS: Final = "it calls a server, and notes what came of that"
DRAFT: Final = "a draft is seen by nobody else, and what becomes of it is noted"
OWN: Final = "it concerns only the caller"
SENDS: Final = "a message is sent, and listed with the webhook"
NOT_NOTED: Final[Mapping[str, str]] = {
    "POST /mappings/suggest": READS,
    "POST /v1/oauth/introspect": READS,
    "POST /connections/{connection_id}/test-import": TESTS,
    "POST /connections/{connection_id}/test-export": TESTS,
    "POST /app/settings/connections/{connection_id}/test-import": TESTS,
    "POST /app/settings/connections/{connection_id}/test-export": TESTS,
    "POST /item-syncs/{sync_id}/test": TESTS,
    "POST /app/syncs/{sync_id}/test": TESTS,
    "POST /app/imports/new/{draft_id}/test": TESTS,
    "POST /feeds/{feed_id}/check": "the feed is looked at earlier, and what it imports is noted",
    "POST /app/feeds/{feed_id}/check": "the feed is looked at earlier, and what it imports is noted",
    "POST /webhooks/{webhook_id}/test": SENDS,
    "POST /app/settings/webhooks/{webhook_id}/test": SENDS,
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/replay": SENDS,
    "POST /app/settings/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": SENDS,
    **{
        f"POST /app/imports/new{path}": DRAFT
        for path in (
            "/server",
            "/upload",
            *(
                f"/{{draft_id}}/{step}"
                for step in ("check", "columns", "discard", "look", "server", "source", "upload")
            ),
        )
    },
    "POST /app/imports/again/{import_id}": DRAFT,
    "POST /app/templates/new": DRAFT,
    "POST /app/me/theme": OWN,
    "POST /app/me/sessions": OWN,
    "POST /app/sign-out": OWN,
}


def test_every_route_that_changes_something_is_noted_or_has_a_reason_not_to_be() -> None:
    routes = {
        f"{method} {re.sub(':key}', '}', context.path)}"
        for context in iter_route_contexts(create_app(Settings(_env_file=None)).routes)
        for method in context.methods - {"GET", "HEAD"}
        if not context.path.endswith("/")
    }
    assert not NOTED.keys() & NOT_NOTED.keys()
    assert routes == NOTED.keys() | NOT_NOTED.keys()
    assert set(NOTED.values()) <= ACTIONS.keys()


# The rows of a table are noted by `note_row`, whose arguments say what they are.
OF_ROWS = """
SELECT tgargs AS arguments,
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = tgrelid AND attname = 'enabled') AS enabled
FROM pg_trigger WHERE tgfoid = 'note_row'::regproc"""
OTHERS = """
SELECT prosrc FROM pg_proc WHERE proname LIKE 'note\\_%' AND prosrc LIKE '%note_deed(%' AND proname <> 'note_row'"""
# Written by Python.
BY_HAND = {"record.created", "record.changed", "record.deleted", "account.deletion_begun", "person.sign_in_failed"}
# What no trigger spells out: the kind of a run and what was decided. Not every kind can be planned, run again, retried
# and corrected.
OF_RUNS = {f"{kind}.{verb}" for kind in Kind for verb in ("started", "resumed", "cancelled", "deleted")} | {
    *(f"{kind}.committed" for kind in (Kind.IMPORT, Kind.SYNC)),
    *(f"{kind}.{verb}" for kind in (Kind.IMPORT, Kind.EXPORT) for verb in ("rerun", "retried")),
    "import.corrected",
}


@pytest.mark.usefixtures("servers")
async def test_what_triggers_note_has_a_sentence_each(runtime: Runtime) -> None:
    async with runtime.database.read() as session:
        tables = (await session.execute(text(OF_ROWS))).all()
        sources = (await session.execute(text(OTHERS))).scalars().all()
    deeds = set(re.findall(r"'(\w+\.\w+)'", " ".join(sources)))
    deeds |= {f"person.{verb}" for verb in ("invited", "removed", "joined", "changed")}
    for arguments, enabled in tables:
        kind = arguments.decode().split("\0")[0]
        verbs = ("created", "changed", "deleted", *(("paused", "resumed") if enabled else ()))
        deeds |= {f"{kind}.{verb}" for verb in (*verbs, *(("revoked",) if kind.endswith("key") else ()))}
    assert ACTIONS.keys() == deeds | BY_HAND | OF_RUNS
