"""Writes a reference page for each table in the code: settings, codes, scopes, states, metrics and log events."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from app.auth.keys import DEFAULT_SCOPES, SCOPES
from app.errors import FAILURE_REMEDIES, FAILURES, REFUSAL_REMEDIES, REFUSALS
from app.observe import events, export_events, feed_events, logs, process_events, schedule_events, webhook_events
from app.observe.metrics import Metrics
from app.problems import PROBLEMS, REMEDIES, WARNING_REMEDIES, WARNINGS
from app.runs.holding.brakes import BRAKES
from app.runs.states import NEXT, State
from app.settings import Settings
from app.surfaces import connectif, cordial, voucherify
from app.surfaces.native.translate import gauges
from app.web.failures import STATUSES
from docs.generate.markdown import code, page, sentence, table

# Refusal -> what a surface answers: its HTTP status, and the code or key in its body.
Answers = Callable[[str], tuple[int, str | None] | None]
INTERNAL = ("The service met an unexpected error", "Tell the operator the request id in the answer")
NO_CODE = "no code"
# Problems whose message depends on the value -> what all of these messages say.
IN_SHORT = {
    "quote_error": "A quote is not closed, or is followed by something other than a delimiter. The message names the line on "
    "which it opened",
    "type_error": "The value is not of the field's type. The message says what the type takes",
}


def settings() -> str:
    rows = [
        (code(f"SLUICE_{name.upper()}"), shown_default(field.default), sentence(field.description or ""))
        for name, field in Settings.model_fields.items()
    ]
    intro = """
Every setting is an environment variable. Most installations set five: `SLUICE_DATABASE_URL`, `SLUICE_REDIS_URL`,
`SLUICE_SECRET_KEY`, `SLUICE_BLOBS` and `SLUICE_PUBLIC_URL`. With `sluice up` none is needed.
"""
    return page("Settings", intro, table(("Variable", "Default", "Meaning"), rows))


def shown_default(default: object) -> str:
    if default is None or default == "":
        return "not set"
    return code(f"{default:g}" if isinstance(default, float) else default)


def problems() -> str:
    rows = [
        (code(name), sentence(IN_SHORT.get(name, readable(template))), sentence(REMEDIES[name]))
        for name, template in PROBLEMS.items()
        if name != "superseded"
    ]
    warnings = [(code(name), sentence(text), sentence(WARNING_REMEDIES[name])) for name, text in WARNINGS.items()]
    intro = """
A problem is one thing that is wrong with one row. The row fails, and no other row is affected. All problems of a row are
reported at once. [Correct bad rows](../guides/bad-rows.md) shows where to read them.
"""
    return page(
        "Problems and warnings",
        intro,
        "## Problems\n\nWords in angle brackets stand for what the file contains.",
        table(("Code", "Message", "What to do"), rows),
        "## Warnings\n\nA warning does not fail a row. An import lists its warnings in `warnings`, with a count and up to "
        "three samples each.",
        table(("Code", "Meaning", "What to do"), warnings),
    )


def readable(template: str) -> str:
    """A message's template for people: `{limit}` becomes ⟨limit⟩."""
    return re.sub(r"\{(\w+)[^}]*\}", r"⟨\1⟩", template)


def refusals() -> str:
    rows = []
    for name in dict.fromkeys([*REFUSALS, *STATUSES]):
        title, remedy = (REFUSALS[name], REFUSAL_REMEDIES[name]) if name in REFUSALS else INTERNAL
        remedy = REFUSAL_REMEDIES.get(name, INTERNAL[1])
        rows.append(
            (code(name), sentence(title), *(answer(find(name)) for find in SURFACES.values()), sentence(remedy))
        )
    intro = """
A refusal is the answer to a request that cannot be carried out. Each surface words it in its own way: the same refusal has
another status and another code on each. Every refusal is JSON and names everything that is wrong at once. The shapes are in
the [HTTP reference](http/index.md).
"""
    return page("Refusals", intro, table(("Refusal", "Meaning", *SURFACES, "What to do"), rows), STATUS_NOTES)


STATUS_NOTES = """
Answers with status 429 and 503 carry `Retry-After` in seconds, and so does `E0401`. A body that is not valid HTTP at all is
refused by the server itself with status 400, in the shape of the native API.
"""


def answer(found: tuple[int, str | None] | None) -> str:
    if found is None:
        return "–"
    status, name = found
    return f"{status} {code(name) if name else NO_CODE}"


def of_connectif(name: str) -> tuple[int, str | None] | None:
    return connectif.vocabulary.ANSWERS.get(name)


def of_voucherify(name: str) -> tuple[int, str | None] | None:
    found = voucherify.vocabulary.ANSWERS.get(name)
    return (found.status, found.key) if found else None


def of_cordial(name: str) -> tuple[int, str | None] | None:
    found = cordial.vocabulary.ANSWERS.get(name)
    return (found.status, found.key) if found else None


def of_native(name: str) -> tuple[int, str | None] | None:
    status = STATUSES.get(name)
    return (status, name) if status else None


SURFACES: Mapping[str, Answers] = {
    "Connectif": of_connectif,
    "Voucherify": of_voucherify,
    "Cordial": of_cordial,
    "Native": of_native,
}


def failures() -> str:
    rows = [(code(name), sentence(text), sentence(FAILURE_REMEDIES[name])) for name, text in FAILURES.items()]
    intro = """
An import fails as a whole when its file cannot be processed. Its `status` is then `error` and `failure.code` is one of these.
An import that is halted or was cancelled has such a code, too.
Rows that were written before stay, and `remaining` says how many were not. **Bad rows never fail an import**: it ends
`finished`, with `errors` above 0.
"""
    return page("Failures", intro, table(("Code", "Meaning", "What to do"), rows))


def brakes() -> str:
    rows = [
        (code(brake.name), brake.kind, sentence(f"The import is halted if {brake.about}")) for brake in BRAKES.values()
    ]
    intro = """
A brake says what an import may do at most. What would go beyond one is [halted](import.md#held-imports) instead: it waits until somebody
resumes it, and then it goes on without brakes, or cancels it. The failure's detail has both numbers: "`maxErrors` is 20, but 37 of 1,000
rows failed".

They are parts of `POST /imports`, members of `POST /connections/{id}/imports`, options of a [mapping](mappings.md#members), and options
of the command line: `sluice import --max-errors 20`.

**An account can have brakes of its own**: `PUT /account/defaults` with a key that has the scope `admin`, `sluice account set-defaults
--max-error-share 0.05`, or “Import defaults” on the dashboard. Every import that is accepted from then on, on whatever surface and by the clock, and every run of an item sync takes
over the limits that neither its request nor its mapping template sets. To be without one, set it as high as it goes. Without any nothing is
halted.
"""
    direct = """
An import writes batch after batch, each of at most 10,000 rows. **The batch that would go beyond a limit is not written any more**, and no
row after it: what is written stays within the limit. The detail says how far the import has come, and shows the first row that failed.
Resumed, it goes on with that batch. An import of one batch that goes too far writes nothing at all.

An import that [replaces its type](../guides/replace-everything.md) checks all rows before it writes any: its brakes count what the whole file
would do, and its report is whole. `maxRemoved` and `maxRemovedShare` are for these, and `maxRemovedShare` is 0.5 if it is not set.
"""
    return page("Brakes", intro, table(("Brake", "Value", "Meaning"), rows), direct)


def scopes() -> str:
    rows = [(code(name), sentence(text), "yes" if name in DEFAULT_SCOPES else "no") for name, text in SCOPES.items()]
    intro = """
A scope is what a key may do. `sluice key create --scope NAME` gives a key only the scopes that are named; the option may be
repeated. [Keys and access](../guides/keys.md) shows how keys are sent.
"""
    return page("Scopes", intro, table(("Scope", "Allows", "Given by default"), rows))


def states() -> str:
    rows = [(code(state), *words(state), moves(state)) for state in State]
    intro = """
An import is queued, then worked on, and ends in one of three ways. Each surface has its own words for that. A file with bad rows
ends `finished`; `failed` means that the file could not be processed (see [failures](failures.md)). What is `halted` or `planned` waits
until somebody resumes or cancels it (see [held imports](import.md#held-imports)).
"""
    head = ("State", "Connectif", "Voucherify", "Cordial", "Next")
    return page("States of an import", intro, table(head, rows))


def words(state: State) -> Iterable[str]:
    return (code(each.vocabulary.STATUSES[state]) for each in (connectif, voucherify, cordial))


def moves(state: State) -> str:
    after: Iterable[StrEnum] = sorted(NEXT[state])
    return ", ".join(code(each) for each in after) or "none: it has ended"


def metrics() -> str:
    own = Metrics()
    labels = dict(labels_by_name(own.registry))
    rows = []
    shared = gauges(())
    labels |= {name: (label,) for name, label in re.findall(r"^(\w+)\{(\w+)=", shared, re.MULTILINE)}
    for name, text, kind in helped(own.text().decode() + shared):
        if name.startswith("sluice_"):
            named = labels.get(name.removesuffix("_total"), ())
            rows.append((code(name), kind, ", ".join(code(each) for each in named), sentence(text)))
    intro = """
`GET /metrics` answers in Prometheus' text format and needs no key. An API process counts requests and shows the gauges, which
cover all machines. **Rows and batches are counted by the workers**, each on its own port: set
`SLUICE_WORKER_METRICS_PORT`. Besides these, every process shows the usual `process_…` figures.
"""
    return page("Metrics", intro, table(("Metric", "Kind", "Labels", "Meaning"), rows))


def labels_by_name(registry: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The labels of each metric that has some. The library has no public way to ask for them."""
    for each in registry._collector_to_names:
        if names := getattr(each, "_labelnames", ()):
            yield each.describe()[0].name, names


def helped(text: str) -> Iterable[tuple[str, str, str]]:
    """Name, help and kind of each metric in Prometheus' text format."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    for name, about in re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE):
        if not name.endswith("_created"):
            yield name, about, kinds[name]


def log_events() -> str:
    rows = [
        (code(event_name(each)), each.level, sentence(about(each)), ", ".join(code(name) for name in fields(each)))
        for each in all_events()
    ]
    intro = f"""
Every process logs to standard error. With `SLUICE_LOG_FORMAT=json`, and where no terminal reads it, an event is one JSON object
per line with `event`, `level`, `timestamp` and the fields below; on a terminal it is a line for people. **No cell of
a file and no secret is ever logged.** What a library logs is reduced to {code(event_name(process_events.LibraryLogged))} with its name, the
place and the kind of error ([why](../adr/0009-library-logs-lose-their-text.md)). Lines of requests have `request_id`, and where
[traces](../guides/traces.md) are made, `trace_id`.
"""
    return page("Log events", intro, table(("Event", "Level", "When", "Fields"), rows))


def all_events() -> list[type[events.Event]]:
    classes = dict(
        member
        for module in (events, export_events, feed_events, process_events, schedule_events, webhook_events)
        for member in inspect.getmembers(module, inspect.isclass)
    )
    return [each for _, each in sorted(classes.items()) if issubclass(each, events.Event) and each is not events.Event]


def event_name(event: type[events.Event]) -> str:
    return logs.event_name(event)


def about(event: type[events.Event]) -> str:
    """Its docstring; a dataclass without one has its signature there, which says nothing."""
    text = event.__doc__ or ""
    return "" if text.startswith(f"{event.__name__}(") else text


def fields(event: type[events.Event]) -> list[str]:
    return [each.name for each in dataclasses.fields(event)]
