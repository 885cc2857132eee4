"""Delivers the file of an export again, to the destinations where that has failed."""

from app.auth.identity import Identity, ensure_live, keep_answer
from app.connections.connection import load_connection
from app.connections.pull import Pull
from app.errors import Complaint, Refused
from app.exports.destinations import Destination, WantedDestination, build_columns, describe_destinations, name_in_list
from app.runs.acceptance import accept_run, announce_run
from app.runs.kinds import Kind, Step
from app.runs.model import AccountId, Relation, Run, RunId, new_run_id, run_from
from app.runs.states import State
from app.runtime import Runtime
from app.storage.database import Session
from app.storage.exports.deliveries import list_retried, lock_ended

RETRIED = "Each delivery of this export that failed has been retried already, and that has not failed"
SHARED = (
    "name",
    "type",
    "webhook_id",
    "options",
    "plan",
    "blob",
    "blob_digests",
    "file_name",
    "file_bytes",
    "file_sha256",
    "total",
)


async def retry_export(runtime: Runtime, parent: Run, *, origin: str, sender: Identity, request_id: str) -> Run:
    """A new run that has the file of `parent` and its failed destinations, over their connections as they are now.

    Raises Refused: export_not_ended, nothing_to_retry, invalid (a connection was deleted), secrets_locked, queue_full,
    not_authenticated.
    """
    if not parent.done:
        raise Refused("export_not_ended", "Only an export that has ended can be retried, and this one is still open")
    if parent.state is State.FAILED:
        raise Refused(
            "nothing_to_retry", "The export itself failed, so there is no file to deliver. Run it again instead"
        )
    run_id = new_run_id()
    async with runtime.database.transaction() as session:
        await ensure_live(session, sender)
        row = await lock_ended(session, parent.account_id, parent.id)
        if row is None or not list_failed(run_from(row)):
            raise Refused("nothing_to_retry", "No delivery of this export has failed, so there is nothing to retry")
        retried = await list_retried(session, parent.id)
        failed = [each for each in list_failed(run_from(row)) if (each.connection_id, each.path) not in retried]
        if not failed:
            raise Refused("nothing_to_retry", RETRIED)
        values = {name: row[name] for name in SHARED} | {
            "id": run_id,
            "parent_id": parent.id,
            "relation": Relation.RETRY,
            "origin": origin,
            "request_id": request_id,
            "created_by": sender.id,
            "at_row": row["at_row"],
        }
        values |= await build_retried(session, runtime, parent.account_id, run_id, failed)
        run = await accept_run(session, runtime, parent.account_id, Kind.EXPORT, Step.DELIVER, values)
        await keep_answer(session, sender, [run])
    return await announce_run(runtime, run)


def list_failed(run: Run) -> list[Destination]:
    return [each for each in describe_destinations(run) if each.status == "failed"]


async def build_retried(
    session: Session, runtime: Runtime, account_id: AccountId, run_id: RunId, failed: list[Destination]
) -> dict[str, object]:
    """The columns that the failed destinations fill, with the paths that they had."""
    wanted, pulls = [], []
    for number, each in enumerate(failed):
        try:
            connection = await load_connection(session, runtime.vault, account_id, each.connection_id)
        except Refused as refused:
            complaint = name_in_list(Complaint("connectionId", refused.detail), number)
            raise Refused("invalid", complaint.reason, [complaint]) from None
        wanted.append(WantedDestination(each.connection_id, each.path))
        pulls.append(Pull(connection.remote(), each.path))
    return build_columns(runtime, run_id, wanted, pulls)
