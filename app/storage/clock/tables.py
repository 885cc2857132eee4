"""The tables of what happens by the clock, as SQLAlchemy sees them. The migrations create them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, Table, Text

from app.storage.tables import metadata, moment

schedules = Table(
    "schedules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # of the runs that it starts: app.schedules.schedule.ScheduleKind
    Column("target", Text),  # the connection of an import, or the item sync; it may be gone
    Column("request", JSON, nullable=False),  # what is asked for, as a request does: the body of the route of its kind
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default="true"),
    moment("next_run_at"),  # for which it is started next; null: not, or never again
    moment("due_at"),  # no worker looks at it before this moment: it is later while a start is tried again
    Column("progress", JSON),  # of a start that is not complete: app.schedules.schedule.Progress
    Column("last_run_id", Text),  # it may be gone
    Column("last_result", JSON),  # what has become of the last start: app.schedules.schedule.Result
    Column("failures", Integer, nullable=False, server_default="0"),  # starts that failed in a row
    moment("created_at", nullable=False),
    moment("updated_at", nullable=False),
)
