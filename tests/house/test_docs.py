"""The documentation is whole: its reference has everything that the code has, and its links lead somewhere."""

import fcntl
import json
import re
import shutil
from pathlib import Path
from typing import get_args

import pytest

from app.auth.keys import SCOPES
from app.emulator.faults import RequestFault, RunFault
from app.errors import FAILURE_REMEDIES, FAILURES, REFUSAL_REMEDIES, REFUSALS
from app.item_images.refusals import REFUSALS as PICTURES
from app.main import OPENAPI
from app.problems import PROBLEMS, REMEDIES, WARNINGS
from app.resources.field_types import TYPES
from app.resources.registry import BUILT_IN
from app.runs.holding.brakes import BRAKES
from app.runs.states import State
from app.settings import Settings
from app.surfaces import SURFACES
from app.transports.options import RULES
from app.web.surface import Surface
from docs.generate import site
from docs.generate.commands import all_commands
from docs.generate.http import operations
from docs.generate.tables import about, all_events, event_name
from docs.record.layout import layout
from docs.record.page import steps

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = site.reference()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Cordial's, Voucherify's, of the address of a bucket, and of the emulator, whose guide is its reference.
OF_POSTGRESQL = {"autovacuum_vacuum_scale_factor", "max_connections", "wal_compression"}
OF_PGBOUNCER = {"default_pool_size", "max_prepared_statements"}
OF_REDIS = {"sentinel_username", "sentinel_password"}
OF_DEPLOYING = {"SLUICE_BIND", "SLUICE_PORT", "pg_dump"}
OTHERS_WORDS = {
    "aws_bucket",
    "api_calls",
    "path_style",
    "parentbased_traceidratio",  # OpenTelemetry's
    *OF_DEPLOYING,
    *get_args(RunFault),
    *OF_POSTGRESQL,
    *OF_PGBOUNCER,
    *OF_REDIS,
}
# As the same path below /v2 or /v1, or without the slash at the end.
SAME_ELSEWHERE = {"/productimports", "/customers/importCSV", "/imports/", "/v2/productimports/"}
# No vendor's: a guide runs them.
OURS = {
    "/imports/file",
    "/imports/{import_id}/rerun",
    "/imports/{import_id}/rerun/",
    "/imports/{import_id}/retry",
    "/imports/{import_id}/resume",
    "/imports/{import_id}/commit",
    "/imports/{import_id}/cancel",
    "/imports/{import_id}/corrections",
    "/imports/{import_id}/events",
}
FORMER = {"app/dialects", "app/jobs"}  # the decision that renamed them names them
PLACES = re.compile(r"`((?:app|workers|tests|benchmarks|migrations|docs|examples|openapi)/[\w./-]+)`")
# Every page that people read where the code is; links to generated pages hold once the site is built.
READ_HERE = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
READ_HERE += sorted((ROOT / "app").rglob("*.md"))
READ_HERE += [path for path in sorted((ROOT / "docs").rglob("*.md")) if site.PAGES not in path.parents]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("settings.md", [f"SLUICE_{name.upper()}" for name in Settings.model_fields]),
        ("problems.md", [*PROBLEMS, *WARNINGS]),
        ("refusals.md", REFUSALS),
        ("failures.md", FAILURES),
        ("scopes.md", SCOPES),
        ("pictures.md", PICTURES),
        ("brakes.md", [brake.name for brake in BRAKES.values()]),
        ("states.md", list(State)),
        ("field-types.md", TYPES),
        ("record-types.md", [each.id for resource in BUILT_IN.values() for each in resource.fields]),
        ("log-events.md", [event_name(each) for each in all_events()]),
    ],
)
def test_a_table_in_the_code_is_whole_in_the_reference(page: str, names: list[str]) -> None:
    missing = [name for name in names if f"`{name}`" not in REFERENCE[page]]
    assert not missing


def test_every_code_says_what_to_do() -> None:
    assert REMEDIES.keys() == PROBLEMS.keys()
    assert REFUSAL_REMEDIES.keys() == REFUSALS.keys()
    assert FAILURE_REMEDIES.keys() == FAILURES.keys()


def test_every_setting_and_every_event_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert [event_name(each) for each in all_events() if not about(each)] == []


def test_every_warning_says_what_it_means() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    given = set(re.findall(r'RunWarning\(\s*"(\w+)"|WarnedColumn\([^"]+"(\w+)"', sources))
    given = {code for both in given for code in both if code}
    assert len(given) >= 4
    assert given <= WARNINGS.keys()


def test_every_setting_that_is_a_limit_is_among_the_limits() -> None:
    limits = [name for name in Settings.model_fields if name.startswith("max_") or name.endswith("_limit")]
    assert [name for name in limits if f"`SLUICE_{name.upper()}`" not in REFERENCE["limits.md"]] == []


def test_every_command_is_in_the_reference() -> None:
    names = {name for name, _ in all_commands()}
    assert {"up", "demo", "import", "key create", "vault rotate"} <= names
    assert all(f"## sluice {name}\n" in REFERENCE["commands.md"] for name in names)


def test_every_transport_and_record_type_has_a_heading() -> None:
    assert all(f"## {name}\n" in REFERENCE["transports.md"] for name in RULES)
    assert all(f"## {name}\n" in REFERENCE["record-types.md"] for name in BUILT_IN)


@pytest.mark.parametrize("surface", SURFACES.all, ids=lambda surface: surface.name)
def test_every_operation_of_a_surface_is_in_the_reference(surface: Surface) -> None:
    page = REFERENCE[f"http/{surface.name}.md"]
    for route in surface.routes:
        if route.include_in_schema:
            for method in route.methods or ():
                assert f"### {method} {route.path_format} " in page


@pytest.mark.parametrize("name", ["connectif", "voucherify", "cordial"])
def test_a_vendors_page_runs_every_operation(name: str) -> None:
    page = (ROOT / f"docs/vendors/{name}.md").read_text()
    commands = "\n".join(step.text for step in steps(page) if step.kind == "commands").replace("\\\n", " ")
    document = json.loads((OPENAPI / f"{name}.json").read_text())
    for path, method, _ in operations(document):
        if path not in SAME_ELSEWHERE | OURS:
            address = rf"http://127\.0\.0\.1:8000{re.sub(r'{[^}]*}', '[^/ ?]+', path)}"
            found = [line for line in commands.split("\n") if re.search(rf"{address}([\"? ]|$)", line)]
            assert [line for line in found if method_of(line) == method], f"{method} {path}"


def test_the_guide_to_the_emulator_tells_every_fault() -> None:
    guide = (ROOT / "docs/guides/test-your-integration.md").read_text()
    assert all(f"| `{fault}` |" in guide for fault in (*get_args(RequestFault), *get_args(RunFault)))


def method_of(command: str) -> str:
    """What curl sends: -X, else POST where there is something to send, else GET."""
    if named := re.search(r"-X (\w+)", command):
        return named[1].lower()
    return "post" if re.search(r" (-d|-F) ", command) else "get"


def test_every_metric_of_a_process_is_in_the_reference() -> None:
    source = (ROOT / "app/observe/metrics.py").read_text()
    names = re.findall(r'"(sluice_\w+)"', source)
    assert names
    assert all(f"`{name}" in REFERENCE["metrics.md"] for name in names)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the built site: it is built in one folder, which two test processes must not share."""
    with (ROOT / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert site.build() == []
        return shutil.copytree(site.SITE, tmp_path_factory.mktemp("built") / "site")


def test_the_site_builds_and_needs_nothing_from_elsewhere(built: Path) -> None:
    assert (built / "index.html").is_file()
    assert (built / "search.js").is_file()
    assert (built / "adr/index.html").is_file()
    # The theme fetches what draws diagrams, code that runs and picture shows from elsewhere, where a page has such.
    for path in built.rglob("*.html"):
        assert not re.search(r'class="(mermaid|glightbox|[^"]*ace)[" ]', path.read_text()), path.name


def test_styles_and_drawings_need_nothing_from_elsewhere_either(built: Path) -> None:
    for path in [*built.rglob("*.css"), *built.rglob("*.svg")]:
        assert not re.search(r"url\(.?https?:|@import", path.read_text()), path.name


def test_what_is_broken_in_a_site_is_said(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "site")
    page = tmp_path / "site/tutorial.html"
    page.write_text(
        page.read_text() + '<a href="nowhere.html">a</a><a href="index.html#nowhere">b</a><img src="no.svg">'
        '<script src="https://example.com/a.js"></script>'
    )
    found = "\n".join(site.faults(tmp_path / "site"))
    assert found.count("tutorial.html") == 4
    for each in ("nowhere.html", "index.html#nowhere", "no.svg", "https://example.com/a.js"):
        assert each in found


@pytest.mark.parametrize("path", READ_HERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere_here_too(path: Path) -> None:
    generated = {ROOT / "docs/reference" / name for name in REFERENCE}
    generated |= {ROOT / "docs" / name for name in site.FROM_ROOT.values()}
    generated |= {ROOT / "docs/adr/index.md"}
    for link in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL)):
        target, _, _ = link.partition("#")
        if target and "://" not in target:
            found = (path.parent / target).resolve()
            assert found.exists() or found in generated, link


@pytest.mark.parametrize("path", READ_HERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_answer_on_a_page_is_recorded(path: Path) -> None:
    """An answer stands below a command that was run; see docs/record."""
    found = list(steps(path.read_text()))
    for before, step in zip([None, *found], found, strict=False):
        if step.kind == "answer":
            assert before is not None
            assert before.kind == "commands"
            assert step.text.strip(), "record it: python -m docs.record"
            assert layout(step.text) in (None, step.text.rstrip("\n")), "not as it was recorded"


@pytest.mark.parametrize("path", READ_HERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_place_in_the_code_that_a_page_names_is_there(path: Path) -> None:
    if path.name != "CHANGELOG.md":  # it tells what was true once
        assert [
            each for each in PLACES.findall(path.read_text()) if each not in FORMER and not (ROOT / each).exists()
        ] == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs/guides").glob("*.md")), ids=lambda path: path.stem)
def test_a_code_or_setting_that_a_guide_names_is_in_the_reference(path: Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL))
    names = {name for span in spans for name in re.findall(r"\b(?:[a-z]+_[a-z_]+|SLUICE_[A-Z_]+)\b", span)}
    reference = "\n".join(REFERENCE.values())
    assert [name for name in names - OTHERS_WORDS if not re.search(rf"\b{name}\b", reference)] == []
