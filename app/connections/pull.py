"""Where a file is to be fetched from; what may be shown of it, and what is kept under lock until the run has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from app.transports.failed import TransportFailed
from app.transports.transport import LONGEST_PATH, WILD, Option, Remote, check_path, split_pattern
from app.transports.url import LONGEST_URL

# Marks what was a secret, in the sealed text.
LOCKED: Final = "locked"
WEB: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Pull:
    """A file at a place; `path` with the query of a web address."""

    remote: Remote
    path: str

    @property
    def file_name(self) -> str:
        return self.path.partition("?")[0].rpartition("/")[2]


def is_pattern(scheme: str, path: str) -> bool:
    """Whether a path means all files that fit it. On the web what follows a question mark is a query."""
    return bool(WILD.intersection(path.partition("?")[0] if scheme in WEB else path))


def checked_path(scheme: str, path: str) -> str:
    """The path as it came, if a file, or the files that fit it, may be asked for by it. Raises TransportFailed."""
    return "".join(split_pattern(path)) if is_pattern(scheme, path) else checked_name(scheme, path)


def checked_name(scheme: str, path: str) -> str:
    """The path of one file as it came, if it may be asked for. Raises TransportFailed."""
    return check_path(path, LONGEST_URL if scheme in WEB else LONGEST_PATH)


def misplaced(scheme: str, path: object) -> str | None:
    """Why that is no path of one file; None if it is one. Names with a bracket are common, so that alone means no
    pattern here."""
    if path is None or path == "":
        return "is required"
    if not isinstance(path, str):
        return "must be a text"
    if is_pattern(scheme, path.replace("[", "")):
        return "is a pattern: POST /connections/{id}/imports takes those"
    try:
        checked_name(scheme, path)
    except TransportFailed as wrong:
        return wrong.detail
    return None


def shown(pull: Pull) -> dict[str, Any]:
    """What anybody with the key may see: no user, no secret, and no query, which may be one."""
    remote = pull.remote
    told: dict[str, Any] = {
        "transport": remote.scheme,
        "host": remote.host,
        "port": remote.port,
        "path": pull.path.partition("?")[0],
    }
    told |= {name: remote.options.get(name) for name in ("bucket", "region")}
    return {name: value for name, value in told.items() if value}


def sealable(pull: Pull) -> dict[str, Any]:
    """All of it as plain values, to be sealed at once."""
    remote = pull.remote
    return {
        "scheme": remote.scheme,
        "host": remote.host,
        "port": remote.port,
        "user": remote.user,
        "password": laid_open(remote.password),
        "options": {name: laid_open(value) for name, value in remote.options.items()},
        "path": pull.path,
    }


def pull_from(opened: Mapping[str, Any]) -> Pull:
    """The reverse of `sealable`."""
    remote = Remote(
        opened["scheme"],
        opened["host"],
        opened["port"],
        opened["user"],
        locked(opened["password"]) if opened["password"] is not None else None,  # type: ignore[arg-type]
        {name: locked(value) for name, value in opened["options"].items()},
    )
    return Pull(remote, opened["path"])


def laid_open(value: Option | None) -> Any:
    """A secret is told from a text by a mark."""
    if isinstance(value, SecretStr):
        return {LOCKED: value.get_secret_value()}
    if isinstance(value, Mapping):
        return {name: laid_open(each) for name, each in value.items()}
    return value


def locked(value: Any) -> Option:
    if isinstance(value, dict) and value.keys() == {LOCKED}:
        return SecretStr(value[LOCKED])
    if isinstance(value, dict):
        return {name: SecretStr(each[LOCKED]) for name, each in value.items()}
    return value  # type: ignore[no-any-return]
