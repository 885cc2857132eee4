"""The same as a command: what a script sends to do what a page does, with the key left out."""

from shlex import quote

from app.dashboard.script import KEY
from app.runs.kinds import Kind
from app.runs.model import Run
from app.runs.states import HELD, State


def script_of_run(run: Run, base: str) -> str:
    """How a script polls the run, decides about it, and starts the same again."""
    lines = ["# How far it is", f"curl {KEY} {base}/runs/{run.id}"]
    if run.state is State.PLANNED and run.kind is Kind.IMPORT:
        lines += ["# Import its rows", f"curl -X POST {KEY} {base}/imports/{run.id}/commit"]
    elif run.state in HELD:
        lines += ["# Let it go on", f"curl -X POST {KEY} {base}/runs/{run.id}/resume"]
    if not run.done:
        lines += ["# Cancel it", f"curl -X POST {KEY} {base}/runs/{run.id}/cancel"]
    if run.failed:
        lines += ["# What is wrong with its rows", f"curl {KEY} {base}/runs/{run.id}/problems"]
    if run.kind in (Kind.IMPORT, Kind.EXPORT) and run.done:
        file = f" -F {quote(f'file=@{run.file_name}')}" if run.kind is Kind.IMPORT and run.source is None else ""
        lines += ["# The same again", f"curl -X POST {KEY}{file} {base}/{run.kind}s/{run.id}/rerun"]
    return "\n".join(lines)


def script_of_import(base: str) -> str:
    """The first command of the README, with the address of this service."""
    return (
        f"curl {KEY} \\\n"
        "  -F type=contacts -F delimiter=, -F overrideExisting=true -F updateOnlyEmptyFields=false \\\n"
        f"  -F file=@contacts.csv {base}/imports"
    )
