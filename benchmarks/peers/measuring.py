"""Runs each peer on the same files, in turns, and looks at what is in its table afterwards."""

import csv
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer

from benchmarks import files
from benchmarks.floor import program, psql
from benchmarks.kinds import CONTACTS
from benchmarks.memory import peaks, reset
from benchmarks.ours import Client
from benchmarks.peers.installing import Installed
from benchmarks.peers.programs import COLUMNS, TYPES, Program
from benchmarks.service import Service

PARTS = ("first load", "same file again", "one column changed")
# Seconds of a round. A program that takes longer is in the first round alone: five of them would take an hour.
MOST_SECONDS = 60.0
SECONDS = 1_800.0  # for one command
BAD_FILE_ROWS = 1_000
# The same rows under the headings of the peers' tables.
PLAIN = replace(CONTACTS, name="plain", columns=COLUMNS)
HERE = Path(__file__).parent


@dataclass(slots=True)
class Taken:
    """What a peer has shown: seconds of each part and round, most memory, and what became of the rows."""

    name: str
    version: str
    command: str = ""
    seconds: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in PARTS})
    memory: float = 0.0  # megabytes
    phone: str = ""
    bad_rows: str = ""
    note: str = ""
    gap: str = ""

    @property
    def is_slow(self) -> bool:
        """Whether its rounds have taken more than MOST_SECONDS each."""
        return sum(map(sum, self.seconds.values())) > MOST_SECONDS * len(self.seconds[PARTS[0]])

    def middle(self, part: str) -> float:
        return statistics.median(self.seconds[part])


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended: seconds, megabytes of its largest process, and what it said."""

    seconds: float
    memory: float
    status: int
    said: str


class Peer:
    """A program with a table of its own in the service's database."""

    def __init__(self, installed: Installed, url: str, work: Path) -> None:
        self.installed, self.url, self.work = installed, url, work
        self.taken = Taken(installed.program.name, installed.version, shown(installed.program))
        self.taken.note = installed.program.note

    @property
    def table(self) -> str:
        return self.installed.program.table

    def begin(self) -> None:
        """Empties: what an earlier round has left is gone, also what the program itself remembers."""
        psql(self.url, f"DROP TABLE IF EXISTS {self.table}, {self.table}_loaded")
        psql(self.url, "DROP SCHEMA IF EXISTS public_staging CASCADE")
        psql(self.url, "DROP TABLE IF EXISTS _dlt_loads, _dlt_pipeline_state, _dlt_version")
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        if self.installed.program.typed:
            psql(self.url, f"CREATE TABLE {self.table} ({TYPES})")

    def timed(self, part: str, sample: files.Sample) -> None:
        """Raises RuntimeError unless the table then holds what the file says."""
        ended = self.run(sample.path)
        if ended.status:
            raise RuntimeError(f"ended with {ended.status} and said: {ended.said}")
        found = psql(self.url, f"SELECT count(*), sum(points::numeric)::bigint FROM {self.table}")
        if found != (wanted := "|".join(map(str, sums(sample.path)))):
            raise RuntimeError(f"the table holds {found} rows and points, and the file {wanted}")
        self.taken.seconds[part].append(ended.seconds)
        self.taken.memory = max(self.taken.memory, ended.memory)

    def judge(self, good: files.Sample, bad: Path) -> None:
        """Loads a good file, so that the table has its types; looks at a phone; then loads the bad one alone."""
        self.begin()
        self.run(good.path)
        email, phone = first_row(good.path)
        stored = psql(self.url, f"SELECT phone::text FROM {self.table} WHERE email = '{email}'")
        self.taken.phone = "kept" if stored == phone else f"`{phone}` becomes `{stored}`"
        psql(self.url, f"DELETE FROM {self.table}")
        ended = self.run(bad)
        whole = int(psql(self.url, f"SELECT count(*) FROM {self.table} WHERE email NOT LIKE 'bad%'"))
        short, number = (
            psql(
                self.url,
                f"SELECT coalesce(points::text, 'nothing') FROM {self.table} WHERE email = 'bad-{which}@example.com'",
            )
            for which in ("short", "number")
        )
        self.taken.bad_rows = (
            f"{whole:,} of {good.rows:,} good rows stored; short row {fate(short)}; bad number {fate(number)}; "
            f"exit status {ended.status}; says {quoted(ended.said)}"
        )

    def run(self, file: Path) -> Ended:
        script = self.work / f"{self.table}.script"
        script.write_text(self.installed.program.script.format(url=self.url, table=self.table, file=file))
        given = {name: value.format(url=self.url) for name, value in self.installed.program.environment.items()}
        kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        environment = {**kept, "HOME": str(self.home), "PGOPTIONS": "-c client_min_messages=warning", **given}
        ended = run(self._filled(self.installed.program.command, file), environment, self.home)
        return replace(ended, said=ended.said.replace(f"{self.work}/", ""))

    @property
    def home(self) -> Path:
        return self.work / f"{self.table}.home"

    def _filled(self, command: Sequence[str], file: Path) -> list[str]:
        places = {"here": HERE, "work": self.home, "bin": self.installed.folder, "psql": program()}
        places |= {"script": self.work / f"{self.table}.script", "url": self.url, "file": file}
        return [each.format(table=self.table, **places) for each in command]


class Ours:
    """Sluice over HTTP, in an account of its own for each round."""

    def __init__(self, service: Service) -> None:
        self.service, self.round = service, 0
        self.taken = Taken("Sluice over HTTP", "this", "POST /imports, and GET until it has ended")
        self.taken.note = "From the first byte of the POST to the end of the import. Memory: worker and API together."

    def begin(self) -> None:
        self.round += 1
        self.client = Client(self.service, self.service.key(f"peers-{self.round}"))
        psql(self.service.instance.database_url, "TRUNCATE records")

    def timed(self, part: str, sample: files.Sample) -> None:
        reset(self.service)
        self.taken.seconds[part].append(self.client.timed(ours(sample)).total)
        after = peaks(self.service)
        self.taken.memory = max(self.taken.memory, after.worker + after.api)

    def judge(self, good: files.Sample, bad: Path) -> None:
        self.begin()
        self.client.timed(ours(good))
        email, phone = first_row(good.path)
        url = self.service.instance.database_url
        stored = psql(url, f"SELECT data ->> '_mobilePhone' FROM records WHERE key = '{email}'")
        self.taken.phone = "kept" if stored == phone else f"`{phone}` becomes `{stored}`"
        psql(url, "TRUNCATE records")
        run = self.client.post(ours(replace(good, path=bad)))
        told = self.client.ended(run)
        whole = int(psql(url, "SELECT count(*) FROM records WHERE key NOT LIKE 'bad%'"))
        if psql(url, "SELECT count(*) FROM records") != str(whole):
            raise RuntimeError("a bad row is stored")
        said = "; ".join(str(each["message"]) for each in told["errorSummary"])
        self.taken.bad_rows = (
            f"{whole:,} of {good.rows:,} good rows stored; short row not stored; bad number not stored; "
            f"`{told['status']}`, {told['errors']} errors; says {quoted(said)}"
        )


def shown(peer: Program) -> str:
    """The command and its script as a reader would type them."""
    places = {"here": "benchmarks/peers", "work": "FOLDER", "bin": "", "psql": "psql", "script": "SCRIPT"}
    places |= {"url": "URL", "file": "FILE", "table": peer.table}
    words = [each.format(**places).removeprefix("/") for each in peer.command]
    command = " ".join(f"'{each}'" if " " in each else each for each in words)
    return f"{command}\n{peer.script.format(**places)}".strip()


def run(command: Sequence[str], environment: dict[str, str], folder: Path) -> Ended:
    """Runs a command to its end. Raises TimeoutExpired."""
    before = folder / "said"
    began = time.perf_counter()
    with before.open("wb") as said:
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        memory, status = waited(child)
    seconds = time.perf_counter() - began
    return Ended(seconds, memory, status, complaint(before.read_text(errors="replace")))


def waited(child: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Megabytes and exit status. Only the system's own call tells how much memory a child has used."""
    timer = Timer(SECONDS, child.kill)
    timer.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    finally:
        timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024 / 1e6, child.returncode


def complaint(said: str) -> str:
    """The line that names what is wrong, else the last one."""
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines() if line.strip()]
    # What is indented are places in the code of a program.
    lines = [line for line in lines if "Background on this error" not in line and not line.startswith(" ")]
    telling = [line for line in lines if re.search(r"\berror\b|Error: |invalid", line, re.IGNORECASE)]
    return (telling or lines or ["nothing"])[-1]


def quoted(said: str) -> str:
    """At most 160 characters, as they may stand in a cell of a table."""
    short = said if len(said) <= 160 else f"{said[:160]}…"
    return '"' + short.replace("|", "¦").replace("<", "‹").replace("`", "'") + '"'


def fate(points: str) -> str:
    return f"stored, with the points {points}" if points else "not stored"


def ours(sample: files.Sample) -> files.Sample:
    """The same rows under the headings that Sluice has for contacts."""
    path = sample.path.with_name(f"ours-{sample.path.name}")
    if not path.exists():
        with sample.path.open(encoding="utf-8") as rows, path.open("w", encoding="utf-8") as file:
            next(rows)
            file.write(CONTACTS.head)
            file.writelines(rows)
    return replace(sample, kind=CONTACTS, path=path)


def with_bad_rows(good: files.Sample) -> Path:
    """The good file and two bad rows in its middle: one ends after two cells, one has a word for a number."""
    path = good.path.with_name(f"bad-{good.path.name}")
    lines = good.path.read_text(encoding="utf-8").splitlines(keepends=True)
    number = '"bad-number@example.com","Marta","Peña","+34600000000","1980-05-17","none","many"\n'
    lines.insert(len(lines) // 3, '"bad-short@example.com","Marta"\n')
    lines.insert(len(lines) * 2 // 3, number)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def sums(path: Path) -> tuple[int, int]:
    """The rows of a file and the sum of its points."""
    with path.open(encoding="utf-8", newline="") as file:
        points = [int(row["points"]) for row in csv.DictReader(file)]
    return len(points), sum(points)


def first_row(path: Path) -> tuple[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    return row["email"], row["phone"]


def measure(peers: Sequence[Peer | Ours], service: Service, work: Path, rows: int, rounds: int) -> Iterator[str]:
    """Round after round, each peer with all parts; another one goes first each time. Tells what it has done."""
    url = service.instance.database_url
    samples = [files.make(work, rows, PLAIN), files.make(work, rows, PLAIN, changed=True)]
    turns = dict(zip(PARTS, (samples[0], samples[0], samples[1]), strict=True))
    for number in range(rounds):
        first = number % len(peers)
        for peer in [*peers[first:], *peers[:first]]:
            if peer.taken.is_slow:
                continue
            tried(peer, lambda peer=peer: one_round(peer, url, turns))
            last = ", ".join(f"{part} {each[-1]:.2f} s" for part, each in peer.taken.seconds.items() if each)
            yield f"{peer.taken.name}, round {number + 1}: {peer.taken.gap or last}"
    good = files.make(work, BAD_FILE_ROWS, PLAIN)
    bad = with_bad_rows(good)
    for peer in peers:
        tried(peer, lambda peer=peer: peer.judge(good, bad))
        yield f"{peer.taken.name}, bad rows: {peer.taken.gap or peer.taken.bad_rows}"


def one_round(peer: Peer | Ours, url: str, turns: dict[str, files.Sample]) -> None:
    peer.begin()
    for part, sample in turns.items():
        psql(url, "VACUUM")
        psql(url, "CHECKPOINT")
        peer.timed(part, sample)


def tried(peer: Peer | Ours, part: Callable[[], None]) -> None:
    """A peer that fails becomes a gap, and the others go on."""
    if peer.taken.gap:
        return
    try:
        part()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        peer.taken.gap = quoted(str(error))
