"""Builds the site: gathers the pages, runs Zensical, and checks that the result needs nothing from elsewhere."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docs.generate import commands, http, limits, mappings, pictures, tables, types

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = DOCS / ".pages"  # all pages together, as Zensical reads them
SITE = ROOT / "site"
OWN_FOLDERS = (
    "adr",
    "assets",
    "development",
    "guides",
    "images",
    "reference",
    "vendors",
)  # of docs/, what the site shows
# Pages of the project's root that the site shows too -> their place there.
FROM_ROOT = {"ARCHITECTURE.md": "project/architecture.md", "CONTRIBUTING.md": "project/contributing.md",
             "CHANGELOG.md": "project/changelog.md", "benchmarks/peers.md": "project/peers.md"}  # fmt: skip
PICTURES = {"benchmarks/peers.svg": "project/peers.svg"}  # beside them
SHIM = "https://unpkg.com/iframe-worker/shim"  # what the offline search would load; a copy is in docs/assets
LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]+)\)")


def reference() -> dict[str, str]:
    """The generated pages by their place below `reference/`."""
    pages = {
        "settings.md": tables.settings(),
        "problems.md": tables.problems(),
        "refusals.md": tables.refusals(),
        "failures.md": tables.failures(),
        "brakes.md": tables.brakes(),
        "scopes.md": tables.scopes(),
        "states.md": tables.states(),
        "metrics.md": tables.metrics(),
        "log-events.md": tables.log_events(),
        "limits.md": limits.limits(),
        "pictures.md": pictures.pictures(),
        "record-types.md": types.record_types(),
        "field-types.md": types.field_types(),
        "mappings.md": mappings.mappings(),
        "transports.md": types.transports(),
        "commands.md": commands.commands(),
    }
    return pages | {f"http/{name}": text for name, text in http.http_pages().items()}


def gather(pages: Path = PAGES) -> None:
    """Writes every page below one folder: those of docs/, some of the root's, and the generated ones."""
    shutil.rmtree(pages, ignore_errors=True)
    for folder in OWN_FOLDERS:
        shutil.copytree(DOCS / folder, pages / folder)
    for path in DOCS.glob("*.md"):
        shutil.copy(path, pages)
    for name, place in FROM_ROOT.items():
        write(pages / place, from_root((ROOT / name).read_text(), Path(place)))
    for name, place in PICTURES.items():
        shutil.copy(ROOT / name, pages / place)
    for name, text in reference().items():
        write(pages / "reference" / name, text)
    (pages / "adr/README.md").rename(pages / "adr/index.md")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def from_root(text: str, place: Path) -> str:
    """A page of the root as a page of the site: links to what the site shows lead there, other links become text."""
    up = "../" * (len(place.parts) - 1)

    def moved(link: re.Match[str]) -> str:
        label, target = link.groups()
        path, mark, anchor = target.partition("#")
        if urlsplit(target).scheme or not path:
            return link[0]
        if path in FROM_ROOT or path == "README.md":
            return f"[{label}]({up}{FROM_ROOT.get(path, 'index.md')}{mark}{anchor})"
        if path.startswith("docs/"):
            return f"[{label}]({up}{path.removeprefix('docs/').replace('adr/README.md', 'adr/index.md')}{mark}{anchor})"
        return label

    return LINK.sub(moved, text)


def build(site: Path = SITE) -> list[str]:
    """Builds the site and returns what is wrong with it; a broken link or anchor is."""
    gather()
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if built.returncode:
        return [line for line in plain(built.stdout + built.stderr).splitlines() if line.strip()]
    finish(site)
    return list(faults(site))


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).partition("Traceback")[0]


def finish(site: Path) -> None:
    """Lets pages take their own copy of what the theme would load from elsewhere."""
    for path in site.rglob("*.html"):
        up = "../" * (len(path.relative_to(site).parts) - 1)
        path.write_text(path.read_text().replace(SHIM, f"{up}assets/iframe-worker.js"))


class Page(HTMLParser):
    """What a page refers to, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []  # that a reader may follow
        self.loads: list[str] = []  # that the browser fetches by itself
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe", "source") and "src" in given:
            self.loads.append(given["src"])
        elif tag == "link" and given.get("rel") != "canonical" and "href" in given:
            self.loads.append(given["href"])


def faults(site: Path) -> Iterator[str]:
    """Broken links and anchors between the built pages, and everything that a page would load from another host."""
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    for path, page in pages.items():
        name = path.relative_to(site)
        yield from (f"{name} loads {each}, which is elsewhere" for each in page.loads if urlsplit(each).netloc)
        if name.name != "404.html":  # its paths begin at the root of a server
            found = (each for each in page.links + page.loads if not leads(each, path, pages))
            yield from (f"{name} refers to {each}, which is not there" for each in found)


def leads(link: str, path: Path, pages: Mapping[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    anchor = unquote(parts.fragment)
    return target.exists() and (not anchor or target not in pages or anchor in pages[target].anchors)
