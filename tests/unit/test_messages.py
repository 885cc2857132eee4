"""Messages that are put together from parts: they blame what is wrong, by the name that the caller sent."""

import pytest

from app.connections.inline_source import pull_from_source
from app.errors import Complaint, Refused, describe, name_subject
from app.problems import Problem, row_error
from app.surfaces.cordial.translate.products import describe_problem

FTP = {"transport": "ftp", "host": "files.example.com", "path": "a.csv"}
CORDIAL_FTP = {"transport": "ftp", "server": "files.example.com", "username": "me", "path": "a.csv"}
WEB = {"transport": "http"}


@pytest.mark.parametrize(
    ("column", "code", "facts", "message"),
    [
        (None, "too_deep", {"limit": 32}, "The object is nested more than 32 levels deep."),
        (None, "missing_key", {"keys": "`productID`"}, "The productID field is required."),
        ("price", "too_small", {"limit": 0}, "The price field is not valid. The value must be at least 0"),
    ],
)
def test_cordial_blames_a_field_only_for_a_problem_of_that_field(
    column: str | None, code: str, facts: dict[str, object], message: str
) -> None:
    problem = Problem(2, 1, column, column, *row_error(code, **facts), None)

    assert describe_problem(problem) == message


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        (FTP | {"path": None}, "source.path", "`source.path` is required"),
        (FTP | {"user": 3}, "source.user", "`source.user` must be a string"),
        (FTP | {"nap": 3}, "source.nap", "`source.nap` is not a member of an ftp connection. Use host, port"),
        (CORDIAL_FTP | {"username": 3}, "source.username", "`source.username` must be a string"),
        (CORDIAL_FTP | {"server": None}, "source.server", "`source.server` is required"),
        (CORDIAL_FTP | {"server": "x/y"}, "source.server", "`source.server` must be a host name"),
        (FTP | {"path": "a\nb"}, "source.path", "`source.path` is longer than 1,024 characters or contains"),
        (WEB | {"url": "ftp://a.example.com/x"}, "source.url", "`source.url` must begin with http:// or https://"),
        (WEB | {"url": "http://u:p@a.example.com"}, "source.url", "`source.url` is not a valid URL"),
        (WEB | {"url": "http://a.example.com:22/x"}, "source.url", "`source.url` has a port that this service"),
        (
            WEB | {"url": "http://a.example.com", "server": "a"},
            "source.server",
            "`source.server` is part of `source.url`",
        ),
    ],
)
def test_a_source_is_refused_under_the_names_that_were_sent(source: dict[str, object], path: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        pull_from_source(source)

    (complaint,) = refused.value.complaints
    assert complaint.path == path
    assert complaint.reason.startswith(reason)


@pytest.mark.parametrize(
    ("reasons", "detail"),
    [
        ([], ""),
        (["Heading `a.. b` appears twice", "`type` is required"], "Heading `a.. b` appears twice. `type` is required"),
        (["The columns field is required.", "The type field is required."],) * 2,
    ],
)
def test_complaints_are_joined_without_a_change_to_what_they_quote(reasons: list[str], detail: str | list[str]) -> None:
    expected = detail if isinstance(detail, str) else " ".join(detail)

    assert describe([Complaint("", reason) for reason in reasons]) == expected


@pytest.mark.parametrize(
    ("name", "message", "sentence"),
    [
        ("limit", "Field required", "`limit` is required"),
        (
            "limit",
            "Input should be a valid integer, unable to parse string as an integer",
            "`limit` must be a whole number",
        ),
        ("order", "Input should be 'id', '-id' or 'email'", "`order` must be one of id, -id or email"),
        ("tags", "List should have at most 3 items after validation, not 4", "`tags` must have at most 3 items"),
        ("filter", "Input should be a valid dictionary or instance of Filter", "`filter` must be a JSON object"),
        ("at", "Value error, must be a time", "`at` must be a time"),
        ("at", "Value error, Send `at` or `on`", "Send `at` or `on`"),
        (
            "at",
            "Input should be a valid datetime or date, month value is outside expected range of 1-12",
            "`at` must be a time such as 2026-11-27T10:00:00Z",
        ),
        ("", "Input should be a valid dictionary", "The body must be a JSON object"),
        ("x", "Extra inputs are not permitted", "`x` is not a member of this request"),
    ],
)
def test_a_message_of_pydantic_becomes_a_sentence_about_its_subject(name: str, message: str, sentence: str) -> None:
    assert name_subject(name, message) == sentence
