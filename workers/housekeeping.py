"""What a worker does besides its tasks: is alive, rescues runs, starts what is due, prunes, and delivers notices."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.accounts.deletion import erase_accounts
from app.audit.pruning import forget_old_deeds
from app.deliveries import outbox
from app.deliveries.webhooks.sending import MessageSender, prune_messages
from app.drafts.draft import drop_expired
from app.feeds import watch as feeds
from app.item_images.kept_pictures import sweep_pictures
from app.observe.events import HousekeepingFailed
from app.observe.export_events import OldSnapshotsEnded
from app.observe.logs import error_kind
from app.observe.process_events import NewerRunsLeftAlone, SchemaNotUsable
from app.runs.deletion import prune_runs, sweep_blobs, sweep_overlays
from app.runs.holding.held import cancel_expired
from app.runs.lifecycle import is_out_of_memory, rescue_runs
from app.runtime import Runtime
from app.schedules.start import start_due
from app.storage import claims
from app.storage.access import tokens
from app.storage.database import PLAN_VERSION, find_schema_trouble
from app.storage.exports import snapshot
from app.storage.idempotency import keys
from app.storage.people import links, sessions
from app.undo.pruning import forget_old_changes

HEARTBEAT_SECONDS = 10.0
WATCH_SECONDS = 60.0
SNAPSHOT_SECONDS = 30.0
DELIVER_SECONDS = 3.0
WEBHOOKS_SECONDS = 1.0
SCHEDULES_SECONDS = 2.0
FEEDS_SECONDS = 1.0
PRUNE_SECONDS = 600.0
ERASE_SECONDS = 2.0
PICTURES_SECONDS = 3_600.0  # it looks at all images of all items


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again. `do` takes the runtime and the worker's name."""

    name: str
    every: float  # seconds
    do: Callable[[Runtime, str], Awaitable[None]]
    on_schema: bool = True  # it reads or writes tables, so it waits while the schema is one that this code cannot use


def duties(runtime: Runtime) -> tuple[Duty, ...]:
    return (
        Duty("heartbeat", HEARTBEAT_SECONDS, send_heartbeat, on_schema=False),
        Duty("watch", WATCH_SECONDS, watch, on_schema=False),
        Duty("rescue", runtime.settings.sweep_seconds, rescue),
        Duty("snapshots", SNAPSHOT_SECONDS, end_old_snapshots),
        Duty("prune", PRUNE_SECONDS, prune),
        Duty("erase", ERASE_SECONDS, erase_deleted_accounts),
        Duty("pictures", PICTURES_SECONDS, sweep_unused_pictures),
        Duty("deliver", DELIVER_SECONDS, deliver),
        Duty("webhooks", WEBHOOKS_SECONDS, send_to_webhooks),
        Duty("schedules", SCHEDULES_SECONDS, start_scheduled),
        Duty("feeds", FEEDS_SECONDS, watch_feeds),
        Duty("feed_imports", FEEDS_SECONDS, go_on_with_feeds),
    )


async def keep_doing(runtime: Runtime, worker: str, duty: Duty) -> None:
    """Does a duty for ever. Trouble is logged and the duty is done again at its time: housekeeping must not end, unless
    memory is used up."""
    while True:
        try:
            if not duty.on_schema or await schema_trouble(runtime) is None:
                await duty.do(runtime, worker)
        except Exception as error:  # noqa: BLE001  whatever it is, the next round must come
            runtime.observe(HousekeepingFailed(duty.name, error_kind(error)))
            if is_out_of_memory(error):
                return
        await asyncio.sleep(duty.every)


async def send_heartbeat(runtime: Runtime, worker: str) -> None:
    await runtime.queue.send_heartbeat(worker, PLAN_VERSION)


async def watch(runtime: Runtime, _: str) -> None:
    """Says what this worker leaves alone because it is of an older release."""
    if trouble := await schema_trouble(runtime):
        runtime.observe(SchemaNotUsable(trouble))
        return
    async with runtime.database.read() as session:
        unknown = await claims.count_unknown(session)
    if unknown:
        runtime.observe(NewerRunsLeftAlone(unknown))


async def schema_trouble(runtime: Runtime) -> str | None:
    async with runtime.database.read() as session:
        return await find_schema_trouble(session)


async def rescue(runtime: Runtime, _: str) -> None:
    await rescue_runs(runtime)


async def end_old_snapshots(runtime: Runtime, _: str) -> None:
    """Ends the snapshots of exports whose worker was frozen and could not end them itself."""
    async with runtime.database.transaction() as session:
        ended = await snapshot.end_old_snapshots(session, seconds=runtime.settings.export_seconds + SNAPSHOT_SECONDS)
    if ended:
        runtime.observe(OldSnapshotsEnded(ended))


async def prune(runtime: Runtime, _: str) -> None:
    """Deletes access tokens, idempotency keys and drafts that have expired, cancels runs that nobody has decided about,
    strips runs past their retention, forgets what is too old to be undone or told, gives up and deletes old messages to
    webhooks, and deletes files and overlays without an owner. An error in one of these keeps none of the others from
    being done, or the disk would fill: the first is raised at the end."""
    errors: list[Exception] = []
    for do in PRUNING:
        try:
            await do(runtime)
        except Exception as error:  # noqa: BLE001  it is raised below
            errors.append(error)
    if errors:
        raise errors[0]


async def delete_expired_tokens(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        await tokens.delete_expired(session)
        await sessions.delete_expired(session)
        await links.delete_expired(session)
        await keys.delete_expired(session)


PRUNING: tuple[Callable[[Runtime], Awaitable[None]], ...] = (
    delete_expired_tokens,
    drop_expired,
    cancel_expired,
    prune_runs,
    forget_old_changes,
    forget_old_deeds,
    sweep_overlays,
    feeds.forget_old_files,
    prune_messages,
    sweep_blobs,
)


async def erase_deleted_accounts(runtime: Runtime, _: str) -> None:
    await erase_accounts(runtime)


async def sweep_unused_pictures(runtime: Runtime, _: str) -> None:
    await sweep_pictures(runtime)


async def start_scheduled(runtime: Runtime, _: str) -> None:
    await start_due(runtime)


async def deliver(runtime: Runtime, _: str) -> None:
    await outbox.deliver_mails(runtime)


async def send_to_webhooks(runtime: Runtime, _: str) -> None:
    """Sends what is due for as long as the schema can be used: a receiver that takes long keeps no other waiting."""
    sender = MessageSender(runtime)
    async with asyncio.TaskGroup() as under_way:
        while await schema_trouble(runtime) is None:
            await sender.send_due(under_way)
            await sender.wait()


async def watch_feeds(runtime: Runtime, _: str) -> None:
    """Begins visits for as long as the schema can be used: one that takes long does not keep others from beginning."""
    watching = feeds.FeedWatch(runtime)
    async with asyncio.TaskGroup() as under_way:
        while await schema_trouble(runtime) is None:
            await watching.begin_visits(under_way)
            await asyncio.sleep(FEEDS_SECONDS)


async def go_on_with_feeds(runtime: Runtime, _: str) -> None:
    await feeds.go_on(runtime)
