"""The kinds of files that are measured: their columns and invented rows, the service's surface, and the floor's SQL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

DOMAINS = ("example.com", "example.org", "example.net")
NAMES = ("Marta", "Íñigo", "Lucía", "Jörg", "Uwe", "Zofia", "Theo", "Imani", "Zoë", "Nour", "Rohan", "Élise")
SURNAMES = ("Peña", "Weiß", "Muñoz", "Żak", "O'Hara", "Ellis, Jr.", "Byrne", "Haddad", "Patel", "Martin", "Keller")
STATUSES = ("subscribed", "subscribed", "unsubscribed", "none")
BIRTHDAYS = tuple(str(date(1945, 1, 1) + timedelta(days=day)) for day in range(22_000))
CITIES = ("Köln", "Łódź", "Lyon", "Vigo", "Cork", "Porto")
TIERS = ("base", "plus", "gold")

# The cells of the row with this number; with True only the last cell differs, in every row.
MakeRow = Callable[[Random, int, bool], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Surface:
    """How a file is sent in a form and its import is polled; `{id}` is what the POST has answered under `id`."""

    post: str
    fields: Mapping[str, str]  # of the form, before the file
    accepted: int  # status of the answer to the POST
    id: str
    poll: str
    going: frozenset[str]  # statuses of an import that has not ended
    done: str  # status of one that ended well


@dataclass(frozen=True, slots=True)
class Script:
    """What the floor's script has in its places: the table to copy into, and a record's key and data made of it."""

    columns: str
    key: str
    data: str


@dataclass(frozen=True, slots=True)
class Kind:
    name: str  # of the record type too
    columns: tuple[str, ...]
    row: MakeRow
    surface: Surface
    script: Script


def contact(chance: Random, number: int, changed: bool) -> tuple[str, ...]:
    """83 bytes."""
    return (
        f"c{number:06}@{DOMAINS[number % 3]}",
        chance.choice(NAMES),
        chance.choice(SURNAMES),
        phone(chance),
        chance.choice(BIRTHDAYS),
        chance.choice(STATUSES),
        str(chance.randrange(2_500) + (5_000 if changed else 0)),
    )


def customer(chance: Random, number: int, changed: bool) -> tuple[str, ...]:
    """87 bytes: a file of 600,000 stays just below 50 MiB."""
    return (
        f"c{number:05x}",
        f"{chance.choice(NAMES)} {chance.choice(SURNAMES)}",
        f"{number:05x}@{DOMAINS[number % 3]}",
        phone(chance),
        chance.choice(BIRTHDAYS),
        chance.choice(CITIES),
        TIERS[(chance.randrange(len(TIERS)) + changed) % len(TIERS)],
    )


def phone(chance: Random) -> str:
    return f"+34{chance.randrange(600_000_000, 700_000_000)}"


CONTACTS = Kind(
    "contacts",
    ("_email", "_name", "_surname", "_mobilePhone", "_birthdate", "_newsletterSubscriptionStatus", "_points"),
    contact,
    Surface(
        post="/imports",
        fields={"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"},
        accepted=201,
        id="id",
        poll="/imports/{id}",
        going=frozenset({"queued", "inProgress"}),
        done="finished",
    ),
    Script(
        columns="email text, name text, surname text, phone text, birth text, status text, points integer",
        key="lower(email)",
        data="""'_email', email, '_name', name, '_surname', surname, '_mobilePhone', phone, '_birthdate', birth,
            '_newsletterSubscriptionStatus', status, '_points', points""",
    ),
)

CUSTOMERS = Kind(
    "customers",
    ("source_id", "name", "email", "phone", "birthdate", "City", "tier"),
    customer,
    Surface(
        post="/v1/customers/importCSV",
        fields={},
        accepted=202,
        id="async_action_id",
        poll="/v1/async-actions/{id}",
        going=frozenset({"IN_PROGRESS"}),
        done="DONE",
    ),
    Script(
        columns="source_id text, name text, email text, phone text, birth text, city text, tier text",
        key="source_id",
        data="""'source_id', source_id, 'name', name, 'email', email, 'phone', phone, 'birthdate', birth,
            'address.city', city, 'metadata.tier', tier""",
    ),
)
