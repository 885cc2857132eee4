"""A file to be fetched from another server: what may be shown of it, and how it is sealed until it has been fetched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr

from app.transports.failed import TransportFailed
from app.transports.transport import LONGEST_PATH, WILD, FileInfo, Option, Remote, check_path, split_pattern
from app.transports.url import LONGEST_URL

# Marks what was a secret, in the JSON that is sealed. Part of the stored format.
MARK: Final = "locked"
WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Pull:
    """A file at a remote. For the web `path` includes the query."""

    remote: Remote
    path: str
    connection_id: str | None = None  # of the stored connection that the remote is
    version: FileInfo | None = None  # the only one that is wanted

    @property
    def is_public(self) -> bool:
        """Whether nothing of it is secret, or else kept as a connection: then it can be found again by what everybody
        may see of it."""
        remote = self.remote
        if remote.scheme in WEB and "?" in self.path:
            return False
        own = remote.user or remote.password or remote.options
        return self.connection_id is not None or (remote.scheme in WEB and not own)

    @property
    def file_name(self) -> str:
        return omit_query(self.remote.scheme, self.path).rpartition("/")[2]


def omit_query(scheme: str, path: str) -> str:
    """The path as everybody may see it. On the web, what follows a question mark may be a token; elsewhere the mark
    belongs to the name."""
    return path.partition("?")[0] if scheme in WEB else path


def is_pattern(scheme: str, path: str) -> bool:
    """Whether a path means all files that match it. On the web, what follows a question mark is a query."""
    return bool(WILD.intersection(omit_query(scheme, path)))


def check_path_or_pattern(scheme: str, path: str) -> None:
    """Raises TransportFailed unless `path` can be sent: the path of a file, or a pattern in its last segment."""
    if is_pattern(scheme, path):
        split_pattern(path)
    else:
        check_path(path, LONGEST_URL if scheme in WEB else LONGEST_PATH)


def find_path_mistake(scheme: str, path: object) -> str | None:
    """Why `path` is not the path of one file, as a sentence; None if it is. Names with a bracket are common, so a
    bracket alone does not make a pattern here."""
    if path is None or path == "":
        return "`path` is required"
    if not isinstance(path, str):
        return "`path` must be a string"
    if is_pattern(scheme, path.replace("[", "")):
        return "`path` must name one file. To import all files that match a pattern, use POST /connections/{id}/imports"
    longest = LONGEST_URL if scheme in WEB else LONGEST_PATH
    try:
        check_path(path, longest)
    except TransportFailed:
        return f"`path` is longer than {longest:,} characters or contains unprintable characters"
    return None


def describe_pull(pull: Pull) -> dict[str, Any]:
    """What everybody with the key may see: no user, no secret, and no query, which may be one."""
    remote = pull.remote
    source: dict[str, Any] = {
        "transport": remote.scheme,
        "host": remote.host,
        "port": remote.port,
        "path": omit_query(remote.scheme, pull.path),
    }
    source |= {name: remote.options.get(name) for name in ("bucket", "region")}
    source |= {"connection_id": pull.connection_id, "complete": pull.is_public}
    return {name: value for name, value in source.items() if value}


def pull_to_json(pull: Pull) -> dict[str, Any]:
    """All of it in clear text, to be sealed at once."""
    remote = pull.remote
    return {
        "scheme": remote.scheme,
        "host": remote.host,
        "port": remote.port,
        "user": remote.user,
        "password": option_to_json(remote.password),
        "options": {name: option_to_json(value) for name, value in remote.options.items()},
        "path": pull.path,
        "version": version_to_json(pull.version),
    }


def version_to_json(version: FileInfo | None) -> list[Any] | None:
    """Size, time and tag."""
    if version is None:
        return None
    return [version.size, version.modified.isoformat() if version.modified else None, version.tag]


def pull_from_json(unsealed: Mapping[str, Any]) -> Pull:
    """The inverse of `pull_to_json`."""
    password = unsealed["password"]
    remote = Remote(
        unsealed["scheme"],
        unsealed["host"],
        unsealed["port"],
        unsealed["user"],
        option_from_json(password) if password is not None else None,  # type: ignore[arg-type]
        {name: option_from_json(value) for name, value in unsealed["options"].items()},
    )
    return Pull(remote, unsealed["path"], version=version_from_json(unsealed["path"], unsealed.get("version")))


def version_from_json(path: str, stored: Sequence[Any] | None) -> FileInfo | None:
    """The inverse of `version_to_json`."""
    if stored is None:
        return None
    size, modified, tag = stored
    return FileInfo(path, size, datetime.fromisoformat(modified) if modified else None, tag)


def option_to_json(value: Option | None) -> Any:
    """A mark tells a secret from a plain string."""
    if isinstance(value, SecretStr):
        return {MARK: value.get_secret_value()}
    if isinstance(value, Mapping):
        return {name: option_to_json(each) for name, each in value.items()}
    return value


def option_from_json(value: Any) -> Option:
    if isinstance(value, dict) and value.keys() == {MARK}:
        return SecretStr(value[MARK])
    if isinstance(value, dict):
        return {name: SecretStr(each[MARK]) for name, each in value.items()}
    return value  # type: ignore[no-any-return]
