"""`sluice person …` on a database: let in with a link, listed, reset, let out."""

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.embedded import Servers
from tests.support.servers import new_database


@pytest.fixture(autouse=True)
def url(servers: Servers, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    url = new_database(servers, request.node.name[:60])
    monkeypatch.setenv("SLUICE_DATABASE_URL", url)
    monkeypatch.setenv("SLUICE_SECRET_KEY", "the secret key of the tests of people")
    return url


def person(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["person", *arguments])


def test_people_of_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    first = person("create", "--account", "shop", "--email", "Ana@Shop.example")
    assert first.stdout.splitlines()[-1].startswith("http://127.0.0.1:8000/app/welcome/"), first.exception
    assert "`--role` must be one of viewer, operator or admin" in str(
        person("create", "--account", "shop", "--email", "bob@shop.example").exception
    )
    monkeypatch.setenv("SLUICE_PUBLIC_URL", "https://imports.shop.example/")
    second = person("create", "--account", "shop", "--email", "bob@shop.example", "--role", "viewer", "--name", "Bob")
    assert second.stdout.splitlines()[-1].startswith("https://imports.shop.example/app/welcome/")

    listed = [line.split()[:4] for line in person("list", "--account", "shop").stdout.splitlines()]
    assert listed[1:] == [["ana@shop.example", "Ana", "shop", "admin"], ["bob@shop.example", "Bob", "shop", "viewer"]]

    reset = person("reset", "--email", "BOB@shop.example")
    assert reset.stdout.splitlines()[-1] != second.stdout.splitlines()[-1]
    assert person("remove", "--account", "shop", "--email", "ana@shop.example").stdout == (
        "ana@shop.example cannot sign in to shop any more\n"
    )
    assert "ana@" not in person("list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "--account", "shop", "--email", "ana"], "`--email` must be an e-mail address, like `ana@shop.exam"),
        (["create", "--account", " ", "--email", "a@b.example"], "`--account` must be a name on one line"),
        (["create", "--account", "a", "--email", "a@b.example", "--role", "boss"], "Unknown role boss. The roles are "),
        (["list", "--account", "nobody"], "Nobody may sign in to an account with the name nobody"),
        (["reset", "--email", "nobody@b.example"], "There is nobody with the address nobody@b.example"),
        (
            ["remove", "--account", "shop", "--email", "nobody@b.example"],
            "There is nobody with the address nobody@b.ex",
        ),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], said: str) -> None:
    assert str(person(*arguments).exception).startswith(said)


def test_somebody_is_let_in_once() -> None:
    given = ("create", "--account", "shop", "--email", "ana@shop.example")
    assert person(*given).exit_code == 0
    assert str(person(*given, "--role", "admin").exception) == "`ana@shop.example` is already in this account"
