"""Delivers the file of an export: one try for one destination, under the lease and the fence of the run.

Each destination is settled by itself, and none of them fails the export. A destination that cannot be reached is tried
again after a while, when the others have had their turn.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any, BinaryIO, Final

from app.errors import Fatal
from app.exports.destinations import Destination, load_destinations, open_target
from app.observe.events import StepReached
from app.observe.export_events import DeliveryFailed, FileDelivered
from app.runs.lifecycle import RunLost, SourceAway, announce_end, end_run, spell_times
from app.runs.model import Run
from app.runs.states import State
from app.runtime import Runtime
from app.storage.blobs import BlobDamaged, BlobMissing
from app.storage.exports import deliveries
from app.transports.failed import TransportFailed
from app.transports.send import send
from app.vault import VaultError

WAITS: Final = (10.0, 60.0, 300.0)  # seconds after the first try that failed, the second and so on
TRIES: Final = len(WAITS) + 1
PIECE_BYTES: Final = 262_144
LOCKED: Final = "The stored credentials cannot be decrypted with the keys of this service"
CRASHED: Final = "The worker crashed {times} on this delivery"


class DestinationAway(SourceAway):
    """A destination cannot be reached, and every other one has had its turn."""

    part = "destination"

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = seconds


async def deliver_file(runtime: Runtime, run: Run) -> bool:
    """Tries one destination, one of those with the fewest tries, and says whether that has ended the export. Raises
    RunLost, Fatal, DestinationAway, Retryable."""
    destinations = load_destinations(run)
    pending = [number for number, each in enumerate(destinations) if each.status == "pending"]
    number = min(pending, key=lambda each: destinations[each].tries)
    tried = destinations[number]
    changes = await try_destination(runtime, run, number, tried)
    left = [destinations[each].tries for each in pending if each != number]
    if changes["status"] == "pending":
        left.append(changes["tries"])
    await settle(runtime, run, number, changes, ends=not left)
    if left and min(left) > tried.tries:
        raise DestinationAway("Every destination has been tried", WAITS[min(left) - 1])
    return not left


async def try_destination(runtime: Runtime, run: Run, number: int, destination: Destination) -> dict[str, Any]:
    """What the try has changed of the destination. Raises RunLost, Fatal, Retryable."""
    tries, began = destination.tries + 1, time.monotonic()
    try:
        ensure_not_hopeless(runtime, run)
        sent = await send_file(runtime, run, number, destination)
    except TransportFailed as failed:
        status = "pending" if failed.transient and tries < TRIES else "failed"
        runtime.observe(
            DeliveryFailed(run.id, run.account_id, number, destination.transport, failed.step, tries, status=status)
        )
        return {"status": status, "tries": tries, "error": failed.detail, "failedStep": failed.step}
    seconds = time.monotonic() - began
    runtime.observe(FileDelivered(run.id, run.account_id, number, destination.transport, sent, seconds=seconds))
    return {"status": "delivered", "tries": tries, "error": None, "failedStep": None, "remains": None}


def ensure_not_hopeless(runtime: Runtime, run: Run) -> None:
    """A destination that kills its workers is given up before it fails the export. Raises TransportFailed."""
    if run.crashes >= max(1, runtime.settings.max_crashes - 1):
        raise TransportFailed("write", CRASHED.format(times=spell_times(run.crashes)))


async def send_file(runtime: Runtime, run: Run, number: int, destination: Destination) -> int:
    """Returns the number of bytes. Raises TransportFailed, RunLost, Fatal, Retryable."""
    try:
        target = open_target(runtime, run, number)
    except VaultError:
        # While keys are being changed machine by machine, this one may lack the key of the one that took the export.
        raise TransportFailed("address", LOCKED, transient=True) from None
    policy = runtime.policy_for(run.account_id)
    try:
        file = await asyncio.to_thread(runtime.blobs.open, run.blob or "", run.blob_digests)
        async with aclosing(read_pieces(runtime, run, file)) as pieces:
            begun = partial(note_remains, runtime, run, number)
            sent = await send(target.remote, target.path, policy, pieces, begun, remains=destination.remains)
    except (BlobMissing, BlobDamaged):
        raise Fatal("export_lost") from None
    runtime.observe(StepReached(run.id, "sent"))
    return sent


async def read_pieces(runtime: Runtime, run: Run, file: BinaryIO) -> AsyncGenerator[bytes, None]:
    try:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece
            runtime.observe(StepReached(run.id, "sending"))
    finally:
        file.close()


async def note_remains(runtime: Runtime, run: Run, number: int, remains: str) -> None:
    """Raises RunLost: nothing is sent by a worker that does not have the run any more."""
    async with runtime.database.transaction() as session:
        if not await deliveries.note(session, run.id, run.attempt, number, {"remains": remains or None}):
            raise RunLost
    runtime.observe(StepReached(run.id, "begun"))


async def settle(runtime: Runtime, run: Run, number: int, changes: dict[str, Any], *, ends: bool) -> None:
    """Stores what has become of the try and, with the last destination, ends the run. Raises RunLost."""
    async with runtime.database.transaction() as session:
        ours = await deliveries.settle(session, run.id, run.attempt, number, changes)
        ended = await end_run(session, run.id, run.attempt, State.FINISHED) if ours and ends else None
    if not ours:
        raise RunLost
    runtime.observe(StepReached(run.id, "settled"))
    announce_end(runtime, ended)
