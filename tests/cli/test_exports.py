"""The commands that export, on a running service."""

import gzip
import json
import os
from pathlib import Path
from threading import Thread

import pytest

from app.cli.client.failures import RequestFailed
from app.cli.exporting.options import parse_condition
from tests.cli.conftest import Sluice
from tests.support.live import SOURCE_HOST
from tests.transports.servers.ftp import ftp_server
from tests.transports.servers.server import PASSWORD, USER, Certificates

PEOPLE = "_email,_name,_points\nana@example.com,Ana,12\nbob@example.org,Bob,3\nchloe@example.org,Chloé,20\n"
SCORES = {"columns": [{"column": "Mail", "field": "_email"}, {"column": "Score", "field": "_points"}]}


@pytest.fixture
def stored(sluice: Sluice) -> None:
    assert sluice("import", "-", sent=PEOPLE).exit_code == 0


@pytest.mark.usefixtures("stored")
def test_records_are_exported_to_a_file_and_its_progress_is_shown(sluice: Sluice, tmp_path: Path) -> None:
    file = tmp_path / "people.csv.gz"
    done = sluice("export", "contacts", "--gzip", "--name", "All", "--fields", "_name,_email", "-o", str(file))

    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    assert gzip.decompress(file.read_bytes()).decode() == (
        "_name,_email\nAna,ana@example.com\nBob,bob@example.org\nChloé,chloe@example.org\n"
    )
    assert "Exporting: 3 of 3 rows (100 %)" in done.stderr
    listed = sluice("exports", "list", "--type", "contacts").stdout.splitlines()
    assert listed[0].split() == ["ID", "TYPE", "STATUS", "RECORDS", "BYTES", "CREATED", "NAME"]
    assert listed[1].split()[1:5] == ["contacts", "finished", "3", str(file.stat().st_size)]


@pytest.mark.usefixtures("stored")
def test_a_part_is_exported_with_a_mapping_to_standard_output(sluice: Sluice, tmp_path: Path) -> None:
    mapping = tmp_path / "scores.json"
    mapping.write_text(json.dumps({"name": "Scores", "type": "contacts", **SCORES}))
    assert sluice("mappings", "put", "Scores", str(mapping)).exit_code == 0

    limits = ("--where", "_points >= 10", "--where", "_name in Ana,Bob", "--delimiter", "semicolon")
    for chosen in (("--mapping", "Scores"), ("--mapping-file", str(mapping))):
        done = sluice("export", "contacts", *chosen, *limits, "-o", "-")
        assert (done.exit_code, done.stdout) == (0, "Mail;Score\nana@example.com;12\n"), done.stderr


@pytest.mark.usefixtures("stored")
def test_an_export_is_downloaded_repeated_and_deleted(sluice: Sluice, tmp_path: Path) -> None:
    started = json.loads(sluice("export", "contacts", "--no-wait", "--keys", "ana@example.com", "--json").stdout)
    done = sluice("exports", "download", started["id"])
    assert (done.exit_code, done.stdout.splitlines()[1][:15]) == (0, "ana@example.com"), done.stderr
    shown = sluice("exports", "show", started["id"]).stdout
    assert "Records     total: 1; written: 1\n" in shown
    assert 'Written as  format: csv; delimiter: ","; encoding: utf-8; gzip: no; formulas: keep\n' in shown

    again = sluice("exports", "rerun", started["id"]).stdout.split()
    assert f"Parent      rerun: {started['id']}\n" in sluice("exports", "show", again[1]).stdout
    assert (again[0], again[2:]) == ("Export", ["was", "accepted"])
    assert sluice("exports", "download", again[1]).stdout == done.stdout
    assert sluice("exports", "delete", started["id"]).exit_code == 0
    gone = sluice("exports", "show", started["id"])
    assert (gone.exit_code, gone.stderr) == (1, "sluice: There is no export with this id\n")


@pytest.mark.usefixtures("stored")
async def test_an_export_is_delivered_and_what_failed_is_delivered_again(sluice: Sluice, tmp_path: Path) -> None:
    async with ftp_server("none", Certificates(), SOURCE_HOST) as server:
        place = ("--transport", "ftp", "--host", SOURCE_HOST, "--port", str(server.remote.port), "--user", USER)
        made = sluice("connections", "create", "shop", *place, SLUICE_CONNECTION_PASSWORD=PASSWORD)
        assert made.exit_code == 0, made.stderr
        done = sluice("export", "contacts", "--to", "shop:/{type}.csv", "--to", "shop:/none/a.csv", "--json")
        assert done.exit_code == 1, done.stderr
        export = json.loads(done.stdout)
        assert [each["status"] for each in export["destinations"]] == ["delivered", "failed"]
        assert b"ana@example.com" in (await server.stored("contacts.csv") or b"")
        shown = sluice("exports", "show", export["id"]).stdout
        assert "Delivery    /contacts.csv: delivered; /none/a.csv: failed. The folder does not exist" in shown

        (server.folder / "none").mkdir()
        again, copy = sluice("exports", "retry", export["id"]).stdout.split()[1], tmp_path / "copy.csv"
        assert sluice("exports", "download", again, "-o", str(copy)).exit_code == 0
        assert await server.stored("none/a.csv") == copy.read_bytes()

        told = sluice("export", "contacts", "--to", "shop:/b.csv", "--to", "shop:/gone/b.csv")
        assert (told.exit_code, told.stdout) == (1, "")
        assert "/b.csv: delivered\n/gone/b.csv: failed. The folder does not exist" in told.stderr
        listed = json.loads(sluice("exports", "list", "--limit", "1", "--json").stdout)["results"][0]["id"]
        assert told.stderr.endswith(f"Deliver it again with:\n  sluice exports retry {listed}\n")
    wrong = sluice("export", "contacts", "--to", "/out/b.csv")
    assert (wrong.exit_code, "must look like" in wrong.stderr) == (2, True)


@pytest.mark.usefixtures("stored")
def test_a_pipe_is_written_to_and_not_replaced_by_a_file(sluice: Sluice, tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    done = sluice("export", "contacts", "--fields", "_name", "-o", str(pipe))
    assert (done.exit_code, pipe.is_fifo(), [*tmp_path.iterdir()]) == (0, True, [pipe]), done.stderr
    reader.join(10)
    assert read == ["_name\nAna\nBob\nChloé\n"]


@pytest.mark.parametrize(
    "option", ["--keys", "--fields", "--updated-since", "--created-since", "--import", "--mapping"]
)
def test_an_empty_limit_does_not_export_everything(sluice: Sluice, option: str) -> None:
    refused = sluice("export", "contacts", option, "")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"{option} must not be empty" in refused.stderr


@pytest.mark.usefixtures("stored")
def test_what_is_wrong_with_an_export_is_told(sluice: Sluice, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    failed = sluice("export", "contacts", "--encoding", "windows-1251", "-o", str(file))
    assert (failed.exit_code, file.exists()) == (2, False)
    assert failed.stderr.splitlines()[-1].endswith('failed: The encoding windows-1251 has no character "é" (U+00E9)')
    for output, reason in ((tmp_path / "none" / "a.csv", "Its folder does not exist"), (tmp_path, "It is a folder")):
        refused = sluice("export", "contacts", "-o", str(output))
        assert refused.exit_code in (1, 2)
        assert refused.stderr == f"sluice: The file {output} cannot be written: {reason}\n"  # nothing was started
    for options, reason in (
        (("--where", "_name like A"), 'sluice: --where "_name like A" must look like `price>=10`'),
        (("--where", "_points=>10"), 'sluice: --where "_points=>10" must look like `price>=10`'),
        (("--where", "_name==Ana"), 'sluice: --where "_name==Ana" must look like `price>=10`'),
        (
            ("--where", "nothing=1"),
            "sluice: `filter.where[0].field` must be a field of `contacts`, and `nothing`",
        ),
        (
            ("--mapping", "none"),
            'sluice: There is no mapping template with the name or id "none" for the type',
        ),
    ):
        refused = sluice("export", "contacts", *options)
        assert refused.exit_code in (1, 2)
        assert refused.stderr.startswith(reason), refused.stderr


def test_conditions_are_read_as_they_are_written() -> None:
    assert parse_condition("price>=10") == {"field": "price", "operator": ">=", "value": "10"}
    assert parse_condition(" name != a = b ") == {"field": "name", "operator": "!=", "value": "a = b"}
    assert parse_condition("tags in new, sale") == {"field": "tags", "operator": "in", "value": ["new", "sale"]}
    assert parse_condition("name isEmpty") == {"field": "name", "operator": "isEmpty", "value": True}
    assert parse_condition("name isEmpty false") == {"field": "name", "operator": "isEmpty", "value": False}
    assert parse_condition("name=") == {"field": "name", "operator": "=", "value": ""}
    for wrong in ("", "name", "=1", "name like x"):
        with pytest.raises(RequestFailed):
            parse_condition(wrong)
