"""The OpenAPI documents are valid, committed as the code makes them, and say what generators need."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.main import OPENAPI, write_openapi
from app.surfaces import SURFACES as EVERY

SURFACES = sorted(EVERY.all, key=lambda surface: surface.name)
NAMES = sorted(path.name for path in OPENAPI.glob("*.json"))


def operations(name: str) -> list[tuple[str, str, dict[str, Any]]]:
    document = json.loads((OPENAPI / name).read_text())
    return [(path, method, each) for path, methods in document["paths"].items() for method, each in methods.items()]


def test_the_committed_documents_are_what_the_code_makes(tmp_path: Path) -> None:
    write_openapi(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES == [f"{each.name}.json" for each in SURFACES]
    for name in NAMES:
        assert (tmp_path / name).read_text() == (OPENAPI / name).read_text(), "stale: run make openapi"


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


def test_the_file_is_binary_and_every_part_is_described() -> None:
    upload = next(each for path, method, each in operations("connectif.json") if (path, method) == ("/imports", "post"))
    form = upload["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["format"] == "binary"
    assert all(part["description"] for part in form["properties"].values())
