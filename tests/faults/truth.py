"""A file of contacts and, counted without any code of the product, what must come of importing it."""

import random
from collections import Counter
from dataclasses import dataclass, field

HEADING = "_email,_name,_points"
Contact = dict[str, object]


@dataclass(slots=True)
class Truth:
    """What importing `file` onto `before` must lead to: the counts, every record, and (row, field) of every problem."""

    before: str
    file: str
    counts: Counter[str]
    records: dict[str, Contact]
    known_before: int
    problems: list[tuple[int, str]]
    rows: int = 0


@dataclass(slots=True)
class Ledger:
    """Rows applied one after the other to a dict: slow, plain, and nothing like set-based SQL."""

    records: dict[str, Contact] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[int, str]] = field(default_factory=list)
    rows: int = 0

    def apply(self, line: str) -> None:
        self.rows += 1
        email, name, points = line.split(",")
        bad = [name for name, wrong in (("_email", "@" not in email), ("_points", not good_number(points))) if wrong]
        if bad:
            self.counts["failed"] += 1
            self.problems += [(self.rows, name) for name in bad]
            return
        given: Contact = {"_email": email}
        given |= {"_name": name} if name else {}
        given |= {"_points": int(points)} if points else {}
        held = self.records.get(email)
        after = given if held is None else held | given
        self.counts["created" if held is None else "unchanged" if after == held else "updated"] += 1
        self.records[email] = after


def good_number(cell: str) -> bool:
    return cell == "" or cell.isdigit()


def truth(rows: int, seed: int = 1, bad: float = 0.1) -> Truth:
    """Rows of every sort, evenly mixed: new, bad, repeated (in the same batch and over batches), known and equal,
    known and different, with empty cells."""
    chance = random.Random(seed)
    before = [f"old{number}@example.org,Old {number},{number}" for number in range(rows // 5)]
    lines = [line(chance, number, rows, bad) for number in range(rows)]
    stored = Ledger()
    for each in before:
        stored.apply(each)
    ledger = Ledger(records=dict(stored.records))
    for each in lines:
        ledger.apply(each)
    return Truth(
        "\n".join([HEADING, *before, ""]),
        "\n".join([HEADING, *lines, ""]),
        ledger.counts,
        ledger.records,
        len(before),
        ledger.problems,
        rows,
    )


def line(chance: random.Random, number: int, rows: int, bad: float) -> str:
    if chance.random() < bad:
        return chance.choice([f"nobody{number},Bad,1", f"bad{number}@example.org,Bad,many", f"nobody{number},Bad,many"])
    old = chance.randrange(rows // 5)
    return chance.choices(
        [
            f"new{number}@example.org,New {number},{number}",
            f"new{chance.randrange(number + 1)}@example.org,Again,{chance.randrange(3)}",
            f"old{old}@example.org,Old {old},{old}",
            f"old{old}@example.org,Changed {chance.randrange(3)},",
        ],
        weights=[5, 2, 2, 2],
    )[0]
