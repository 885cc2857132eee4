"""Shapes of stored connections and of their tests."""

from typing import Final, Literal

from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import json_body
from app.web.shapes import UNSET_TIME, Shape, Timestamp

TransportName = Literal["http", "https", "ftp", "ftps", "sftp", "s3"]


class ConnectionBody(Shape):
    """The last six members are secrets: they are stored encrypted and never shown again."""

    name: str = Field(max_length=100)
    transport: TransportName
    host: str = Field(default="", description="A host name or address alone. Required, except for S3, which has none")
    port: int = Field(default=0, ge=1, le=65_535, description="Default: the protocol's own. Not for S3")
    user: str = Field(default="", description="Not for S3")
    root: str = Field(default="", description="The folder that relative paths start from")
    tls: Literal["explicit", "implicit"] = Field(default="explicit", description="For FTPS")
    host_key: str = Field(
        default="",
        description="For SFTP, required: the server's public key, its SHA256 fingerprint, or trust-on-first-use",
    )
    bucket: str = Field(default="", description="For S3, required")
    region: str = Field(default="", description="For S3. Default: us-east-1")
    endpoint: str = Field(default="", description="For S3 other than Amazon's: its URL, with https:// or http://")
    path_style: bool = Field(default=False, description="For S3. Default: true if `endpoint` is set")
    password: str = Field(default="", description="Not for S3")
    private_key: str = Field(default="", description="For SFTP, in OpenSSH or PEM format")
    passphrase: str = Field(default="", description="For SFTP: the passphrase of the private key")
    access_key: str = Field(default="", description="For S3, required")
    secret_key: str = Field(default="", description="For S3, required")
    session_token: str = Field(default="", description="For S3")


class ConnectionTestStep(Shape):
    step: str = Field(
        description="connect, find, read, write or delete; or where it failed earlier: address, resolve or "
        "authenticate. Of an item sync: connect, items, filters, images, afterwards, items header, filters header and "
        "images content"
    )
    ok: bool
    found: str = Field(default="", description="What the step found; absent if it failed")
    why: str = Field(default="", description="Why the step failed; absent if it succeeded")


class LastConnectionTest(Shape):
    at: Timestamp
    path: str = Field(description="The file, pattern or folder; of a URL without its query, which may be a secret")
    ok: bool
    steps: list[ConnectionTestStep]


NO_TEST: Final = LastConnectionTest(at=UNSET_TIME, path="", ok=False, steps=[])


class LastConnectionTests(Shape):
    """The last test of each kind. A change of the connection removes them, unless it changes the name alone."""

    import_: LastConnectionTest = Field(default=NO_TEST, alias="import", description="Absent if there was none")
    export_: LastConnectionTest = Field(default=NO_TEST, alias="export", description="Absent if there was none")


class ConnectionUse(Shape):
    """Something that calls the connection, and fails when the connection is deleted."""

    kind: Literal["feed", "schedule", "sync"]
    id: str
    name: str


class Connection(Shape):
    id: str
    name: str
    transport: TransportName
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
    secrets: list[str] = Field(description="The names of the secrets that are set", examples=[["password"]])
    last_tests: LastConnectionTests = Field(
        default=LastConnectionTests(), description="What the last tests have found. Absent if there were none"
    )
    used_by: list[ConnectionUse] = Field(
        default=[], description="The feeds, schedules and item syncs that name it. Present if one connection is read"
    )
    created_at: Timestamp
    updated_at: Timestamp


class ConnectionList(Shape):
    """Ordered by name."""

    links: Links
    results: list[Connection]


class ConnectionTestBody(Shape):
    path: str = Field(
        default="",
        description="test-import: the file, or a pattern; any file if it is empty. test-export: the folder, or empty",
    )


class ConnectionTest(Shape):
    """All steps, up to the first that failed."""

    ok: bool
    steps: list[ConnectionTestStep]


CONNECTION_BODY: Final = json_body(
    ConnectionBody,
    {
        "name": "Supplier",
        "transport": "sftp",
        "host": "files.example.com",
        "user": "sluice",
        "hostKey": "trust-on-first-use",
        "password": "secret",
    },
)
CONNECTION_TEST_BODY: Final = json_body(ConnectionTestBody, {"path": "/out/contacts.csv"}, closed=False)
