"""The OpenAPI documents are valid, committed as the code makes them, and say what generators need."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from app.main import OPENAPI, SITES, create_app, write_openapi
from app.settings import Settings
from app.surfaces import SURFACES as EVERY
from app.web.server.final_slash import FinalSlashRoute

SURFACES = sorted(EVERY.all, key=lambda surface: surface.name)
ROOT = OPENAPI.parent
NAMES = sorted(path.name for path in OPENAPI.glob("*.json"))


def operations(name: str) -> list[tuple[str, str, dict[str, Any]]]:
    document = json.loads((OPENAPI / name).read_text())
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def test_the_committed_documents_are_what_the_code_makes(tmp_path: Path) -> None:
    write_openapi(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES == [f"{each.name}.json" for each in SURFACES]
    for name in NAMES:
        assert (tmp_path / name).read_text() == (OPENAPI / name).read_text(), "stale: run make openapi"


def test_no_error_has_a_model_for_which_a_validator_would_be_built() -> None:
    for surface in SURFACES:
        for route in surface.routes:
            assert not [status for status in route.response_fields if int(status) >= 400], route.path


def test_every_route_stands_straight_on_the_app_where_it_is_not_copied() -> None:
    app = create_app(Settings(_env_file=None))  # type: ignore[call-arg]
    assert {type(route) for route in app.routes} <= {APIRoute, FinalSlashRoute}
    assert len(app.routes) == len({id(route) for site in SITES.all for route in site.routes})


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_valid(name: str) -> None:
    validate(json.loads((OPENAPI / name).read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_a_name_a_sentence_and_its_refusals(name: str) -> None:
    found = operations(name)
    ids = [each["operationId"] for _, _, each in found]
    assert len(ids) == len(set(ids))
    for path, method, each in found:
        assert each["operationId"].isalnum(), path
        assert each["description"], path
        if each.get("security") != []:
            assert {"401", "403", "503"} <= each["responses"].keys(), (method, path)


@pytest.mark.parametrize("name", NAMES)
def test_a_document_has_the_version_of_the_release_and_bodies_that_generators_understand(name: str) -> None:
    document = json.loads((OPENAPI / name).read_text())
    assert document["info"]["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for path, _, each in operations(name):
        content = each.get("requestBody", {}).get("content", {"": {}})
        # From two kinds of body openapi-python-client makes code that does not run, and hey-api sends a file as JSON.
        assert len(content) == 1, path
    # What has a default, openapi-typescript requires.
    assert '"default"' not in json.dumps([each.get("requestBody") for _, _, each in operations(name)])


def test_the_documents_do_not_use_one_name_for_two_schemas() -> None:
    schemas: dict[str, Any] = {}
    for name in NAMES:
        for title, schema in json.loads((OPENAPI / name).read_text())["components"]["schemas"].items():
            assert schemas.setdefault(title, schema) == schema, title


def test_the_file_is_binary_and_every_part_is_described() -> None:
    upload = next(each for path, method, each in operations("connectif.json") if (path, method) == ("/imports", "post"))
    reference = upload["requestBody"]["content"]["multipart/form-data"]["schema"]["$ref"]
    schemas = json.loads((OPENAPI / "connectif.json").read_text())["components"]["schemas"]
    form = schemas[reference.rpartition("/")[2]]
    assert form["properties"]["file"]["format"] == "binary"
    assert all(part["description"] for part in form["properties"].values())
