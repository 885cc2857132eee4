"""Holds every answer that the suite sees against the OpenAPI documents."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from jsonschema_rs import Draft202012Validator, Registry

DOCUMENTS = Path(__file__).resolve().parents[2] / "openapi"
# Any route may meet a fault of ours, and what is refused before a route is known is in no route's list.
NEVER_LISTED = frozenset({500})
# Pages for people and the description itself, which no document describes, and a route that a test adds.
NOT_DESCRIBED = re.compile(r"/(app(/.*)?|docs(/.*)?|openapi\.json|v1/probe/.*)?")
# A second spelling of a path, which only the first has in its document.
ALIASES = {"/customers/importCSV": "/v1/customers/importCSV"}
LONGEST_SHOWN = 600
# Texts of any kind are kept as they came.
UNCHECKED = {"email": lambda _: True}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `path` as it stood on the wire: percent-encoded, without the query."""

    method: str
    path: str
    status: int
    media_type: str
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status} {self.media_type}"


@dataclass(frozen=True, slots=True)
class Described:
    """A path of a document."""

    surface: str
    template: str
    pattern: re.Pattern[str]
    wide_pattern: re.Pattern[str]  # a last parameter may hold slashes where the route allows it


async def check_response(response: httpx.Response) -> None:
    """A hook of a client. Raises AssertionError."""
    await response.aread()
    wrong = contradiction(answer_of(response))
    assert wrong is None, wrong


def answer_of(response: httpx.Response) -> Answer:
    """A response that was read."""
    path = response.request.url.raw_path.decode().partition("?")[0]
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Answer(response.request.method, path, response.status_code, media_type, response.content)


def contradiction(answer: Answer) -> str | None:
    """What of the answer its document does not say, or None."""
    wrong = next(contradictions(answer), None)
    return None if wrong is None else f"{answer}: {wrong}; the body: {answer.body[:LONGEST_SHOWN]!r}"


def contradictions(answer: Answer) -> Iterator[str]:
    method = "get" if answer.method == "HEAD" else answer.method.lower()
    where = described(method, answer.path)
    if where is None:
        # OPTIONS is a browser's preflight, which belongs to no route.
        if answer.status < 400 and answer.method != "OPTIONS" and not NOT_DESCRIBED.fullmatch(answer.path):
            yield "no document has this path and method, and yet it answers"
        return
    responses = document(where.surface)["paths"][where.template][method]["responses"]
    if str(answer.status) not in responses:
        if answer.status not in NEVER_LISTED:
            yield f"{where.surface}.json lists {', '.join(responses)} for {method} {where.template}"
        return
    if answer.method == "HEAD":
        return
    content = responses[str(answer.status)].get("content", {})
    if answer.media_type not in content and (content or answer.body):
        yield f"{where.surface}.json lists the media types {sorted(content)}"
        return
    steps = ("paths", where.template, method, "responses", str(answer.status), "content", answer.media_type, "schema")
    if "schema" in content.get(answer.media_type, {}):
        yield from unfit(answer, where.surface, pointer(steps))


def unfit(answer: Answer, surface: str, place: str) -> Iterator[str]:
    value = json.loads(answer.body) if answer.media_type.endswith("json") else answer.body.decode(errors="replace")
    for wrong in validator(surface, place).iter_errors(value):
        yield f"{pointer(map(str, wrong.instance_path)) or '/'}: {wrong.message[:LONGEST_SHOWN]}"


@cache
def described(method: str, path: str) -> Described | None:
    """Where a request is described; a slash at the end makes no difference."""
    path = path.rstrip("/") or "/"
    path = ALIASES.get(path, path)
    for patterns in ("pattern", "wide_pattern"):
        for each in all_described(method):
            if getattr(each, patterns).fullmatch(path):
                return each
    return None


@cache
def all_described(method: str) -> tuple[Described, ...]:
    """Every path of every document that has the method; those with fewer parameters first, as routes are matched."""
    found = [
        build_described(file.stem, template)
        for file in DOCUMENTS.glob("*.json")
        for template, operations in document(file.stem)["paths"].items()
        if method in operations
    ]
    return tuple(sorted(found, key=lambda each: each.template.count("{")))


def build_described(surface: str, template: str) -> Described:
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
    return Described(surface, template, re.compile(pattern), re.compile(re.sub(r"\[\^/\]\+$", ".+", pattern)))


@cache
def document(surface: str) -> dict[str, Any]:
    return json.loads((DOCUMENTS / f"{surface}.json").read_text())


@cache
def validator(surface: str, place: str) -> Draft202012Validator:
    """Of the schema at a place of a document, whose references stay inside of it."""
    name = f"urn:sluice:{surface}"
    return Draft202012Validator(
        {"$ref": f"{name}#{quote(place)}"}, registry=registry(surface, name), validate_formats=True, formats=UNCHECKED
    )


@cache
def registry(surface: str, name: str) -> Registry:
    return Registry([(name, document(surface))])


def pointer(steps: Iterable[str]) -> str:
    """As a JSON pointer."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
