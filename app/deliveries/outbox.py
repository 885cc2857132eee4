"""Tells by mail that runs have ended: at least once each, and never before the end is committed.

A mail that was sent and could not be noted, because the process or the database went away in between, is sent again.
"""

from typing import Any, Final

from app.deliveries.mail import completion_mail, mailbox
from app.observe.events import MailDeferred, MailNotSent, MailSent
from app.runs.model import Run, run_from
from app.runtime import Runtime
from app.storage import notices
from app.transports.failed import TransportFailed, failure
from app.transports.smtp import SEND_SECONDS, Mailer

LEASE_SECONDS: Final = 2 * SEND_SECONDS  # a mail is under way for at most half of it
LONGEST_SECONDS: Final = 3_600.0  # between two tries
GIVE_UP_SECONDS: Final = 3 * 86_400.0
OLD_AT_ONCE: Final = 500

NOT_CONFIGURED: Final = "Nobody is told by mail when this import has ended: the service has no mail server"
NOT_TAKEN: Final = "Nobody was told by mail that this import had ended: the mail server refused the mail"
TOO_OLD: Final = "Nobody was told by mail that this import had ended: the mail could not be sent for three days"


async def deliver_mails(runtime: Runtime) -> None:
    """Sends what is due. Several workers may do it at a time."""
    if runtime.mailer is None:
        return
    await give_up_old(runtime)
    while await tell_one(runtime, runtime.mailer):
        pass


async def tell_one(runtime: Runtime, mailer: Mailer) -> bool:
    """Whether to go on: a mail was due, and the server is there."""
    async with runtime.database.transaction() as session:
        row = await notices.take(session, lease=LEASE_SECONDS, longest=LONGEST_SECONDS)
    if row is None:
        return False
    run = run_from(row)
    try:
        await send(runtime, mailer, run, row["account_name"])
    except TransportFailed as failed:
        if failed.reason == "mail_refused":
            await give_up(runtime, run, failed.reason)
        else:
            runtime.observe(MailDeferred(run.id, failed.reason))
        if failed.step == "write":
            return True
        async with runtime.database.transaction() as session:  # the next one would fail alike
            await notices.put_off(session, seconds=LEASE_SECONDS)
        return False
    async with runtime.database.transaction() as session:
        await notices.told(session, run.id)
    runtime.observe(MailSent(run.id))
    return True


async def send(runtime: Runtime, mailer: Mailer, run: Run, account: str) -> None:
    try:
        to = mailbox(run.notify or "")
        public_url = runtime.settings.public_url
        mail = completion_mail(run, to=to, account=account, sender=mailer.sender, public_url=public_url)
    except ValueError:  # no server could take it either
        raise failure("mail_refused") from None
    await mailer.send(mail, to)


async def give_up(runtime: Runtime, run: Run, reason: str) -> None:
    async with runtime.database.transaction() as session:
        await notices.give_up(session, run.id, warning(NOT_TAKEN))
    runtime.observe(MailNotSent(run.id, reason))


async def give_up_old(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        old = await notices.give_up_old(session, warning(TOO_OLD), seconds=GIVE_UP_SECONDS, limit=OLD_AT_ONCE)
    for run_id in old:
        runtime.observe(MailNotSent(run_id, "too_old"))


def warning(message: str) -> dict[str, Any]:
    """As the warnings of a run are kept."""
    return {"code": "mail_not_sent", "subject": "", "message": message, "count": 1, "samples": []}
