"""Connections as a list and a page show them: where they lead, and how their last tests went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, get_args

from app.connections.connection import StoredConnection
from app.connections.outcome import LastTest, Purpose
from app.connections.target import DELIVERS
from app.dashboard.views.connections.fields import TRANSPORTS
from app.dashboard.views.connections.steps import STEP_WORDS, StepView, Tone, show_steps

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """The last test for a purpose. `at` is None if there was none."""

    purpose: Purpose
    words: str
    tone: Tone
    at: datetime | None = None
    path: str = ""
    steps: Sequence[StepView] = ()


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    id: str
    name: str
    transport: str
    address: str
    locked: bool
    tests: Mapping[Purpose, OutcomeView]


def show_row(connection: StoredConnection) -> ConnectionRow:
    settings = connection.declaration.settings
    return ConnectionRow(
        connection.id,
        connection.declaration.name,
        TRANSPORTS[settings["transport"]][0],
        find_address(settings),
        connection.locked,
        {each: show_test(each, connection.last_tests.get(each)) for each in list_purposes(settings["transport"])},
    )


def list_purposes(transport: str) -> list[Purpose]:
    """What a connection can be used, and so tested, for."""
    return [each for each in PURPOSES if each == "import" or transport in DELIVERS]


def find_address(settings: Mapping[str, Any]) -> str:
    """The host, with a port if it is not the protocol's own; of S3 the bucket and where it is."""
    if settings["transport"] == "s3":
        return f"{settings['bucket']} at {settings.get('endpoint', 'Amazon')}"
    return f"{settings['host']}:{settings['port']}" if "port" in settings else str(settings["host"])


def show_test(purpose: Purpose, test: LastTest | None) -> OutcomeView:
    if test is None:
        return OutcomeView(purpose, "Not tested", "idle")
    words = "Works" if test.ok else f"Failed: {STEP_WORDS[test.steps[-1].name].lower()}"
    steps = show_steps(purpose, test.steps)
    return OutcomeView(purpose, words, "ok" if test.ok else "bad", test.at, test.path, steps)
