"""Sends the mails that report the ends of runs: at least once each, and never before the end is committed.

A mail is sent again if it was sent and that could not be stored, because the process or the database went away
meanwhile."""

from typing import Any, Final

from app.deliveries.mail import build_mail, is_allowed, normalize_address
from app.errors import Complaint, Refused
from app.observe.events import MailDeferred, MailNotSent, MailSent
from app.runs.kinds import Kind
from app.runs.model import Run, run_from
from app.runs.summary import RunWarning
from app.runtime import Runtime
from app.storage import notices
from app.transports.failed import TransportFailed, failure
from app.transports.smtp import SEND_SECONDS, Mailer

LEASE_SECONDS: Final = 2 * SEND_SECONDS  # sending a mail takes at most half of it
LONGEST_SECONDS: Final = 3_600.0  # between two tries
GIVE_UP_SECONDS: Final = 3 * 86_400.0
MAX_OLD: Final = 500  # mails given up in one go

NOT_CONFIGURED: Final = "No mail will be sent when this {kind} has ended, because no mail server is configured"
REFUSED: Final = "The mail about this {kind} was not sent, because the mail server rejected it"
TOO_MANY: Final = (
    "The mail about this {kind} was not sent, because its account has sent {limit} mails today, which is the limit"
)
TOO_OLD: Final = "The mail was not sent, because the mail server could not be reached for three days"


def accept_notice(runtime: Runtime, kind: Kind, address: str | None) -> list[RunWarning]:
    """The warnings of a run of this kind at whose end a mail was asked for. Raises Refused("invalid") if no mail may go
    to the address."""
    if address is None:
        return []
    domains = runtime.settings.mail_domains
    try:
        allowed = is_allowed(address, domains)
    except ValueError:  # an address that is none gets its warning when the mail is due
        allowed = True
    if not allowed:
        reason = f"`confirmEmail` must be an address at one of these domains: {domains}"
        raise Refused("invalid", reason, [Complaint("confirmEmail", reason)])
    return [] if runtime.mailer else [RunWarning("mail_not_configured", "", NOT_CONFIGURED.format(kind=kind))]


async def deliver_mails(runtime: Runtime) -> None:
    """Sends the mails that are due. Several workers may do it at the same time."""
    if runtime.mailer is None:
        return
    await give_up_old(runtime)
    while await deliver_next(runtime, runtime.mailer):
        pass


async def deliver_next(runtime: Runtime, mailer: Mailer) -> bool:
    """Whether to go on: a mail was due, and the mail server answers."""
    async with runtime.database.transaction() as session:
        row = await notices.take(session, lease=LEASE_SECONDS, longest=LONGEST_SECONDS)
    if row is None:
        return False
    run = run_from(row)
    limit = runtime.settings.mails_per_day
    if row["mails_today"] >= limit:  # several workers together may send a mail or two more
        await give_up(runtime, run, "daily_limit", TOO_MANY.format(kind=run.kind, limit=limit))
        return True
    try:
        await send(runtime, mailer, run, row["account_name"])
    except TransportFailed as failed:
        if failed.reason == "mail_refused":
            await give_up(runtime, run, failed.reason, REFUSED.format(kind=run.kind))
        else:
            runtime.observe(MailDeferred(run.id, failed.reason))
        if failed.step == "write":
            return True
        async with runtime.database.transaction() as session:  # the next mail would fail in the same way
            await notices.put_off(session, seconds=LEASE_SECONDS)
        return False
    async with runtime.database.transaction() as session:
        await notices.mark_sent(session, run.account_id, run.id)
    runtime.observe(MailSent(run.id))
    return True


async def send(runtime: Runtime, mailer: Mailer, run: Run, account: str) -> None:
    """Raises TransportFailed."""
    try:
        to = normalize_address(run.notify or "")
        public_url = runtime.settings.public_url
        mail = build_mail(run, to=to, account=account, sender=mailer.sender, public_url=public_url)
    except ValueError:  # no server could deliver it
        raise failure("mail_refused") from None
    if not is_allowed(to, runtime.settings.mail_domains):  # the setting was changed since the import was accepted
        raise failure("mail_refused")
    await mailer.send(mail, to)


async def give_up(runtime: Runtime, run: Run, reason: str, message: str) -> None:
    async with runtime.database.transaction() as session:
        await notices.give_up(session, run.id, build_warning(message))
    runtime.observe(MailNotSent(run.id, reason))


async def give_up_old(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        old = await notices.give_up_old(session, build_warning(TOO_OLD), seconds=GIVE_UP_SECONDS, limit=MAX_OLD)
    for run_id in old:
        runtime.observe(MailNotSent(run_id, "too_old"))


def build_warning(message: str) -> dict[str, Any]:
    """In the shape of `runs.warnings`."""
    return {"code": "mail_not_sent", "subject": "", "message": message, "count": 1, "samples": []}
