"""The check of answers against the OpenAPI documents finds what it is there to find."""

import json

import pytest

from tests.support.contract import Answer, contradiction

PROBLEM = {"type": "urn:x", "title": "", "status": 404, "detail": "", "instance": "/", "code": "not_found"}
HEALTHY = b'{"status":"ok"}'


def answer(
    path: str = "/healthz", body: bytes = HEALTHY, *, status: int = 200, media: str = "application/json"
) -> Answer:
    return Answer("GET", path, status, media, body)


def test_an_answer_as_documented_passes() -> None:
    assert contradiction(answer()) is None
    assert contradiction(answer("/healthz/")) is None


def test_a_path_with_any_key_is_found() -> None:
    body = json.dumps(PROBLEM | {"errors": []}).encode()
    for path in ("/records/contacts/john%40example.org", "/records/contacts/a/b"):
        assert contradiction(answer(path, body, status=404, media="application/problem+json")) is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (answer(body=b'{"status":"ok","more":1}'), "more"),
        (answer(body=b"{}"), "status"),
        (answer(status=418), "lists 200"),
        (answer(media="text/html"), "media types"),
        (answer("/nowhere"), "no document"),
        (Answer("POST", "/healthz", 200, "application/json", HEALTHY), "no document"),
        (Answer("DELETE", "/imports/0", 204, "application/json", b"{}"), "media types"),
    ],
)
def test_an_answer_of_another_kind_is_told(wrong: Answer, told: str) -> None:
    assert told in (contradiction(wrong) or "")


def test_a_moment_that_is_none_is_told() -> None:
    record = {"type": "contacts", "key": "a", "data": {}, "createdAt": "2026-11-21T12:00:00.000Z", "importId": "0"}
    for updated, told in (("2026-11-21T12:00:00.000Z", None), ("yesterday", "date-time")):
        body = json.dumps(record | {"updatedAt": updated}).encode()
        found = contradiction(answer("/records/contacts/a", body))
        assert found is None if told is None else told in (found or "")
