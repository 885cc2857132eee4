"""What was measured, as a page with a picture: benchmarks/peers.md and benchmarks/peers.svg."""

from collections.abc import Sequence
from html import escape

from benchmarks.machine import Machine
from benchmarks.peers.measuring import MOST_SECONDS, PARTS, Taken
from benchmarks.report import bullets

COLOURS = ("#3b6fb5", "#5a9a68", "#c77f2e")
LEFT, WIDTH, BAR, GAP = 170, 760, 13, 16  # of the picture, in pixels; GAP is between two peers
ROOM = WIDTH - LEFT - 80

BAD_FILE = """The bad file has 1,000 good rows and two bad ones: one ends after two of seven cells, one has `many`
where a number belongs. Before, each program has loaded the good rows alone, and its table was emptied."""
DIFFERENT = (
    "The others write a table with a column for each field. Sluice writes one document for each record, with an "
    "outcome for each row, counts, and notes for an undo, and its file arrives over HTTP."
)


def page(machine: Machine, taken: Sequence[Taken], rows: int, rounds: int, load: str) -> str:
    had = [each for each in taken if not each.gap]
    gaps = [f"**{each.name}**: {each.gap}" for each in taken if each.gap]
    blocks = [
        "# Sluice beside other programs",
        "Written by `make bench-peers`; do not edit. Each program imports the same files into the same PostgreSQL.",
        bullets([*machine.lines(), f"Load average when it ended: {load}"]),
        f"## {rows:,} rows",
        "![Seconds of each program, a bar for each part](peers.svg)",
        seconds(had),
        bullets(notes(rounds)),
        "## What becomes of the rows",
        outcomes(had),
        BAD_FILE,
        "## Not measured",
        bullets(gaps) if gaps else "Nothing: all programs could be installed and have stored every row.",
        "## Commands",
        *(f"{about(each)}\n\n```text\n{each.command}\n```" for each in had),
    ]
    return "\n\n".join(blocks) + "\n"


def about(taken: Taken) -> str:
    return f"**{taken.name}** {taken.version}: {taken.note}" if taken.note else f"**{taken.name}** {taken.version}"


def seconds(taken: Sequence[Taken]) -> str:
    lines = [("Program", "Version", *(part.capitalize() for part in PARTS), "Memory, most")]
    lines += [
        (each.name, each.version, *(cell(each, part) for part in PARTS), f"{each.memory:.0f} MB")
        for each in sorted(taken, key=lambda each: each.middle(PARTS[0]))
    ]
    return table(lines)


def cell(taken: Taken, part: str) -> str:
    seconds = taken.seconds[part]
    return f"{taken.middle(part):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def notes(rounds: int) -> Sequence[str]:
    return (
        f"The middle of {rounds} round(s), with the quickest and the slowest; another program goes first each time.",
        f"A program whose first round takes more than {MOST_SECONDS:.0f} s has no second one.",
        "From the start of the command to its end; Sluice's processes run before, and the time of its upload counts.",
        "Each begins with an empty table, or an empty account. VACUUM and CHECKPOINT before each part.",
        "Seven quoted columns, rows in random order, keyed by `email`. After each part rows and sums are compared.",
        "Memory: the largest process of the program, without PostgreSQL; for Sluice worker and API together.",
        DIFFERENT,
    )


def outcomes(taken: Sequence[Taken]) -> str:
    head = ("Program", "The + of a phone", "Two bad rows")
    return table([head, *((each.name, each.phone, each.bad_rows) for each in taken)])


def table(lines: Sequence[Sequence[str]]) -> str:
    head, *rest = lines
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rest))


def picture(taken: Sequence[Taken]) -> str:
    """An SVG: for each peer three bars, as long as their seconds."""
    had = sorted((each for each in taken if not each.gap), key=lambda each: each.middle(PARTS[0]))
    most = max((each.middle(part) for each in had for part in PARTS), default=1.0)
    height = 40 + len(had) * (len(PARTS) * BAR + GAP)
    box = f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12"'
    legend = enumerate(zip(PARTS, COLOURS, strict=True))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        "<title>Seconds of each program: first load, same file again, one column changed</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *(text(LEFT + 150 * place, 20, part, colour) for place, (part, colour) in legend),
    ]
    for number, each in enumerate(had):
        top = 36 + number * (len(PARTS) * BAR + GAP)
        parts += [text(LEFT - 10, top + 2 * BAR, each.name, "#222", "end"), *bars(each, top, most)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def bars(taken: Taken, top: int, most: float) -> Sequence[str]:
    drawn = []
    for number, (part, colour) in enumerate(zip(PARTS, COLOURS, strict=True)):
        length, above = max(1.0, taken.middle(part) / most * ROOM), top + number * BAR
        drawn.append(f'<rect x="{LEFT}" y="{above}" width="{length:.1f}" height="{BAR - 2}" fill="{colour}"/>')
        drawn.append(text(LEFT + length + 6, above + BAR - 3, f"{taken.middle(part):.2f} s", "#222"))
    return drawn


def text(x: float, y: float, words: str, colour: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
