"""Names of uploaded files, however nasty, are shown harmless."""

import httpx
import pytest

from app.imports.sources.filenames import sanitize_filename
from tests.support.http import Account, post


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("contacts.csv", "contacts.csv"),
        ("año 2024 (1).csv", "año 2024 (1).csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\list.csv", "list.csv"),
        ("a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
        ("\x1b[2Jlist.csv", "[2Jlist.csv"),
        ("list\u202evsc.exe", "listvsc.exe"),
        ("nul\0.csv", "nul.csv"),
        ("\ud800.csv", "csv"),
        ("", None),
        ("...", None),
        ("/", None),
        ("\u2028", None),
    ],
)
def test_a_name_loses_what_is_dangerous(sent: str, shown: str | None) -> None:
    assert sanitize_filename(sent) == shown


@pytest.mark.parametrize("name", ["x" * 5_000, "é" * 5_000 + ".csv", "x." + "y" * 5_000, "😀" * 100])
def test_a_long_name_is_cut_between_characters(name: str) -> None:
    shown = sanitize_filename(name)
    assert shown is not None
    assert 200 < len(shown.encode()) <= 255


async def test_the_extended_name_wins_over_the_plain_one(client: httpx.AsyncClient, an_account: Account) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\ncontacts\r\n'
        b'--b\r\nContent-Disposition: form-data; name="delimiter"\r\n\r\n,\r\n'
        b'--b\r\nContent-Disposition: form-data; name="overrideExisting"\r\n\r\ntrue\r\n'
        b'--b\r\nContent-Disposition: form-data; name="updateOnlyEmptyFields"\r\n\r\nfalse\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="good.csv"; filename*=UTF-8\'\'evil.csv\r\n\r\n'
        b"_email\na@example.org\n\r\n--b--\r\n"
    )
    headers = an_account.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.post("/imports", headers=headers, content=body)
    assert (answer.status_code, answer.json()["fileName"]) == (201, "evil.csv")


async def test_a_name_in_any_script_is_shown(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await post(client, an_account, name="客户.csv")).json()["fileName"] == "客户.csv"
