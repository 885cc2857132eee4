"""A setting that cannot be used: said in one line that names it, by every part, before anything is started."""

from pathlib import Path

import pytest

from app.embedded import free_port
from app.runtime import Misconfigured, check_settings
from app.settings import Settings
from tests.support.commands import run_command

NOWHERE = {
    "SLUICE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none",
    "SLUICE_REDIS_URL": "redis://127.0.0.1:1",
    "SLUICE_SECRET_KEY": "a secret key of thirty-two letters",
}
MAIL = {"SLUICE_SMTP_URL": "smtp://mail.example.com"}
# What is set, and which setting is to be named.
WRONG = [
    ({"SLUICE_ALLOW_NETWORKS": "127.0.0.1/8"}, "SLUICE_ALLOW_NETWORKS"),
    ({"SLUICE_ALLOW_NETWORKS": "here"}, "SLUICE_ALLOW_NETWORKS"),
    ({"SLUICE_CA_FILE": "/nope.pem"}, "SLUICE_CA_FILE"),
    ({"SLUICE_SMTP_URL": "http://x"}, "SLUICE_SMTP_URL"),
    (MAIL, "SLUICE_MAIL_FROM"),
    ({"SLUICE_VAULT_KEYS": "abc"}, "SLUICE_VAULT_KEYS"),
    ({"SLUICE_BLOBS": "s3://"}, "SLUICE_BLOBS"),
    ({"SLUICE_BLOBS": "s3://uploads?endpoint=https://"}, "SLUICE_BLOBS"),
    ({"SLUICE_BLOBS": "ftp://x"}, "SLUICE_BLOBS"),
    ({"SLUICE_BLOBS": "s3://[x"}, "SLUICE_BLOBS"),
    ({"SLUICE_BLOBS": "/srv/uploads"}, "SLUICE_BLOBS"),
    ({"SLUICE_BLOBS": "s3://uploads", "SLUICE_BLOBS_KEY": "AKIA"}, "SLUICE_BLOBS_KEY"),
    ({"SLUICE_RATE_LIMIT": "lots"}, "SLUICE_RATE_LIMIT"),
    ({"SLUICE_PUBLIC_URL": "foo"}, "SLUICE_PUBLIC_URL"),
    ({"SLUICE_PUBLIC_URL": "https://"}, "SLUICE_PUBLIC_URL"),
    ({"SLUICE_PUBLIC_URL": "https://example.com/?a=b"}, "SLUICE_PUBLIC_URL"),
    ({"SLUICE_PUBLIC_URL": "http://[::1"}, "SLUICE_PUBLIC_URL"),
    ({"SLUICE_DATABASE_URL": "mysql://u:p@host/name"}, "SLUICE_DATABASE_URL"),
    ({"SLUICE_REDIS_URL": "http://:secret@host"}, "SLUICE_REDIS_URL"),
]
COMMANDS = [("up", "--port", str(free_port())), ("api",), ("worker",)]


@pytest.mark.parametrize(("given", "named"), WRONG, ids=str)
def test_a_setting_that_cannot_be_used_is_named(
    given: dict[str, str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (NOWHERE | {"SLUICE_DATA": str(tmp_path / "data")} | given).items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Misconfigured) as wrong:
        check_settings(Settings())

    assert str(wrong.value).startswith(f"{named} ")
    assert "\n" not in str(wrong.value)
    assert not (tmp_path / "data").exists()


def test_a_network_that_was_written_as_an_address_is_told_as_it_should_be() -> None:
    with pytest.raises(Misconfigured, match=r"127\.0\.0\.1/8.*127\.0\.0\.0/8"):
        check_settings(Settings(allow_networks="10.0.0.0/8, 127.0.0.1/8"))


@pytest.mark.xdist_group("commands")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
@pytest.mark.parametrize(
    ("name", "value"),
    [("SLUICE_ALLOW_NETWORKS", "127.0.0.1/8"), ("SLUICE_BLOBS", "s3://"), ("SLUICE_LOG_LEVEL", "loud")],
)
def test_every_part_says_it_in_one_line_and_starts_nothing(
    command: tuple[str, ...], name: str, value: str, tmp_path: Path
) -> None:
    servers = {} if command[0] == "up" else NOWHERE
    data = tmp_path / "data"

    refused = run_command(*command, SLUICE_DATA=str(data), **{name: value}, **servers)

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"sluice: {name}")
    assert refused.stderr.count("\n") == 1
    assert not data.exists()


@pytest.mark.parametrize("level", ["debug", "INFO", "Warning", "error"])
def test_a_log_level_is_taken_in_any_case(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_LOG_LEVEL", level)

    assert Settings().log_level == level.lower()
