"""The commands for what a service holds, each once as it works and once as it is refused, on a running service."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.importing.options import PARTS
from app.cli.managing import connection_options
from app.connections import declaration
from app.surfaces.connectif.wire.request import FORM
from tests.cli.conftest import Sluice
from tests.cli.scripted import Said, Service, playing
from tests.support.live import SOURCE_HOST

PEOPLE = "_email,_name,_points\nana@example.com,Ana,12\nbob@example,Bob,3\nchloe@example.org,Chloé,x\n"


@pytest.fixture
def people(sluice: Sluice) -> str:
    """The id of an import of which one row went in and two failed."""
    done = sluice("import", "-", "--file-name", "people.csv", "--name", "Team", "--json", sent=PEOPLE)
    assert done.exit_code == 1, done.stderr
    return str(json.loads(done.stdout)["id"])


def test_imports_are_listed_with_their_counts(sluice: Sluice, people: str) -> None:
    done = sluice("imports", "list")

    header, row = (line.split() for line in done.stdout.splitlines())
    assert header == ["ID", "TYPE", "STATUS", "ROWS", "FAILED", "CREATED", "NAME", "FILE"]
    assert row[:5] == [people, "contacts", "finished", "3", "2"]
    assert row[-2:] == ["Team", "people.csv"]
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_list_is_filtered_and_told_to_go_on(sluice: Sluice, people: str) -> None:
    assert sluice("import", "-", sent="_email\nx@example.com\n").exit_code == 0

    assert people not in sluice("imports", "list", "--status", "queued").stdout
    assert people not in sluice("imports", "list", "--type", "products").stdout
    one = sluice("imports", "list", "--limit", "1")
    assert (len(one.stdout.splitlines()), one.stderr) == (2, "There are more. Show them with a higher --limit\n")


def test_json_is_what_the_service_answered(sluice: Sluice, people: str) -> None:
    (listed,) = json.loads(sluice("imports", "list", "--json").stdout)["results"]

    assert listed == json.loads(sluice("imports", "show", people, "--json").stdout)
    assert listed["id"] == people


def test_what_is_wrong_with_a_list_is_told(sluice: Sluice) -> None:
    done = sluice("imports", "list", "--status", "done")

    assert done.exit_code == 1
    assert done.stderr.startswith("sluice: `status` must be one of")
    assert done.stderr.count("\n") == 1


def test_an_import_is_shown_with_its_facts_and_its_problems(sluice: Sluice, people: str) -> None:
    shown = sluice("imports", "show", people).stdout

    assert "Name        Team\nFile        people.csv\n" in shown
    assert 'Read as     format: csv; delimiter: ","; encoding: utf-8\n' in shown
    assert "overrideExisting: yes; " in shown
    assert f"Import {people} of contacts: finished\n" in shown
    assert "The value is not a whole number" in shown
    assert f"  sluice imports failed-rows {people}\n" in shown


def test_all_work_of_the_account_is_in_one_list(sluice: Sluice, people: str) -> None:
    listed = sluice("runs", "list", "--name", "Team", "--kind", "import").stdout.splitlines()
    assert listed[0].split() == ["ID", "KIND", "TYPE", "STATUS", "ROWS", "FAILED", "CREATED", "NAME"]
    assert [line.split()[:6] for line in listed[1:]] == [[people, "import", "contacts", "finished", "3", "2"]]
    assert len(sluice("runs", "list", "--parent", people).stdout.splitlines()) == 1
    assert sluice("runs", "list", "--status", "done").stderr.startswith("sluice: `status` must be")

    shown = sluice("runs", "show", people).stdout
    assert "Name        Team\nKind        import\n" in shown
    assert "Outcome     partial\nRows        total: 3; created: 1; " in shown
    (item,) = json.loads(sluice("runs", "list", "--name", "Team", "--json").stdout)["results"]
    assert json.loads(sluice("runs", "show", people, "--json").stdout) == item


@pytest.mark.parametrize("command", ["show", "watch", "problems", "failed-rows", "delete"])
def test_an_import_that_is_not_there_is_told_in_one_line(sluice: Sluice, command: str) -> None:
    done = sluice("imports", command, "0" * 24)

    assert done.exit_code == (2 if command == "watch" else 1)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert done.stderr.startswith("sluice: ")


def test_an_import_is_watched_to_its_end(sluice: Sluice, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    accepted = sluice("import", str(file), "--no-wait")
    run_id = accepted.stdout.split()[1]

    done = sluice("imports", "watch", run_id)

    assert done.exit_code == 1
    assert f"Import {run_id} of contacts: finished" in done.stdout
    assert "Importing: 3 of 3 rows" in done.stderr


def test_problems_are_listed_in_the_order_of_the_file(sluice: Sluice, people: str) -> None:
    lines = sluice("imports", "problems", people).stdout.splitlines()

    assert [line.split()[:3] for line in lines[1:]] == [["3", "_email", "type_error"], ["4", "_points", "type_error"]]
    first = sluice("imports", "problems", people, "--limit", "1")
    assert len(first.stdout.splitlines()) == 2
    assert "There are more" in first.stderr
    of_run = sluice("runs", "problems", people).stdout.splitlines()
    assert [line.split()[:3] for line in of_run[1:]] == [["3", "_email", "type_error"], ["4", "_points", "type_error"]]


def test_failed_rows_are_downloaded_whole(sluice: Sluice, people: str, tmp_path: Path) -> None:
    printed = sluice("imports", "failed-rows", people).stdout_bytes
    rows = list(csv.DictReader(io.StringIO(printed.decode("utf-8-sig"))))
    assert [row["_email"] for row in rows] == ["bob@example", "chloe@example.org"]

    saved = tmp_path / "failed.csv"
    assert sluice("imports", "failed-rows", people, "-o", str(saved)).exit_code == 0
    assert saved.read_bytes() == printed

    nowhere = sluice("imports", "failed-rows", people, "-o", str(tmp_path / "none" / "failed.csv"))
    assert nowhere.exit_code == 2
    assert "failed.csv cannot be written: No such file" in nowhere.stderr


def test_a_download_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    saved = tmp_path / "failed.csv"
    broken = Said(200, b"_email\nana", {"Content-Length": "100", "Connection": "close"})
    with playing(Service([], [broken])) as service:
        environment = {"SLUICE_URL": service.url, "SLUICE_KEY": "a:b"}
        done = CliRunner().invoke(cli, ["imports", "failed-rows", "1", "-o", str(saved)], env=environment)

    assert done.exit_code == 2
    assert done.stderr.startswith(f"sluice: The service at {service.url} did not answer: ")
    assert list(tmp_path.iterdir()) == []


def test_an_import_is_deleted(sluice: Sluice, people: str) -> None:
    assert sluice("imports", "delete", people).stdout == f"Import {people} is deleted\n"
    assert sluice("imports", "show", people).exit_code == 1


def test_records_are_listed_and_shown(sluice: Sluice, people: str) -> None:
    header, row = sluice("records", "list", "contacts").stdout.splitlines()
    assert header.split() == ["KEY", "UPDATED", "IMPORT", "DATA"]
    assert row.startswith("ana@example.com")
    assert people in row

    shown = sluice("records", "show", "contacts", "ANA@example.com")
    assert "_name    Ana\n_email   ana@example.com\n_points  12\n" in shown.stdout
    assert sluice("records", "show", "contacts", "nobody@example.com").exit_code == 1
    assert sluice("records", "list", "nothing").exit_code == 1


def test_a_number_keeps_its_digits_and_a_key_may_have_any_character(sluice: Sluice, tmp_path: Path) -> None:
    fields = [{"id": "sku", "type": "text"}, {"id": "price", "type": "decimal"}]
    declared = sluice("types", "put", "shoes", "-", sent=json.dumps({"key": "sku", "fields": fields}))
    assert declared.exit_code == 0, declared.stderr
    keys = ["a/b", "..", "ü &%?#", "."]
    rows = "".join(f'"{each}",1.10\n' for each in keys)
    assert sluice("import", "-", "--type", "shoes", sent=f"sku,price\n{rows}").exit_code == 0

    for each in keys:
        assert '"price": 1.10' in sluice("records", "show", "shoes", each, "--json").stdout
        assert "price  1.10\n" in sluice("records", "show", "shoes", each).stdout
    assert '"price": 1.10}' in sluice("records", "list", "shoes").stdout

    put = sluice("records", "put", "shoes", "a/b", "-", "--json", sent='{"price": 2.50}')
    assert '"price": 2.50' in put.stdout
    patched = sluice("records", "patch", "shoes", "a/b", "-", sent='{"colour": "red", "price": 3.0}')
    assert "price  3.0\n" in patched.stdout
    refused = sluice("records", "patch", "shoes", "a/b", "-", sent='{"price": "much"}')
    assert (refused.exit_code, "`price`" in refused.stderr) == (1, True)
    assert "JSON object" in sluice("records", "put", "shoes", "a/b", "-", sent="[1]").stderr
    assert sluice("records", "delete", "shoes", "a/b").stdout == "Record a/b is deleted\n"
    assert sluice("records", "delete", "shoes", "a/b").exit_code == 1
    gone = sluice("import", "-", "--type", "shoes", "--mode", "delete", sent="sku\n..\na/b\n")
    assert (gone.exit_code, gone.stdout.split()[-7:]) == (0, ["2", "0", "1", "1", "0", "0", "1"])


def test_types_are_listed_shown_declared_and_sampled(sluice: Sluice, tmp_path: Path) -> None:
    declaration = tmp_path / "shoes.json"
    price = {"id": "price", "type": "decimal", "min": 0}
    fields = [{"id": "sku", "type": "text", "label": "Article", "maxLength": 9}, price]
    declaration.write_text(json.dumps({"key": "sku", "fields": fields}))
    declared = sluice("types", "put", "shoes", str(declaration))

    assert "sku    Article  text     yes       maxLength: 9\n" in declared.stdout
    assert "price           decimal            min: 0\n" in declared.stdout
    shown = sluice("types", "show", "contacts").stdout
    assert "options: active, bounced, " in shown
    assert re.search(r"^_mobilePhone +Mobile phone +phone$", shown, re.MULTILINE)
    assert sluice("types", "show", "shoes").stdout == declared.stdout
    assert "shoes" in sluice("types", "list").stdout
    assert sluice("types", "sample", "shoes").stdout.startswith("sku,price\n")
    assert sluice("types", "delete", "shoes").stdout == "Record type shoes is deleted\n"
    assert "built-in type" in sluice("types", "delete", "contacts").stderr


def test_what_is_wrong_with_a_type_is_told(sluice: Sluice, tmp_path: Path) -> None:
    refused = sluice("types", "put", "shoes", "-", sent='{"key": "sku", "fields": []}')
    not_json = sluice("types", "put", "shoes", "-", sent="[1]")
    missing = sluice("types", "put", "shoes", str(tmp_path / "none.json"))

    assert [each.exit_code for each in (refused, not_json, missing)] == [1, 2, 2]
    assert "must hold a JSON object" in not_json.stderr
    assert "none.json cannot be read: No such file" in missing.stderr
    assert sluice("types", "show", "nothing").exit_code == 1


def test_coupon_sets_are_put_shown_and_filled(sluice: Sluice) -> None:
    made = sluice("coupon-sets", "put", "spring", "--name", "Spring sale")
    assert "Name     Spring sale\nCoupons  0\n" in made.stdout
    assert sluice("import", "-", "--type", "coupons", "--coupon-set", "spring", sent="code\nA\nB\n").exit_code == 0
    assert "Coupons  2\n" in sluice("coupon-sets", "show", "spring").stdout

    missing = sluice("coupon-sets", "show", "none")
    assert (missing.exit_code, missing.stderr) == (1, "sluice: There is no coupon set with this id\n")


def test_a_connection_is_stored_shown_changed_and_deleted(sluice: Sluice) -> None:
    options = ("--transport", "ftp", "--host", "ftp.example.com", "--port", "2121", "--user", "shop", "--root", "/in")
    made = sluice("connections", "create", "shop", *options, SLUICE_CONNECTION_PASSWORD="p4ss")
    assert made.exit_code == 0, made.stderr
    changed = sluice("connections", "put", "shop", "--root", "/out", "--name", "store")
    assert changed.exit_code == 0, changed.stderr

    shown = sluice("connections", "show", "store").stdout
    assert "p4ss" not in made.stdout + shown
    for fact in ("host       ftp.example.com", "root       /out", "secrets    password"):
        assert f"{fact}\n" in shown
    assert "ftp.example.com:2121" in sluice("connections", "list").stdout
    assert sluice("connections", "delete", "store").stdout == "Connection store is deleted\n"

    gone = sluice("connections", "show", "store")
    assert (gone.exit_code, gone.stderr) == (1, 'sluice: There is no connection with the name or id "store"\n')


def test_a_connection_comes_from_a_file_and_a_key_from_another(sluice: Sluice, tmp_path: Path) -> None:
    file, private_key = tmp_path / "shop.json", tmp_path / "id"
    file.write_text('{"transport": "sftp", "host": "sftp.example.com", "hostKey": "trust-on-first-use", "root": "/a"}')
    private_key.write_text("-----BEGIN PRIVATE KEY-----\nMC4CAQA\n-----END PRIVATE KEY-----\n")

    made = sluice("connections", "create", "shop", "--file", str(file), "--private-key", str(private_key), "--json")
    assert made.exit_code == 0, made.stderr
    stored = json.loads(made.stdout)
    assert (stored["root"], stored["secrets"]) == ("/a", ["privateKey"])

    file.write_text('{"transport": "sftp", "host": "sftp.example.com", "hostKey": "trust-on-first-use"}')
    put = sluice("connections", "put", "shop", "--file", str(file), "--json")
    assert put.exit_code == 0, put.stderr
    replaced = json.loads(put.stdout)
    assert (replaced["name"], replaced["secrets"], "root" in replaced) == ("shop", ["privateKey"], False)


def test_what_is_wrong_with_a_connection_is_told(sluice: Sluice) -> None:
    done = sluice("connections", "create", "shop", "--transport", "ftp")

    assert (done.exit_code, done.stderr) == (1, "sluice: `host` is required\n")
    no_key = sluice("connections", "create", "shop", "--private-key", "/none")
    assert (no_key.exit_code, no_key.stderr.count("\n")) == (2, 1)
    assert "The private key /none cannot be read: No such file" in no_key.stderr


@pytest.fixture
def web() -> Iterator[Service]:
    """A web server with one file."""
    file = Said(200, PEOPLE.encode(), {"Content-Type": "text/csv", "ETag": '"1"'})
    with playing(Service([], [file]), SOURCE_HOST) as service:
        yield service


@pytest.fixture
def shop(sluice: Sluice, web: Service) -> str:
    """The name of a connection to the web server."""
    host, port = web.url.removeprefix("http://").split(":")
    made = sluice("connections", "create", "shop", "--transport", "http", "--host", host, "--port", port)
    assert made.exit_code == 0, made.stderr
    return "shop"


def test_a_connection_is_tested(sluice: Sluice, shop: str) -> None:
    tested = sluice("connections", "test-import", shop, "/people.csv")
    assert tested.exit_code == 0, tested.stdout + tested.stderr
    assert [line.split()[:2] for line in tested.stdout.splitlines()][:2] == [["STEP", "OK"], ["connect", "yes"]]

    refused = sluice("connections", "test-export", shop)
    assert refused.exit_code == 1
    assert sluice("connections", "test-import", "none", "/people.csv").exit_code == 1
    told = sluice("connections", "show", shop).stdout
    (tests,) = [line for line in told.splitlines() if line.startswith("lastTests")]
    assert "import ok 20" in tests, tests
    assert "export failed at write 20" in tests, tests


def test_an_import_comes_from_a_connection(sluice: Sluice, shop: str) -> None:
    started = sluice("connections", "import", shop, "/people.csv", "--delimiter", "comma", "--name", "Staff")
    assert started.exit_code == 0, started.stderr
    run_id = started.stdout.splitlines()[1].split()[0]
    assert sluice("imports", "watch", run_id).exit_code == 1
    assert "Name        Staff\n" in sluice("imports", "show", run_id).stdout

    refused = sluice("connections", "import", shop, "/people.csv", "--duplicates", "all")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("sluice: `duplicates` must be")


def test_an_import_is_run_again(sluice: Sluice, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "again.csv"
    file.write_text(PEOPLE)
    first = json.loads(sluice("import", str(file), "--name", "Team", "--no-wait", "--json").stdout)
    again = sluice("rerun", first["id"], str(file), "--json")
    run = json.loads(again.stdout)
    assert (again.exit_code, run["parentId"], run["name"], run["unchanged"]) == (1, first["id"], "Team", 1)
    streamed = sluice("rerun", first["id"], "-", "--name", "Other", "--json", sent=PEOPLE)
    assert (streamed.exit_code, json.loads(streamed.stdout)["name"]) == (1, "Other")

    lacking = sluice("rerun", first["id"])
    assert lacking.exit_code == 2
    hint = f"sluice: This import was sent a file, so name it as it is now: sluice rerun {first['id']} FILE\n"
    assert lacking.stderr.endswith(hint)
    export = sluice("export", "contacts", "--no-wait").stdout.split()[1]
    mistaken = sluice("rerun", export)
    assert (mistaken.exit_code, mistaken.stderr) == (
        2,
        f"sluice: {export} is an export. Run it again with: sluice exports rerun {export}\n",
    )
    file.write_text("_email,name\nana@example.com,Ana\n")
    other = sluice("rerun", first["id"], str(file)).stderr
    assert other.splitlines()[-1].startswith(
        "sluice: The file lacks `_name`, `_points`, which the earlier file had, and"
    )

    fetched = json.loads(sluice("import", "/people.csv", "--connection", shop, "--json").stdout)
    again = sluice("rerun", fetched["id"], "--json")
    assert (again.exit_code, json.loads(again.stdout)["source"]) == (1, fetched["source"])


def test_failed_rows_are_retried(sluice: Sluice, tmp_path: Path) -> None:
    file = tmp_path / "again.csv"
    file.write_text("_email,_name\nretry-1@example.com,A\nnobody,B\n")
    first = json.loads(sluice("import", str(file), "--no-wait", "--json").stdout)["id"]
    sluice("imports", "watch", first)
    rows = sluice("results", first, "--outcome", "failed", "--outcome", "created").stdout
    assert [line.split(",")[3] for line in rows.splitlines()] == ["_outcome", "created", "failed"]
    again = sluice("retry", first)
    assert (again.exit_code, "nobody" in sluice("results", first, "--format", "jsonl").stdout) == (1, True)
    rejected = tmp_path / "failed.csv"
    sluice("imports", "failed-rows", first, "--output", str(rejected))
    rejected.write_text(rejected.read_text().replace("nobody", "retry-2@example.com"))
    run = json.loads(sluice("retry", first, str(rejected), "--name", "Rest", "--json").stdout)
    assert (run["name"], run["relation"], run["created"]) == ("Rest", "retry", 1)
    assert "In by now   2 of 2 rows, with 3 imports\n" in sluice("imports", "show", first).stdout
    assert sluice("retry", run["id"]).exit_code == 2


def test_a_file_is_imported_from_elsewhere(sluice: Sluice, shop: str, web: Service, tmp_path: Path) -> None:
    source = tmp_path / "source.json"
    source.write_text(json.dumps({"transport": "http", "url": f"{web.url}/people.csv"}))

    for arguments in (["/people.csv", "--connection", shop], [f"{web.url}/people.csv"], ["--source", str(source)]):
        done = sluice("import", *arguments, "--json")
        assert done.exit_code == 1, done.stderr
        assert json.loads(done.stdout)["source"]["transport"] == "http"

    assert sluice("import", "/people.csv", "--connection", "none").exit_code == 2


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(sluice: Sluice, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"_email\n" + b"x" * 2_000_000)

    done = sluice("import", str(large))

    assert done.exit_code == 2
    assert done.stderr.startswith(
        "sluice: The file large.csv has 2,000,007 bytes, and this service accepts at most 2,000,000"
    )
    streamed = sluice("import", "-", sent=large.read_text())
    assert streamed.exit_code == 2
    assert streamed.stderr.splitlines()[-1] == "sluice: The file is larger than 2,000,000 bytes"


def test_an_option_of_the_service_is_one_of_the_command_line() -> None:
    """The service's own tables, which clients do not load."""
    where_the_file_is = {"file", "source", "connectionId", "path"}
    which_mapping = {"mapping", "mappingId"}
    assert set(PARTS.values()) == FORM["properties"].keys() - where_the_file_is - which_mapping
    assert set(connection_options.SETTINGS.values()) == {"transport", *declaration.SETTINGS}
    assert set(connection_options.SECRETS.values()) == declaration.SECRETS.keys()


def test_the_options_of_an_import_arrive(sluice: Sluice) -> None:
    options = (
        *("--encoding", "iso-8859-1", "--blank-cells", "clear", "--null-marker", "NULL", "--duplicates", "first"),
        *("--unknown-columns", "error", "--format", "csv", "--delimiter", "semicolon", "--only-empty"),
        *("--max-errors", "9", "--max-error-share", "0.25", "--min-rows", "1"),
    )
    done = sluice("import", "-", "--json", *options, sent="_email;_name\nana@example.com;NULL\n")

    assert done.exit_code == 0, done.stderr
    answered = json.loads(done.stdout)
    assert answered["dialect"] == {"format": "csv", "delimiter": ";", "encoding": "iso-8859-1"}
    assert answered["options"] == {
        "delimiter": ";",
        "overrideExisting": True,
        "updateOnlyEmptyFields": True,
        "blankCells": "clear",
        "duplicates": "first",
        "nullMarker": "NULL",
        "unknownColumns": "error",
        "maxErrors": 9,
        "maxErrorShare": 0.25,
        "minRows": 1,
    }


def test_a_halted_import_tells_why_and_is_resumed(sluice: Sluice) -> None:
    halted = sluice("import", "-", "--max-created", "0", sent="_email,_name\nana@example.com,Ana\n")
    assert halted.exit_code == 2
    head, why, *rest = halted.stdout.splitlines()
    run = head.split()[1]
    assert head == f"Import {run} of contacts: halted"
    assert "halted" in sluice("imports", "list").stdout.splitlines()[1].split()
    assert why.startswith("The import is halted (brake): `maxCreated` is 0, but 1 would be created")
    assert rest[-2].strip().startswith(f"sluice runs resume {run}")
    assert sluice("runs", "show", run).stdout.splitlines()[-2:] == rest[-2:]
    stale = sluice("runs", "resume", run, "--plan", "99")
    assert (stale.exit_code, "and not with plan 99" in stale.stderr) == (1, True)
    resumed = sluice(*rest[-2].split()[1:])
    assert (resumed.exit_code, resumed.stdout) == (0, f"Import {run} is queued\n")
    assert sluice("imports", "watch", run).exit_code == 0
    refused = sluice("runs", "cancel", run)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)


def test_a_dry_run_is_looked_at_and_committed(sluice: Sluice, tmp_path: Path) -> None:
    sent = "_email,_name,_points\ndry@example.com,Dry,1\nnobody,Bob,2\n"
    planned = sluice("import", "-", "--dry-run", sent=sent)
    run = planned.stdout.split()[1]
    assert (planned.exit_code, planned.stdout.splitlines()[0]) == (1, f"Import {run} of contacts: planned")
    commit = next(line.strip() for line in planned.stdout.splitlines() if line.strip().startswith("sluice commit"))
    listed = sluice("imports", "changes", run, "--outcome", "created").stdout.splitlines()
    assert listed[1].split()[:3] == ["dry@example.com", "created", "1"]
    assert '_name: → "Dry"' in listed[1]
    sluice("imports", "changes", run, "-o", str(tmp_path / "changes.jsonl"))
    assert json.loads((tmp_path / "changes.jsonl").read_text())["key"] == "dry@example.com"
    written = sluice(*commit.split()[1:])
    assert (written.exit_code, written.stdout.splitlines()[0]) == (1, f"Import {run} of contacts: finished")
    assert sluice("records", "show", "contacts", "dry@example.com").exit_code == 0
    all_or_nothing = sluice("import", "-", "--on-error", "rollback", sent=sent)
    assert (all_or_nothing.exit_code, "(rolled_back): 1 of 2 rows failed" in all_or_nothing.stdout) == (2, True)


def test_an_import_is_cancelled_and_says_what_it_has_written(sluice: Sluice) -> None:
    halted = sluice("import", "-", "--max-created", "0", sent="_email,_name\nana@example.com,Ana\n")
    run = halted.stdout.split()[1]
    cancelled = sluice("cancel", run, "--undo")
    told = "The import was cancelled. Nothing was written; 1 row was not looked at"
    assert (cancelled.exit_code, cancelled.stdout) == (0, f"Import {run} is cancelled\n{told}\n")
    assert sluice("cancel", run).stdout == cancelled.stdout


def test_an_import_is_undone_and_the_history_of_its_records_tells_it(sluice: Sluice) -> None:
    name = "undone@example.com"
    imported = sluice("import", "-", sent=f"_email,_name\n{name},Uma\n")
    run = imported.stdout.split()[1]
    told = "remove 1, restore 0, put back 0, leave alone 0 that others have changed since"
    seen = sluice("undo", run, "--dry-run")
    assert (seen.exit_code, seen.stdout) == (0, f"It would: {told}\n")
    undone = sluice("undo", run)
    assert (undone.exit_code, undone.stdout.partition(" is ")[2]) == (0, f"finished: {told}\n")
    history = sluice("history", "contacts", name)
    lines = history.stdout.splitlines()
    assert (history.exit_code, [line.split()[2] for line in lines[1:3]]) == (0, ["removed", "created"])
    assert sluice("undo", "0" * 24).exit_code == 1


def test_a_wrong_key_ends_every_command_in_one_line(sluice: Sluice) -> None:
    for command in (("imports", "list"), ("records", "list", "contacts"), ("types", "list"), ("connections", "list")):
        done = sluice(*command, SLUICE_KEY="sluice_0000000000000000:x")
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("key", ["a:b\nX-Other: 1", "a:b\x00", "a:b\x1b[2J", "é:b"])
def test_a_key_that_no_header_takes_is_not_repeated(sluice: Sluice, key: str) -> None:
    refused = sluice("imports", "list", "--key", key)

    told = "The API key contains characters that no key has. Copy it again as `sluice key create` printed it"
    assert (refused.exit_code, refused.stderr) == (2, f"sluice: {told}\n")


@pytest.mark.parametrize(
    "arguments", [("imports", "show", ""), ("imports", "delete", ""), ("records", "show", "contacts", "")]
)
def test_an_empty_argument_leads_to_no_other_path(sluice: Sluice, arguments: tuple[str, ...]) -> None:
    refused = sluice(*arguments)

    told = "sluice: An argument is empty: an id, a name or a key is required\n"
    assert (refused.exit_code, refused.stderr) == (2, told)


@pytest.mark.parametrize(
    ("scheme", "host", "why"),
    [
        ("http", "127.0.0.1:1", "nothing listens there"),
        ("http", "nowhere.invalid", "the host is unknown"),
        ("https", "", "no HTTPS is spoken there. Does the address begin with http://?"),
    ],
)
def test_why_no_service_answers_is_said_in_words(
    sluice: Sluice, environment: dict[str, str], scheme: str, host: str, why: str
) -> None:
    url = f"{scheme}://{host or environment['SLUICE_URL'].partition('://')[2]}"
    refused = sluice("imports", "list", "--url", url)

    assert (refused.exit_code, refused.stderr) == (2, f"sluice: The service at {url} did not answer: {why}\n")


def test_what_is_wrong_with_standard_input_names_it(sluice: Sluice) -> None:
    assert sluice("types", "put", "x", "-", sent="[1]").stderr.startswith("sluice: Standard input must hold a JSON")


def test_an_import_has_a_mapping_from_a_file_and_shows_its_columns(sluice: Sluice, tmp_path: Path) -> None:
    """Options that nobody gave are those of the mapping, and so is the type."""
    columns = [{"column": "Nr", "field": "productId"}, {"column": "x", "ignore": True}]
    columns += [{"column": name, "field": name} for name in ("productDetailUrl", "name", "unitPrice")]
    mapping = {"type": "products", "columns": columns, "options": {"delimiter": "pipe", "overrideExisting": False}}
    (tmp_path / "mapping.json").write_text(json.dumps(mapping))
    sent = "nr|productDetailUrl|name|unitPrice|x|y\n1|https://a.example/1|A|2.5||\n"
    done = sluice("import", "-", "--mapping-file", str(tmp_path / "mapping.json"), "--json", sent=sent)
    assert done.exit_code == 0, done.output
    run = json.loads(done.stdout)
    assert (run["type"], run["created"], run["mapping"]) == ("products", 1, {"id": "inline"})
    assert (run["options"]["delimiter"], run["options"]["overrideExisting"]) == ("|", False)
    shown = [line.split() for line in sluice("imports", "columns", run["id"]).stdout.splitlines()]
    assert shown == [
        ["COLUMN", "FIELD", "FOUND"],
        ["nr", "productId", "loose"],
        *[[name, name, "exact"] for name in ("productDetailUrl", "name", "unitPrice")],
        ["x", "ignored"],
        ["y", "unknown"],
    ]
    over = sluice("import", "-", "--mapping-file", str(tmp_path / "mapping.json"), "--override", "--json", sent=sent)
    assert json.loads(over.stdout)["options"]["overrideExisting"] is True
