"""What an account has in which table, in the order in which it is erased; a test holds it to the schema.

Files go first: what nobody owns any more would stay for a day. Then what is large, and at the end what others refer to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from app.storage.database import ReadSession, Session

OF_ACCOUNT: Final = "account_id = :account_id"
RUNS: Final = "SELECT id FROM runs WHERE account_id = :account_id"
FEEDS: Final = "SELECT id FROM feeds WHERE account_id = :account_id"
WEBHOOKS: Final = "SELECT id FROM webhooks WHERE account_id = :account_id"
KEYS: Final = "SELECT id FROM api_keys WHERE account_id = :account_id"
FILES: Final = "files"  # what stored files are counted as
COUNTED_UNTIL: Final = 10_000  # of what remains


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of an account in a table, deleted so many at a time, and what they are counted as. Rows of other tables
    that hang on them go with them."""

    table: str
    counted_as: str
    whose: str = OF_ACCOUNT
    piece: int = 5_000


PARTS: Final = (
    Part("records", "records"),
    Part("changed_records", "history"),
    Part("changed_batches", "history", piece=200),  # each has what hundreds of records were
    Part("created_records", "history", piece=200),  # each has the keys of a batch
    Part("staged_records", "staged"),
    Part("staged_keys", "staged", piece=20_000),
    Part("named_keys", "staged", piece=200),
    Part("webhook_deliveries", "messages", f"webhook_id IN ({WEBHOOKS})"),
    Part("seen_files", "seenFiles", f"feed_id IN ({FEEDS})"),
    Part("idempotency_keys", "requests", piece=200),  # each has an answer
    Part("batches", "batches", f"run_id IN ({RUNS})", piece=500),
    Part("sync_files", "runs", f"run_id IN ({RUNS})"),
    Part("taken_rows", "runs", f"run_id IN ({RUNS})", piece=200),
    Part("runs", "runs", piece=200),
    Part("pictures", "pictures"),
    Part("drafts", "drafts", piece=200),
    Part("schedules", "declared"),
    Part("feeds", "declared"),
    Part("item_syncs", "declared"),
    Part("webhooks", "declared"),
    Part("connections", "declared"),
    Part("mappings", "declared"),
    Part("coupon_sets", "declared"),
    Part("record_types", "declared"),
    Part("tokens", "access", f"key_id IN ({KEYS})"),
    Part("sessions", "access"),
    Part("person_links", "access"),
    Part("memberships", "access"),
    Part("api_keys", "access"),
    Part("audit_log", "deeds"),  # last: what is erased before is noted there
)

# Table -> what is left of a row once its file is gone.
OWNERS_OF_FILES: Final = {
    "runs": ("UPDATE runs SET blob = NULL, blob_digests = NULL", OF_ACCOUNT),
    "sync_files": ("DELETE FROM sync_files", f"run_id IN ({RUNS})"),
    "drafts": ("DELETE FROM drafts", OF_ACCOUNT),
    "pictures": ("DELETE FROM pictures", OF_ACCOUNT),
}
FILES_OF: Final = " UNION ".join(
    f"SELECT blob FROM {table} WHERE {whose} AND blob IS NOT NULL" for table, (_, whose) in OWNERS_OF_FILES.items()
)

ERASE: Final = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {whose} LIMIT :piece)) AND {whose}"""
COUNT: Final = "SELECT count(*) FROM (SELECT FROM {table} WHERE {whose} LIMIT :most) AS first"
# What is erased is not noted in the journal.
NO_NOTES: Final = "SELECT set_config('sluice.journal', 'off', true)"
ADD: Final = """
UPDATE accounts SET erased = erased || jsonb_build_object(
    CAST(:counted_as AS text), coalesce(CAST(erased ->> :counted_as AS bigint), 0) + :rows)
WHERE id = :account_id AND deleting_at IS NOT NULL"""


async def list_files(session: ReadSession, account_id: int, *, limit: int) -> Sequence[str]:
    """Some of the stored files of an account."""
    found = await session.execute(text(f"{FILES_OF} LIMIT :limit"), {"account_id": account_id, "limit": limit})
    return list(found.scalars())


async def forget_files(session: Session, account_id: int, blobs: Sequence[str]) -> None:
    """Takes files that are deleted from the rows that had them, and counts them."""
    given = {"account_id": account_id, "blobs": list(blobs)}
    for done, whose in OWNERS_OF_FILES.values():
        await session.execute(text(f"{done} WHERE {whose} AND blob = ANY(:blobs)"), given)
    await add_erased(session, account_id, FILES, len(blobs))


async def erase_some(session: Session, account_id: int, part: Part) -> int:
    """Deletes a piece of a part, counts it, and returns how many rows it was."""
    await session.execute(text(NO_NOTES))
    erase = text(ERASE.format(table=part.table, whose=part.whose))
    rows = (await session.execute(erase, {"account_id": account_id, "piece": part.piece})).rowcount
    if rows:
        await add_erased(session, account_id, part.counted_as, rows)
    return rows


async def add_erased(session: Session, account_id: int, counted_as: str, rows: int) -> None:
    await session.execute(text(ADD), {"account_id": account_id, "counted_as": counted_as, "rows": rows})


async def count_remaining(session: ReadSession, account_id: int) -> dict[str, int]:
    """How much remains of what, each table counted up to COUNTED_UNTIL."""
    remaining: dict[str, int] = {}
    for part in PARTS:
        count = text(COUNT.format(table=part.table, whose=part.whose))
        found = (await session.execute(count, {"account_id": account_id, "most": COUNTED_UNTIL})).scalar_one()
        if found:
            remaining[part.counted_as] = remaining.get(part.counted_as, 0) + int(found)
    return remaining
