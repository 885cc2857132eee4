"""Where a body says that its file is, as a place that files are fetched from."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from pydantic import SecretStr

from app.connections.pull import Pull
from app.errors import Complaint
from app.surfaces.cordial.translate.imports import read_text
from app.transports.failed import TransportFailed
from app.transports.options import TRUST_FIRST
from app.transports.transport import Option, Remote, check_path
from app.transports.url import parse_server_url, validate_port

LOGIN: Final = ("server", "username", "password", "path")
BUCKET: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_bucket", "aws_region", "path")
# Transport -> what has to be given besides; what else may be.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("url",),
    "https": ("url",),
    "ftp": LOGIN,
    "ftps": LOGIN,
    "sftp": LOGIN,
    "s3": BUCKET,
}
TEXTS: Final = ("url", "server", "username", "password", "tls", "host_key", *BUCKET, "aws_endpoint")
TLS: Final = ("explicit", "implicit")
MOST_DIGITS: Final = 5

Texts = Mapping[str, str]


def pull_of(source: object, complaints: list[Complaint]) -> Pull | None:
    """None when something is wrong, which goes to `complaints`."""
    if source is None or not isinstance(source, dict):
        told = "The source field is required." if source is None else "The source must be an object."
        complaints.append(Complaint("source", told))
        return None
    before = len(complaints)
    texts = read_texts(source, complaints)
    transport = (read_text(source, "transport", complaints, path="source.transport") or "").strip().lower()
    if transport not in REQUIRED:
        told = "The selected source.transport is invalid." if transport else "The source.transport field is required."
        complaints.append(Complaint("source.transport", told))
        return None
    missing = [name for name in REQUIRED[transport] if source.get(name) in (None, "")]
    complaints += [Complaint(f"source.{name}", f"The source.{name} field is required.") for name in missing]
    port = read_port(source.get("port"), transport, complaints)
    if len(complaints) > before:
        return None
    return MADE[transport](transport, texts, port, complaints)


def read_texts(source: Mapping[str, object], complaints: list[Complaint]) -> dict[str, str]:
    found = {name: read_text(source, name, complaints, path=f"source.{name}") for name in dict.fromkeys(TEXTS)}
    return {name: text for name, text in found.items() if text is not None}


def read_port(given: object, transport: str, complaints: list[Complaint]) -> int | None:
    """A number, or a text of digits. None: the usual one. An address of the web names its own."""
    if given in (None, "") or transport not in ("ftp", "ftps", "sftp"):
        return None
    digits = str(given).strip() if isinstance(given, str | Decimal) else ""
    if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS:
        try:
            return validate_port(transport, int(digits))
        except TransportFailed:
            pass
    complaints.append(Complaint("source.port", "The source.port must be the number of a port that may be called."))
    return None


def of_web(transport: str, texts: Texts, _port: int | None, complaints: list[Complaint]) -> Pull | None:
    try:
        target = parse_server_url(texts["url"].strip())
    except TransportFailed as wrong:
        complaints.append(Complaint("source.url", f"The source.url format is invalid. {wrong.detail}"))
        return None
    if transport == "https" and target.scheme != "https":
        complaints.append(Complaint("source.url", "The source.url must begin with https:// for this transport."))
        return None
    user, password = texts.get("username", ""), texts.get("password")
    secret = SecretStr(password) if user and password is not None else None
    return Pull(Remote(target.scheme, target.host, target.port, user, secret), target.path)


def of_server(transport: str, texts: Texts, port: int | None, complaints: list[Complaint]) -> Pull | None:
    options: dict[str, Option] = {}
    if transport == "sftp":
        # The vendor's API knows no host key: then the first one that is shown is taken.
        options["host_key"] = texts.get("host_key") or TRUST_FIRST
    if transport == "ftps" and texts.get("tls"):
        options["tls"] = texts["tls"].strip().lower()
        if options["tls"] not in TLS:
            complaints.append(Complaint("source.tls", f"The source.tls must be one of {', '.join(TLS)}."))
    if "@" in texts["server"]:  # a password may stand before it, and the server is repeated in answers
        complaints.append(Complaint("source.server", "The source.server must be a host alone."))
        return None
    login = texts["username"], SecretStr(texts["password"])
    return with_path(Remote(transport, texts["server"].strip(), port, *login, options), texts, complaints)


def of_bucket(_transport: str, texts: Texts, _port: int | None, complaints: list[Complaint]) -> Pull | None:
    options: dict[str, Option] = {
        "bucket": texts["aws_bucket"],
        "region": texts["aws_region"],
        "access_key": SecretStr(texts["aws_access_key_id"]),
        "secret_key": SecretStr(texts["aws_secret_access_key"]),
    }
    if texts.get("aws_endpoint"):
        options["endpoint"] = texts["aws_endpoint"]
    return with_path(Remote("s3", "", options=options), {"path": texts["path"].lstrip("/")}, complaints)


def with_path(remote: Remote, texts: Texts, complaints: list[Complaint]) -> Pull | None:
    """`./files/file.csv` and `files/file.csv` are the same."""
    try:
        return Pull(remote, check_path(texts["path"].removeprefix("./")))
    except TransportFailed as wrong:
        complaints.append(Complaint("source.path", f"The source.path is invalid. {wrong.detail}"))
        return None


MADE: Final[Mapping[str, Callable[[str, Texts, int | None, list[Complaint]], Pull | None]]] = {
    "http": of_web,
    "https": of_web,
    "ftp": of_server,
    "ftps": of_server,
    "sftp": of_server,
    "s3": of_bucket,
}
