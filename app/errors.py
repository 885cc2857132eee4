"""The errors of requests and runs, grouped by who can do something about them.

SluiceError
├── Refused      the caller must change something, or wait; a surface turns its code into a response
├── Retryable    something outside does not work at the moment; the worker tries again
├── Halted       this run goes no further until somebody resumes or cancels it
└── Fatal        this run cannot succeed; it ends `failed` with this reason

A bad row raises none of these: it is a value, see `app.problems`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

# The exit codes of programs.
TROUBLE: Final = 1  # something outside does not work: starting again may help
MISCONFIGURED: Final = 2  # a setting or an option is wrong: starting again does not help
INTERRUPTED: Final = 130  # Ctrl-C, as a shell reports it
NAME_CHARACTERS: Final = 100  # no name of a record type is so long

# Every refusal: code -> title. The HTTP status is in a table of each surface.
REFUSALS: dict[str, str] = {
    "not_authenticated": "The API key is missing or wrong",
    "not_allowed": "The API key does not have the required scope",
    "not_found": "Not found in this account",
    "method_not_allowed": "The path does not support this method",
    "gone": "Deleted at the end of its retention period",
    "bad_request": "The request cannot be read",
    "unsupported_media_type": "The media type of the body is not supported",
    "too_large": "The file or body is too large",
    "empty_file": "The file is empty",
    "unreadable_file": "The file cannot be read in the declared format",
    "invalid": "The request is not valid",
    "too_many_requests": "The API key has reached its rate limit",
    "too_many_reads": "Too many large reads of this account are under way",
    "queue_full": "Too many imports of this account are waiting, running or halted",
    "import_not_ended": "The import, or one that needs it, is still waiting, running or halted",
    "export_not_ended": "The export is still waiting or running",
    "not_held": "The run does not wait for a decision",
    "plan_changed": "The run waits with another plan by now",
    "sync_not_ended": "A run of the item sync is still waiting, running, halted or planned",
    "nothing_to_retry": "No delivery of the export has failed",
    "type_in_use": "The new declaration does not fit stored records or open imports",
    "secrets_locked": "The stored secrets cannot be decrypted",
    "name_taken": "The name is already taken in this account",
    "last_admin": "The account would be left without an admin",
    "belongs_elsewhere": "The person belongs to other accounts, too",
    "not_ready": "The service is temporarily unavailable",
}

# Every reason why a run can fail as a whole, is halted, or was cancelled: code -> the message shown.
FAILURES: dict[str, str] = {
    "brake": "A brake of the import has stopped it, or would",
    "plan_changed": "Others have changed records since somebody was shown what the import would do",
    "cancelled": "The run was cancelled",
    "plan_expired": "Nobody has resumed or cancelled it in time",
    "worker_crashed": "Workers crashed too many times on this file",
    "source_missing": "The stored file no longer exists",
    "source_damaged": "The stored file has changed since the import was accepted",
    "source_address": "The address of the source is not valid",
    "source_resolve": "The host of the source is unknown, or its address is not allowed",
    "source_connect": "The source could not be reached",
    "source_authenticate": "The source rejected the credentials",
    "source_find": "The file was not found at the source",
    "source_read": "The file could not be read to its end",
    "source_locked": "The stored credentials of the source cannot be decrypted with the keys of this service",
    "type_taken": "The account has a record type of its own that is called as one that an item sync writes",
    "sync_no_items": "There are no item files, so the item sync did not begin",
    "sync_unsettled": "The files of the item sync did not stop changing",
    "sync_too_large": "The files of the item sync are too large or too many",
    "file_refused": "The file was fetched, but it cannot be imported",
    "count_mismatch": "The number of processed rows differs from the number of accepted rows",
    "unreadable_file": "The file cannot be read in the declared format",
    "too_many_columns": "The records have more fields than a file may have columns",
    "export_no_room": "PostgreSQL had too little disk, memory or room for the export",
    "export_too_long": "The file could not be written within the time that an export has",
    "export_unencodable": "The file cannot be written in the encoding that was asked for",
    "mapping_missing": "The mapping template does not exist any more",
    "mapping_unfit": "The mapping does not fit its record type any more",
    "export_lost": "The stored file of the export is missing or damaged",
}


# What to do about each refusal, for people who write a client.
REFUSAL_REMEDIES: dict[str, str] = {
    "not_authenticated": "Send a valid key in one of the accepted headers",
    "not_allowed": "Use a key that has the scope named in the response",
    "not_found": "Check the id and the account: another account's things are never found",
    "method_not_allowed": "Use one of the methods in the `Allow` header",
    "gone": "The import cannot be restored. Send the file again if you still need it",
    "bad_request": "Check the body for what the detail names, then send it again. An upload may have been cut off",
    "unsupported_media_type": "Send the media type that the detail names",
    "too_large": "Split the file, or have `SLUICE_MAX_FILE_BYTES` raised. The limit of a JSON body is fixed",
    "empty_file": "Send a file that has at least a header",
    "unreadable_file": "Send CSV or JSON Lines, plain or gzip. The detail says what the file is instead",
    "invalid": "Correct everything that `errors` lists",
    "too_many_requests": "Wait for the seconds in `Retry-After`, and poll less often",
    "too_many_reads": "Wait for the seconds in `Retry-After`, and read one page after the other",
    "queue_full": "Wait for the seconds in `Retry-After`, or until an import has ended. Decide about halted ones",
    "import_not_ended": "Wait until the import that the detail names is done. If it is halted, resume or cancel it",
    "export_not_ended": "Wait until the export is done",
    "sync_not_ended": "Wait until the run has ended, or cancel it if it is halted",
    "plan_changed": "Look at what the run would do by now, and resume it with its new `plan`, or cancel it",
    "not_held": "Resume or cancel only what is `halted` or `planned`. Look at its `status`",
    "nothing_to_retry": "Look at the `status` of each destination. Start a new export for other destinations",
    "type_in_use": "Keep the fields that `errors` names as they are. If only open imports are in the way, wait until "
    "they have ended",
    "secrets_locked": "Send the secrets again with `PUT /connections/{id}`, or restore the key that encrypted them",
    "name_taken": "Choose another name",
    "last_admin": "Make somebody else an admin first",
    "belongs_elsewhere": "Ask the operator of the service to reset the password, with `sluice person reset`",
    "not_ready": "Wait for the seconds in `Retry-After`, then send the request again",
}

# What to do about each failure of a run.
FAILURE_REMEDIES: dict[str, str] = {
    "brake": (
        "Look at the numbers in the detail and at the problems. Then resume the import, which goes on without brakes, "
        "or cancel it and send a corrected file"
    ),
    "cancelled": "Start it again if you still want it. What was written before stays",
    "plan_expired": "Start it again, and decide within `SLUICE_PLAN_HOURS`",
    "plan_changed": "Look at what it would do now, and resume or cancel it",
    "type_taken": "Use another account for item syncs: this one declared the type before there was a built-in one",
    "worker_crashed": "Look for `slice_failed` in the workers' log, and report it together with the file",
    "source_missing": "Send the file again. Check that all machines share one blob store and that nobody cleans it up",
    "source_damaged": (
        "Send the file again, and check the disk that holds the stored files. Rows that were written before stay"
    ),
    "source_address": "Correct the address, path or setting that the detail names",
    "source_resolve": "Check the spelling of the host. Private addresses need `SLUICE_ALLOW_NETWORKS`",
    "source_connect": "Check host, port and firewall. `POST /connections/{id}/test-import` tests a stored connection",
    "source_authenticate": "Correct user, password or key, and try them with `POST /connections/{id}/test-import`",
    "source_find": "Correct the path, and try it with `POST /connections/{id}/test-import`",
    "source_read": "Send the import again; the detail says what cut the transfer off",
    "source_locked": "Restore the previous `SLUICE_SECRET_KEY` or `SLUICE_VAULT_KEYS`, or send the credentials again",
    "sync_no_items": "Check `itemsPath`, and that the shop has put its files there. An incremental sync needs no file",
    "sync_unsettled": "Have files uploaded under another name and renamed, or run the sync when nobody uploads",
    "sync_too_large": "Split the files over several runs, or ask the operator to raise `SLUICE_MAX_FILE_BYTES`",
    "file_refused": "Correct the file as the detail says, then start the import again",
    "count_mismatch": "Report it: this is a bug",
    "unreadable_file": "Correct the file as the detail says. If the stored copy is damaged, send it again",
    "too_many_columns": "Export as JSON Lines, which has no columns",
    "export_no_room": (
        "Ask the operator for what the detail names, or export fewer records or fields at a time. Then run it again"
    ),
    "export_too_long": "Export fewer records at a time, or ask the operator to raise `SLUICE_EXPORT_SECONDS`",
    "mapping_missing": "Start the export again with another template",
    "mapping_unfit": "Correct the template as the detail says, then start the export again",
    "export_unencodable": "Export in UTF-8, which has every character, or correct the record that the detail names",
    "export_lost": "Start the export again, and check the disk that holds the stored files",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a request.

    `path` is where: the name of a form part, parameter, member or column, or "" for the request as a whole. `reason` is
    a whole sentence that names its subject, without a full stop: clients show it without the path.
    """

    path: str
    reason: str


MOST_DESCRIBED: Final = 20  # complaints in a text for people; a request may have thousands of mistakes


def describe(complaints: Sequence[Complaint]) -> str:
    """Complaints as one text for people: their reasons, which are sentences that name their subject. Of very many only
    the first ones."""
    reasons = [complaint.reason for complaint in complaints[:MOST_DESCRIBED]]
    if more := len(complaints) - len(reasons):
        reasons.append(f"There are {more:,} more mistakes")
    # Cordial prescribes sentences that end with a full stop.
    return " ".join([*map(_close_sentence, reasons[:-1]), *reasons[-1:]])


def _close_sentence(reason: str) -> str:
    return reason if reason.endswith((".", "?")) else f"{reason}."


def join_choices(choices: Iterable[str], *, word: str = "or") -> str:
    """What a value can be, for messages: "a, b or c"; with another `word` what there is."""
    *others, last = choices
    return f"{', '.join(others)} {word} {last}" if others else last


def shorten_name(name: str) -> str:
    """A name that a caller has sent, as messages repeat it. A shortened name equals no existing name."""
    return name if len(name) <= NAME_CHARACTERS else f"{name[:NAME_CHARACTERS]}…"


# What pydantic asks for -> what callers call it.
WORDS_FOR: Final = {
    "be a valid boolean": "be true or false",
    "be a valid datetime": "be a time such as 2026-11-27T10:00:00Z",
    "be a valid dictionary": "be a JSON object",
    "be a valid integer": "be a whole number",
    "be a valid list": "be a list",
    "be a valid number": "be a number",
    "be a valid string": "be text",
}


def name_subject(name: str, message: str) -> str:
    """A message of pydantic as a sentence that names its subject: "Input should be…" becomes "`limit` must be…".
    Without a name the subject is the body."""
    subject = f"`{name}`" if name else "The body"
    if message == "Field required":
        return f"{subject} is required"
    if message.startswith("Value error, "):
        reason = message.removeprefix("Value error, ")
        return f"{subject} {reason}" if reason.startswith("must ") else reason
    if message == "Extra inputs are not permitted":
        return f"{subject} is not a member of this request"
    kind, should, rest = message.partition(" should ")
    if not should or " " in kind:
        return f"{subject} is not valid: {message}"
    for technical in (", unable", " or instance of ", " after validation", " or date, "):
        rest = rest.partition(technical)[0]
    rest = rest.replace("be greater than or equal to", "be at least").replace("be less than or equal to", "be at most")
    requirement = WORDS_FOR.get(rest, rest)
    if requirement.startswith("be '"):  # choices
        requirement = requirement.replace("'", "")
        requirement = f"be one of {requirement.removeprefix('be ')}" if ", " in requirement else requirement
    return f"{subject} must {requirement}"


class SluiceError(Exception):
    """The base class of all errors that this service raises on purpose."""

    exit_code: ClassVar[int] = MISCONFIGURED  # of a program that it ends


class Misconfigured(Exception):
    """A setting is missing or wrong; the message names it."""


class Refused(SluiceError):
    """The request cannot be accepted as it is.

    `code` is a key of REFUSALS, `retry_after` is in seconds, `facts` is what single surfaces add to their response,
    `headers` is what all of them do.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        complaints: Sequence[Complaint] = (),
        *,
        retry_after: int | None = None,
        facts: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.title = REFUSALS[code]
        self.detail = detail
        self.complaints = tuple(complaints)
        self.retry_after = retry_after
        self.facts = facts or {}
        self.headers = headers or {}


class Retryable(SluiceError):
    """Something that this service needs does not work as it should at the moment; a later try may succeed. `part` says
    what, to those who wait for it: `database`, `queue`, `storage`, `source`, `machine`."""

    part: ClassVar[str]

    exit_code = TROUBLE


class Halted(SluiceError):
    """This run stops where it is until somebody resumes or cancels it; `code` is a key of FAILURES, and `detail` says
    why in whole sentences."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class SourceLost(SluiceError):
    """What an answer is made of went away while it was sent. The connection has to break: an answer that ended as
    usual would be taken for whole."""


class Fatal(SluiceError):
    """This run cannot succeed, however often it is tried; `code` is a key of FAILURES."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or FAILURES[code])
        self.code = code
        self.detail = detail or FAILURES[code]
