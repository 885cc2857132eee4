"""The import wizard: a page for each step, and how one begins."""

from app.dashboard.routes.wizard import (
    again,
    check,
    columns,
    discard,
    look,
    record_type,
    run,
    server,
    source,
    start,
    upload,
)

WIZARD = (start, again, source, upload, server, look, record_type, columns, check, run, discard)
