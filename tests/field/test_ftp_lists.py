"""FTP servers without MLSD, which list folders in a style of their own."""

from datetime import UTC, datetime

import httpx
import pytest

from app.runtime import Runtime
from app.transports.ftp.listing import parse_list_line
from app.transports.transport import Remote
from tests.conftest import Finish
from tests.transports.servers.ftp import Script
from tests.transports.test_connections import body, made

FILES = {
    "orders one.csv": b"_email,_name\r\nftp1@example.net,Ftp One\r\n",
    "orders two.csv": b"_email,_name\r\nftp2@example.net,Ftp Two\r\n",
}
NOV = datetime(2026, 11, 20, 9, 50, tzinfo=UTC)
DAY = NOV.replace(hour=0, minute=0)
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
LS = "-rw-r--r--   1 owner    group "
# A line of each style, and the time that it tells.
STYLES = {
    "iis": ("11-20-26  09:50AM {size:20d} {name}", NOV),
    "iis with four figures": ("11-20-2026  09:50PM {size:20d} {name}", NOV.replace(hour=21)),
    "iis at noon": ("11-20-26  12:50PM {size:20d} {name}", NOV.replace(hour=12)),
    "dos with the year first": ("2026-11-20  09:50 {size:20,d} {name}", NOV),
    "access list": ("-rw-r--r--+   1 owner    group {size:12d} Nov 20  2026 {name}", DAY),
    "selinux": ("-rw-r--r--.   1 owner    group {size:12d} Nov 20  2026 {name}", DAY),
    "unix": (LS + "{size:12d} Nov 20  2026 {name}", DAY),
    "iso": (LS + "{size:12d} 2026-11-20 09:50 {name}", NOV),
    "iso with a fraction": (LS + "{size:12d} 2026-11-20 09:50:11.000000000 +0000 {name}", NOV),
    "short iso": (LS + "{size:12d} 11-20 09:50 {name}", None),
    "german": (LS + "{size:12d} 20. Okt 09:50 {name}", None),
    "german with an umlaut": (LS + "{size:12d} Mär 20 09:50 {name}", None),
    "french": (LS + "{size:12d} 20 févr. 09:50 {name}", None),
    "russian": (LS + "{size:12d} нояб. 20  2026 {name}", None),
    "japanese": (LS + "{size:12d} 11月 20 09:50 {name}", None),
    "chinese": (LS + "{size:12d} 11月20日 09:50 {name}", None),
    "chinese with a year": (LS + "{size:12d} 2026年11月20日 {name}", None),
    "a group with a blank": ("-rw-r--r--   1 CORP+ann Domain Users {size} Nov 20  2026 {name}", DAY),
    "a group that is a number": ("-rw-r--r--   1 ftp 20 {size} Nov 20  2026 {name}", DAY),
    "no group": ("-rw-r--r--   1 owner {size} Nov 20  2026 {name}", DAY),
}  # fmt: skip
# Listed as well, and not to be taken for files.
OTHERS = (
    "total 12",
    "drwxr-xr-x   2 owner    group         4096 Nov 20  2026 folder.csv",
    "crw-rw-rw-   1 root     root        1,   3 Nov 20  2026 device.csv",
    "11-20-26  09:50AM       <DIR>          folder of iis.csv",
)


def remote_of(script: Script) -> Remote:
    return Remote("ftp", "127.0.0.1", script.port)


def server_that_lists(lines: list[str]) -> Script:
    listing = "".join(f"{line}\r\n" for line in lines).encode()
    return Script({"LIST /out/": listing} | {f"RETR /out/{name}": data for name, data in FILES.items()})


@pytest.mark.parametrize("line", [line for line, _ in STYLES.values()], ids=STYLES)
async def test_each_file_of_a_listing_is_imported(
    outward: httpx.AsyncClient, calling: Runtime, finish: Finish, line: str
) -> None:
    lines = [line.format(size=len(data), name=name) for name, data in FILES.items()]
    async with server_that_lists([*OTHERS, *lines]).running() as script:
        connection = await made(outward, body(remote_of(script)))
        asked = {"type": "contacts", "path": "/out/*.csv"}
        answer = await outward.post(f"/connections/{connection['id']}/imports", json=asked)
        assert answer.status_code == 201, answer.text
        assert answer.json()["matched"] == len(FILES)
        for each in answer.json()["results"]:
            await finish(calling, each["importId"])
            ended = (await outward.get(f"/imports/{each['importId']}")).json()
            assert (ended["status"], ended["created"]) == ("finished", 1), ended


@pytest.mark.parametrize(("line", "modified"), STYLES.values(), ids=STYLES)
def test_a_line_tells_name_kind_size_and_perhaps_a_time(line: str, modified: datetime | None) -> None:
    for name in ("a.csv", "a  b.csv", " a.csv", "report 12 Nov 20 2026 final.csv", "2026-11-20 09:50 x", "a -> b.csv"):
        listed = parse_list_line(line.format(size=2026, name=name))
        assert listed is not None
        assert (listed.kind, listed.name, listed.size, listed.modified) == ("file", name, 2026, modified)


def test_a_time_of_day_means_the_last_twelve_months() -> None:
    listed = parse_list_line("-rw-r--r-- 1 ftp ftp 3 Feb 29 09:50 a.csv")
    assert listed is not None
    assert listed.modified is not None
    now = datetime.now(UTC)
    assert (listed.modified.month, listed.modified.day) == (2, 29)
    assert listed.modified <= now.replace(year=now.year + 1, month=1, day=1)


def test_a_link_is_followed_by_its_own_name() -> None:
    listed = parse_list_line("lrwxrwxrwx   1 root root 7 Nov 20  2026 link.csv -> in/a.csv")
    assert listed is not None
    assert (listed.kind, listed.name, listed.size) == ("link", "link.csv", None)


async def test_a_listing_of_which_no_line_is_understood_is_called_so(
    outward: httpx.AsyncClient, calling: Runtime, finish: Finish
) -> None:
    vms = "ORDERS.CSV;1  3/4  20-NOV-2026 09:50:11 [ANN]{}(RWED,RWED,RE,)"
    lines = ["total 2", vms.format("\t"), *("x" * 200,) * 3]
    wanted = f'The server\'s listing is not understood: "{vms.format(UNPRINTABLE)}"'
    async with server_that_lists(lines).running() as script:
        connection = await made(outward, body(remote_of(script)))
        own = f"/connections/{connection['id']}"
        refused = await outward.post(f"{own}/imports", json={"type": "contacts", "path": "/out/*.csv"})
        assert (refused.status_code, refused.json()["errors"]) == (422, [{"path": "path", "reason": wanted}])
        tried = await outward.post(f"{own}/test-import", json={"path": "/out/*.csv"})
        assert tried.json()["steps"][-1] == {"step": "find", "ok": False, "why": wanted}
        # One file is looked for in the listing too, where the server lacks SIZE.
        single = await outward.post(f"{own}/imports", json={"type": "contacts", "path": "/out/orders one.csv"})
        await finish(calling, single.json()["results"][0]["importId"])
        ended = (await outward.get(f"/imports/{single.json()['results'][0]['importId']}")).json()
        assert ended["failure"] == {"code": "source_find", "detail": wanted}


@pytest.mark.parametrize("lines", [[], ["total 0"], ["insgesamt 0"]], ids=["nothing", "english", "german"])
async def test_an_empty_folder_is_no_error_of_the_listing(outward: httpx.AsyncClient, lines: list[str]) -> None:
    async with server_that_lists(lines).running() as script:
        connection = await made(outward, body(remote_of(script)))
        asked = {"type": "contacts", "path": "/out/*.csv"}
        refused = await outward.post(f"/connections/{connection['id']}/imports", json=asked)
        assert refused.json()["errors"] == [{"path": "path", "reason": "No file matches `path`"}]
