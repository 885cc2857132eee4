"""The steps of a connection's test as a page shows them: what was seen, what went wrong and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.connections.outcome import CheckStep, Purpose

Tone = Literal["ok", "bad", "idle"]
# What a test does if all goes well.
PLANNED: Final[Mapping[Purpose, Sequence[str]]] = {
    "import": ("connect", "find", "read"),
    "export": ("connect", "write", "delete"),
}
DELETED: Final = "The test file was deleted again."
NOT_REACHED: Final = "Not reached"
STEP_WORDS: Final[Mapping[str, str]] = {
    "address": "Check the settings and the path",
    "resolve": "Look up the host",
    "connect": "Connect",
    "authenticate": "Sign in",
    "find": "Find the file",
    "read": "Read its beginning",
    "write": "Write a small file",
    "delete": "Delete it again",
}
REMEDIES: Final[Mapping[str, str]] = {
    "address": "Correct the path, or the settings of the connection.",
    "resolve": "Look for a typing error in the host. Sluice must be able to look it up, too.",
    "connect": "Check host and port, and whether a firewall between Sluice and the server lets it through.",
    "authenticate": "Type user and password, or the key, again, and ask the server's owner about the login.",
    "find": "Check the path. It begins in the folder of the connection; capital letters count.",
    "read": "Ask the server's owner to let this login read the file.",
    "write": "Check that the folder is there, and that this login may write to it.",
    "delete": "Let this login delete files, or delete sluice-test.txt yourself.",
}


@dataclass(frozen=True, slots=True)
class StepView:
    """`remedy` is what to do about the step that failed."""

    words: str
    tone: Tone
    detail: str = ""
    remedy: str = ""


def show_steps(purpose: Purpose, steps: Sequence[CheckStep]) -> list[StepView]:
    """The steps that were taken, and those that were not."""
    taken = [show_step(each) for each in steps]
    names = {each.name for each in steps}
    if all(each.error is None for each in steps):
        return taken
    return [
        *taken,
        *(StepView(STEP_WORDS[each], "idle", NOT_REACHED) for each in PLANNED[purpose] if each not in names),
    ]


def show_step(step: CheckStep) -> StepView:
    if step.error is not None:
        return StepView(STEP_WORDS[step.name], "bad", step.error, REMEDIES[step.name])
    detail = step.detail or (DELETED if step.name == "delete" else "")
    return StepView(STEP_WORDS[step.name], "ok", detail)
