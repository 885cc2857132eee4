"""An import from its first look to its undoing, with the Python client made from /openapi.json; prints JSON.

Run with the generated package `sluice_client` on the path, the service in BASE_URL and the key in API_KEY.
"""

import json
import os
import time
from io import BytesIO
from typing import TypeVar

from sluice_client import AuthenticatedClient
from sluice_client.api.imports import (
    commit_import,
    correct_import,
    create_import,
    create_import_from_file,
    download_results,
    get_import,
    list_changes,
    list_failed_values,
)
from sluice_client.api.mappings import suggest_mapping
from sluice_client.api.records import list_records
from sluice_client.api.runs import get_run, undo_import
from sluice_client.models import (
    Correction,
    Corrections,
    Import,
    ImportForm,
    ImportFormDryRun,
    ImportFormOverrideExisting,
    ImportFormUpdateOnlyEmptyFields,
    RunItem,
    SuggestForm,
)
from sluice_client.types import File

NAMES = ("Ana", "Bob", "Cid", "Dan", "Eve", "Fay", "Gus", "Hal")
POINTS = (1, "zwei", "zwei", 4, 5, 6, 7, 8)
ROWS = "".join(f"{name.lower()}@example.com;{name};{points}\n" for name, points in zip(NAMES, POINTS, strict=True))
FILE = f"E-Mail;Vorname;Points\n{ROWS}"
BEFORE = "_email,_name,_points\nana@example.com,Anna,7\n"
Found = TypeVar("Found")


def expect(kind: type[Found], found: object) -> Found:
    assert isinstance(found, kind), found
    return found


class Story:
    """What the programs of people do, one step after the other."""

    def __init__(self) -> None:
        self.client = AuthenticatedClient(
            base_url=os.environ["BASE_URL"], token=os.environ["API_KEY"], raise_on_unexpected_status=True
        )

    def follow(self, found: object) -> Import:
        """Until it has ended, or waits for somebody to decide."""
        run = expect(Import, found)
        while not (run.done or run.held):
            time.sleep(0.1)
            run = expect(Import, get_import.sync(run.id, client=self.client))
        return run

    def suggest(self) -> str:
        """The mapping that the service suggests, as JSON."""
        form = SuggestForm(type_="contacts", file=file_of(FILE))
        suggested = suggest_mapping.sync(client=self.client, body=form)
        return json.dumps(suggested.mapping.to_dict())

    def plan(self, mapping: str) -> Import:
        form = ImportForm(
            type_="contacts",
            file=file_of(FILE),
            mapping=mapping,
            override_existing=ImportFormOverrideExisting.TRUE,
            update_only_empty_fields=ImportFormUpdateOnlyEmptyFields.FALSE,
            dry_run=ImportFormDryRun.TRUE,
        )
        once = [create_import.sync(client=self.client, body=form, idempotency_key="plan") for _ in range(2)]
        assert once[0].id == once[1].id
        return self.follow(once[0])

    def correct(self, import_id: str) -> Import:
        bad = list_failed_values.sync(import_id, client=self.client)
        worst = bad.results[0]
        wanted = Correction(column=worst.column, code=worst.code, from_=worst.value, to="2")
        return self.follow(correct_import.sync(import_id, client=self.client, body=Corrections([wanted])))

    def undo(self, import_id: str) -> RunItem:
        run = expect(RunItem, undo_import.sync(import_id, client=self.client))
        while not run.done:
            time.sleep(0.1)
            run = expect(RunItem, get_run.sync(run.id, client=self.client))
        return run

    def points(self) -> dict[str, object]:
        found = list_records.sync("contacts", client=self.client)
        return {each.key: each.data.additional_properties.get("_points") for each in found.results}


def file_of(text: str) -> File:
    return File(payload=BytesIO(text.encode()), file_name="kunden.csv", mime_type="text/csv")


def main() -> None:
    story = Story()
    client = story.client
    story.follow(create_import_from_file.sync(client=client, type_="contacts", body=file_of(BEFORE)))
    before = story.points()
    planned = story.plan(story.suggest())
    changes = list_changes.sync(planned.id, client=client)
    during = story.points()
    committed = story.follow(commit_import.sync(planned.id, client=client))
    results = download_results.sync(committed.id, client=client)
    corrected = story.correct(committed.id)
    after = story.points()
    undone = [story.undo(each).to_dict() for each in (corrected.id, committed.id)]
    told = {
        "planned": planned.to_dict(),
        "changes": [each.to_dict() for each in changes.results],
        "committed": committed.to_dict(),
        "results": results,
        "corrected": corrected.to_dict(),
        "undone": undone,
        "points": [before, during, after, story.points()],
    }
    print(json.dumps(told))


main()
