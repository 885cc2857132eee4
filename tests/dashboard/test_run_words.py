"""What a page says of a run in each of its states, without a service."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from app.dashboard.render import TEMPLATES, render_part
from app.dashboard.sentences import PERSONS_LIMITS, tell_hint, tell_limit, tell_limits
from app.dashboard.views.runs.badge import BADGES, STATE_CHOICES, STEP_WORDS, badge_of, ordinal, short_state
from app.dashboard.views.runs.counts import counts_of
from app.dashboard.views.runs.failed_rows import name_failed_rows
from app.dashboard.views.runs.found import FOUND_WORDS, NAMED_WORDS, tell_found
from app.dashboard.views.runs.groups import groups_of
from app.dashboard.views.runs.jobs import chart_of, job_from
from app.dashboard.views.runs.queue import tell_queue
from app.dashboard.words import mark_code, show_value
from app.imports.results.columns import DescribedColumn
from app.mappings.headings import How
from app.mappings.hints.table import HINTS
from app.runs.holding.brakes import BRAKES
from app.runs.kinds import Kind, Step
from app.runs.model import NAMES, Run
from app.runs.overview.days import Day
from app.runs.overview.queue import Queue
from app.runs.progress import TROUBLES
from app.runs.states import State
from app.runs.status import Status, describe_status
from app.syncs.files import Role
from app.syncs.report import FileReport, ImagesReport, RefusedPicture, SyncReport
from app.web.shapes import WaitingFor

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
EMPTY = dict.fromkeys(NAMES, None) | dict.fromkeys(
    ("created", "updated", "unchanged", "skipped", "failed", "at_row", "file_bytes", "fetches", "fetched_bytes"), 0
)


def run_with(**values: object) -> Run:
    given = {"id": "0", "kind": Kind.IMPORT, "step": Step.WRITE, "state": State.QUEUED, "type": "contacts"}
    given |= {"options": {}, "plan": {}, "error_summary": [], "warnings": [], "created_at": NOW}
    return Run(**EMPTY | given | values)  # type: ignore[arg-type]


def status_of(position: int | None = None, **values: object) -> Status:
    return describe_status(run_with(**values), position)


def test_every_state_and_step_has_a_badge_and_a_fragment() -> None:
    assert set(BADGES) == set(State)
    assert {state for state, _ in STATE_CHOICES} - {""} == set(State)
    assert set(STEP_WORDS) == set(Step)
    for state in State:
        assert (TEMPLATES / "runs" / f"{state}.html").is_file(), state


def test_everything_that_a_run_can_wait_for_has_a_sentence() -> None:
    assert set(TROUBLES) == set(get_args(WaitingFor))


def test_a_column_that_the_mapping_names_is_not_told_to_be_called_like_its_field() -> None:
    assert set(FOUND_WORDS) == {"exact", "label", "loose", "position", "ignored", "unknown"}
    assert set(NAMED_WORDS) == set(get_args(How)) - {"label"}  # a mapping with columns looks at no labels
    assert tell_found(DescribedColumn("Mail", 0, "exact", "_email", named=True)) == "It is named in the mapping"
    assert tell_found(DescribedColumn("_email", 0, "exact", "_email")) == "It is called like the field"
    assert tell_found(DescribedColumn("Note", 1, "ignored")) == "Ignored on purpose"


@pytest.mark.parametrize(
    ("values", "words", "tone"),
    [
        ({"position": 2}, "Waiting, 2nd", "idle"),
        ({"state": State.RUNNING, "step": Step.FETCH}, "Fetching the file", "run"),
        ({"state": State.FINISHED, "total": 4, "created": 4}, "Finished", "ok"),
        ({"state": State.FINISHED, "total": 10, "created": 1, "failed": 9}, "Finished, 9 rows failed", "warn"),
        ({"state": State.FINISHED, "total": 2, "failed": 2}, "Finished, no row went in", "bad"),
        ({"state": State.HALTED}, "Stopped, needs you", "warn"),
    ],
)
def test_a_badge_says_the_state_in_words(values: dict[str, object], words: str, tone: str) -> None:
    badge = badge_of(status_of(**values))  # type: ignore[arg-type]
    assert (badge.words, badge.tone) == (words, tone)


def test_a_title_begins_with_the_percent_of_what_runs_and_with_the_words_of_what_does_not() -> None:
    running = status_of(state=State.RUNNING, total=100, created=62, started_at=NOW)
    assert short_state(running) == "62 %"
    assert short_state(replace(running, run=replace(running.run, step=Step.FETCH))) == "Fetching the file"
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 21, 111, 1_002)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "111th", "1,002nd")
    ]


def test_the_parts_of_the_counts_make_the_total() -> None:
    counts = counts_of(run_with(total=100, created=40, updated=20, unchanged=5, skipped=5, failed=10))
    assert sum(each.number for each in counts.parts) == counts.total == 100
    assert counts.segments == [("created", 0.4), ("updated", 0.2), ("same", 0.05), ("same", 0.05), ("failed", 0.1)]
    assert counts.name == "40 created, 20 updated, 5 unchanged, 5 skipped, 10 failed and 20 remaining of 100 rows"
    assert counts_of(run_with()).total is None


def test_causes_come_by_their_number_with_what_was_seen() -> None:
    samples = [{"line": 3, "row": 2, "value": "n/a"}, {"line": 4, "row": 3, "value": "n/a"}]
    stored = {"code": "type_error", "field": "points", "column": "Points", "message": "It must be a number"}
    rare = {"code": "missing_cell", "field": None, "column": None, "message": "The row has 2 cells"}
    run = run_with(error_summary=[rare | {"count": 1, "samples": []}, stored | {"count": 2, "samples": samples}])
    often, once = groups_of(run)
    assert (often.column, often.seen, often.line, often.query) == (
        "Points",
        ("n/a",),
        3,
        "code=type_error&column=Points",
    )
    assert (once.column, once.seen, once.line, once.query) == ("", (), None, "code=missing_cell")


def test_the_queue_says_who_holds_the_places_and_who_will_be_done_first() -> None:
    slow = Status(run_with(id="slow", state=State.RUNNING), None, 1.0, 90, None)
    fast = Status(run_with(id="fast", state=State.RUNNING), None, 50.0, 3, None)
    waiting, held = status_of(1), status_of(state=State.HALTED)
    queue = Queue(Kind.IMPORT, 4, [slow, waiting, fast, held])
    assert tell_queue(queue) == "4 of 4 places for imports taken: 2 run, 1 waits, 1 needs a decision"
    assert (queue.full, queue.ends_first) == (True, fast)
    assert tell_queue(Queue(Kind.EXPORT, 5, [])) == "0 of 5 places for exports taken"
    assert Queue(Kind.IMPORT, 4, [waiting]).ends_first is None


def test_a_job_tells_how_far_it_is_and_why_it_stopped() -> None:
    running = Status(run_with(state=State.RUNNING, total=100, created=62), None, 62.0, 40, None)
    assert job_from(running, None).progress == "62 %, 40 seconds left"
    failed = status_of(state=State.FAILED, fail_code="source_find", fail_detail="There is no file")
    assert (job_from(failed, None).reason, job_from(failed, None).progress) == ("There is no file", "")


def test_the_chart_draws_days_from_left_to_right_and_most_on_top() -> None:
    days = [Day(NOW.date()), Day(NOW.date(), 10, 10), Day(NOW.date(), 5)]
    assert chart_of(days).runs == "0.0,78.0 300.0,2.0 600.0,40.0"
    assert chart_of([]).runs == ""


def test_the_report_of_an_item_sync_tells_of_files_records_and_pictures() -> None:
    items = FileReport(
        role=Role.ITEMS, path="/in/items.csv", bytes=2_000, sha256="", rows={"created": 3}, moved_to="/b"
    )
    refused = [RefusedPicture(name="x.gif", code="unknown_item", message="There is no item `x`")]
    pictures = ImagesReport(status="fetched", path="/in/p.zip", added=2, failed=1, refused=refused)
    report = SyncReport(files=[items], entities={"items": {"added": 3, "removed": 1}}, images=pictures)
    words = " ".join(re.sub(r"<[^>]*>", " ", render_part("jobs", "report", report)).split())
    assert "/in/items.csv Moved to /b items 2 kB 3 created" in words
    assert "items 3 0 0 1 0 0" in words
    assert "Pictures: 2 added, 0 changed, 0 unchanged, 0 removed, 1 failed." in words
    assert "x.gif: There is no item x ." in words


def test_names_in_backticks_are_code_and_nothing_is_trusted() -> None:
    assert mark_code("Column `<b>` is required") == "Column <code>&lt;b&gt;</code> is required"
    assert mark_code("a ` b <i>") == "a ` b &lt;i&gt;"


def test_people_are_told_of_limits_without_their_names_in_requests() -> None:
    assert {each.name for each in BRAKES.values()} == set(PERSONS_LIMITS)
    assert [tell_limit("maxErrorShare", 0.29), tell_limit("maxRemovedShare", 0.005), tell_limit("minRows", 1_000)] == [
        "At most 29 % of the rows may fail",
        "At most 0.5 % of the records may be removed",
        "The file must have at least 1,000 rows",
    ]
    for each in BRAKES.values():
        words = each.words.format(limit=1, count=4, rows=47, stored=50)
        assert tell_limits(words).startswith(f"{tell_limit(each.name, 1)}, but "), words
    assert tell_limits("The server was away") == "The server was away"
    both = "`maxErrors` is 2, but 37 of 1,000 rows failed. `minRows` is 5,000, but the file has 1,000"
    assert tell_limits(both) == (
        "At most 2 rows may fail, but 37 of 1,000 rows failed. The file must have at least 5,000 rows, but it has 1,000"
    )
    of_sync = "For `items`, `maxRemovedShare` is 0.5, but 3 of 4 records would be removed"
    assert tell_limits(of_sync) == (
        "Items: At most 50 % of the records may be removed, but 3 of 4 records would be removed"
    )


def test_people_are_told_of_hints_without_names_in_requests() -> None:
    told = [tell_hint(each.sentence) for each in HINTS.values()]
    assert not any(name in words for words in told for name in ("decimalComma", "dateFormat", "encoding=")), told


def test_a_value_shows_what_nobody_sees_and_turns_nothing_around() -> None:
    assert show_value(" a\tb ") == "␣a␉b␣"
    assert show_value("safe\u202egpj.exe") == "safe⟨202E⟩gpj.exe"
    assert show_value("\ufeffid\u200b") == "⟨FEFF⟩id⟨200B⟩"
    assert show_value("👩\u200d🌾 שלום") == "👩\u200d🌾 שלום", "what people write stays"


@pytest.mark.parametrize(
    ("file_name", "named"),
    [
        ("prices-08.csv", "prices-08 failed rows.csv"),
        ("Preisliste M\u00e4rz 2026.CSV.gz", "Preisliste Marz 2026 failed rows.csv"),
        ('a"; filename="b.exe\r\nX: y', "a- filename-b.exe-X- y failed rows.csv"),
        ("\u65e5\u672c.csv", "0 failed rows.csv"),
        (".csv.gz", "0 failed rows.csv"),
        ("v1.2 " + "x" * 300, f"v1.2 {'x' * 95} failed rows.csv"),
        (None, "0 failed rows.csv"),
    ],
)
def test_failed_rows_are_named_after_the_file_in_safe_characters(file_name: str | None, named: str) -> None:
    assert name_failed_rows(run_with(file_name=file_name)) == named
