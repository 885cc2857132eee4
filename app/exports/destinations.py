"""The destinations of an export: resolved when it is accepted, and their credentials sealed until it has ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from app.connections.connection import load_connection
from app.connections.pull import Pull, pull_from_json, pull_to_json
from app.connections.target import PathValues, expand_path, find_connection_mistake, find_target_mistake
from app.errors import Complaint, Refused, describe
from app.runs.model import AccountId, Run, RunId
from app.runs.states import State
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.json_columns import compile_reader

MOST_DESTINATIONS: Final = 10  # of one export
MEMBER: Final = "destinations"
NEVER_SENT: Final = {
    State.FAILED: "The export failed before this delivery",
    State.CANCELLED: "The export was cancelled before this delivery was complete",
}


@dataclass(frozen=True, slots=True)
class WantedDestination:
    """A destination as a caller names it. `path` may have placeholders."""

    connection_id: str
    path: str


class Destination(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where the file of an export goes, and how far that is. It is stored with the run."""

    connection_id: str
    path: str
    transport: str
    status: Literal["pending", "delivered", "failed"] = "pending"
    tries: int = 0  # that came to an end, whatever it was
    error: str | None = None  # why the last of them failed
    failed_step: str | None = None  # at which step it failed: app.transports.failed.Step
    tried_at: datetime | None = None
    remains: str | None = None  # what a try that was killed would leave: app.transports.transport.Transport.put


async def resolve_destinations(
    session: ReadSession,
    runtime: Runtime,
    account_id: AccountId,
    wanted: Sequence[WantedDestination],
    values: PathValues,
) -> list[Pull]:
    """The remotes and paths of the destinations. Raises Refused: secrets_locked, invalid (names every mistake)."""
    pulls: list[Pull] = []
    complaints: list[Complaint] = []
    for number, each in enumerate(wanted):
        found = await resolve_destination(session, runtime, account_id, each, values)
        if isinstance(found, Pull):
            pulls.append(found)
        else:
            complaints += [name_in_list(complaint, number) for complaint in found]
    complaints += find_repeated([(each.connection_id, expand_path(each.path, values)) for each in wanted])
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return pulls


async def resolve_destination(
    session: ReadSession, runtime: Runtime, account_id: AccountId, wanted: WantedDestination, values: PathValues
) -> Pull | list[Complaint]:
    """Raises Refused("secrets_locked")."""
    complaints: list[Complaint] = []
    mistake = find_target_mistake(wanted.path, values)
    if mistake is not None:
        complaints.append(Complaint("path", mistake))
    try:
        connection = await load_connection(session, runtime.vault, account_id, wanted.connection_id)
    except Refused as refused:
        return [Complaint("connectionId", refused.detail), *complaints]
    remote = connection.remote()
    mistake = find_connection_mistake(remote.scheme)
    if mistake is not None:
        complaints.append(Complaint("connectionId", mistake))
    return complaints or Pull(remote, expand_path(wanted.path, values))


def name_in_list(complaint: Complaint, number: int) -> Complaint:
    path = f"{MEMBER}[{number}].{complaint.path}"
    return Complaint(path, complaint.reason.replace(f"`{complaint.path}`", f"`{path}`", 1))


def find_repeated(targets: Sequence[tuple[str, str]]) -> Iterator[Complaint]:
    """Two deliveries to one file would replace each other."""
    for number, target in enumerate(targets):
        if target in targets[:number]:
            path = f"{MEMBER}[{number}]"
            yield Complaint(path, f"`{path}` is the same file as `{MEMBER}[{targets.index(target)}]`")


def build_columns(
    runtime: Runtime, run_id: RunId, wanted: Sequence[WantedDestination], pulls: Sequence[Pull]
) -> dict[str, Any]:
    """The columns of `runs` that the destinations fill. There are as many pulls as destinations."""
    destinations = [
        Destination(connection_id=each.connection_id, path=pull.path, transport=pull.remote.scheme)
        for each, pull in zip(wanted, pulls, strict=True)
    ]
    return {
        "destinations": msgspec.to_builtins(destinations),
        "secret": runtime.vault.seal({MEMBER: list(map(pull_to_json, pulls))}, bound_to=seal_binding(run_id)),
    }


read_wanted, read_destinations = compile_reader(list[WantedDestination]), compile_reader(list[Destination])


def load_wanted(run: Run) -> list[WantedDestination]:
    """The destinations as they were asked for."""
    return read_wanted(run.options.get(MEMBER, []))


def load_destinations(run: Run) -> list[Destination]:
    return read_destinations(run.destinations or [])


def describe_destinations(run: Run) -> list[Destination]:
    """The destinations as they are told: when the export has ended every delivery has failed that was not made."""
    return [
        msgspec.structs.replace(each, status="failed", error=NEVER_SENT[run.state])
        if run.state in NEVER_SENT and each.status == "pending"
        else each
        for each in load_destinations(run)
    ]


def open_target(runtime: Runtime, run: Run, number: int) -> Pull:
    """The remote and the path of the destination with that number. Raises VaultError."""
    unsealed = runtime.vault.open(run.secret or b"", bound_to=seal_binding(run.id))
    return pull_from_json(unsealed[MEMBER][number])


def seal_binding(run_id: RunId) -> str:
    """What the credentials are sealed to: copied to another run they cannot be opened."""
    return f"export:{run_id}"
