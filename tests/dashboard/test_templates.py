"""Mapping templates as pages: listed, changed, renamed and removed, with the words of the API."""

import re
from typing import Any

from tests.dashboard.filled import fields_shown
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import next_path, words

COLUMNS: list[dict[str, Any]] = [
    {"column": "Art. no.", "field": "productId"},
    {"column": "Price", "field": "unitPrice", "decimalComma": True},
    {"column": "Blocked", "field": "isBlacklisted", "values": {"N": "false", "J": "true"}},
    {"column": "Internal <note>", "ignore": True},
]
TEMPLATE: dict[str, Any] = {
    "name": "Supplier <A>",
    "type": "products",
    "columns": COLUMNS,
    "constants": {"brand": "Acme"},
    "options": {"delimiter": ";"},
}


async def store(dashboard: Dashboard, **other: Any) -> dict[str, Any]:
    answer = await dashboard.client.post("/mappings", headers=dashboard.account.headers, json=TEMPLATE | other)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def read(dashboard: Dashboard, template: dict[str, Any]) -> dict[str, Any]:
    answer = await dashboard.client.get(f"/mappings/{template['id']}", headers=dashboard.account.headers)
    return dict(answer.json())


FORM = {
    "name": "Supplier B",
    "number": "1",
    "field-0": "productId",
    "field-1": "unitPrice",
    "decimalComma-1": "true",
    "field-2": "isBlacklisted",
    "values-2": "N = false\nJ = true",
    "field-3": "-",
    "go": "next",
}


async def test_templates_are_listed_with_what_uses_them(dashboard: Dashboard) -> None:
    assert "Make one from a file" in (await dashboard.get("/app/templates")).text
    template = await store(dashboard)
    page = await dashboard.get("/app/templates")
    assert "Supplier &lt;A&gt;" in page.text
    assert ">3<" in page.text  # mapped
    assert "never" in page.text
    viewer = await dashboard.as_role("viewer")
    assert "/app/templates/new" not in (await viewer.get("/app/templates")).text
    seen = (await viewer.get(f"/app/templates/{template['id']}")).text
    assert ("Save template" in seen, '<fieldset class="field" disabled>' in seen) == (False, True)
    assert ">Check</button>" not in seen
    assert ">Check</button>" in (await dashboard.get(f"/app/templates/{template['id']}")).text


async def test_a_template_is_changed_and_what_the_page_does_not_show_stays(dashboard: Dashboard) -> None:
    template = await store(dashboard)
    path = f"/app/templates/{template['id']}"
    page = await dashboard.get(path)
    for shown in (
        "Art. no.",
        "Internal &lt;note&gt;",
        "3 mapped, 1 ignored",
        "How it is read: decimal comma",
        "N = false",
        "Acme",
    ):
        assert shown in page.text, shown
    same = await dashboard.post(path, FORM | {"name": TEMPLATE["name"]})
    assert (same.status_code, same.headers["location"]) == (303, path)
    unchanged = await read(dashboard, template)
    assert {**unchanged, "updatedAt": ""} == {**template, "updatedAt": ""}
    changed = {"field-3": "description", "trim-3": "true", "decimalComma-1": ""}
    assert (await dashboard.post(path, FORM | changed)).status_code == 303
    stored = await read(dashboard, template)
    assert (stored["name"], stored["columns"][1], stored["columns"][3]) == (
        "Supplier B",
        {"column": "Price", "field": "unitPrice"},
        {"column": "Internal <note>", "field": "description", "trim": True},
    )
    assert "Template saved." in (await dashboard.get(path)).text


async def test_the_options_of_a_template_are_fields_and_saving_them_unchanged_changes_nothing(
    dashboard: Dashboard,
) -> None:
    said = {"delimiter": "semicolon", "encoding": "latin1", "undoable": False, "maxErrorShare": 0.05}
    template = await store(dashboard, options=said)
    path = f"/app/templates/{template['id']}"
    shown = fields_shown((await dashboard.get(path)).text, path) | {"go": "next"}
    assert (shown["delimiter"], shown["maxErrorShare"], shown["undoable"]) == (";", "5", "false")
    assert next_path(await dashboard.post(path, shown)) == path
    assert (await read(dashboard, template))["options"] == said
    more = {"maxErrorShare": "", "maxErrors": "1,000", "undoable": "true", "onError": "stop", "existing": "fill"}
    more |= {"replace": "", "ifSameFile": "refuse", "delimiter": ",", "seen": ""}
    assert next_path(await dashboard.post(path, shown | more))
    left = {name: value for name, value in said.items() if name != "maxErrorShare"}
    assert (await read(dashboard, template))["options"] == left | {
        "delimiter": ",",
        "maxErrors": 1_000,
        "undoable": True,
        "onError": "stop",
        "updateOnlyEmptyFields": True,
        "ifSameFile": "refuse",
    }
    wrong = await dashboard.post(path, shown | {"maxErrors": "many", "seen": ""})
    assert (wrong.status_code, 'id="maxErrors-error"' in wrong.text) == (422, True)
    seen = words(await (await dashboard.as_role("viewer")).get(path))
    assert "When a row fails Stop there" in seen
    assert "Maximum failed rows 1000" in seen


async def test_a_page_of_a_template_that_was_changed_meanwhile_changes_nothing(dashboard: Dashboard) -> None:
    template = await store(dashboard)
    path = f"/app/templates/{template['id']}"
    [seen] = re.findall(r'name="seen" value="(\w+)"', (await dashboard.get(path)).text)
    assert (await dashboard.post(path, FORM | {"seen": seen, "field-3": "description"})).status_code == 303
    stored = await read(dashboard, template)
    late = await dashboard.post(path, FORM | {"seen": seen, "name": "Late"})
    assert (late.status_code, "This is what it says now" in late.text) == (422, True)
    assert await read(dashboard, template) == stored


async def test_a_template_that_knows_columns_by_their_numbers_keeps_them(dashboard: Dashboard) -> None:
    columns = [{"position": 0, "field": "productId"}, {"position": 2, "field": "name", "trim": True}]
    template = await store(dashboard, columns=columns, hasHeader=False)
    path = f"/app/templates/{template['id']}"
    page = await dashboard.get(path)
    assert "Column 3" in page.text
    form = {"name": "By number", "field-0": "productId", "field-2": "name", "trim-2": "true", "go": "next"}
    assert (await dashboard.post(path, form)).status_code == 303
    assert {**await read(dashboard, template), "name": "", "updatedAt": ""} == {**template, "name": "", "updatedAt": ""}


async def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_stored(dashboard: Dashboard) -> None:
    template = await store(dashboard)
    await store(dashboard, name="Taken")
    path = f"/app/templates/{template['id']}"
    mistakes = {
        "becomes the same field": {"field-3": "unitPrice"},
        "Columns <code>Price</code> and <code>Internal &lt;note&gt;</code> become <code>unitPrice</code> alike": {
            "field-3": "unitPrice"
        },
        "There is already a mapping template named &#34;Taken&#34;": {"name": "Taken"},
        "“Name” must be 1 to 200 characters long": {"name": ""},
        "<code>values</code> of column <code>Blocked</code> must be an object": {"values-2": "N"},
        "cannot become": {"field-3": "nothing"},
    }
    for told, wrong in mistakes.items():
        answer = await dashboard.post(path, FORM | wrong)
        assert (answer.status_code, told in answer.text) == (422, True), told
        assert "There is a problem" in answer.text
    assert (await read(dashboard, template))["name"] == TEMPLATE["name"]
    kept = await dashboard.post(path, FORM | {"go": "check", "field-3": "description"})
    assert (kept.status_code, (await read(dashboard, template))["columns"]) == (200, COLUMNS)
    viewer = await dashboard.as_role("viewer")
    assert (await viewer.post(path, FORM)).status_code == 403
    assert (await dashboard.get("/app/templates/map_0")).status_code == 404


async def test_removing_a_template_says_first_what_uses_it(dashboard: Dashboard) -> None:
    template = await store(dashboard)
    request = {"type": "products", "mappingId": template["id"]}
    body = {"name": "By night", "kind": "export", "request": request, "cron": "0 2 * * *"}
    made = await dashboard.client.post("/schedules", headers=dashboard.account.headers, json=body)
    assert made.status_code == 201
    path = f"/app/templates/{template['id']}/delete"
    page = await dashboard.get(path)
    assert "1 feed or schedule uses it" in page.text
    assert "By night" in page.text
    gone = await dashboard.post(path)
    assert (gone.status_code, gone.headers["location"]) == (303, "/app/templates")
    assert (await dashboard.get(path)).status_code == 404
