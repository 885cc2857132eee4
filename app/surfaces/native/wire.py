"""Our own shapes: lists with an opaque cursor, camel case, times in UTC."""

from typing import Any, Final, Literal

from pydantic import Field

from app.web.shapes import Shape, Timestamp


class Links(Shape):
    next: str = Field(default="", description="Absolute address of the next page; absent on the last")


class RowProblem(Shape):
    """One thing that is wrong with one row."""

    line: int = Field(description="Line of the file on which the row begins; the header's is 1")
    row: int = Field(description="Number of the row; the first after the header is 1")
    column: str | None = Field(description="The heading in the file; null when the whole row is meant")
    field: str | None = Field(description="The field that the column fills")
    code: str = Field(examples=["type_error"])
    message: str
    value: str | None = Field(description="The bad value, cut at 200 characters")
    key: str | None = Field(description="What the row calls its record, as far as that could be read")


class ProblemList(Shape):
    """In the file's order."""

    links: Links
    results: list[RowProblem]


class Record(Shape):
    type: str
    key: str
    data: dict[str, Any] = Field(description="The fields; numbers have the digits they were given")
    created_at: Timestamp
    updated_at: Timestamp
    import_id: str = Field(description="The import that last changed it")


class RecordList(Shape):
    """In the order of the keys."""

    links: Links
    results: list[Record]


class RecordType(Shape):
    """A record type: a built-in one with the account's custom fields, or one that the account declared."""

    name: str
    built_in: bool
    key: str = Field(description="The id of the field that identifies a record")
    keys: list[str] = Field(default=[], description="Where several may: the first that is filled is a record's key")
    fields: list["TypeField"]
    families: list["TypeFamily"] = Field(default=[], description="Of a nested type: the fields inside, kind by kind")
    unknown_columns: Literal["ignore", "keep", "error"]


FieldType = Literal[
    "text", "integer", "decimal", "boolean", "date", "datetime", "email", "phone", "url", "enum", "list", "object"
]


class TypeFamily(Shape):
    path: str = Field(
        description="`#` stands for a position of a list, 0 to 999, and `*` at the end for any path",
        examples=["variants.#.sku"],
    )
    type: FieldType


class TypeField(Shape):
    id: str
    type: FieldType
    required: bool = False
    options: list[str] = Field(default=[], description="For enum and list: the words that are allowed")
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    separator: str = "|"
    read_only: bool = False


class TypeBody(Shape):
    """A declaration. For contacts only `fields`: the account's custom ones."""

    key: str = Field(default="", description="The id of the field that identifies a record; required for an own type")
    fields: list[dict[str, Any]] = Field(
        description="id, type, required, options, min, max, maxLength, separator; see GET /types/{name}"
    )
    unknown_columns: Literal["ignore", "keep", "error"] = "ignore"


class TypeList(Shape):
    links: Links
    results: list[RecordType]


class CouponSetBody(Shape):
    name: str = Field(default="", max_length=255, description="For people; unset: the id")


class CouponSet(Shape):
    id: str
    name: str
    quantity: int = Field(description="The number of its coupons")
    created_at: Timestamp
    updated_at: Timestamp


Transport = Literal["http", "https", "ftp", "ftps", "sftp", "s3"]


class ConnectionBody(Shape):
    """Secrets are the last six; they are kept encrypted and never shown again."""

    name: str = Field(max_length=100)
    transport: Transport
    host: str = Field(default="", description="A host alone. Required but for S3, which has none")
    port: int = Field(default=0, ge=1, le=65_535, description="Unset: the protocol's own. S3 has none")
    user: str = Field(default="", description="Not for S3")
    root: str = Field(default="", description="The folder that relative paths start from")
    tls: Literal["explicit", "implicit"] = Field(default="explicit", description="For FTPS")
    host_key: str = Field(
        default="", description="For SFTP, required: the server's key or its SHA256 fingerprint, or trust-on-first-use"
    )
    bucket: str = Field(default="", description="For S3, required")
    region: str = Field(default="", description="For S3; unset: us-east-1")
    endpoint: str = Field(default="", description="For S3 that is not Amazon's: its address, with https:// or http://")
    path_style: bool = Field(default=False, description="For S3; unset: true with `endpoint`")
    password: str = Field(default="", description="Not for S3")
    private_key: str = Field(default="", description="For SFTP, as OpenSSH writes it")
    passphrase: str = Field(default="", description="For SFTP: of the private key")
    access_key: str = Field(default="", description="For S3, required")
    secret_key: str = Field(default="", description="For S3, required")
    session_token: str = Field(default="", description="For S3")


class Connection(Shape):
    id: str
    name: str
    transport: Transport
    host: str = ""
    port: int = 0
    user: str = ""
    root: str = ""
    tls: str = ""
    host_key: str = ""
    bucket: str = ""
    region: str = ""
    endpoint: str = ""
    path_style: bool = False
    secrets: list[str] = Field(description="Names of the secrets that are set", examples=[["password"]])
    created_at: Timestamp
    updated_at: Timestamp


class ConnectionList(Shape):
    links: Links
    results: list[Connection]


class TrialBody(Shape):
    path: str = Field(description="test-import: the file, or a pattern; test-export: the folder, empty for the first")


class TrialStep(Shape):
    step: str = Field(description="connect, find, read, write, delete; or where it failed before: address, resolve, …")
    ok: bool
    found: str = Field(default="", description="What was seen")
    why: str = Field(default="", description="Why it failed")


class Trial(Shape):
    """Every step up to the first that failed."""

    ok: bool
    steps: list[TrialStep]


class PullBody(Shape):
    path: str = Field(min_length=1, description="The file, or a pattern in its last part: `/in/*.csv`")
    after: str | None = Field(
        default=None, description="`next` of an earlier answer: only files behind those it started"
    )
    type: str = Field(max_length=100, description="contacts, products, or another type of the account")
    format: Literal["csv", "jsonl"] | None = None
    delimiter: Literal[",", ";", "\t", "|", "auto"] = "auto"
    encoding: str | None = None
    override_existing: bool = True
    update_only_empty_fields: bool = False
    blank_cells: Literal["keep", "clear", "empty"] = "keep"
    null_marker: str | None = None
    duplicates: Literal["last", "first", "error"] = "last"
    unknown_columns: Literal["ignore", "keep", "error"] | None = None
    confirm_email: str | None = Field(default=None, description="Who is told by mail when an import has ended")


class BegunImport(Shape):
    import_id: str
    path: str


class Begun(Shape):
    matched: int = Field(description="Files that fit the path, and stand behind `after`")
    left: int = Field(description="Of those, files for which there was no room in the queue")
    next: str | None = Field(description="To be sent as `after` when there is room again; null when no file is left")
    results: list[BegunImport] = Field(description="Oldest file first")


class Health(Shape):
    status: Literal["ok"]


class Part(Shape):
    """A part of the service that it needs to be ready."""

    ok: bool
    why: str = Field(default="", description="When it is not ok")


class Readiness(Shape):
    ready: bool
    parts: dict[str, Part] = Field(description="database, schema, redis, blobs, worker")


# What FastAPI cannot see, because the handlers read and write bytes.
TYPE_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": TypeBody.model_json_schema()}}}
}
SET_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": CouponSetBody.model_json_schema()}}}
}
CONNECTION_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ConnectionBody.model_json_schema()}}}
}
PULL_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": PullBody.model_json_schema()}}}
}
TRIAL_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": TrialBody.model_json_schema()}}}
}
MADE_TYPE: Final[dict[int | str, dict[str, Any]]] = {201: {"model": RecordType, "description": "It is new"}}
MADE_SET: Final[dict[int | str, dict[str, Any]]] = {201: {"model": CouponSet, "description": "It is new"}}
SAMPLE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
METRICS: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
