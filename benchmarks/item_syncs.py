r"""An incremental item sync over FTP, in which few items have changed, beside a script in psql that does the same."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

from benchmarks import floor
from benchmarks.memory import MOST_WORKER, Peaks, peaks, reset
from benchmarks.ours import PATIENCE, PAUSE, Answer, Client
from benchmarks.report import Row, Section, against, at_most, level
from benchmarks.service import Service

LISTS: Final = 5
CHANGED: Final = 500  # items with another price and stock
ROUNDS: Final = 3
MOST: Final = 1.5  # of the floor's time
FIELDS: Final = {
    "ItemCode": "itemCode",
    "EANCode": "eanCode",
    "Description": "description",
    "SalesPrice": "salesPrice",
    "Currency": "currency",
    "VATIncluded": "vatIncluded",
    "VATPercentage": "vatPercentage",
    "LastAvailableStock": "lastAvailableStock",
    "Unit": "unit",
}
NUMBERS: Final = ("salesPrice", "vatPercentage", "lastAvailableStock")
PRICES: Final = [f"salesprice{number}" for number in range(1, LISTS + 1)]

UPSERT: Final = """
INSERT INTO floor_records AS r (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
{select}
ON CONFLICT (account_id, type, key) DO UPDATE SET data = r.data || excluded.data, updated_at = excluded.updated_at,
    run_id = excluded.run_id, run_seq = excluded.run_seq, run_row = excluded.run_row
WHERE NOT r.data @> excluded.data;"""
ITEMS: Final = """
SELECT 1, 'items', "ItemCode", jsonb_build_object({members}), now(), now(), 'x', 1, 1 FROM loaded"""
ITEM_PRICES: Final = """
SELECT 1, 'item-prices', list || ':' || "ItemCode", jsonb_build_object('id', list || ':' || "ItemCode",
    'priceListId', list, 'itemCode', "ItemCode", 'price', CAST(price AS numeric)), now(), now(), 'x', 1, 1
FROM loaded CROSS JOIN LATERAL (VALUES {prices}) AS given(list, price)
WHERE CAST(price AS numeric) <> 0"""
SCRIPT: Final = r"""
BEGIN;
CREATE TEMPORARY TABLE loaded ({columns}) ON COMMIT DROP;
\copy loaded FROM '{path}' WITH (FORMAT csv, HEADER, DELIMITER ';')
{items}
{prices}
COMMIT;
"""


def item_syncs(service: Service, folder: Path, items: int) -> Section:
    """Syncs so many items, and before that a tenth of them."""
    url, client = service.instance.database_url, Client(service, service.key("item syncs"))
    floor.fresh(url)
    shop = folder / "shop"
    (shop / "items").mkdir(parents=True)
    by_hand, ours = [], []
    with ftp_server(shop) as port:
        sync = create_sync(client, port)
        write(shop, items // 10)
        sync_once(service, client, sync, changed=0)
        write(shop, items // 10, round_=1)
        _, small = sync_once(service, client, sync, changed=CHANGED)
        write(shop, items)
        sync_once(service, client, sync, changed=0)
        by_psql(url, shop)
        highest = small
        for number in range(2, ROUNDS + 2):
            write(shop, items, round_=number)
            floor.settled(url)
            seconds, highest = sync_once(service, client, sync, changed=CHANGED)
            ours.append(seconds)
            floor.settled(url)
            by_hand.append(by_psql(url, shop))
    grown = f"{items // 10:,} → {items:,} items"
    rows: list[Row] = [
        against(f"{items:,} items of which {CHANGED} changed, {LISTS} price lists", min(by_hand), min(ours), most=MOST),
        level(f"Worker memory, {grown}", (small.worker, highest.worker), unit="MB"),
        at_most("Worker memory, most", highest.worker, MOST_WORKER, unit="MB"),
    ]
    by_hand_told, ours_told = (", ".join(f"{each:.2f}" for each in times) for times in (by_hand, ours))
    notes = (
        "The floor is `\\copy` of the file and two INSERT … ON CONFLICT DO UPDATE of what differs, in one transaction.",
        "Ours is from the POST to `finished`, and looks at the folder and fetches the file over FTP.",
        f"The best of {ROUNDS} rounds by turns. Floor {by_hand_told} s; ours {ours_told} s",
    )
    return Section("Item sync beside psql", rows, notes)


@contextmanager
def ftp_server(folder: Path) -> Iterator[int]:
    """The port of a server of this folder, for the user `shop` with the password `shop`."""
    authorizer = DummyAuthorizer()
    authorizer.add_user("shop", "shop", str(folder), perm="elr")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer})
    server = FTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.1, "handle_exit": False}, daemon=True)
    thread.start()
    try:
        yield int(server.address[1])
    finally:
        server.close_all()
        thread.join(10)


def create_sync(client: Client, port: int) -> str:
    connection = client.send(
        "/connections",
        {"name": "shop", "transport": "ftp", "host": "127.0.0.1", "port": port, "user": "shop", "password": "shop"},
    )
    wanted = {"name": "shop", "connectionId": connection["id"], "quietSeconds": 0, "imagesOnlyFromPim": True}
    return str(client.send("/item-syncs", wanted)["id"])


def sync_once(service: Service, client: Client, sync: str, *, changed: int) -> tuple[float, Peaks]:
    """Seconds of a run, and the memory. Raises RuntimeError unless it has changed so many items; 0 does not look."""
    reset(service)
    began = time.perf_counter()
    answer: Answer = client.send(f"/item-syncs/{sync}/runs", {})
    while not answer["done"] and time.perf_counter() - began < PATIENCE:
        time.sleep(PAUSE)
        answer = client.fetch(f"/runs/{answer['id']}")
    seconds = time.perf_counter() - began
    if answer["status"] != "finished" or answer["failed"] or (changed and answer["updated"] != changed):
        raise RuntimeError(f"the item sync ended badly: {answer}")
    return seconds, peaks(service)


def write(shop: Path, items: int, round_: int = 0) -> None:
    """Writes the file of items; in each round the first CHANGED of them have another price and stock."""
    with (shop / "items" / "items.csv").open("w", encoding="utf-8") as file:
        file.write(";".join([*FIELDS, *PRICES]) + "\n")
        for number in range(items):
            step = round_ if number < CHANGED else 0
            cells = [f"ITEM{number:07}", 4_000_000_000_000 + number, f"Description of item {number}", f"{10 + step}.95"]
            cells += ["EUR", "E", 21, number % 500 + step, "PCS"]
            file.write(";".join(map(str, [*cells, *(f"{9 + each + step}.50" for each in range(LISTS))])) + "\n")


def by_psql(url: str, shop: Path) -> float:
    """Seconds that the script takes."""
    members = ", ".join(
        f"'{field}', " + (f'CAST("{column}" AS numeric)' if field in NUMBERS else f'"{column}"')
        for column, field in FIELDS.items()
    )
    prices = ", ".join(f"('{number}', {column})" for number, column in enumerate(PRICES, start=1))
    script = SCRIPT.format(
        columns=", ".join([f'"{each}" text' for each in FIELDS] + [f"{each} text" for each in PRICES]),
        path=str(shop / "items" / "items.csv").replace("'", "''"),
        items=UPSERT.format(select=ITEMS.format(members=members)),
        prices=UPSERT.format(select=ITEM_PRICES.format(prices=prices)),
    )
    began = time.perf_counter()
    floor.psql(url, script)
    return time.perf_counter() - began
