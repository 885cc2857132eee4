"""The one place that reads the environment: every setting, its default and what it is for."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)]


class Settings(BaseSettings):
    """All settings, read from `SLUICE_*` variables. The descriptions are the documentation (README lists them)."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_", frozen=True, extra="ignore")

    data: Path = Field(Path(".sluice"), description="Folder for everything that is kept on this machine")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL 15 or newer, `postgresql://user:password@host:port/name`; unset: the embedded one"
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis 6.2 or Valkey 8 or newer, `redis://…`, with `noeviction`; unset: the embedded one"
    )
    blobs: str | None = Field(
        None, description="Where uploads are stored, `file:///path` or `s3://bucket/prefix`; unset: `DATA/blobs`"
    )
    blobs_key: SecretStr | None = Field(
        None, description="Access key for `s3://`; unset: what AWS' own tools would find on the machine"
    )
    blobs_secret: SecretStr | None = Field(None, description="Secret of that access key")
    blobs_cache_bytes: PositiveInt = Field(
        1_073_741_824, description="Bytes of stored files that are kept in `DATA/cache` as copies, with `s3://`"
    )
    secret_key: SecretStr | None = Field(
        None, description="Peppers the hashes of API keys; the same on all machines; `sluice up` makes its own"
    )
    vault_keys: SecretStr | None = Field(
        None,
        description="Keys that seal the credentials of sources, with commas between: the first seals, each opens; "
        "unset: one made from the secret key",
    )
    public_url: str | None = Field(None, description="The address in links; unset: taken from each request")
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server for notices, `smtp://user:password@host:port` or `smtps://…`; unset: nobody is told",
    )
    mail_from: str | None = Field(None, description="Sender of mails, `Sluice <sluice@example.org>`")
    log_level: Level = Field("info", description="debug, info, warning or error")

    rate_limit: str = Field(
        "10000/minute",
        description="Requests that one key may make in a time, e.g. `20 per 5 seconds`; `off`: any number",
    )
    max_file_bytes: PositiveInt = Field(52_428_800, description="Largest file, in bytes of the file part itself")
    queue_limit: PositiveInt = Field(10, description="Imports of one account that may wait or run at a time")
    retention_days: PositiveInt = Field(30, description="Days that ended imports, their files and reports are kept")
    max_columns: PositiveInt = Field(2_000, description="Most columns in a file")
    max_record_bytes: PositiveInt = Field(1_048_576, description="Largest row, in bytes")
    max_cell_characters: PositiveInt = Field(131_072, description="Longest cell")
    max_key_characters: PositiveInt = Field(255, description="Longest key of a record")
    max_form_parts: PositiveInt = Field(50, description="Most parts in a multipart request")
    max_part_bytes: PositiveInt = Field(65_536, description="Largest form part that is not the file")
    unpack_ratio: PositiveInt = Field(200, description="A gzip file may grow at most so many times")
    upload_idle_seconds: PositiveFloat = Field(60, description="An upload that sends nothing for so long is dropped")

    slice_seconds: PositiveFloat = Field(1.0, description="An import gives way to others after so long")
    slices_at_once: PositiveInt = Field(2, description="Imports that one worker process works on at a time")
    batch_rows: PositiveInt = Field(10_000, description="Rows written in one transaction")
    batch_bytes: PositiveInt = Field(2_097_152, description="Bytes of the file read for one transaction, at most")
    lease_seconds: PositiveFloat = Field(15, description="A worker that is silent for so long has lost its import")
    sweep_seconds: PositiveFloat = Field(3, description="How often a worker looks for imports that nobody works on")
    max_crashes: PositiveInt = Field(5, description="Crashes on the same spot of a file before the import fails")
    shutdown_seconds: PositiveFloat = Field(20, description="How long a stopping worker may finish what it is at")
    worker_metrics_port: int = Field(0, description="Port on which a worker shows its metrics; 0: none")
    database_pool: PositiveInt = Field(10, description="Connections that one process holds to PostgreSQL, at most")

    allow_networks: str = Field(
        "", description="Networks that may be called although they are not public, `10.1.0.0/16,fd00::/8`"
    )
    ca_file: Path | None = Field(None, description="A private CA for HTTPS, FTPS, S3 and mail, as PEM")
    source_seconds: PositiveFloat = Field(600, description="A file that is pulled must be here after so long")
    source_idle_seconds: PositiveFloat = Field(30, description="A source that sends nothing for so long is tried again")
    fetches_at_once: PositiveInt = Field(4, description="Files that one worker process fetches at a time")
