"""Clients that public generators make from our OpenAPI documents import a file and poll it to its end."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.support import environments
from tests.support.contract import DOCUMENTS
from tests.support.environments import needs_node, run
from tests.support.live import SOURCE_HOST, Live
from tests.support.proxy import Proxy

PROGRAMS = Path(__file__).resolve().parents[1] / "sdk" / "generated"
SURFACES = ("connectif", "voucherify")
ALL = "sluice"  # the document that a running service serves: every operation of every surface
FILE = "_email,_name,_points\npat@example.org,Pat,1\n"
# What generators print when a part of a document is not to their liking.
WARNINGS = ("warn", "⚠", "unable", "error", "skipp")
# Imports every module of the packages in a folder.
IMPORT_ALL = """
import importlib, pkgutil, sys
for each in pkgutil.walk_packages([sys.argv[1]]):
    importlib.import_module(each.name)
"""
# Code is made and compiled: on one worker, so that it happens once.
pytestmark = [pytest.mark.xdist_group("generated-clients"), pytest.mark.timeout(300)]

Told = dict[str, Any]


@pytest.fixture(scope="module")
def documents(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the documents of the surfaces that have a program."""
    folder = tmp_path_factory.mktemp("documents")
    for surface in SURFACES:
        shutil.copy(DOCUMENTS / f"{surface}.json", folder)
    return folder


@pytest.fixture(scope="module")
def whole_document(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document of all surfaces."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / f"{ALL}.json").write_bytes(httpx.get(f"{live.url}/openapi.json", timeout=60).content)
    return folder


def generate(command: list[str], **variables: str) -> None:
    """Runs a generator. Raises AssertionError if it complains."""
    said = run(command, **variables)
    assert not [word for word in WARNINGS if word in said.lower()], said


@pytest.fixture(scope="module")
def python_clients(
    documents: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """An interpreter, and a folder with a client of every document, made by openapi-python-client."""
    return make_python_clients(documents, pytestconfig, tmp_path_factory.mktemp("python-clients"))


@pytest.fixture(scope="module")
def python_client(
    whole_document: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The same of all surfaces in one document, which takes half a minute."""
    return make_python_clients(whole_document, pytestconfig, tmp_path_factory.mktemp("python-client"))


@pytest.fixture(scope="module")
def hey_api_clients(
    documents: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Packages, and a folder with a client of every document, made by @hey-api/openapi-ts, and compiled programs."""
    return make_hey_api_clients(
        documents, pytestconfig, tmp_path_factory.mktemp("hey-api-clients"), "connectif.ts", "voucherify.ts"
    )


@pytest.fixture(scope="module")
def openapi_typescript_clients(
    documents: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Packages, and a folder with the types of every document, made by openapi-typescript, and a compiled program."""
    return make_types(documents, pytestconfig, tmp_path_factory.mktemp("types"), "connectif-fetch.ts")


def make_python_clients(documents: Path, told: pytest.Config, folder: Path) -> tuple[Path, Path]:
    interpreter = environments.python("openapi-python-client", told)
    make = [str(interpreter), "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    make += ["--config", str(PROGRAMS / "openapi-python-client.yaml")]
    for document in documents.iterdir():
        made = folder / f"{document.stem}_client"
        # It formats what it made with ruff, which it looks for on the path.
        path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
        generate([*make, "--path", str(document), "--output-path", str(made)], PATH=path)
    return interpreter, folder


def make_hey_api_clients(documents: Path, told: pytest.Config, folder: Path, *programs: str) -> tuple[Path, Path]:
    packages = environments.node("openapi-ts", told)
    make = [str(packages / ".bin" / "openapi-ts"), "--no-log-file", "--client", "@hey-api/client-fetch"]
    for document in documents.iterdir():
        generate([*make, "-i", str(document), "-o", str(folder / f"{document.stem}_client")])
    compile_programs(packages, folder, *programs)
    return packages, folder


def make_types(documents: Path, told: pytest.Config, folder: Path, *programs: str) -> tuple[Path, Path]:
    packages = environments.node("openapi-typescript", told)
    make = str(packages / ".bin" / "openapi-typescript")
    for document in documents.iterdir():
        generate([make, str(document), "-o", str(folder / f"{document.stem}.ts")])
    compile_programs(packages, folder, *programs)
    return packages, folder


def compile_programs(packages: Path, folder: Path, *programs: str) -> None:
    """Compiles all TypeScript of a folder, the programs and what was generated, as strictly as the compiler can."""
    for name in (*programs, "tsconfig.json"):
        shutil.copy(PROGRAMS / name, folder)
    (folder / "node_modules").symlink_to(packages)
    run([str(packages / ".bin" / "tsc"), "-p", str(folder)])


class Source(BaseHTTPRequestHandler):
    """Serves FILE under every path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def source() -> Iterator[str]:
    """The address of a file that the service can fetch."""
    with ThreadingHTTPServer((SOURCE_HOST, 0), Source) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{SOURCE_HOST}:{server.server_port}/contacts.csv"
        server.shutdown()
        thread.join()


@pytest.fixture
def account(live: Live, proxy: Proxy, source: str) -> dict[str, str]:
    """What a program is told in its environment."""
    return {"BASE_URL": proxy.url, "API_KEY": live.key(f"generated-{token_hex(4)}"), "SOURCE": source}


@pytest.fixture(params=["python", pytest.param("hey_api", marks=needs_node)])
def said(request: pytest.FixtureRequest, account: dict[str, str]) -> Callable[[str], Told]:
    """What the program of a surface said, in either language."""
    clients = request.getfixturevalue(f"{request.param}_clients")
    return partial(SAYS[request.param], clients, account)


def told_by_python(clients: tuple[Path, Path], account: dict[str, str], surface: str) -> Told:
    interpreter, folder = clients
    return json.loads(run([str(interpreter), str(PROGRAMS / f"{surface}.py")], **account, PYTHONPATH=str(folder)))


def told_by_typescript(clients: tuple[Path, Path], account: dict[str, str], surface: str) -> Told:
    return json.loads(run(["node", str(clients[1] / f"{surface}.js")], **account))


SAYS = {"python": told_by_python, "hey_api": told_by_typescript}


def test_every_module_of_the_python_clients_can_be_imported(python_clients: tuple[Path, Path]) -> None:
    check_imports(python_clients, SURFACES)


@pytest.mark.slow
def test_every_module_of_the_python_client_of_all_surfaces_can_be_imported(python_client: tuple[Path, Path]) -> None:
    check_imports(python_client, (ALL,))


def check_imports(clients: tuple[Path, Path], documents: Iterable[str]) -> None:
    interpreter, folder = clients
    assert {path.name for path in folder.iterdir()} == {f"{name}_client" for name in documents}
    run([str(interpreter), "-c", IMPORT_ALL, str(folder)], PYTHONPATH=str(folder))


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize(("make", "made"), [(make_hey_api_clients, f"{ALL}_client"), (make_types, ALL)])
def test_a_typescript_client_of_all_surfaces_compiles(
    whole_document: Path, pytestconfig: pytest.Config, tmp_path: Path, make: Callable[..., object], made: str
) -> None:
    (tmp_path / "all.ts").write_text(f"export * as all from './{made}';\n")
    make(whole_document, pytestconfig, tmp_path)


@needs_node
def test_values_that_are_characters_have_words_for_names(
    python_clients: tuple[Path, Path], hey_api_clients: tuple[Path, Path]
) -> None:
    made = (python_clients[1] / "connectif_client" / "models" / "delimiter.py").read_text()
    assert re.findall(r"(\w+) = ", made) == ["AUTO", "COMMA", "PIPE", "SEMICOLON", "TAB"]
    assert "export type Delimiter =" in (hey_api_clients[1] / "connectif_client" / "types.gen.ts").read_text()


def test_a_generated_client_imports_contacts(said: Callable[[str], Told]) -> None:
    check_contacts(said("connectif"))


@needs_node
@pytest.mark.slow
def test_a_client_with_generated_types_imports_contacts(
    openapi_typescript_clients: tuple[Path, Path], account: dict[str, str]
) -> None:
    check_contacts(told_by_typescript(openapi_typescript_clients, account, "connectif-fetch"))


@pytest.mark.slow
def test_a_generated_client_checks_imports_corrects_and_undoes(
    python_client: tuple[Path, Path], account: dict[str, str]
) -> None:
    """With the client of the whole: what a person does in an hour, from the first look at a file to its undoing."""
    told = told_by_python(python_client, account, "sluice_story")
    planned, committed, corrected = told["planned"], told["committed"], told["corrected"]
    counts = [planned[name] for name in ("total", "created", "updated", "errors")]
    assert (planned["held"], counts) == ("planned", [8, 5, 1, 2])
    shown = [(each["key"], each["outcome"]) for each in told["changes"]]
    assert ("ana@example.com", "updated") in shown
    assert len(shown) == 6
    assert (committed["id"], committed["status"]) == (planned["id"], "finished")
    assert [committed[name] for name in ("total", "created", "updated", "errors")] == counts
    outcomes = [line.split(";")[4] for line in told["results"].splitlines()]
    assert outcomes == ["_outcome", "updated", "failed", "failed", *["created"] * 5]
    assert (corrected["parentId"], corrected["relation"]) == (committed["id"], "correction")
    assert (corrected["created"], corrected["errors"]) == (2, 0)
    before, during, after, end = told["points"]
    assert (before, during, end) == ({"ana@example.com": 7},) * 3
    assert (len(after), after["ana@example.com"], after["bob@example.com"], after["cid@example.com"]) == (8, 1, 2, 2)
    assert [(each["kind"], each["status"], each["relation"]) for each in told["undone"]] == [
        ("undo", "finished", "undo"),
        ("undo", "finished", "undo"),
    ]


def check_contacts(told: Told) -> None:
    done, pulled, sent = told["import"], told["pulled"], told["sent"]
    assert (done["status"], done["total"], done["success"], done["errors"]) == ("finished", 2, 1, 1)
    assert done["errorSummary"][0]["samples"] == [{"line": 3, "row": 2, "value": "many"}]
    assert (pulled["status"], pulled["total"], pulled["created"]) == ("finished", 1, 1), pulled
    assert (sent["status"], sent["name"], sent["total"], sent["errors"]) == ("finished", "Whole", 2, 1), sent
    assert told["listed"] == [sent["id"]]
    assert told["deleted"] == 204
    assert (told["refused"]["status"], told["refused"]["code"]) == (401, "not_authenticated")
    assert (told["missing"]["status"], told["missing"]["code"]) == (404, "not_found")


def test_a_generated_client_imports_customers(said: Callable[[str], Told]) -> None:
    told = said("voucherify")
    done = told["action"]
    assert (done["status"], done["operation_status"], done["progress"]) == ("DONE", "SUCCESS", 100)
    assert (done["result"]["done_count"], done["result"]["failed_count"]) == (1, 1)
    assert [(each["row"], each["source_id"]) for each in done["result"]["failed"]] == [(2, "steve")]
    customer = told["customer"]
    assert (customer["source_id"], customer["name"]) == ("a/b+c@d", "Jöhn")
    assert (customer["birthdate"], customer["metadata"]) == ("1990-03-11", {"level": "gold"})
    assert (told["bulk"]["type"], told["bulk"]["result"]["done_count"]) == ("CUSTOMERS.BULK_UPDATE", 1)
    assert told["report"].splitlines() == ["source_id,found,updated,reason", "a/b+c@d,true,true,"]
    assert told["customers"] == ["a/b+c@d"]
    assert told["actions"] == [told["bulk"]["id"]]
    assert (told["refused"]["code"], told["refused"]["key"]) == (401, "unauthorized")
    assert (told["missing"]["code"], told["missing"]["resource_type"]) == (404, "async_action")
