"""The files that are imported: invented contacts, always the same bytes, every cell quoted, keys in random order."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

COLUMNS = ("_email", "_name", "_surname", "_mobilePhone", "_birthdate", "_newsletterSubscriptionStatus", "_points")
DOMAINS = ("example.com", "example.org", "example.net")
NAMES = ("Marta", "Íñigo", "Lucía", "Jörg", "Uwe", "Zofia", "Theo", "Imani", "Zoë", "Nour", "Rohan", "Élise")
SURNAMES = ("Peña", "Weiß", "Muñoz", "Żak", "O'Hara", "Ellis, Jr.", "Byrne", "Haddad", "Patel", "Martin", "Keller")
STATUSES = ("subscribed", "subscribed", "unsubscribed", "none")
BIRTHDAYS = tuple(str(date(1945, 1, 1) + timedelta(days=day)) for day in range(22_000))
SEED = 20_240_501


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that can be imported."""

    path: Path
    rows: int

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def make(folder: Path, rows: int, *, more_points: int = 0) -> Sample:
    """Writes a file of so many rows, 83 bytes each. With `more_points` only the last column differs, in every row."""
    path = folder / f"contacts-{rows}{f'-{more_points}' if more_points else ''}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(line(COLUMNS))
        file.writelines(lines(rows, more_points))
    return Sample(path, rows)


def lines(rows: int, more_points: int) -> Iterator[str]:
    chance = random.Random(SEED)
    numbers = list(range(rows))
    chance.shuffle(numbers)
    for number in numbers:
        yield line(
            (
                f"c{number:06}@{DOMAINS[number % 3]}",
                chance.choice(NAMES),
                chance.choice(SURNAMES),
                f"+34{chance.randrange(600_000_000, 700_000_000)}",
                chance.choice(BIRTHDAYS),
                chance.choice(STATUSES),
                str(chance.randrange(2_500) + more_points),
            )
        )


def line(cells: tuple[str, ...]) -> str:
    return '"' + '","'.join(cells) + '"\n'
