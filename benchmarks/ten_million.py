"""Many records in many accounts: whether the last import takes as long as the first, and how nights grow the table."""

from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

from benchmarks import files, floor
from benchmarks.kinds import CONTACTS, Kind, contact
from benchmarks.ours import Client
from benchmarks.report import Row, Section, level
from benchmarks.service import Service

ACCOUNTS, IMPORTS, NIGHTS = 20, 200, 10
UNNOTED = CONTACTS.without_notes()
COMPARED = 5  # first and last imports; a single one says little
SIZES = "SELECT pg_table_size('records'), pg_indexes_size('records')"
UPDATES = """SELECT n_tup_upd, n_tup_hot_upd, n_dead_tup, autovacuum_count FROM pg_stat_user_tables
WHERE relname = 'records'"""


def ten_million(service: Service, folder: Path, rows: int) -> Section:
    """`rows` in all: 200 imports of as many rows each, and then nights in which each account changes all of its own."""
    url = service.instance.database_url
    floor.fresh(url)
    clients = [Client(service, service.key(f"ten-million-{number}"), UNNOTED) for number in range(ACCOUNTS)]
    seconds = loaded(clients, folder, rows // IMPORTS)
    sizes, nights = [size(url)], []
    print(f"{rows:,} records are loaded: {sum(seconds):.0f} s, {megabytes(sizes[0])}", flush=True)
    for night in range(NIGHTS):
        sample = files.make(folder, rows // ACCOUNTS, changed=not night % 2)
        nights.append(sum(client.timed(sample).total for client in clients))
        sizes.append(size(url))
        print(f"Night {night + 1} of {NIGHTS}: {nights[-1]:.0f} s, {megabytes(sizes[-1])}", flush=True)
    updated, hot, dead, vacuums = (int(each) for each in floor.psql(url, UPDATES).split("|"))
    first, last = median(seconds[:COMPARED]) * 1_000, median(seconds[-COMPARED:]) * 1_000
    table = [
        level(f"The last imports of {IMPORTS} against the first", (first, last), unit="ms"),
        Row("Table and indexes, loaded", figure=megabytes(sizes[0])),
        *(Row(f"… after night {night}", figure=megabytes(sizes[night])) for night in (1, 2, NIGHTS)),
        level(f"Seconds of all imports, night 2 → {NIGHTS}", (nights[1], nights[-1]), unit="s"),
        level(f"Table and indexes, night 2 → {NIGHTS}", (sum(sizes[2]) / 1e6, sum(sizes[-1]) / 1e6), unit="MB"),
        Row("Changes that touched no index", figure=f"{hot / max(updated, 1):.0%} of {updated:,}"),
        Row("Dead rows at the end", figure=f"{dead:,}; autovacuum ran {vacuums} times"),
    ]
    notes = (
        f"{rows:,} records in {ACCOUNTS} accounts, by {IMPORTS} imports of {rows // IMPORTS:,} rows, account by turns.",
        f"The middle of the first and of the last {COMPARED} imports, from the first byte of the POST to the end.",
        f"{NIGHTS} nights, one right after the other: in each every record of every account gets another number.",
        "Without notes for undos (`undoable=false`): those of ten such nights would take more room than the records.",
        "Autovacuum as PostgreSQL ships it; nothing else vacuums. With a day between two nights it has more time.",
    )
    return Section("Ten million records", table, notes)


def loaded(clients: list[Client], folder: Path, rows: int) -> list[float]:
    """Seconds of each import. All accounts get the same keys, and each of its imports others."""
    clients[0].timed(files.make(folder, 100, numbered(IMPORTS * rows)))  # wakes everything
    parts = [files.make(folder, rows, numbered(number * rows)) for number in range(IMPORTS // len(clients))]
    return [client.timed(part).total for part in parts for client in clients]


def numbered(first: int) -> Kind:
    """Contacts whose numbers begin here."""

    def row(chance: Random, number: int, changed: bool) -> tuple[str, ...]:
        return contact(chance, first + number, changed)

    return replace(CONTACTS, name=f"contacts-from-{first}", row=row)


def size(url: str) -> tuple[int, int]:
    """Bytes of the table and of its indexes."""
    table, indexes = floor.psql(url, SIZES).split("|")
    return int(table), int(indexes)


def megabytes(sizes: tuple[int, int]) -> str:
    table, indexes = sizes
    return f"{table / 1e6:.0f} + {indexes / 1e6:.0f} MB"
