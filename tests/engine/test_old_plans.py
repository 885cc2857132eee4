"""Imports that release 0.1 accepted: their plans and options are stored in its words, and they are worked off all the
same."""

import json

from app.imports.plan import Options, PendingPlan, ReadOptions, options_to_json, pending_plan_to_json
from app.mappings.mapping import Mapping
from app.runs.model import Run
from tests.engine.conftest import ImportEngine

# As release 0.1 stores them.
OPTIONS = {
    "override_existing": True,
    "only_empty": False,
    "blank_cells": "keep",
    "null_marker": None,
    "duplicates": "last",
    "unknown_columns": None,
    "constants": {},
    "anonymous": False,
    "ledger": False,
}
CONTACTS = {
    "dialect": {"format": "csv", "delimiter": ";", "encoding": "utf-8", "columns": [], "has_header": True},
    "header": ["_email", "_NAME"],
    "columns": [
        {"heading": "_email", "field": "_email", "index": 0, "known": True},
        {"heading": "_NAME", "field": "_name", "index": 1, "known": True},
    ],
    "declaration": None,
}
CUSTOMERS = {
    "dialect": {"format": "jsonl", "delimiter": ",", "encoding": "utf-8", "columns": [], "has_header": True},
    "header": [],
    "columns": [
        {"heading": "source_id", "field": "source_id", "index": 0, "known": True},
        {"heading": "name", "field": "name", "index": 1, "known": True},
    ],
    "declaration": None,
}


async def test_a_csv_file_that_waits_is_imported(engine: ImportEngine) -> None:
    run = await engine.submit("_email;_NAME\nana@example.com;Ana\n", delimiter=";")
    ended = await engine.finish(await as_accepted_by_0_1(engine, run, CONTACTS, OPTIONS))
    assert (ended.state, ended.created) == ("finished", 1)
    assert await engine.record("ana@example.com") == {"_email": "ana@example.com", "_name": "Ana"}


async def test_what_all_rows_get_comes_from_the_old_options(engine: ImportEngine) -> None:
    run = await engine.submit('{"source_id": "c1", "name": "Ana"}\n', "customers", format="jsonl")
    options = OPTIONS | {"blank_cells": "clear", "ledger": True, "constants": {"metadata.season": '"spring"'}}
    ended = await engine.finish(await as_accepted_by_0_1(engine, run, CUSTOMERS, options))
    assert (ended.state, ended.created) == ("finished", 1)
    (key,) = await engine.keys("customers")
    assert await engine.record(key, "customers") == {"source_id": "c1", "name": "Ana", "metadata.season": "spring"}


async def as_accepted_by_0_1(engine: ImportEngine, run: Run, plan: object, options: object) -> Run:
    await engine.sql(
        "UPDATE runs SET plan = CAST(:plan AS jsonb), options = CAST(:options AS jsonb), step = NULL WHERE id = :id",
        id=run.id,
        plan=json.dumps(plan),
        options=json.dumps(options),
    )
    return await engine.get(run)


def test_a_worker_of_0_1_finds_what_this_release_accepts_in_its_own_words() -> None:
    mapping = Mapping(matching="caseless", has_header=False, header=("_email",), constants={"_name": '"Ana"'})
    options = options_to_json(Options(), mapping)
    assert {name: options[name] for name in OPTIONS} == OPTIONS | {"constants": {"_name": '"Ana"'}}
    assert pending_plan_to_json(PendingPlan(ReadOptions("csv", ",", "utf-16"), mapping))["wish"] == {
        "format": "csv",
        "delimiter": ",",
        "encoding": "utf-16",
        "caseless": True,
        "headings": None,
        "columns": ("_email",),
        "has_header": False,
    }
