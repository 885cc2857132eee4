"""Says in one line why a command failed, and with which exit code it ends."""

import typer
from pydantic import ValidationError

from app.errors import INTERRUPTED, MISCONFIGURED, TROUBLE, Misconfigured, SluiceError
from app.observe.logs import describe_crash
from app.settings import describe_wrong_setting

# Whose errors have texts for people. A library's may hold addresses, statements and links.
READABLE = ("app", "builtins")


def explain_failure(error: Exception) -> tuple[str, int]:
    """The error in one line, "" for none, and the exit code."""
    match error:
        case typer.Abort():
            return "", INTERRUPTED
        case typer.TyperException():
            reason, exit_code = error.format_message(), MISCONFIGURED
        case ValidationError():
            reason, exit_code = describe_wrong_setting(error), MISCONFIGURED
        case Misconfigured():
            reason, exit_code = str(error), MISCONFIGURED
        case SluiceError():
            reason, exit_code = str(error), error.exit_code
        case _:
            readable = type(error).__module__.partition(".")[0] in READABLE and str(error)
            reason, exit_code = readable or describe_crash(error), TROUBLE
    return " ".join(reason.split()), exit_code
