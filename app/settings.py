"""Reads the environment: every setting with its default and its description. Nothing else reads it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.addresses import RESERVED, explain_unencoded, find_unencoded
from app.errors import name_subject


def check_encoded(url: SecretStr, field: ValidationInfo) -> SecretStr:
    """Raises ValueError for a password that would be read as a part of the host or the path."""
    # SQLAlchemy's parser minds only this one.
    breaking = "@" if field.field_name == "database_url" else RESERVED
    if characters := find_unencoded(url.get_secret_value(), breaking):
        raise ValueError(explain_unencoded(f"SLUICE_{str(field.field_name).upper()}", characters))
    return url


def describe_wrong_setting(error: ValidationError) -> str:
    """The first setting that cannot be used, and what it may be, without its value."""
    first = error.errors()[0]
    name = "_".join(str(part) for part in first["loc"])
    return name_subject(f"SLUICE_{name.upper()}", first["msg"]).replace("`", "")


Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)]
LogFormat = Annotated[Literal["console", "json"], BeforeValidator(str.lower)]
Url = Annotated[SecretStr, AfterValidator(check_encoded)]


class Settings(BaseSettings):
    """All settings, read from `SLUICE_*` variables. The reference in the documentation is made of the descriptions."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    data: Path = Field(Path(".sluice"), description="Folder for everything that is stored on this machine")
    database_url: Url | None = Field(
        None,
        description="PostgreSQL 15 or newer, `postgresql://user:password@host:port/name`; "
        "if not set, `sluice up` starts its own server",
    )
    redis_url: Url | None = Field(
        None,
        description="Redis 6.2 or Valkey 8 or newer, with the policy `noeviction`: `redis://…`, with TLS `rediss://…`, "
        "behind sentinels `redis+sentinel://:password@host,host/master/number`; if not set, `sluice up` starts its own "
        "server",
    )
    blobs: str | None = Field(
        None,
        description="Where uploaded files are stored, `file:///path` or `s3://bucket/prefix`; if not set, `DATA/blobs`",
    )
    blobs_key: SecretStr | None = Field(
        None, description="Access key for `s3://`; if not set, the credentials that the AWS tools find on the machine"
    )
    blobs_secret: SecretStr | None = Field(None, description="Secret of the access key")
    blobs_cache_bytes: PositiveInt = Field(
        1_073_741_824, description="With `s3://`: how many bytes of stored files may be cached in `DATA/cache`"
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Secret that the hashes of API keys depend on, 32 characters or more (`openssl rand -hex 32`); the "
        "same on all machines; `sluice up` creates its own",
    )
    vault_keys: SecretStr | None = Field(
        None,
        description="Keys that encrypt the credentials of connections and secrets of webhooks, separated by commas: "
        "the first encrypts, all decrypt; if not set, one key derived from the secret key",
    )
    public_url: str | None = Field(
        None,
        description="Base address of the links in responses, mails and webhooks; if not set, the address of each "
        "request; mails and webhooks then have paths only",
    )
    smtp_url: Url | None = Field(
        None,
        description="Mail server for notices, `smtp://user:password@host:port` or `smtps://…`; if not set, "
        "no mails are sent",
    )
    mail_from: str | None = Field(None, description="Sender of mails, `Sluice <sluice@example.org>`")
    mail_domains: str = Field(
        "", description="Domains that mails may go to, `example.org,shop.example`; if not set, every domain"
    )
    mails_per_day: PositiveInt = Field(
        100, description="Mails that one account may send in a day of UTC; an import beyond gets a warning instead"
    )
    webhook_http: bool = Field(
        False, description="Whether webhooks may be sent to `http://` addresses, where anybody on the way can read them"
    )
    webhook_days: PositiveInt = Field(
        30, description="Days that messages to webhooks are kept after they were delivered or given up"
    )

    log_format: LogFormat | None = Field(
        None,
        description="`console` for lines that people read, `json` for one JSON object per line; if not set, `console` "
        "on a terminal and `json` elsewhere",
    )
    log_level: Level = Field("info", description="Least severe level that is logged: debug, info, warning or error")

    traces_url: SecretStr | None = Field(
        None,
        description="Collector that gets traces by OTLP over HTTP, `http://collector:4318`; if not set, none are made",
    )

    rate_limit: str = Field(
        "10000/minute",
        description="Requests that one key may make in a period, such as `20 per 5 seconds`; `off` for no limit",
    )
    max_file_bytes: PositiveInt = Field(
        52_428_800, description="Largest file, in bytes as sent, without the rest of the form"
    )
    queue_limit: PositiveInt = Field(
        10, description="Imports that one account may have waiting, running or halted at a time"
    )
    plan_hours: PositiveInt = Field(
        24,
        description="Hours that a halted or planned run waits to be resumed or cancelled; then it is cancelled",
    )
    undo_days: NonNegativeInt = Field(
        7, description="Days that a run can be undone after its end, and a record has a history; 0: neither is kept"
    )
    retention_days: PositiveInt = Field(
        30, description="Days that imports, their files and reports are kept after their end"
    )
    tombstone_days: PositiveInt = Field(
        365, description="Days after its end that the id of a run whose retention is over is answered with 410"
    )
    audit_days: PositiveInt = Field(365, description="Days that the audit log tells who has changed what")
    max_columns: PositiveInt = Field(2_000, description="Maximum number of columns in a file")
    max_record_bytes: PositiveInt = Field(1_048_576, description="Largest row, and largest record as JSON, in bytes")
    max_cell_characters: PositiveInt = Field(131_072, description="Longest cell, in characters")
    max_key_characters: PositiveInt = Field(255, description="Longest key of a record, in characters")
    max_form_parts: PositiveInt = Field(50, description="Maximum number of parts in a multipart request")
    max_part_bytes: PositiveInt = Field(65_536, description="Largest form part other than the file, in bytes")
    unpack_ratio: PositiveInt = Field(200, description="A gzip file may unpack to at most this many times its size")
    upload_idle_seconds: PositiveFloat = Field(
        60,
        description="Seconds after which an upload is given up that sends nothing, or fewer than 1,000 bytes a second",
    )

    slice_seconds: PositiveFloat = Field(1.0, description="Seconds after which an import lets others have a turn")
    slices_at_once: PositiveInt = Field(2, description="Imports that one worker process works on at a time")
    batch_rows: PositiveInt = Field(10_000, description="Maximum number of rows written in one transaction")
    batch_bytes: PositiveInt = Field(
        2_097_152, description="Maximum number of bytes of a file that are read for one transaction"
    )
    export_seconds: PositiveFloat = Field(
        600,
        description="Seconds within which an export must have written its file: for so long its snapshot keeps "
        "PostgreSQL's vacuum from removing old rows",
    )
    lease_seconds: PositiveFloat = Field(
        15, description="Seconds after which a silent worker loses its import to another"
    )
    sweep_seconds: PositiveFloat = Field(
        3, description="How often, in seconds, a worker looks for imports that nobody works on"
    )
    max_crashes: PositiveInt = Field(5, description="Crashes at the same place in a file after which the import fails")
    shutdown_seconds: PositiveFloat = Field(
        20, description="Seconds that a stopping process has to finish its current work"
    )
    worker_metrics_port: int = Field(0, description="Port on which a worker serves its metrics; 0 for none")
    database_pool: PositiveInt = Field(12, description="Maximum number of PostgreSQL connections of one process")

    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, "
        "`10.0.0.5,fd00::/8`; if not set, nobody's",
    )
    cors_origins: str = Field(
        "",
        description="Web pages that may call from a browser, as origins, `https://app.example.com,https://…`, or `*` "
        "for any; empty for none",
    )
    allow_networks: str = Field("", description="Private networks that may be called, `10.1.0.0/16,fd00::/8`")
    ca_file: Path | None = Field(None, description="PEM file of a private CA for HTTPS, FTPS, S3, mail and Redis")
    source_seconds: PositiveFloat = Field(
        600, description="Seconds within which a file must be fetched from its source, or one try delivers it"
    )
    source_idle_seconds: PositiveFloat = Field(
        30, description="Seconds after which a transfer that does not move is tried again"
    )
    fetches_at_once: PositiveInt = Field(
        4,
        description="Files that one worker process fetches, exports or delivers at a time; of one account at most half "
        "as many",
    )
