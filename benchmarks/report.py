"""What was measured, as tables: on the screen and in results.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine

HEADINGS = ("Measured", "Floor", "Ours", "Ratio or figure", "Target", "")
VERDICTS = {True: "met", False: "missed", None: ""}
COLOURS = {True: "green", False: "red", None: "default"}


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement; `met` is None where there is no target."""

    what: str
    floor: str = ""
    ours: str = ""
    figure: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.floor, self.ours, self.figure, self.target, VERDICTS[self.met])


@dataclass(frozen=True, slots=True)
class Section:
    """Measurements that belong together, and how they were taken."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def against(what: str, floor: float, ours: float, *, most: float) -> Row:
    """Seconds beside the floor's."""
    ratio = ours / floor
    return Row(what, f"{floor:.2f} s", f"{ours:.2f} s", f"{ratio:.2f} ×", f"≤ {most:.2f} ×", ratio <= most)


def at_most(what: str, value: float, most: float, *, unit: str) -> Row:
    return Row(what, figure=f"{value:.1f} {unit}", target=f"≤ {most:g} {unit}", met=value <= most)


def at_least(what: str, value: float, least: float, *, unit: str) -> Row:
    return Row(what, figure=f"{value:,.0f} {unit}", target=f"≥ {least:,} {unit}", met=value >= least)


def level(what: str, values: tuple[float, float], *, unit: str, most: float = 1.25) -> Row:
    """Whether the second value is about the first: at most `most` times as much."""
    before, after = values
    told = f"{before:.1f} → {after:.1f} {unit} ({after / before:.2f} ×)"
    return Row(what, figure=told, target=f"≤ {most:.2f} ×", met=after <= most * before)


def show(sections: Sequence[Section], console: Console) -> None:
    for section in sections:
        table = Table(*HEADINGS, title=section.title, title_justify="left")
        for row in section.rows:
            table.add_row(*row.cells(), style=COLOURS[row.met])
        console.print(table)
        for note in section.notes:
            console.print(f"  {note}", highlight=False)
        console.print()


def write(path: Path, machine: Machine, sections: Sequence[Section]) -> None:
    blocks = ["# Results of the benchmarks", "Written by `make bench`; do not edit.", bullets(machine.lines())]
    for section in sections:
        blocks += [f"## {section.title}", table_of(section)]
        blocks += [bullets(section.notes)] if section.notes else []
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def table_of(section: Section) -> str:
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in section.rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
