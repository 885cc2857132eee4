"""The kinds of files that are measured: their columns and invented rows, the service's surface, and the floor's SQL."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

DOMAINS = ("example.com", "example.org", "example.net")
NAMES = ("Marta", "Íñigo", "Lucía", "Jörg", "Uwe", "Zofia", "Theo", "Imani", "Zoë", "Nour", "Rohan", "Élise")
SURNAMES = ("Peña", "Weiß", "Muñoz", "Żak", "O'Hara", "Ellis, Jr.", "Byrne", "Haddad", "Patel", "Martin", "Keller")
STATUSES = ("subscribed", "subscribed", "unsubscribed", "none")
BIRTHDAYS = tuple(str(date(1945, 1, 1) + timedelta(days=day)) for day in range(22_000))
CITIES = ("Köln", "Łódź", "Lyon", "Vigo", "Cork", "Porto")
TIERS = ("base", "plus", "gold")
GOODS = ("Jacke", "Camiseta", "Skirt", "Łyżka", "Chaise", "Lamp", "Seife", "Cinta")
CATEGORIES = ("office", "skirts", "pants", "Möbel", "kitchen")
STYLES = ("plain", "striped", "floral")
TAGS = ("new", "sale", "été")

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
    unnoted: Mapping[str, str] = field(default_factory=dict)  # fields of an import that notes nothing for an undo


@dataclass(frozen=True, slots=True)
class Script:
    """What the floor's script has in its places: the table to copy into and how, and a record's key and data of it."""

    columns: str
    key: str
    data: str
    copy: str = "FORMAT csv, HEADER"


def quoted(cells: Sequence[str]) -> str:
    return '"' + '","'.join(cells) + '"\n'


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    columns: tuple[str, ...]
    row: MakeRow
    surface: Surface
    script: Script
    most: int = 600_000  # rows of a file that stays just below 50 MiB
    suffix: str = "csv"
    line: Callable[[Sequence[str]], str] = quoted  # of a row's cells
    form: str = "quoted columns"  # what the file is made of

    @property
    def head(self) -> str:
        return self.line(self.columns) if self.suffix == "csv" else ""

    def without_notes(self) -> "Kind":
        """The same, imported without notes for an undo."""
        fields = {**self.surface.fields, **self.surface.unnoted}
        return replace(self, surface=replace(self.surface, fields=fields))


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


def product(chance: Random, number: int, changed: bool) -> tuple[str, ...]:
    """118 bytes as a delimited row, 248 as JSON."""
    return (
        f"p{number:05x}",
        f"{chance.choice(GOODS)} {chance.choice(SURNAMES)}",
        "physical",
        chance.choice(CATEGORIES),
        chance.choice(("true", "false")),
        f"https://example.com/{number:05x}",
        chance.choice(STYLES),
        f"s{number:05x}",
        str(chance.randrange(500)),
        chance.choice(TAGS),
        f"{chance.randrange(1, 40) + (40 if changed else 0)}.{chance.randrange(100):02}",
    )


def price(chance: Random, number: int, changed: bool) -> tuple[str, ...]:
    """87 bytes."""
    return (
        f"p{number:05x}",
        f"https://example.com/{number:05x}",
        f"{chance.choice(GOODS)} {chance.choice(SURNAMES)}",
        f"{chance.randrange(1, 40)}.{chance.randrange(100):02}",
        chance.choice(BIRTHDAYS),
        str(chance.randrange(500) + (500 if changed else 0)),
    )


def german_price(chance: Random, number: int, changed: bool) -> tuple[str, ...]:
    """The same, with a decimal comma and the day first."""
    *before, amount, day, units = price(chance, number, changed)
    return (*before, amount.replace(".", ","), f"{day[8:]}.{day[5:7]}.{day[:4]}", units)


def product_line(cells: Sequence[str]) -> str:
    """The product as an object; what would be `12.50` stands there so, no number has passed through a float."""
    product, name, type_, category, stock, url, style, sku, quantity, tag, price = cells
    words = (product, name, type_, category, url, style, sku, tag)
    product, name, type_, category, url, style, sku, tag = (json.dumps(each, ensure_ascii=False) for each in words)
    return (
        f'{{"productID":{product},"productName":{name},"productType":{type_},"category":{category},'
        f'"inStock":{stock},"url":{url},"properties":{{"style":{style}}},'
        f'"variants":[{{"sku":{sku},"qty":{quantity}}}],"tags":[{tag}],"price":{price}}}\n'
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
        unnoted={"undoable": "false"},
    ),
    Script(
        columns="email text, name text, surname text, phone text, birth text, status text, points integer",
        key="lower(email)",
        data="""'_email', email, '_name', name, '_surname', surname, '_mobilePhone', phone, '_birthdate', birth,
            '_newsletterSubscriptionStatus', status, '_points', points""",
    ),
)

PRICES = Kind(
    "prices",
    ("productId", "productDetailUrl", "name", "unitPrice", "publishedAt", "inStockUnits"),
    price,
    replace(CONTACTS.surface, fields={**CONTACTS.surface.fields, "type": "products"}),
    Script(
        columns="id text, url text, name text, price numeric, published text, units integer",
        key="id",
        data="""'productId', id, 'productDetailUrl', url, 'name', name, 'unitPrice', price,
            'publishedAt', published, 'inStockUnits', units""",
    ),
)


def mapped(kind: Kind, conversions: Mapping[str, Mapping[str, object]]) -> Kind:
    """The same sent with a mapping that names every column, and converts these."""
    columns = [{"column": name, "field": name, **conversions.get(name, {})} for name in kind.columns]
    fields = {**kind.surface.fields, "mapping": json.dumps({"columns": columns})}
    return replace(kind, surface=replace(kind.surface, fields=fields))


PRICES_MAPPED = mapped(PRICES, {})
PRICES_CONVERTED = replace(
    mapped(PRICES, {"unitPrice": {"decimalComma": True}, "publishedAt": {"dateFormat": "DD.MM.YYYY"}}),
    name="german-prices",
    row=german_price,
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


PRODUCTS = Surface(
    post="/productimports",
    fields={"hasHeader": "true"},
    accepted=200,
    id="jobId",
    poll="/v2/jobs/{id}",
    going=frozenset({"Pending", "Processing"}),
    done="Done",
)
PRODUCT = (
    *("productID", "productName", "productType", "category", "inStock", "url", "properties.style"),
    *("variants.0.sku", "variants.0.qty", "tags.0", "price"),
)

CATALOG = Kind(
    "catalog",
    PRODUCT,
    product,
    PRODUCTS,
    Script(
        columns="""id text, name text, kind text, category text, stock boolean, url text, style text, sku text,
            quantity numeric, tag text, price numeric""",
        key="id",
        data="""'productID', id, 'productName', name, 'productType', kind, 'category', category, 'inStock', stock,
            'url', url, 'properties.style', style, 'variants.0.sku', sku, 'variants.0.qty', quantity, 'tags.0', tag,
            'price', price""",
    ),
    most=440_000,
)

CATALOG_LINES = Kind(
    "catalog-lines",
    PRODUCT,
    product,
    PRODUCTS,
    Script(
        columns="line jsonb",
        key="line ->> 'productID'",
        data="""'productID', line -> 'productID', 'productName', line -> 'productName',
            'productType', line -> 'productType', 'category', line -> 'category', 'inStock', line -> 'inStock',
            'url', line -> 'url', 'properties.style', line #> '{properties,style}',
            'variants.0.sku', line #> '{variants,0,sku}', 'variants.0.qty', line #> '{variants,0,qty}',
            'tags.0', line #> '{tags,0}', 'price', line -> 'price'""",
        # No line of JSON holds these two characters.
        copy="FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'",
    ),
    most=210_000,
    suffix="jsonl",
    line=product_line,
    form="members, those of inner objects and lists counted",
)
