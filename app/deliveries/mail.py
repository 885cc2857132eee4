"""The mail that reports that a run has ended or is held: what, how many rows, and where the report is; never a cell's
value."""

from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime

from email_validator import validate_email

from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.states import HELD, State

NEWS = {
    State.FINISHED: "has finished",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.HALTED: "is halted",
    State.PLANNED: "is planned, and nothing is written yet",
}
COUNTS = ("created", "updated", "unchanged", "skipped", "failed", "remaining", "removed")


def build_mail(run: Run, *, to: str, account: str, sender: str, public_url: str | None) -> EmailMessage:
    """Built twice for one run it is the same mail with the same Message-ID."""
    mail = EmailMessage()
    mail["Subject"] = f"{run.kind.capitalize()} {run.id} of {printable(run.type)}: {run.state}{format_rows(run)}"
    mail["From"] = sender
    mail["To"] = to
    if (moment := run.finished_at or run.held_at) is not None:
        mail["Date"] = format_datetime(moment)
    held = f"-held-{run.attempt}" if run.state in HELD else ""  # when it has ended there is another mail
    mail["Message-ID"] = f"<{run.kind}-{run.id}{held}@{mail['From'].addresses[0].domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
    mail.set_content("\n".join(format_lines(run, account, (public_url or "").rstrip("/"))) + "\n")
    return mail


def normalize_address(address: str) -> str:
    """The address with its domain in ASCII, as every server takes it. Raises ValueError if it is not an address."""
    if "=?" in address:  # in a header this would decode to something else, such as another address or a NUL
        raise ValueError
    valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    return valid.ascii_email or valid.normalized


def is_allowed(address: str, domains: str) -> bool:
    """Whether mails may go to the address: its domain is one of `domains` (separated by commas), or there are none."""
    allowed = {domain.strip().lower() for domain in domains.split(",")} - {""}
    return not allowed or normalize_address(address).rpartition("@")[2].lower() in allowed


def format_lines(run: Run, account: str, base: str) -> Iterator[str]:
    yield f"{run.kind.capitalize()} {run.id} of {printable(run.type)} {NEWS[run.state]}."
    yield ""
    yield f"Account: {printable(account)}"
    if run.name:
        yield f"Name: {printable(run.name)}"
    yield f"File: {printable(run.file_name or '(no name)')}"
    yield f"State: {run.state}"
    if run.fail_detail:
        yield f"Reason: {printable(run.fail_detail)}"
    yield ""
    yield from format_export(run, base) if run.kind is Kind.EXPORT else format_import(run, base)


def format_import(run: Run, base: str) -> Iterator[str]:
    yield f"Rows: {'unknown' if run.total is None else run.total}"
    for name in COUNTS:
        count = getattr(run, name)
        if count is not None:
            yield f"{name.capitalize()}: {count}"
    yield ""
    if run.state in HELD:
        yield f"Resume it: POST {base}/runs/{run.id}/resume"
        yield f"Cancel it: POST {base}/runs/{run.id}/cancel"
    yield from map(printable, list_hints(run))
    yield f"Report: {base}/imports/{run.id}"
    if run.failed:
        yield f"Failed rows: {base}/imports/{run.id}/failed-rows.csv"


def list_hints(run: Run) -> Iterator[str]:
    """Those that repeat no cell."""
    for group in run.error_summary:
        fix = group.get("fix", {})
        if "hint" in group and not any("from" in each for each in fix.get("corrections", ())):
            yield f"Hint: {group['hint']}"


def format_export(run: Run, base: str) -> Iterator[str]:
    yield f"Records: {'unknown' if run.total is None else run.total}"
    yield f"Written: {run.success}"
    for each in run.destinations or ():
        yield printable(f"Destination: {each['transport']} {each['path']}, {each.get('status', 'pending')}")
    yield ""
    yield f"Report: {base}/exports/{run.id}"
    if run.blob is not None:
        yield f"Download: {base}/exports/{run.id}/file"


def format_rows(run: Run) -> str:
    done = "records exported" if run.kind is Kind.EXPORT else "rows imported"
    return "" if run.total is None else f", {run.success} of {run.total} {done}"


def printable(text: str) -> str:
    """The text on one line, without invisible characters."""
    return "".join(character if character.isprintable() else " " for character in text)
