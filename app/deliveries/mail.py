"""The mail that tells of an import's end: who, what, how many, and where the report is; never a cell's value."""

from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime

from email_validator import validate_email

from app.runs.model import Run
from app.runs.states import State

WORDS = {State.FINISHED: "has finished", State.FAILED: "could not be processed"}
COUNTS = ("created", "updated", "unchanged", "skipped", "failed", "remaining")


def completion_mail(run: Run, *, to: str, account: str, sender: str, public_url: str | None) -> EmailMessage:
    """Twice for one run is the same mail twice, with the same Message-ID."""
    mail = EmailMessage()
    mail["Subject"] = f"Import {run.id} of {seen(run.type)}: {run.state}{rows(run)}"
    mail["From"] = sender
    mail["To"] = to
    if run.finished_at is not None:
        mail["Date"] = format_datetime(run.finished_at)
    mail["Message-ID"] = f"<import-{run.id}@{mail['From'].addresses[0].domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note is wanted
    mail.set_content("\n".join(lines(run, account, (public_url or "").rstrip("/"))) + "\n")
    return mail


def mailbox(address: str) -> str:
    """The address as every server takes it: the domain in ASCII. Raises ValueError for what is none."""
    if "=?" in address:  # the header would say what it decodes to, another address or a NUL
        raise ValueError
    found = validate_email(address, check_deliverability=False, globally_deliverable=False)
    return found.ascii_email or found.normalized


def lines(run: Run, account: str, base: str) -> Iterator[str]:
    yield f"Import {run.id} of {seen(run.type)} {WORDS[run.state]}."
    yield ""
    yield f"Account: {seen(account)}"
    yield f"File: {seen(run.file_name or 'without a name')}"
    yield f"State: {run.state}"
    if run.fail_detail:
        yield f"Why: {seen(run.fail_detail)}"
    yield ""
    yield f"Rows: {'not known' if run.total is None else run.total}"
    for name in COUNTS:
        count = getattr(run, name)
        if count is not None:
            yield f"{name.capitalize()}: {count}"
    yield ""
    yield f"Report: {base}/imports/{run.id}"
    if run.failed:
        yield f"Failed rows: {base}/imports/{run.id}/failed-rows.csv"


def rows(run: Run) -> str:
    return "" if run.total is None else f": {run.success} of {run.total} rows imported"


def seen(text: str) -> str:
    """On one line, without what cannot be seen."""
    return "".join(each if each.isprintable() else " " for each in text)
