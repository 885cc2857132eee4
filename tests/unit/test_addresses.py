"""Addresses of servers that cannot be read: the setting is named, nothing of its value is."""

import pytest

from app.queue.server import RedisAddress, WrongAddress, parse_address
from app.runtime import Misconfigured, build_database

SECRETS = ["hu/nter", "hu#nter", "hu?nter", "hu]nter", "[hunter"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_database_address_is_not_repeated(secret: str) -> None:
    for address in (f"postgresql://me:{secret}@localhost:x/sluice", f"{secret}", f"mysql://me:{secret}@localhost/x"):
        with pytest.raises(Misconfigured, match="SLUICE_DATABASE_URL") as wrong:
            build_database(address, pool_size=1)
        assert "nter" not in str(wrong.value)
        assert wrong.value.__suppress_context__


@pytest.mark.parametrize(
    "address", [*(f"redis://:{secret}@localhost:x/0" for secret in SECRETS), "http://hunter", "unix://", ""]
)
def test_a_redis_address_is_not_repeated(address: str) -> None:
    with pytest.raises(WrongAddress, match="SLUICE_REDIS_URL") as wrong:
        parse_address(address)
    assert "nter" not in str(wrong.value)
    assert wrong.value.__suppress_context__


def test_user_and_password_of_a_redis_address_are_percent_encoded() -> None:
    address = parse_address("redis://me%2Fyou:p%40ss%2Fword@localhost:6379/0")
    assert address.login == {"username": "me/you", "password": "p@ss/word"}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://", RedisAddress((("localhost", 6379),))),
        ("rediss://me@a:1/2", RedisAddress((("a", 1),), 2, tls=True, login={"username": "me"})),
        ("redis://a?db=3", RedisAddress((("a", 6379),), 3)),
        ("unix:///run/redis.sock?db=1", RedisAddress(database=1, unix_socket="/run/redis.sock")),
        ("redis+sentinel://a/m", RedisAddress((("a", 26379),), master="m")),
        (
            "rediss+sentinel://me:p%40ss@a:1,[::1]:2,b/my%2Fmaster/4?sentinel_password=s%3D",
            RedisAddress(
                (("a", 1), ("::1", 2), ("b", 26379)),
                4,
                tls=True,
                master="my/master",
                login={"username": "me", "password": "p@ss"},
                sentinel_login={"password": "s="},
            ),
        ),
    ],
)
def test_a_redis_address_is_read(url: str, address: RedisAddress) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "rest",
    ["a:1", "a:1/", "a:x/m", "a:1,/m", "/m", "a:1/m/x", "a:1/m?sentinel_pasword=x", "a:1/m?sentinel_password", "[a/m"],
)
def test_an_address_of_sentinels_is_not_repeated_and_its_form_is_told(rest: str) -> None:
    with pytest.raises(
        WrongAddress, match=r"must look like `redis\+sentinel://:password@host:port,host:port/master/"
    ) as wrong:
        parse_address(f"redis+sentinel://:hunter@{rest}")
    assert "hunter" not in str(wrong.value)
    assert wrong.value.__suppress_context__


def test_passwords_are_in_no_representation() -> None:
    shown = repr(parse_address("redis+sentinel://:hunter@a/m?sentinel_password=hunter"))
    assert "hunter" not in shown
