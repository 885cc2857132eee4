"""The mail at the end of an import: sent when the end is committed, once if all goes well, and until it is taken."""

import asyncio
import email
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import SecretStr
from sqlalchemy import text

from app.deliveries import outbox
from app.embedded import free_port
from app.errors import Refused
from app.exports.intake import ExportRequest, submit_export
from app.imports.engine import work
from app.imports.examine import Upload
from app.imports.intake import Submission, submit
from app.observe.logs import configure
from app.runs.lifecycle import end_run, work_on
from app.runs.model import AccountId, Run, RunId, run_from
from app.runs.states import State
from app.runtime import Misconfigured, Runtime, build_mailer, open_runtime
from app.storage import claims, runs
from app.storage.retention import tombstones
from app.transports.failed import TransportFailed
from tests.conftest import Finish
from tests.support.http import Account, make_account
from tests.transports.servers.server import Certificates, black_hole
from workers.housekeeping import duties, keep_doing

USER, PASSWORD = "the user", "pass:wörd/1 %40"
QUOTED = "the%20user:pass%3Aw%C3%B6rd%2F1%20%2540"
FROM = "Sluice <sluice@example.org>"
TO = "ana@example.org"
GOOD = "_email,_name\nsecret-cell@example.org,Ana\n"
PARTLY = "_email,_points\nsecret-cell@example.org,1\nbad-cell@example,2\nc@example.org,bad-cell\n"


@dataclass
class Inbox:
    """A mail server's memory, and what it answers where it should not take a mail."""

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)
    answer: str = "250 OK"
    to_recipient: str = ""
    slow: float = 0
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.to_recipient:
            return self.to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.slow)
        if self.answer.startswith("250"):
            self.taken.append(email.message_from_bytes(envelope.original_content, policy=default))  # type: ignore[arg-type]
            self.recipients += envelope.rcpt_tos
            self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return self.answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = given.login == USER.encode() and given.password == PASSWORD.encode()
        self.logins.append(right)
        return AuthResult(success=right, handled=False)  # handled: it would have to answer itself


@asynccontextmanager
async def mail_server(
    certificates: Certificates, *, kind: str = "plain", port: int = 0, inbox: Inbox | None = None
) -> AsyncIterator[Inbox]:
    """`kind` is plain, starttls (with a login) or smtps (with one as well)."""
    inbox = inbox or Inbox()
    loop, tls = asyncio.get_running_loop(), certificates.server()
    options: dict[str, Any] = {
        "plain": {},
        "offering": {"tls_context": tls},
        "starttls": {
            "tls_context": tls,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": inbox.authenticate,
        },
        # aiosmtpd counts only STARTTLS as TLS, and warns where a login is required without.
        "smtps": {"auth_require_tls": False, "authenticator": inbox.authenticate},
    }[kind]

    def protocol() -> SMTP:
        return SMTP(inbox, hostname="mail.test", loop=loop, enable_SMTPUTF8=True, **options)

    server = await loop.create_server(protocol, "127.0.0.1", port, ssl=tls if kind == "smtps" else None)
    inbox.port = server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        server.close()


NewServer = Callable[..., AbstractAsyncContextManager[Inbox]]


@pytest.fixture
def serving(certificates: Certificates) -> NewServer:
    return lambda **options: mail_server(certificates, **options)


@pytest.fixture
async def alone(runtime: Runtime, certificates: Certificates) -> Runtime:
    """A runtime whose outbox is empty, though other tests use the same database."""
    await sql(runtime, "UPDATE runs SET notified_at = now() WHERE notify IS NOT NULL AND finished_at IS NOT NULL")
    return replace(runtime, transfer_policy=replace(runtime.transfer_policy, tls=certificates.client()))


def with_mail(runtime: Runtime, url: str, **settings: Any) -> Runtime:
    given = {"smtp_url": SecretStr(url), "mail_from": FROM, **settings}
    changed = runtime.settings.model_copy(update=given)
    return replace(runtime, settings=changed, mailer=build_mailer(changed, runtime.transfer_policy))


async def sql(runtime: Runtime, statement: str, **values: object) -> list[Any]:
    async with runtime.database.transaction() as session:
        done = await session.execute(text(statement), values)
        return list(done.mappings().all()) if done.returns_rows else []


async def accepted(
    runtime: Runtime, account: Account, data: str = GOOD, *, name: str | None = "people.csv", notify: str = TO
) -> Run:
    raw = data.encode()
    writer = runtime.blobs.create()
    writer.write(raw)
    upload = Upload(writer, name, len(raw), hashlib.sha256(raw).hexdigest(), "utf-8")
    submission = Submission(AccountId(account.id), "api", "contacts", upload, name="Team", notify=notify)
    return await submit(runtime, submission)


def body(mail: EmailMessage) -> str:
    return str(mail.get_content()).replace("\r\n", "\n")


async def now(runtime: Runtime, run: Run) -> Run:
    async with runtime.database.read() as session:
        row = await runs.get(session, run.account_id, run.id)
    assert row is not None
    return run_from(row)


async def told_at(runtime: Runtime, run: Run) -> Any:
    return (await sql(runtime, "SELECT notified_at FROM runs WHERE id = :id", id=run.id))[0]["notified_at"]


async def make_due(runtime: Runtime, run: Run) -> None:
    await sql(runtime, "UPDATE runs SET tell_at = now() WHERE id = :id", id=run.id)


def codes(run: Run) -> list[str]:
    return [each["code"] for each in run.warnings]


async def test_a_finished_import_is_told_with_counts_and_addresses(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}", public_url="https://sluice.example.org/in/")
        run = await accepted(mailing, an_account, PARTLY)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    (mail,) = inbox.taken
    assert inbox.recipients == [TO]
    # Stripped: the line is folded, and Python leaves the blank of the fold.
    assert mail["Subject"].strip() == f"Import {run.id} of contacts: finished, 1 of 3 rows imported"
    assert mail["From"] == FROM
    assert mail["To"] == TO
    assert mail["Auto-Submitted"] == "auto-generated"
    for line in (
        f"Account: {an_account.name}",
        "Name: Team",
        "File: people.csv",
        "State: finished",
        "Rows: 3",
        "Created: 1",
        "Failed: 2",
        "Remaining: 0",
        f"Report: https://sluice.example.org/in/imports/{run.id}",
        f"Failed rows: https://sluice.example.org/in/imports/{run.id}/failed-rows.csv",
    ):
        assert line in body(mail).splitlines()
    assert "cell" not in mail.as_string()
    assert await told_at(alone, run) is not None


async def test_a_finished_export_is_told_with_the_address_of_its_file(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}", public_url="https://sluice.example.org")
        await finish(mailing, (await accepted(alone, an_account, PARTLY, notify="")).id)
        wanted = ExportRequest(AccountId(an_account.id), "native", "contacts", name="All", notify=TO)
        run = await submit_export(mailing, wanted)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    (mail,) = inbox.taken
    assert mail["Subject"].strip() == f"Export {run.id} of contacts: finished, 1 of 1 records exported"
    for line in (
        f"Export {run.id} of contacts has finished.",
        "Name: All",
        f"File: contacts-{run.id}.csv",
        "Records: 1",
        "Written: 1",
        f"Report: https://sluice.example.org/exports/{run.id}",
        f"Download: https://sluice.example.org/exports/{run.id}/file",
    ):
        assert line in body(mail).splitlines()
    assert "cell" not in mail.as_string()
    assert codes(await submit_export(alone, wanted)) == ["mail_not_configured"]
    with pytest.raises(Refused, match="confirmEmail"):
        await submit_export(with_mail(alone, "smtp://127.0.0.1", mail_domains="else.example"), wanted)


async def test_an_import_without_failures_has_no_address_of_failed_rows_and_without_a_public_address_the_paths(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    told = body(inbox.taken[0])
    assert f"Report: /imports/{run.id}\n" in told
    assert "Failed rows" not in told


async def test_a_failed_import_is_told_with_its_reason(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await asyncio.to_thread(mailing.blobs.delete, run.blob or "")
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    ended = await now(mailing, run)
    assert ended.state == "failed"
    assert inbox.taken[0]["Subject"].strip() == f"Import {run.id} of contacts: failed, 0 of 1 rows imported"
    assert f"Reason: {ended.fail_detail}" in body(inbox.taken[0])


async def test_an_import_that_failed_before_its_rows_were_counted_is_told_too(
    alone: Runtime, an_account: Account, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await sql(alone, "UPDATE runs SET total = NULL WHERE id = :id", id=run.id)
        async with alone.database.transaction() as session:
            assert await end_run(
                session, run.id, run.attempt, State.FAILED, code="source_find", detail="There is no such file"
            )
        await outbox.deliver_mails(mailing)
    assert inbox.taken[0]["Subject"] == f"Import {run.id} of contacts: failed"
    assert "Rows: unknown\n" in body(inbox.taken[0])


async def test_nobody_is_told_of_an_import_before_its_end_is_committed(
    alone: Runtime, an_account: Account, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await outbox.deliver_mails(mailing)
        async with alone.database.transaction() as session:
            await claims.claim(session, run.id, lease=60)
        await outbox.deliver_mails(mailing)
        async with alone.database.transaction() as session:
            assert await end_run(session, run.id, run.attempt + 1, State.FAILED, code="source_missing", detail="gone")
            await outbox.deliver_mails(mailing)
            assert not inbox.taken
        await outbox.deliver_mails(mailing)
        assert len(inbox.taken) == 1


async def test_an_import_that_nobody_wants_to_be_told_of_is_not_told(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await sql(alone, "UPDATE runs SET notify = NULL WHERE id = :id", id=run.id)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    assert not inbox.taken


@pytest.mark.parametrize(
    ("kind", "scheme", "credentials"),
    [("offering", "smtp", ""), ("starttls", "smtp", f"{QUOTED}@"), ("smtps", "smtps", f"{QUOTED}@")],
)
async def test_the_mail_travels_under_tls_where_that_is_to_be_had(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, kind: str, scheme: str, credentials: str
) -> None:
    async with serving(kind=kind) as inbox:
        mailing = with_mail(alone, f"{scheme}://{credentials}127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    assert inbox.encrypted == [True]
    assert inbox.logins == ([True] if credentials else [])


@pytest.mark.parametrize(
    ("kind", "scheme", "credentials", "reason"),
    [
        ("plain", "smtp", f"{QUOTED}@", "no_tls"),  # a password is never sent in the open
        ("plain", "smtps", "", "no_tls"),
        ("starttls", "smtp", "the%20user:guess@", "login"),
        ("smtps", "smtps", "the%20user:guess@", "login"),
    ],
)
async def test_a_server_that_does_not_let_us_in_gets_no_mail(
    alone: Runtime, an_account: Account, serving: NewServer, kind: str, scheme: str, credentials: str, reason: str
) -> None:
    async with serving(kind=kind) as inbox:
        mailing = with_mail(alone, f"{scheme}://{credentials}127.0.0.1:{inbox.port}")
        assert mailing.mailer is not None
        with pytest.raises(TransportFailed) as failed:
            await mailing.mailer.send(EmailMessage(), TO)
    assert failed.value.reason == reason
    assert not inbox.taken


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(runtime: Runtime, serving: NewServer) -> None:
    for kind, scheme in (("starttls", "smtp"), ("smtps", "smtps")):
        async with serving(kind=kind) as inbox:
            mailer = with_mail(runtime, f"{scheme}://{QUOTED}@127.0.0.1:{inbox.port}").mailer
            assert mailer is not None
            with pytest.raises(TransportFailed) as failed:
                await mailer.send(EmailMessage(), TO)
            assert failed.value.reason == "certificate"
            assert not inbox.logins


async def test_two_workers_at_the_same_time_send_one_mail(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving(inbox=Inbox(slow=0.3)) as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        for _ in range(3):
            await finish(mailing, (await accepted(mailing, an_account)).id)
        await asyncio.gather(*(outbox.deliver_mails(mailing) for _ in range(4)))
        await outbox.deliver_mails(mailing)
    assert len({mail["Message-ID"] for mail in inbox.taken}) == len(inbox.taken) == 3


async def test_a_mail_that_could_not_be_noted_is_sent_again_and_can_be_told(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
        await sql(alone, "UPDATE runs SET notified_at = NULL WHERE id = :id", id=run.id)  # as if killed before
        await outbox.deliver_mails(mailing)
        assert len(inbox.taken) == 1  # whoever has it is given time
        await make_due(alone, run)
        await outbox.deliver_mails(mailing)
    first, second = inbox.taken
    assert first.as_bytes() == second.as_bytes()
    assert first["Message-ID"] == f"<import-{run.id}@example.org>"


async def test_a_server_that_is_away_gets_the_mail_when_it_is_back(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, logged: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    mailing = with_mail(alone, f"smtp://127.0.0.1:{port}")
    run = await accepted(mailing, an_account)
    await finish(mailing, run.id)
    await outbox.deliver_mails(mailing)
    assert await told_at(alone, run) is None
    async with serving(port=port) as inbox:
        await outbox.deliver_mails(mailing)
        assert not inbox.taken  # not at once again
        await make_due(alone, run)
        await outbox.deliver_mails(mailing)
    assert len(inbox.taken) == 1
    assert codes(await now(alone, run)) == []


async def test_tries_grow_rarer_with_time(alone: Runtime, an_account: Account, finish: Finish) -> None:
    mailing = with_mail(alone, f"smtp://127.0.0.1:{free_port()}")
    run = await accepted(mailing, an_account)
    await finish(mailing, run.id)
    waits = []
    for ended_ago in (0, 200, 100_000):
        await sql(
            alone,
            "UPDATE runs SET tell_at = now(), finished_at = now() - make_interval(secs => :ago) WHERE id = :id",
            id=run.id,
            ago=ended_ago,
        )
        await outbox.deliver_mails(mailing)
        (row,) = await sql(
            alone, "SELECT extract(epoch FROM tell_at - now()) AS wait FROM runs WHERE id = :id", id=run.id
        )
        waits.append(float(row["wait"]))
    assert waits == [pytest.approx(60, abs=5), pytest.approx(200, abs=5), pytest.approx(3600, abs=5)]


async def test_a_server_that_never_answers_holds_nobody_up(alone: Runtime, an_account: Account, finish: Finish) -> None:
    with black_hole() as port:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{port}")
        assert mailing.mailer is not None
        mailing = replace(mailing, mailer=replace(mailing.mailer, step_seconds=0.3))
        for _ in range(9):
            await finish(mailing, (await accepted(mailing, an_account)).id)
        async with asyncio.timeout(2):
            await outbox.deliver_mails(mailing)  # the first try tells enough


async def test_a_mail_that_cannot_be_sent_for_three_days_becomes_a_warning(
    alone: Runtime, an_account: Account, finish: Finish
) -> None:
    mailing = with_mail(alone, f"smtp://127.0.0.1:{free_port()}")
    run = await accepted(mailing, an_account)
    await finish(mailing, run.id)
    for hours, warned in ((71, []), (73, ["mail_not_sent"]), (73, ["mail_not_sent"])):
        await sql(
            alone,
            "UPDATE runs SET tell_at = now(), finished_at = now() - make_interval(hours => :hours) WHERE id = :id",
            id=run.id,
            hours=hours,
        )
        await outbox.deliver_mails(mailing)
        assert codes(await now(alone, run)) == warned


async def test_an_end_that_nobody_could_be_told_of_for_days_is_tried_before_it_is_given_up(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        # Here all workers stop, and are started again after four days.
        await sql(alone, "UPDATE runs SET finished_at = now() - interval '96 hours' WHERE id = :id", id=run.id)
        await outbox.deliver_mails(mailing)
    assert (len(inbox.taken), codes(await now(alone, run))) == (1, [])


async def test_a_report_is_kept_until_its_end_has_been_told(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async def pruned() -> bool:
        async with alone.database.transaction() as session:
            await tombstones.prune(session, 1)
        row = await sql(alone, "SELECT pruned_at FROM runs WHERE id = :id", id=run.id)
        return row[0]["pruned_at"] is not None

    mailing = with_mail(alone, f"smtp://127.0.0.1:{free_port()}")
    run = await accepted(mailing, an_account)
    await finish(mailing, run.id)
    await outbox.deliver_mails(mailing)
    ended = "UPDATE runs SET finished_at = now() - interval '26 hours', tell_at = now() WHERE id = :id"
    await sql(alone, ended, id=run.id)
    assert not await pruned()
    async with serving() as inbox:
        await outbox.deliver_mails(with_mail(alone, f"smtp://127.0.0.1:{inbox.port}"))
    assert len(inbox.taken) == 1
    assert await pruned()


async def test_a_server_that_lets_nobody_in_is_asked_once_for_all_that_is_due(
    alone: Runtime, an_account: Account, finish: Finish
) -> None:
    mailing = with_mail(alone, f"smtp://127.0.0.1:{free_port()}")
    for _ in range(3):
        await finish(mailing, (await accepted(mailing, an_account)).id)
    await outbox.deliver_mails(mailing)
    untold = "SELECT tell_at > now() AS later FROM runs WHERE account_id = :id AND notified_at IS NULL"
    assert [row["later"] for row in await sql(alone, untold, id=an_account.id)] == [True, True, True]


@pytest.mark.parametrize("refusing", [{"to_recipient": "550 no such user"}, {"answer": "554 looks like spam"}])
async def test_a_mail_that_is_refused_for_good_is_not_sent_again(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, refusing: dict[str, str]
) -> None:
    async with serving(inbox=Inbox(**refusing)) as inbox:  # type: ignore[arg-type]
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    assert codes(await now(alone, run)) == ["mail_not_sent"]
    assert await told_at(alone, run) is not None


@pytest.mark.parametrize("busy", [{"to_recipient": "450 greylisted"}, {"answer": "451 later"}])
async def test_a_mail_that_is_put_off_is_sent_later_and_does_not_hold_up_the_next(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, busy: dict[str, str]
) -> None:
    async with serving(inbox=Inbox(**busy)) as inbox:  # type: ignore[arg-type]
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        both = [await accepted(mailing, an_account) for _ in range(2)]
        for run in both:
            await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
        tried = await sql(alone, "SELECT id FROM runs WHERE account_id = :id AND tell_at > now()", id=an_account.id)
        assert {row["id"] for row in tried} == {run.id for run in both}
        inbox.to_recipient, inbox.answer = "", "250 OK"
        await make_due(alone, both[0])
        await outbox.deliver_mails(mailing)
    assert [mail["Message-ID"] for mail in inbox.taken] == [f"<import-{both[0].id}@example.org>"]
    assert codes(await now(alone, both[0])) == []


async def test_a_wrong_password_is_tried_on_and_stands_in_no_log(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, logged: pytest.CaptureFixture[str]
) -> None:
    configure("debug")
    async with serving(kind="starttls") as inbox:
        mailing = with_mail(alone, f"smtp://the%20user:marker-93751@127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
        assert inbox.logins
        assert set(inbox.logins) == {False}
        assert await told_at(alone, run) is None
        written = "".join(logged.readouterr()) + repr(mailing)
        assert "mail_deferred" in written
        assert "marker-93751" not in written
        right = with_mail(alone, f"smtp://{QUOTED}@127.0.0.1:{inbox.port}")
        await make_due(alone, run)
        await outbox.deliver_mails(right)
    assert len(inbox.taken) == 1


@pytest.mark.parametrize(
    "name",
    ["Köln 東京 ,;\"'.csv", "a\r\nBcc: eve@example.org\r\n\r\nx.csv", "\u202egpj.csv", "n" * 3_000 + ".csv", None],
)
async def test_a_name_of_any_kind_stays_on_its_line(
    alone: Runtime, a_key: Callable[..., Awaitable[Account]], finish: Finish, serving: NewServer, name: str | None
) -> None:
    account = await make_account(alone, name=f"A\nBcc: eve@example.org {name} {id(name)}")
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, account, name=name)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    (mail,) = inbox.taken
    assert inbox.recipients == [TO]
    assert mail["Bcc"] is None
    lines = body(mail).splitlines()
    assert len([line for line in lines if line.startswith(("Account:", "File:"))]) == 2
    assert not [line for line in lines if line.startswith("Bcc")]
    assert not any(character in body(mail) for character in "\u202e\r")
    if name == "Köln 東京 ,;\"'.csv":
        assert f"File: {name}" in lines


@pytest.mark.parametrize(
    ("address", "sent_to"),
    [("ana@münchen.example", "ana@xn--mnchen-3ya.example"), ("añá@example.org", "añá@example.org")],
)
async def test_an_address_with_letters_beyond_ascii_is_written_to(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, address: str, sent_to: str
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account, notify=address)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    assert inbox.recipients == [sent_to]


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org\r\nRCPT TO:<eve@example.org>",
        "a@example.org, eve@example.org",
        "=?utf-8?q?eve=40example.com=00?=@example.org",
        "",
    ],
)
async def test_an_address_that_is_none_reaches_no_server(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer, address: str
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account, notify=address)
        await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
    assert not inbox.recipients
    assert codes(await now(alone, run)) == ["mail_not_sent"]


async def test_without_a_mail_server_an_ended_import_waits(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    run = await accepted(alone, an_account)
    await finish(alone, run.id)
    await outbox.deliver_mails(replace(alone, mailer=None))
    assert await told_at(alone, run) is None
    async with serving() as inbox:
        await outbox.deliver_mails(with_mail(alone, f"smtp://127.0.0.1:{inbox.port}"))
    assert len(inbox.taken) == 1


async def test_every_worker_tells_as_one_of_its_duties(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}")
        run = await accepted(mailing, an_account)
        await finish(mailing, run.id)
        (deliver,) = (duty for duty in duties(mailing) if duty.name == "deliver")
        keeping = asyncio.create_task(keep_doing(mailing, "me", deliver))
        try:
            async with asyncio.timeout(10):
                while not inbox.taken:
                    await asyncio.sleep(0.02)
        finally:
            keeping.cancel()
    assert inbox.taken[0]["Message-ID"] == f"<import-{run.id}@example.org>"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "smtp://",
        "smtp://:25",
        "smtp://host:0",
        "smtp://host:99999",
        "smtp://host/path",
        "smtp://user@host",
        "smtp://user:pa/ss-73519@host",
        "smtp://user:pa#ss-73519@host",
        "smtp://user:12/ss-73519@host",
        "smtp://user:pass-73519@ho st",
        "smtp://user:pass-73519@host\n",
        "nonsense-73519",
    ],
)
async def test_an_address_of_a_server_that_cannot_be_read_stops_the_start(runtime: Runtime, url: str) -> None:
    changed = runtime.settings.model_copy(update={"smtp_url": SecretStr(url), "mail_from": FROM})
    with pytest.raises(Misconfigured, match="SLUICE_SMTP_URL") as wrong:
        async with open_runtime(changed):
            pass
    assert "73519" not in str(wrong.value)


@pytest.mark.parametrize(
    "sender", [None, "", "nobody", "a@example.org, b@example.org", "a@example.org\nBcc: b@c.org", "ana@münchen.example"]
)
async def test_a_sender_that_is_missing_or_none_stops_the_start(runtime: Runtime, sender: str | None) -> None:
    changed = runtime.settings.model_copy(update={"smtp_url": SecretStr("smtp://localhost"), "mail_from": sender})
    with pytest.raises(Misconfigured, match="SLUICE_MAIL_FROM"):
        async with open_runtime(changed):
            pass


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("smtp://h", 25),
        ("smtp://u:p@h", 587),
        ("smtps://u:p@h", 465),
        ("smtps://h", 465),
        ("smtp://u:p@[::1]:2525", 2525),
    ],
)
def test_each_way_has_its_usual_port(runtime: Runtime, url: str, port: int) -> None:
    mailer = with_mail(runtime, url).mailer
    assert mailer is not None
    assert mailer.server.port == port


async def test_a_slice_does_not_wait_for_a_mail(alone: Runtime, an_account: Account) -> None:
    with black_hole() as port:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{port}")
        run = await accepted(mailing, an_account)
        await work_on(mailing, RunId(run.id), work)
    assert (await now(mailing, run)).done


async def test_an_account_sends_no_more_mails_in_a_day_than_its_limit(
    alone: Runtime, an_account: Account, finish: Finish, serving: NewServer
) -> None:
    another = await make_account(alone)
    async with serving() as inbox:
        mailing = with_mail(alone, f"smtp://127.0.0.1:{inbox.port}", mails_per_day=2)
        mails = [await accepted(mailing, account) for account in (an_account, an_account, an_account, another)]
        for run in mails:
            await finish(mailing, run.id)
        await outbox.deliver_mails(mailing)
        assert len(inbox.taken) == 3
        late = [await now(mailing, run) for run in mails if codes(await now(mailing, run)) == ["mail_not_sent"]]
        assert [run.account_id for run in late] == [an_account.id]
        assert late[0].warnings[0]["message"].endswith("because its account has sent 2 mails today, which is the limit")

        await sql(alone, "UPDATE accounts SET mails_on = mails_on - 1 WHERE id = :id", id=an_account.id)
        tomorrow = await accepted(mailing, an_account)
        await finish(mailing, tomorrow.id)
        await outbox.deliver_mails(mailing)
    assert len(inbox.taken) == 4
    assert codes(await now(alone, tomorrow)) == []
