"""The errors of requests and runs, grouped by who can do something about them.

SluiceError
├── Refused      the caller must change something, or wait; a surface turns its code into a response
├── Retryable    something outside does not work at the moment; the worker tries again
├── Halted       this run goes no further until somebody resumes or cancels it
└── Fatal        this run cannot succeed; it ends `failed` with this reason

A bad row raises none of these: it is a value, see `app.problems`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from app.errors.failures import FAILURE_REMEDIES, FAILURES
from app.errors.refusals import REFUSAL_REMEDIES, REFUSALS

__all__ = [
    "FAILURES",
    "FAILURE_REMEDIES",
    "INTERRUPTED",
    "MISCONFIGURED",
    "MOST_DESCRIBED",
    "NAME_CHARACTERS",
    "REFUSALS",
    "REFUSAL_REMEDIES",
    "TROUBLE",
    "WORDS_FOR",
    "Complaint",
    "Fatal",
    "Halted",
    "Misconfigured",
    "Refused",
    "Retryable",
    "SluiceError",
    "SourceLost",
    "describe",
    "join_choices",
    "name_subject",
    "shorten_name",
]

# The exit codes of programs.
TROUBLE: Final = 1  # something outside does not work: starting again may help
MISCONFIGURED: Final = 2  # a setting or an option is wrong: starting again does not help
INTERRUPTED: Final = 130  # Ctrl-C, as a shell reports it
NAME_CHARACTERS: Final = 100  # no name of a record type is so long


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a request.

    `path` is where: the name of a form part, parameter, member or column, or "" for the request as a whole. `reason` is
    a whole sentence that names its subject, without a full stop: clients show it without the path. `fix` is for
    programs.
    """

    path: str
    reason: str
    fix: Mapping[str, Any] | None = field(default=None, hash=False)  # what would mend it, as hints have it


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


@dataclass(frozen=True, slots=True)
class Members:
    """What a problem document tells besides, in the words of the wire, to callers who have the `scope` for it."""

    scope: str
    values: Mapping[str, Any]


class Refused(SluiceError):
    """The request cannot be accepted as it is.

    `code` is a key of REFUSALS, `retry_after` is in seconds, `facts` is what single surfaces add to their response,
    `headers` is what all of them do, and `members` what ours add to the problem document.
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
        members: Members | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.title = REFUSALS[code]
        self.detail = detail
        self.complaints = tuple(complaints)
        self.retry_after = retry_after
        self.facts = facts or {}
        self.headers = headers or {}
        self.members = members


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
