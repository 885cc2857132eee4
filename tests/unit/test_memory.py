"""What no part of the service uses takes no memory: a library that a library loads is left out, or waits."""

import subprocess
import sys

import pytest


def said_by(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("part", ["app.main", "workers.__main__"])
def test_a_part_does_not_carry_what_it_does_not_use(part: str) -> None:
    """Of the 120 MB that an API process has, cryptography takes 9 as long as nothing is sealed, the ORM 8, rich 4,
    Jinja 2 as long as nobody looks at a page, Pydantic's old models 1.5, the command line of uvicorn as much, and what
    sends mails 1. Pictures are decoded elsewhere."""
    names = (
        "cryptography.hazmat",
        "sqlalchemy.orm",
        "rich",
        "pydantic.v1.",
        "watchfiles",
        "uvicorn.main",
        "click",
        "jinja2.",
        "aiosmtplib.",
        "PIL",
        "app.observe.traces.collected",
        "google.protobuf",
        "opentelemetry.sdk",
    )
    loaded = f"import sys, {part}; print([name for name in sys.modules if name.startswith({names})])"
    assert said_by(loaded) == "[]\n"


def test_what_is_loaded_late_is_whole_when_it_is_asked_for() -> None:
    used = "import app, jwt; print(jwt.decode(jwt.encode({'a': 1}, 'k' * 32), 'k' * 32, algorithms=['HS256']))"
    assert said_by(used) == "{'a': 1}\n"


@pytest.mark.parametrize("first", ["import rich, app", "import app, rich"])
def test_what_is_left_out_of_one_library_is_there_for_others(first: str) -> None:
    used = f"{first}; from rich.text import Text; from structlog import dev; print(Text('here'), dev.rich)"
    assert said_by(used) == "here None\n"
