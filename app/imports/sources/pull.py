"""Where a file is to be fetched from; what may be shown of it, and what is kept under lock until the run has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from app.transports.transport import Option, Place

# Marks what was a secret, in the sealed text.
LOCKED: Final = "locked"


@dataclass(frozen=True, slots=True)
class Pull:
    """A file at a place; `path` with the query of a web address."""

    place: Place
    path: str

    @property
    def file_name(self) -> str:
        return self.path.partition("?")[0].rpartition("/")[2]


def shown(pull: Pull) -> dict[str, Any]:
    """What anybody with the key may see: no user, no secret, and no query, which may be one."""
    place = pull.place
    told: dict[str, Any] = {
        "transport": place.scheme,
        "host": place.host,
        "port": place.port,
        "path": pull.path.partition("?")[0],
    }
    told |= {name: place.options.get(name) for name in ("bucket", "region")}
    return {name: value for name, value in told.items() if value}


def sealable(pull: Pull) -> dict[str, Any]:
    """All of it as plain values, to be sealed at once."""
    place = pull.place
    return {
        "scheme": place.scheme,
        "host": place.host,
        "port": place.port,
        "user": place.user,
        "password": laid_open(place.password),
        "options": {name: laid_open(value) for name, value in place.options.items()},
        "path": pull.path,
    }


def pull_from(opened: Mapping[str, Any]) -> Pull:
    """The reverse of `sealable`."""
    place = Place(
        opened["scheme"],
        opened["host"],
        opened["port"],
        opened["user"],
        locked(opened["password"]) if opened["password"] is not None else None,  # type: ignore[arg-type]
        {name: locked(value) for name, value in opened["options"].items()},
    )
    return Pull(place, opened["path"])


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
