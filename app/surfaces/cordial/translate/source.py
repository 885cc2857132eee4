"""Reads where a JSON body says that its file is."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from pydantic import SecretStr

from app.connections.pull import Pull
from app.errors import Complaint, join_choices
from app.surfaces.cordial.translate.imports import parse_text
from app.transports.failed import TransportFailed
from app.transports.options import RULES, TRUST_FIRST
from app.transports.transport import Option, Remote, check_path
from app.transports.url import parse_server_url, validate_port

LOGIN: Final = ("server", "username", "password", "path")
BUCKET: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_bucket", "aws_region", "path")
# The members that each transport requires.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("url",),
    "https": ("url",),
    "ftp": LOGIN,
    "ftps": LOGIN,
    "sftp": LOGIN,  # a private key may take the place of the password
    "s3": BUCKET,
}
KEY: Final = ("privateKey", "passphrase")
MEMBERS: Final = ("url", "server", "username", "password", *KEY, "tls", "host_key", *BUCKET, "aws_endpoint")
TLS: Final = ("explicit", "implicit")
MOST_DIGITS: Final = 5  # of a port

Texts = Mapping[str, str]


def parse_source(source: object, complaints: list[Complaint]) -> Pull | None:
    """None if something is wrong, which is added to `complaints`."""
    if source is None or not isinstance(source, dict):
        reason = "The source field is required." if source is None else "The source must be an object."
        complaints.append(Complaint("source", reason))
        return None
    earlier = len(complaints)
    texts = parse_texts(source, complaints)
    transport = (parse_text(source, "transport", complaints, path="source.transport") or "").strip().lower()
    if transport not in REQUIRED:
        required = "The source.transport field is required."
        reason = "The selected source.transport is invalid." if transport else required
        complaints.append(Complaint("source.transport", reason))
        return None
    missing = [name for name in REQUIRED[transport] if source.get(name) in (None, "")]
    if transport == "sftp" and texts.get("privateKey") and "password" in missing:
        missing.remove("password")
    complaints += [Complaint(f"source.{name}", f"The source.{name} field is required.") for name in missing]
    port = parse_port(source.get("port"), transport, complaints)
    if len(complaints) > earlier:
        return None
    return BUILDERS[transport](transport, texts, port, complaints)


def parse_texts(source: dict[str, object], complaints: list[Complaint]) -> dict[str, str]:
    texts = {name: parse_text(source, name, complaints, path=f"source.{name}") for name in MEMBERS}
    return {name: text for name, text in texts.items() if text is not None}


def parse_port(port: object, transport: str, complaints: list[Complaint]) -> int | None:
    """A number, or a string of digits. None means the usual port. For http and https the URL holds the port."""
    if port in (None, "") or transport not in ("ftp", "ftps", "sftp"):
        return None
    digits = str(port).strip() if isinstance(port, str | Decimal) else ""
    if digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS:
        try:
            return validate_port(transport, int(digits))
        except TransportFailed:
            pass
    complaints.append(Complaint("source.port", "The source.port must be the number of a port that may be called."))
    return None


def build_web_pull(transport: str, texts: Texts, _port: int | None, complaints: list[Complaint]) -> Pull | None:
    try:
        url = parse_server_url(texts["url"].strip())
    except TransportFailed as wrong:
        complaints.append(Complaint("source.url", f"The source.url format is invalid. {wrong.detail}"))
        return None
    if transport == "https" and url.scheme != "https":
        complaints.append(Complaint("source.url", "The source.url must begin with https:// for this transport."))
        return None
    user, password = texts.get("username", ""), texts.get("password")
    secret = SecretStr(password) if user and password is not None else None
    return Pull(Remote(url.scheme, url.host, url.port, user, secret), url.path)


def build_server_pull(transport: str, texts: Texts, port: int | None, complaints: list[Complaint]) -> Pull | None:
    options: dict[str, Option] = {}
    if transport == "sftp":
        # The vendor's API has no host key. Without one, the first key that is shown is trusted.
        options["host_key"] = texts.get("host_key") or TRUST_FIRST
        options |= read_private_key(texts, complaints)
    if transport == "ftps" and texts.get("tls"):
        options["tls"] = texts["tls"].strip().lower()
        if options["tls"] not in TLS:
            complaints.append(Complaint("source.tls", f"The source.tls must be {join_choices(TLS)}."))
    if "@" in texts["server"]:  # there may be a password before it, and answers repeat the server
        complaints.append(Complaint("source.server", "The source.server must be a host name or address only."))
        return None
    remote = Remote(
        transport,
        texts["server"].strip(),
        port,
        user=texts["username"],
        password=SecretStr(texts["password"]) if texts.get("password") else None,
        options=options,
    )
    return build_pull(remote, texts["path"], complaints)


def read_private_key(texts: Texts, complaints: list[Complaint]) -> Mapping[str, Option]:
    """The private key with its passphrase, by our names. The vendor's API knows passwords only."""
    key, rule = texts.get("privateKey"), RULES["sftp"]["private_key"]
    if not key:
        return {}
    if not rule.accepts(key):
        complaints.append(Complaint("source.privateKey", f"The source.privateKey {rule.describe_mistake(key)}."))
    passphrase = texts.get("passphrase")
    return {"private_key": SecretStr(key)} | ({"passphrase": SecretStr(passphrase)} if passphrase else {})


def build_bucket_pull(_transport: str, texts: Texts, _port: int | None, complaints: list[Complaint]) -> Pull | None:
    options: dict[str, Option] = {
        "bucket": texts["aws_bucket"],
        "region": texts["aws_region"],
        "access_key": SecretStr(texts["aws_access_key_id"]),
        "secret_key": SecretStr(texts["aws_secret_access_key"]),
    }
    if texts.get("aws_endpoint"):
        options["endpoint"] = texts["aws_endpoint"]
    return build_pull(Remote("s3", "", options=options), texts["path"].lstrip("/"), complaints)


def build_pull(remote: Remote, path: str, complaints: list[Complaint]) -> Pull | None:
    """`./files/file.csv` and `files/file.csv` are the same path."""
    try:
        return Pull(remote, check_path(path.removeprefix("./")))
    except TransportFailed as wrong:
        complaints.append(Complaint("source.path", f"The source.path is invalid. {wrong.detail}"))
        return None


BUILDERS: Final[Mapping[str, Callable[[str, Texts, int | None, list[Complaint]], Pull | None]]] = {
    "http": build_web_pull,
    "https": build_web_pull,
    "ftp": build_server_pull,
    "ftps": build_server_pull,
    "sftp": build_server_pull,
    "s3": build_bucket_pull,
}
