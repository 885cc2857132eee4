"""Clients that public generators make from our OpenAPI documents import a file and poll it to its end."""

import json
import os
import shutil
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
SURFACES = ("connectif",)
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


@pytest.fixture(scope="module")
def account(live: Live, proxy: Proxy) -> dict[str, str]:
    """What a program is told in its environment."""
    return {"BASE_URL": proxy.url, "API_KEY": live.key(f"generated-{token_hex(4)}")}


def told_by_python(clients: tuple[Path, Path], account: dict[str, str], surface: str) -> Told:
    interpreter, folder = clients
    return json.loads(run([str(interpreter), str(PROGRAMS / f"{surface}.py")], **account, PYTHONPATH=str(folder)))


def told_by_typescript(clients: Path, account: dict[str, str], surface: str) -> Told:
    return json.loads(run(["node", str(clients / f"{surface}.js")], **account))


def test_a_python_client_of_imports_imports_a_file(
    python_clients: tuple[Path, Path], account: dict[str, str]
) -> None:
    said = told_by_python(python_clients, account, "connectif")
    assert imports_went_well(said)


@needs_node
def test_a_typescript_client_of_imports_imports_a_file(typescript_clients: Path, account: dict[str, str]) -> None:
    said = told_by_typescript(typescript_clients, account, "connectif")
    assert imports_went_well(said)


def imports_went_well(said: Told) -> bool:
    assert said["import"]["status"] == "finished"
    assert (said["import"]["total"], said["import"]["success"], said["import"]["errors"]) == (2, 1, 1)
    assert said["import"]["errorSummary"][0]["samples"] == [{"line": 3, "row": 2, "value": "many"}]
    assert said["listed"] == [said["import"]["id"]]
    assert said["deleted"] == 204
    assert (said["refused"]["status"], said["refused"]["code"]) == (401, "not_authenticated")
    assert (said["missing"]["status"], said["missing"]["code"]) == (404, "not_found")
    return True
