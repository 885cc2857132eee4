"""Clients that public generators make from our OpenAPI documents import a file and poll it to its end."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from tests.support import environments
from tests.support.contract import DOCUMENTS
from tests.support.environments import needs_node, run
from tests.support.live import Live
from tests.support.proxy import Proxy

PROGRAMS = Path(__file__).resolve().parents[1] / "sdk" / "generated"
SURFACES = ("connectif", "voucherify")
# Code is made and compiled: on one worker, so that it happens once.
pytestmark = [pytest.mark.xdist_group("generated-clients"), pytest.mark.timeout(300)]

Told = dict[str, Any]


@pytest.fixture(scope="module")
def python_clients(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An interpreter, and a folder with a client of every surface, made by openapi-python-client."""
    interpreter = environments.python("openapi-python-client", pytestconfig)
    folder = tmp_path_factory.mktemp("python-clients")
    make = [str(interpreter), "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    for surface in SURFACES:
        document, made = DOCUMENTS / f"{surface}.json", folder / f"{surface}_client"
        # It formats what it made with ruff, which it looks for on the path.
        path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
        run([*make, "--path", str(document), "--output-path", str(made)], PATH=path)
    return interpreter, folder


@pytest.fixture(scope="module")
def typescript_clients(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program for every surface, compiled with a client made by @hey-api/openapi-ts."""
    packages = environments.node("openapi-ts", pytestconfig)
    folder = tmp_path_factory.mktemp("typescript-clients")
    make = [str(packages / ".bin" / "openapi-ts"), "--no-log-file", "--client", "@hey-api/client-fetch"]
    for surface in SURFACES:
        shutil.copy(PROGRAMS / f"{surface}.ts", folder)
        run([*make, "-i", str(DOCUMENTS / f"{surface}.json"), "-o", str(folder / f"{surface}_client")])
    shutil.copy(PROGRAMS / "tsconfig.json", folder)
    run([str(packages / ".bin" / "tsc"), "-p", str(folder), "--typeRoots", str(packages / "@types")])
    return folder


@pytest.fixture
def account(live: Live, proxy: Proxy) -> dict[str, str]:
    """What a program is told in its environment."""
    return {"BASE_URL": proxy.url, "API_KEY": live.key(f"generated-{token_hex(4)}")}


@pytest.fixture(params=["python", pytest.param("typescript", marks=needs_node)])
def said(request: pytest.FixtureRequest, account: dict[str, str]) -> Callable[[str], Told]:
    """What the program of a surface said, in either language."""
    clients = request.getfixturevalue(f"{request.param}_clients")
    return partial(SAYS[request.param], clients, account)


def told_by_python(clients: tuple[Path, Path], account: dict[str, str], surface: str) -> Told:
    interpreter, folder = clients
    return json.loads(run([str(interpreter), str(PROGRAMS / f"{surface}.py")], **account, PYTHONPATH=str(folder)))


def told_by_typescript(clients: Path, account: dict[str, str], surface: str) -> Told:
    return json.loads(run(["node", str(clients / f"{surface}.js")], **account))


SAYS = {"python": told_by_python, "typescript": told_by_typescript}


def test_a_generated_client_imports_contacts(said: Callable[[str], Told]) -> None:
    told = said("connectif")
    done = told["import"]
    assert (done["status"], done["total"], done["success"], done["errors"]) == ("finished", 2, 1, 1)
    assert done["errorSummary"][0]["samples"] == [{"line": 3, "row": 2, "value": "many"}]
    assert told["listed"] == [done["id"]]
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
