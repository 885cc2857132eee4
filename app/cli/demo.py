"""`sluice demo`: starts the service in a temporary folder, imports a file with bad rows, shows the result, stops."""

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

from app.cli.client.failures import RequestFailed
from app.cli.client.http import build_path, open_client, stream
from app.cli.client.printing import print_error, print_line, print_note
from app.cli.importing.progress import show_progress
from app.cli.importing.report import print_report
from app.cli.importing.status import ImportStatus
from app.cli.importing.transfer import ImportRequest, start_import
from app.cli.importing.watching import watch
from app.cli.options import CODE_FOLDER, Data, module_command, module_environment, temporary_data
from app.errors import SluiceError

EXAMPLE: Final = Path(CODE_FOLDER, "examples", "contacts.csv")
PARTS: Final = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
# The outcome of the file that examples/make_contacts.py writes; any other is a bug of this service.
EXPECTED: Final = {"total": 1000, "created": 988, "updated": 0, "unchanged": 0, "skipped": 0, "errors": 12}
START_SECONDS: Final = 90.0  # the first start on a machine unpacks PostgreSQL
STOP_SECONDS: Final = 40.0
READY: Final = re.compile(r"ready at (https?://\S+)")

NEXT_STEPS: Final = """
Next steps, with a service that keeps running:
  make run                                   start it on http://127.0.0.1:8000
  sluice key create --account me             create an API key, then: export SLUICE_KEY=id:secret
  sluice import examples/contacts.csv        import a file and follow it, or with curl:
  curl -H "Authorization: apiKey $SLUICE_KEY" http://127.0.0.1:8000/imports -F type=contacts \\
       -F delimiter=, -F overrideExisting=true -F updateOnlyEmptyFields=false -F file=@examples/contacts.csv"""


class DemoFailed(SluiceError):
    """The demo failed; the message says at which step."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Prints each step with the seconds since the start."""

    started: float

    def step(self, message: str) -> None:
        print_line(f"{time.monotonic() - self.started:5.1f} s  {message}")


def demo(data: Data = None) -> None:
    """Start the service, import 1,000 contacts, 12 of them bad, show the report, and stop it again.

    Without --data everything happens in a temporary folder, which is removed at the end.
    """
    stopwatch = Stopwatch(time.monotonic())
    try:
        with sigterm_as_interrupt(), data_folder(data) as path:
            run = run_demo(stopwatch, path)
        stopwatch.step("Stopped" if data else "Stopped, and removed the folder")
        check_counts(run)
    except RequestFailed as failure:
        print_error(failure)
        raise typer.Exit(1) from None
    except DemoFailed as failed:
        print_note(f"The demo failed: {failed}")
        raise typer.Exit(1) from None
    print_line(NEXT_STEPS)


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that nothing is left running."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def data_folder(data: Path | None) -> Iterator[Path]:
    if data:
        yield data
        return
    with temporary_data("sluice-demo-") as path:
        yield path


def run_demo(stopwatch: Stopwatch, data: Path) -> ImportStatus:
    stopwatch.step(f"Starting PostgreSQL, Valkey, the API and a worker in {data}")
    with running_service(data) as url:
        stopwatch.step(f"Ready at {url}. Creating an API key")
        # A folder that is kept may hold the contacts of an earlier demo: they must belong to another account.
        account = "demo" if data.name == "data" else time.strftime("demo-%Y%m%d-%H%M%S")
        with open_client(url, make_key(data, account)) as client:
            stopwatch.step(f"Sending {EXAMPLE.name} ({EXAMPLE.stat().st_size:,} bytes) for the account {account}")
            run = import_example(client)
            stopwatch.step("The import has ended")
            print_report(run, url=url)
            print_failed_rows(client, run)
        stopwatch.step("Stopping everything")
    return run


@contextmanager
def running_service(data: Path, **settings: str) -> Iterator[str]:
    """The address of the whole service, while it runs. `settings` are environment variables."""
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.NamedTemporaryFile(prefix="sluice-demo-", suffix=".log"))
        child = subprocess.Popen(
            module_command("app", "up", "--port", str(free_port()), "--data", str(data), "--workers", "1"),
            env=clean_environment() | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only this process, which stops the child properly
        )
        stack.callback(stop_service, child)
        yield wait_until_ready(child, Path(log.name))


def clean_environment() -> dict[str, str]:
    """The environment without any settings: the demo must not write into a real database."""
    return {name: value for name, value in module_environment("app").items() if not name.startswith("SLUICE_")}


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(child: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the child prints when it is ready. Raises DemoFailed with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        if found := READY.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.05)
    last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise DemoFailed(f"the service did not start. The end of its log:\n{last_lines}")


def stop_service(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def make_key(data: Path, account: str) -> str:
    command = module_command("app", "key", "create", "--account", account, "--data", str(data))
    done = subprocess.run(command, check=False, env=clean_environment(), capture_output=True, text=True)
    if done.returncode:
        raise DemoFailed(f"no API key could be created: {done.stderr.strip()}")
    return done.stdout.strip().splitlines()[-1]


def import_example(client: httpx.Client) -> ImportStatus:
    wanted = ImportRequest(EXAMPLE, PARTS)
    with show_progress(Console(stderr=True)) as on_progress:
        return watch(client, start_import(client, wanted, on_progress), on_progress).run


def print_failed_rows(client: httpx.Client, run: ImportStatus) -> None:
    print_line("They begin with:")
    with stream(client, build_path("imports", run.id, "failed-rows.csv")) as response:
        # The mark at its beginning is for spreadsheets and would be printed as an escape.
        response.encoding = "utf-8-sig"
        for line in islice(response.iter_lines(), 3):
            print_line(f"  {line}")


def check_counts(run: ImportStatus) -> None:
    """Raises DemoFailed unless the counts are the expected ones."""
    counts = {name: getattr(run, name) for name in EXPECTED}
    if run.status != "finished" or counts != EXPECTED:
        raise DemoFailed(f"the import is {run.status} with {counts}, but expected was finished with {EXPECTED}")
