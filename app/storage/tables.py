"""The tables as SQLAlchemy sees them. The migrations create them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()


def moment(name: str, *, nullable: bool = True) -> Column[object]:
    """A column for a moment, with its time zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Numbers imports and single writes in the order of their acceptance; raised under the row's lock.
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    moment("created_at", nullable=False),
    Column("brakes", JSONB, nullable=False, server_default="{}"),  # of runs that have none: app.runs.holding.brakes
    Column("mails_on", Date),  # the last day with a mail, by UTC, and how many there were on it
    Column("mails", Integer, nullable=False, server_default="0"),
    Column("quotas", JSONB, nullable=False, server_default="{}"),  # of its own, by the names of app.quotas.quota.QUOTAS
    moment("deleting_at"),  # since when it is being erased: nobody may come in
    Column("erased", JSONB, nullable=False, server_default="{}"),  # how much is gone of what, then
    moment("suspended_at"),  # since when nobody may come in and nothing is worked on; null: it is active
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("created_by", Text),  # the person or the key that made it; null: the operator
    moment("created_at", nullable=False),
    moment("last_used_at"),  # to the minute
    moment("expires_at"),  # null: never
    moment("revoked_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),  # of the token, which is stored nowhere
    Column("key_id", Text, ForeignKey("api_keys.id"), nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    moment("created_at", nullable=False),
    moment("expires_at", nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("settings", JSONB, nullable=False),  # without secrets
    Column("secret", LargeBinary, nullable=False),  # the secrets, sealed to this row
    Column("last_tests", JSONB, nullable=False, server_default="{}"),  # app.connections.outcome.LastTest by purpose
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)

record_types = Table(
    "record_types",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("declaration", JSONB, nullable=False),
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)

mappings = Table(
    "mappings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("mapping", JSON, nullable=False),  # in its wire form; `json` keeps the order of members
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
    moment("last_used_at"),  # the acceptance of the last run with it
)

coupon_sets = Table(
    "coupon_sets",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)

item_syncs = Table(
    "item_syncs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("connection_id", Text, nullable=False),  # the connection may be gone
    Column("settings", JSONB, nullable=False),  # app.syncs.settings.SyncSettings
    Column("seen_images", JSONB),  # of the ZIP whose pictures were taken in last: app.syncs.plan.SeenFile
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),  # what it is: app.runs.kinds.Kind
    Column("step", Text),  # what it does now, or did last: app.runs.kinds.Step
    Column("name", Text),  # what people call it
    Column("parent_id", Text, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("relation", Text),  # why there is a parent: retry, rerun, correction, undo, sync, schedule
    Column("created_by", Text),  # the API key or the schedule that made it
    Column("sync_id", Text),  # of a sync: the item sync, which may be gone
    Column("seq", BigInteger),  # place in the account's order of writes; null for kinds that write no records
    Column("type", Text, nullable=False),
    Column("origin", Text, nullable=False),  # the surface that accepted it
    Column("request_id", Text, nullable=False, server_default=""),  # the request that created it
    Column("state", Text, nullable=False),
    Column("options", JSONB, nullable=False),  # app.imports.plan.Options
    Column("plan", JSONB, nullable=False),  # app.imports.plan.Plan
    Column("plan_version", SmallInteger, nullable=False, server_default="1"),  # app.storage.database.PLAN_VERSION
    Column("blob", Text),  # null once pruned
    Column("blob_digests", LargeBinary),  # app.storage.blobs.digests; null if release 0.1 has stored the file
    Column("file_name", Text),
    Column("file_bytes", BigInteger, nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("total", Integer),
    Column("created", Integer, nullable=False, server_default="0"),
    Column("updated", Integer, nullable=False, server_default="0"),
    Column("unchanged", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    # Beside the rows: records that a replacement removes, or has removed once it is finished; null if it is none.
    Column("removed", Integer),
    # The cursor: where the next batch begins.
    Column("at_offset", BigInteger, nullable=False, server_default="0"),
    Column("at_line", Integer, nullable=False, server_default="1"),
    Column("at_row", Integer, nullable=False, server_default="0"),
    Column("batches", Integer, nullable=False, server_default="0"),
    # The fence and the lease.
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("crashes", SmallInteger, nullable=False, server_default="0"),
    moment("lease_until"),
    moment("heartbeat_at"),
    moment("due_at", nullable=False),
    # Of a file that is pulled: where from (without credentials), how much has arrived, and how often the source was
    # away.
    Column("source", JSONB),
    Column("secret", LargeBinary),  # credentials, sealed to this row; null once the run has ended
    Column("destinations", JSONB),  # where an export is delivered, and how far that is; null: nowhere
    Column("fetched_bytes", BigInteger, nullable=False, server_default="0"),
    Column("fetches", SmallInteger, nullable=False, server_default="0"),
    Column("notify", Text),  # who gets a mail when it has ended
    Column("webhook_id", Text),  # the webhook that it names, which may be gone
    moment("notified_at"),  # sent, or given up: then there is a warning
    moment("tell_at"),  # no mail before this moment: the lease of the worker that sends it, then the backoff
    Column("interruptions", JSONB),  # when and where a worker was lost that had it: app.runs.model.Interruption
    Column("report", JSONB),  # of a sync: app.syncs.report.SyncReport
    Column("error_summary", JSONB, nullable=False, server_default="[]"),
    Column("warnings", JSONB, nullable=False, server_default="[]"),
    # Why it failed, is halted or was cancelled.
    Column("fail_code", Text),
    Column("fail_detail", Text),
    moment("held_at"),  # since when it is halted or planned
    Column("waiting_for", Text),  # while it is put off: app.runs.progress.TROUBLES
    moment("created_at", nullable=False),
    moment("started_at"),
    moment("finished_at"),
    moment("pruned_at"),
    Column("undone_by", Text),  # the run that undoes it, which may be gone
    Column("traceparent", Text),  # of the request which it came from, if that was traced: app.observe.traces
)

sync_files = Table(
    "sync_files",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),  # in the order in which files are read
    Column("role", Text, nullable=False),  # app.syncs.files.Role
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    moment("modified"),  # as the server tells; so is the tag
    Column("tag", Text),
    Column("blob", Text, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("moved_to", Text),  # where it went at its server after the sync
    moment("moved_at"),
)

batches = Table(
    "batches",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("at_offset", BigInteger, nullable=False),
    Column("at_line", Integer, nullable=False),
    Column("at_row", Integer, nullable=False),
    Column("created", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("problem_count", Integer, nullable=False),
    Column("problems", LargeBinary),  # zlib of JSON, null when there are none
    Column("created_rows", LargeBinary),  # which rows made records, as release 0.1 reads it, for runs that tell
    Column("outcomes", LargeBinary),  # what became of each row, where the counts do not tell: app.runs.ledger
    moment("committed_at", nullable=False),
)

# Which failed rows of its parent a retry or a correction has: app.imports.row_files.row_set.
taken_rows = Table(
    "taken_rows",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("rows", LargeBinary, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),  # of the picture as it was sent
    Column("width", Integer, primary_key=True),  # that was asked for; 0: as it is
    Column("blob", Text),  # null if the picture was refused
    Column("blob_digests", LargeBinary),
    Column("blob_sha256", Text),  # of what is stored
    Column("bytes", BigInteger),
    Column("media_type", Text),
    Column("pixel_width", Integer),
    Column("pixel_height", Integer),
    Column("refused", Text),  # app.pictures.picture.PICTURE_REFUSALS
    moment("used_at", nullable=False),  # last seen in an archive
)

records = Table(
    "records",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("key", Text(collation="C"), primary_key=True),
    Column("data", JSONB, nullable=False),
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
    Column("run_id", Text),  # the run that last changed it; null when it was written by itself
    Column("run_seq", BigInteger, nullable=False),  # the newest import or single write that had this key
    Column("run_row", Integer, nullable=False),  # in which row
    Column("repeats_row", Integer),  # the earlier row of the same run that had the same key
    # The text by which others may refer to it, as it is indexed, in types that have such a field; else null.
    Column("name", Text(collation="C")),
)
