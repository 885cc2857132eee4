"""`python -m docs.record.pages`: fills a service as a shop would, and takes the pictures of the dashboard in docs/images.

`--look FOLDER` takes pictures of all its pages instead, at 1,280 and 390 px, in light and dark, to be looked at.
"""

import asyncio
import io
import re
import shutil
import sys
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import httpx
from playwright.async_api import Browser, Page, async_playwright

from app.cli import cli
from docs.record.service import PASSWORD, Stage, stage

DOCS: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = DOCS / "images"
LARGEST: Final = 200_000  # bytes of a picture in the repository
ACCOUNT: Final = "shop-berlin"
PASSPHRASE: Final = "correct horse battery"
WIDE, NARROW, HEIGHT = 1_280, 390, 860
ENDED: Final = ("finished", "failed", "halted", "cancelled", "planned")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as the documentation shows it."""

    name: str
    path: str
    width: int = WIDE
    scheme: str = "light"


def build_products(rows: int) -> str:
    """A price list as an ERP writes it: every fortieth price has a decimal comma, every ninetieth is missing."""
    lines = ["productId,productDetailUrl,name,unitPrice,categories"]
    for number in range(1, rows + 1):
        price = (
            f"{number % 400 + 9},90" if number % 40 == 0 else "n/a" if number % 90 == 0 else f"{number % 400 + 9}.90"
        )
        quoted = f'"{price}"' if "," in price else price
        url = f"https://shop.example/p/{number}"
        lines.append(f"A-{number:05},{url},Mug no. {number},{quoted},mugs")
    return "\n".join(lines) + "\n"


def build_contacts(rows: int) -> str:
    people = (f"ana.{number}@example.org,Ana {number},{number % 50}" for number in range(rows))
    return "\n".join(["_email,_name,_points", *people]) + "\n"


@dataclass(frozen=True, slots=True)
class Shop:
    """The account of the pictures, by its API."""

    client: httpx.Client

    def run(self, name: str, type: str, text: str, **parts: str) -> str:
        """An import that has ended or stopped."""
        given = {"type": type, "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false", **parts}
        file = (f"{name}.csv", text.encode(), "text/csv")
        answer = self.client.post("/imports", data={"name": name, **given}, files={"file": file})
        answer.raise_for_status()
        return self.wait("imports", answer.json()["id"])

    def send(self, method: str, path: str, body: dict[str, object]) -> str:
        answer = self.client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return str(answer.json().get("id", ""))

    def wait(self, kind: str, id: str) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.client.get(f"/runs/{id}").json()["status"] in ENDED:
                return id
            time.sleep(0.2)
        raise TimeoutError(f"{kind} {id} has not ended")


def fill(place: Stage) -> dict[str, str]:
    """A shop after some nights. Returns the ids that the pages need, by what they are."""
    key = place.key(ACCOUNT, "nightly")
    client = httpx.Client(base_url=place.url, headers={"Authorization": f"apiKey {key}"}, timeout=30)
    shop = Shop(client)
    ftp = {"host": "127.0.0.1", "port": place.ftp, "user": "shop", "password": PASSWORD}
    connection = shop.send("POST", "/connections", {"name": "ERP", "transport": "ftp", **ftp})
    client.post(f"/connections/{connection}/test-import", json={"path": "examples/products.csv"})
    (place.folder / "items").mkdir()
    (place.folder / "items" / "items.csv").write_text(
        "ItemCode;Description;salesprice1\nMUG-1;Mug;4.90\nMUG-2;Cup;3.90\n"
    )
    (place.folder / "itemfilters").mkdir()
    sync = shop.send("POST", "/item-syncs", {"name": "Webshop items", "connectionId": connection})
    shop.wait("sync", shop.send("POST", f"/item-syncs/{sync}/runs", {}))
    shop.run("Newsletter contacts", "contacts", build_contacts(4_000))
    shop.run("Catalogue", "products", build_products(18_000))
    partly = shop.run("August price list", "products", build_products(24_000))
    halted = shop.run("Contacts of the CRM", "contacts", build_contacts(3), minRows="1000")
    shop.run(
        "September price list, to look at first", "products", build_products(300).replace("Mug", "Cup"), dryRun="true"
    )
    undone = shop.run("Contacts of the old shop", "contacts", build_contacts(500).replace("ana.", "old."))
    shop.wait("undo", shop.send("POST", f"/imports/{undone}/undo", {}))
    shop.send("POST", "/webhooks", {"name": "Warehouse", "url": "https://hooks.example/sluice"})
    template = {"name": "ERP products", "type": "products", "columns": [{"column": "SKU", "field": "productId"}]}
    shop.send(
        "POST", "/mappings", {**template, "options": {"delimiter": ";", "onError": "rollback", "maxErrorShare": 0.05}}
    )
    export = shop.send("POST", "/exports", {"type": "contacts", "name": "Contacts for the agency"})
    shop.wait("export", export)
    return {"partly": partly, "halted": halted, "export": export, "connection": connection, "sync": sync}


def invite(place: Stage) -> str:
    """The path of the link that sets the first person's password."""
    arguments = [
        "--account",
        ACCOUNT,
        "--email",
        "ana@shop-berlin.example",
        "--name",
        "Ana Müller",
        "--data",
        str(place.folder / ".sluice"),
    ]
    with redirect_stdout(io.StringIO()) as printed:
        cli(["person", "create", *arguments], standalone_mode=False)
    found = re.search(r"/app/welcome/\S+", printed.getvalue())
    assert found is not None
    return found[0]


async def open_page(browser: Browser, place: Stage, link: str) -> Page:
    context = await browser.new_context(base_url=place.url, locale="en-GB", timezone_id="Europe/Berlin")
    page = await context.new_page()
    await page.goto(link)
    for field in await page.locator("input[type=password]").all():
        await field.fill(PASSPHRASE)
    await page.locator("main button").first.click()
    await page.wait_for_url("**/app/**")
    return page


async def take(page: Page, picture: Picture, file: Path, *, whole: bool) -> None:
    await page.set_viewport_size({"width": picture.width, "height": HEIGHT})
    await page.emulate_media(color_scheme=picture.scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    await page.goto(picture.path)
    await page.wait_for_timeout(400)  # live regions have come once
    await page.screenshot(path=file, full_page=whole)


async def prepare(page: Page, folder: Path) -> str:
    """The address of an import that has got as far as its columns: an ERP's file, with its own headings and commas."""
    file = folder / "prices-08.csv"
    rows = (
        f"A-{number:05};https://shop.example/p/{number};Mug no. {number};{number % 400 + 9},90;;"
        for number in range(1, 4_001)
    )
    file.write_text("\n".join(["SKU;URL;Name;Preis;Bemerkung;Kategorien", *rows]) + "\n")
    await page.goto("/app/imports/new")
    await page.set_input_files("#file", file)
    await page.get_by_role("button", name="Upload").click()
    await page.wait_for_url("**/source")
    await page.get_by_role("button", name="Next").click()
    await page.wait_for_url("**/type")
    await page.get_by_label("products", exact=True).check()
    await page.get_by_role("button", name="Next").click()
    await page.wait_for_url("**/columns")
    return page.url.removeprefix(page.url.partition("/app/")[0]).removesuffix("/columns")


def pictures_of_documentation(ids: dict[str, str]) -> list[Picture]:
    return [
        Picture("jobs", "/app/jobs"),
        Picture("run", f"/app/imports/{ids['partly']}"),
        Picture("halted", f"/app/imports/{ids['halted']}", scheme="dark"),
        Picture("columns", f"{ids['draft']}/columns"),
        Picture("sync", f"/app/syncs/{ids['sync']}"),
        Picture("jobs-narrow", "/app/jobs", NARROW, "dark"),
    ]


async def look(page: Page, folder: Path, ids: dict[str, str]) -> None:
    """Every page of the navigation and what it links to, each once, in four looks."""
    paths = [picture.path for picture in pictures_of_documentation(ids)]
    seen: set[str] = set()
    for start in ("/app/jobs", "/app/start"):
        paths += [start, *await linked(page, start)]
    await page.goto(f"{ids['draft']}/columns")
    await page.get_by_label("Bemerkung becomes").select_option(label="Ignore")
    await page.get_by_role("button", name="Next").click()
    await page.wait_for_url("**/check")
    await page.get_by_role("button", name="Next").click()
    await page.wait_for_url("**/run")
    for path in list(dict.fromkeys(paths)):
        paths += await linked(page, path)
    paths += [f"{ids['draft']}/{step}" for step in ("source", "type", "columns", "check", "run")]
    paths += [f"/app/settings/connections/{ids['connection']}", "/app/records/products/A-00041"]
    for path in dict.fromkeys(paths):
        shape = re.sub(r"(imp|exp|con|sync|run|map|draft|key|sched|feed|per)\w*_?[0-9a-f]{16,}", r"\1", path)
        if shape in seen and path not in [each.path for each in pictures_of_documentation(ids)]:
            continue
        seen.add(shape)
        name = re.sub(r"[^\w]+", "-", path.removeprefix("/app/"))[:80]
        for width, scheme in product((WIDE, NARROW), ("light", "dark")):
            await take(page, Picture(name, path, width, scheme), folder / f"{name}.{width}.{scheme}.png", whole=True)


async def linked(page: Page, path: str) -> list[str]:
    await page.goto(path)
    found: list[str] = await page.eval_on_selector_all(
        "a[href^='/app/']", "all => all.map(a => a.getAttribute('href'))"
    )
    return [each for each in found if not re.search(r"/static/|/samples/|/rows|/results|/file|download|\.csv|#", each)]


async def record(place: Stage, ids: dict[str, str], link: str, folder: Path | None) -> None:
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await open_page(browser, place, link)
        ids = ids | {"draft": await prepare(page, place.folder)}
        if folder is not None:
            await look(page, folder, ids)
            return
        for picture in pictures_of_documentation(ids):
            file = IMAGES / f"{picture.name}.png"
            await take(page, picture, file, whole=False)
            assert file.stat().st_size <= LARGEST, file


def main(arguments: list[str]) -> None:
    folder = Path(arguments[1]) if arguments[:1] == ["--look"] else None
    (folder or IMAGES).mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="sluice-pages-") as data,
        stage(Path(data), DOCS.parent / "examples") as place,
    ):
        asyncio.run(record(place, fill(place), invite(place), folder))


if __name__ == "__main__":
    main(sys.argv[1:])
