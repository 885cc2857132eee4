"""`sluice demo`: starts everything in a folder of its own, imports a file with bad rows, shows the outcome, stops."""

import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from socket import socket
from typing import Final

import httpx
import typer
from rich.console import Console

from app.cli.answers import NotDone, Run
from app.cli.importing import Order, connect, upload, watch
from app.cli.options import WHERE_CODE_IS, Data, module_command, module_environment
from app.cli.progress import meter
from app.cli.report import complain, report, say
from app.errors import SluiceError

EXAMPLE: Final = Path(WHERE_CODE_IS, "examples", "contacts.csv")
# What examples/make_contacts.py puts into the file: anything else is a fault of this service.
EXPECTED: Final = {"total": 1000, "created": 988, "updated": 0, "unchanged": 0, "skipped": 0, "errors": 12}
START_PATIENCE: Final = 90.0  # seconds; the first start of a machine unpacks PostgreSQL
STOP_PATIENCE: Final = 40.0
READY: Final = re.compile(r"ready at (https?://\S+)")

GO_ON: Final = """
To go on with a service that stays:
  make run                                   start it on http://127.0.0.1:8000
  sluice key create --account me             make a key; then: export SLUICE_KEY=id:secret
  sluice import examples/contacts.csv        send a file and watch it, or with curl:
  curl -H "Authorization: apiKey $SLUICE_KEY" http://127.0.0.1:8000/imports -F type=contacts \\
       -F delimiter=, -F overrideExisting=true -F updateOnlyEmptyFields=false -F file=@examples/contacts.csv"""


class DemoFailed(SluiceError):
    """The demo did not come to its end; the text says at which step."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Tells each step with the seconds since the beginning."""

    console: Console
    began: float

    def tell(self, sentence: str) -> None:
        say(self.console, f"{time.monotonic() - self.began:5.1f} s  {sentence}")


def demo(data: Data = None) -> None:
    """Show the whole service once: start it, import 1,000 contacts of which 12 are bad, show the report, stop it.

    Without --data everything happens in a folder that is removed at the end.
    """
    console = Console()
    clock = Stopwatch(console, time.monotonic())
    try:
        with ended_by_sigterm(), folder(data) as place:
            run = shown(console, clock, place)
        clock.tell("Stopped." if data else "Stopped, and the folder is removed.")
        check(run)
    except NotDone as refused:
        complain(Console(stderr=True), refused)
        raise typer.Exit(1) from None
    except DemoFailed as failed:
        say(Console(stderr=True), f"The demo failed: {failed}")
        raise typer.Exit(1) from None
    say(console, GO_ON)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that nothing is left running."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def folder(data: Path | None) -> Iterator[Path]:
    if data:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as path:
        # Root runs PostgreSQL as another account, which must be able to walk in; the data folder guards itself.
        Path(path).chmod(0o711)
        yield Path(path, "data")


def shown(console: Console, clock: Stopwatch, data: Path) -> Run:
    clock.tell(f"Starting PostgreSQL, Valkey, the API and a worker in {data}")
    with service(data) as url:
        clock.tell(f"Ready at {url}; making an account with a key")
        # A kept folder may hold the contacts of an earlier demo, which belong to another account.
        account = "demo" if data.name == "data" else time.strftime("demo-%Y%m%d-%H%M%S")
        with connect(url, make_key(data, account)) as client:
            clock.tell(f"Sending {EXAMPLE.name} ({EXAMPLE.stat().st_size:,} bytes) as account {account}")
            run = sent_and_ended(client)
            clock.tell("The import has ended")
            report(console, run)
            show_failed_rows(console, client, run)
        clock.tell("Stopping everything")
    return run


@contextmanager
def service(data: Path, **settings: str) -> Iterator[str]:
    """Everything, running; its address. `settings` are variables of the environment."""
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.NamedTemporaryFile(prefix="sluice-demo-", suffix=".log"))
        child = subprocess.Popen(
            module_command("app", "up", "--port", str(free_port()), "--data", str(data), "--workers", "1"),
            env=own_environment() | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the child in order
        )
        stack.callback(stop, child)
        yield address(child, Path(log.name))


def own_environment() -> dict[str, str]:
    """Without the settings of another instance: the demo must not write into a real database."""
    return {name: value for name, value in module_environment("app").items() if not name.startswith("SLUICE_")}


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address(child: subprocess.Popen[bytes], log: Path) -> str:
    """What the child says once it is ready; raises DemoFailed, with its last words, when it never is."""
    deadline = time.monotonic() + START_PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        if found := READY.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.05)
    words = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise DemoFailed(f"the service did not start; its last words:\n{words}")


def stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def make_key(data: Path, account: str) -> str:
    command = module_command("app", "key", "create", "--account", account, "--data", str(data))
    done = subprocess.run(command, check=False, env=own_environment(), capture_output=True, text=True)
    if done.returncode:
        raise DemoFailed(f"no key could be made: {done.stderr.strip()}")
    return done.stdout.strip().splitlines()[-1]


def sent_and_ended(client: httpx.Client) -> Run:
    with meter(Console(stderr=True)) as heard:
        return watch(client, upload(client, Order(EXAMPLE, delimiter=","), heard), heard).run


def show_failed_rows(console: Console, client: httpx.Client, run: Run) -> None:
    if not run.failed_rows:
        raise DemoFailed("the import names no file of its failed rows")
    say(console, "It begins with:")
    with client.stream("GET", run.failed_rows) as response:
        if response.is_error:
            raise DemoFailed(f"{run.failed_rows} answered {response.status_code}")
        for line in islice(response.iter_lines(), 3):
            say(console, f"  {line}")


def check(run: Run) -> None:
    """Raises DemoFailed unless the counts are those that the file must have."""
    found = {name: getattr(run, name) for name in EXPECTED}
    if run.status != "finished" or found != EXPECTED:
        raise DemoFailed(f"the import is {run.status} with {found}, expected was {EXPECTED}")
