"""Writes the reference page of every limit, with the values that the code has today."""

from app.auth import tokens
from app.declarations import types
from app.deliveries.webhooks import stored as webhooks
from app.formats import header
from app.heavy_reads import OF_AN_ACCOUNT, PATIENCE
from app.imports.preview import MOST_ROWS
from app.imports.sources.head import HEAD_BYTES
from app.mappings.declaring import declaration
from app.mappings.templates import stored
from app.resources import declared_fields, objects, paths
from app.schedules import stored as schedules
from app.settings import Settings
from app.storage.idempotency import keys
from app.storage.records import PAGE_BYTES
from app.web.bodies import arrival, json_body
from app.web.once.header import MOST_CHARACTERS
from app.web.responses import downloads
from app.web.server import connections
from app.web.server.protocol import ServerLimits
from docs.generate.markdown import code, page, table

SERVER = ServerLimits()


def limits() -> str:
    intro = """
What is beyond a limit is refused or fails its row; nothing is cut off silently. Limits with a setting can be
[changed](settings.md). Allow bodies of 50 MB and a few minutes in your proxy, too.
"""
    rows = [
        (
            name,
            f"{default(setting) if setting else value}",
            code(f"SLUICE_{setting.upper()}") if setting else "",
            beyond,
        )
        for name, setting, value, beyond in ROWS
    ]
    return page("Limits", intro, table(("Limit", "Value", "Setting", "Beyond it"), rows))


def default(setting: str) -> str:
    value = Settings.model_fields[setting].default
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


# What is limited, the setting or the value, and what happens beyond it.
ROWS = [
    ("Bytes of a file, and of what gzip unpacks to", "max_file_bytes", 0, "413 `too_large`, as early as it can be known"),
    ("Growth of a gzip file, times its size", "unpack_ratio", 0, "413 `too_large`"),
    ("Imports of an account that are queued or running", "queue_limit", 0,
     "400 `E0401` at `POST /imports`, 429 elsewhere, with `Retry-After`"),
    ("Hours for which the answer to a request with an `Idempotency-Key` is kept", "", keys.KEPT_HOURS,
     "the request starts something again"),
    ("Characters of an `Idempotency-Key`", "", MOST_CHARACTERS, "400 `bad_request`"),
    ("Requests of a key", "rate_limit", 0, "429 `too_many_requests` with `Retry-After`"),
    ("Bytes of the request line and the headers", "", f"{SERVER.head_bytes:,}", "431, or 414 for the path"),
    ("Headers of a request", "", SERVER.headers, "431"),
    ("Seconds in which the headers must arrive", "", f"{SERVER.head_seconds:g}", "408"),
    ("Seconds that a connection may be idle", "", SERVER.keep_alive_seconds, "closed; earlier if there are too many"),
    ("Seconds in which an answer must be read to its end, or 60,000 bytes of it", "", f"{SERVER.write_seconds:g}", "the connection breaks"),
    ("Connections of an API process", "", f"{connections.MOST_CONNECTIONS:,}, fewer if `ulimit -n` is low",
     "the longest idle one is closed, or 503; `/healthz` is answered"),
    ("Connections of one address, unless it is a trusted proxy", "", "half of them", "the same"),
    ("Columns of a file", "max_columns", 0, "422 `invalid`"),
    ("Characters of a heading", "", f"{header.MAX_HEADING_LENGTH:,}", "422 `invalid`"),
    ("Uploads of an account that are not complete, in an API process", "queue_limit", 0, "as imports beyond the queue"),
    ("Bytes of an account's smaller bodies that are not complete, in an API process", "", f"{arrival.HELD_BYTES:,}",
     "429 `too_many_requests`"),
    ("Bytes a second at which an upload must come, while it is waited for", "", f"{arrival.LEAST_SPEED:,}",
     "400 `bad_request`, after the seconds in which it may send nothing"),
    ("Downloads of an account at a time, from an API process", "", downloads.MOST_DOWNLOADS, "429 `too_many_reads`"),
    ("Bytes of a row, and of a record as JSON", "max_record_bytes", 0, "problems `record_too_long` and `record_too_large`"),
    ("Characters of a cell", "max_cell_characters", 0, "problem `cell_too_long`"),
    ("Characters of a key", "max_key_characters", 0, "problem `key_too_long`"),
    ("Levels of nesting in JSON", "", objects.MAX_DEPTH, "problem `too_deep`"),
    ("Members of an object of a nested type, inner ones included", "", f"{paths.MAX_MEMBERS:,}", "problem `too_many_members`"),
    ("Characters of a path in a nested type", "", paths.MAX_PATH_LENGTH, "problem `path_too_long`"),
    ("Fields of a record type that an account declares", "", f"{declared_fields.MOST_FIELDS:,}", "422 `invalid`"),
    ("Bytes of a record type's declaration as JSON", "", f"{types.MOST_BYTES:,}", "422 `invalid`"),
    ("Types that an account declares", "", types.MOST_TYPES, "422 `invalid`"),
    ("Bytes of all declarations of an account", "", f"{types.MOST_BYTES_IN_ALL:,}", "422 `invalid`"),
    ("Mapping templates of an account", "", f"{stored.MOST_TEMPLATES:,}", "422 `invalid`"),
    ("Bytes of a mapping as JSON", "", f"{declaration.MOST_BYTES:,}", "422 `invalid`"),
    ("Bytes of all mapping templates of an account", "", f"{stored.MOST_BYTES:,}", "422 `invalid`"),
    ("Webhooks of an account", "", webhooks.MOST_WEBHOOKS, "422 `invalid`"),
    ("Schedules of an account", "", schedules.MOST_SCHEDULES, "422 `invalid`"),
    ("Bytes of all requests of an account's schedules", "", f"{schedules.MOST_BYTES:,}", "422 `invalid`"),
    ("Bytes of a file, and rows, from which a mapping is suggested", "", f"{HEAD_BYTES:,}, and {MOST_ROWS:,}", "not looked at"),
    ("Bytes of the records of a page", "", f"{PAGE_BYTES:,}", "the page of `GET /records/…` ends early; vendors' lists come in pieces"),
    ("Large reads of an account in one API process at a time", "", OF_AN_ACCOUNT,
     f"others wait {PATIENCE:g} seconds, then 429 `too_many_reads` with `Retry-After`"),
    ("Parts of a form", "max_form_parts", 0, "400 `bad_request`"),
    ("Bytes of a form part that is not the file", "max_part_bytes", 0, "422 `invalid`"),
    ("Bytes of a JSON body", "", f"{json_body.MAX_BYTES:,}", "413 `too_large`"),
    ("Seconds in which an upload may send nothing", "upload_idle_seconds", 0, "400 `bad_request`"),
    ("Seconds in which a file must be fetched", "source_seconds", 0, "the failure of the step that it is at, mostly `source_read`"),
    ("Seconds in which a source may send nothing", "source_idle_seconds", 0, "another try, in the end the failure of the step"),
    ("Seconds that an access token is valid", "", tokens.TOKEN_SECONDS, "401 `not_authenticated`"),
    ("Crashes of workers at the same place in a file", "max_crashes", 0, "failure `worker_crashed`"),
    ("Days that an ended import is kept", "retention_days", 0, "410 `gone`"),
]  # fmt: skip
