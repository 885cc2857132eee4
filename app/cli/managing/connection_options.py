"""The options of connections, and the members of the JSON that they become."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.cli.client.failures import request_failed

Declaration = Annotated[
    Path | None, typer.Option("--file", help="JSON file with the connection; `-` for standard input. Options win")
]
Rename = Annotated[str | None, typer.Option("--name", help="New name of the connection")]
Transport = Annotated[str | None, typer.Option("--transport", help="http, https, ftp, ftps, sftp or s3")]
Host = Annotated[str | None, typer.Option("--host", help="Host name or address alone; not for S3")]
Port = Annotated[int | None, typer.Option("--port", help="Default: the protocol's own; not for S3")]
User = Annotated[str | None, typer.Option("--user", help="Not for S3")]
Root = Annotated[str | None, typer.Option("--root", help="Folder that relative paths start from")]
Tls = Annotated[str | None, typer.Option("--tls", help="For FTPS: explicit (the default) or implicit")]
HostKey = Annotated[
    str | None,
    typer.Option("--host-key", help="For SFTP: the server's public key, its fingerprint, or trust-on-first-use"),
]
Bucket = Annotated[str | None, typer.Option("--bucket", help="For S3")]
Region = Annotated[str | None, typer.Option("--region", help="For S3; default: us-east-1")]
Endpoint = Annotated[str | None, typer.Option("--endpoint", help="For S3 other than Amazon's: its URL")]
PathStyle = Annotated[
    bool | None, typer.Option("--path-style/--no-path-style", help="For S3; default: yes with --endpoint")
]
# Processes and their options are visible to everybody on a machine, and shells keep them.
Password = Annotated[
    str | None,
    typer.Option("--password", envvar="SLUICE_CONNECTION_PASSWORD", help="Safer in the variable; not for S3"),
]
PrivateKey = Annotated[
    Path | None, typer.Option("--private-key", help="For SFTP: file with the private key, in OpenSSH or PEM format")
]
Passphrase = Annotated[
    str | None,
    typer.Option(
        "--passphrase", envvar="SLUICE_CONNECTION_PASSPHRASE", help="Of the private key; safer in the variable"
    ),
]
AccessKey = Annotated[str | None, typer.Option("--access-key", envvar="SLUICE_CONNECTION_ACCESS_KEY", help="For S3")]
SecretKey = Annotated[
    str | None,
    typer.Option("--secret-key", envvar="SLUICE_CONNECTION_SECRET_KEY", help="For S3; safer in the variable"),
]
SessionToken = Annotated[
    str | None,
    typer.Option("--session-token", envvar="SLUICE_CONNECTION_SESSION_TOKEN", help="For S3; safer in the variable"),
]

# Option -> member.
SETTINGS: Final = {
    "transport": "transport",
    "host": "host",
    "port": "port",
    "user": "user",
    "root": "root",
    "tls": "tls",
    "host_key": "hostKey",
    "bucket": "bucket",
    "region": "region",
    "endpoint": "endpoint",
    "path_style": "pathStyle",
}
SECRETS: Final = {
    "password": "password",
    "private_key": "privateKey",
    "passphrase": "passphrase",
    "access_key": "accessKey",
    "secret_key": "secretKey",
    "session_token": "sessionToken",
}


def build_members(options: Mapping[str, Any]) -> dict[str, object]:
    """The members that the options set. Raises RequestFailed if the private key cannot be read."""
    members = {
        member: options[option] for option, member in (SETTINGS | SECRETS).items() if options[option] is not None
    }
    if "privateKey" in members:
        members["privateKey"] = read_private_key(members["privateKey"])
    return members


def read_private_key(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise request_failed("The file cannot be read", f"The private key {path} cannot be read: {reason}") from error
