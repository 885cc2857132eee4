"""Measures everything and writes results.md: `python -m benchmarks [--only NAME …]`."""

import argparse
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import files
from benchmarks.crowd import fairness, small, uploads
from benchmarks.exports import exports
from benchmarks.growth import growth
from benchmarks.hostile import hostile
from benchmarks.item_syncs import item_syncs
from benchmarks.kinds import CATALOG, CATALOG_LINES, CONTACTS, CUSTOMERS, Kind
from benchmarks.machine import Machine, load_now, machine
from benchmarks.mappings import mappings
from benchmarks.polling import polling
from benchmarks.report import Section, show, write
from benchmarks.results_file import results_file
from benchmarks.service import Service, started, work_folder
from benchmarks.speed import speed
from benchmarks.staged import staged
from benchmarks.ten_million import ten_million
from benchmarks.undo import undo
from benchmarks.webhooks import webhooks

RESULTS = Path(__file__).with_name("results.md")


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder that is worked in, and the large files, made when the first measurement needs them."""

    path: Path
    rows: int

    def large(self, kind: Kind = CONTACTS, *, changed: bool = False) -> files.Sample:
        return files.make(self.path, min(self.rows, kind.most), kind, changed=changed)


def beside(service: Service, folder: Folder, kind: Kind) -> Section:
    return speed(service, folder.large(kind), folder.large(kind, changed=True))


Measure = Callable[[Service, Folder], Section]

MEASURES: dict[str, Measure] = {
    # First, while nobody has needed any memory.
    "growth": lambda service, folder: growth(service, folder.path, folder.rows),
    "speed": lambda service, folder: beside(service, folder, CONTACTS),
    "customers": lambda service, folder: beside(service, folder, CUSTOMERS),
    "catalog": lambda service, folder: beside(service, folder, CATALOG),
    "catalog-lines": lambda service, folder: beside(service, folder, CATALOG_LINES),
    "staged": lambda service, folder: staged(service, folder.large(), folder.large(changed=True)),
    "results-file": lambda service, folder: results_file(service, folder.large()),
    "undo": lambda service, folder: undo(service, folder.large(), folder.large(changed=True)),
    "mappings": lambda service, folder: mappings(service, folder.path, folder.rows),
    # 1,000,000 records: as many as there are rows, and two thirds more.
    "exports": lambda service, folder: exports(service, folder.path, folder.rows * 10 // 6),
    # 100,000 items, and a price in each of five lists.
    "item-syncs": lambda service, folder: item_syncs(service, folder.path, folder.rows // 6),
    "polling": lambda service, folder: polling(service, folder.large()),
    "small": lambda service, folder: small(service, folder.path),
    "uploads": lambda service, folder: uploads(service, folder.large()),
    "fairness": lambda service, folder: fairness(service, folder.large(), folder.path),
    "webhooks": lambda service, _: webhooks(service),
    "hostile": lambda service, _: hostile(service),
    # 10,000,000 records with the usual number of rows.
    "ten-million": lambda service, folder: ten_million(service, folder.path, folder.rows * 100 // 6),
}
# Takes an hour: only if it is asked for.
LONG = {"ten-million"}
# What runs on one service; uploads and fairness leave imports behind that take minutes.
SERVICES = (
    (
        "growth",
        "speed",
        "customers",
        "catalog",
        "catalog-lines",
        "staged",
        "undo",
        "results-file",
        "mappings",
        "polling",
        "small",
    ),
    ("exports",),
    ("item-syncs",),
    ("uploads",),
    ("fairness",),
    ("webhooks",),
    ("hostile",),
    ("ten-million",),
)


def main() -> None:
    gc.enable()  # `app` has disabled it for its imports
    wanted = options()
    console, load = screen(), load_now()
    sections: list[Section] = []
    about: Machine | None = None
    with work_folder() as path:
        folder = Folder(path, wanted.rows)
        for names in SERVICES:
            asked = [name for name in names if name in wanted.only]
            if not asked:
                continue
            with started(path) as service:
                about = about or machine(service.instance, load)
                sections += measured(service, folder, asked, console)
    if about and wanted.write:
        write(wanted.results, about, sections)
        console.print(f"Written to {wanted.results}")


def measured(service: Service, folder: Folder, names: Sequence[str], console: Console) -> list[Section]:
    sections = []
    for name in names:
        with console.status(f"Measuring: {name}"):
            sections.append(MEASURES[name](service, folder))
        show(sections[-1:], console)
    return sections


def screen() -> Console:
    """The terminal; a pipe has no width, and gets one in which the tables are not folded."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=600_000, help="rows of the large file (default: 600,000; 50 MB)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASURES,
        default=[name for name in MEASURES if name not in LONG],
        metavar="NAME",
        help=" ".join(MEASURES),
    )
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="written (default: %(default)s)")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave results.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
