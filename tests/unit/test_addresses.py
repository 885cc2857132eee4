"""Addresses of servers that cannot be read: the setting is named, nothing of its value is."""

import pytest

from app.queue.task_queue import WrongAddress, redis_settings
from app.runtime import Misconfigured, build_database

SECRETS = ["hu/nter", "hu#nter", "hu?nter", "hu]nter", "[hunter"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_database_address_is_not_repeated(secret: str) -> None:
    for address in (f"postgresql://me:{secret}@localhost:x/sluice", f"{secret}", f"mysql://me:{secret}@localhost/x"):
        with pytest.raises(Misconfigured, match="SLUICE_DATABASE_URL") as wrong:
            build_database(address, pool_size=1)
        assert "nter" not in str(wrong.value)
        assert wrong.value.__suppress_context__


@pytest.mark.parametrize("address", [*(f"redis://:{secret}@localhost:x/0" for secret in SECRETS), "http://hunter", ""])
def test_a_redis_address_is_not_repeated(address: str) -> None:
    with pytest.raises(WrongAddress, match="SLUICE_REDIS_URL") as wrong:
        redis_settings(address)
    assert "nter" not in str(wrong.value)
    assert wrong.value.__suppress_context__


def test_user_and_password_of_a_redis_address_are_percent_encoded() -> None:
    settings = redis_settings("redis://me%2Fyou:p%40ss%2Fword@localhost:6379/0")
    assert (settings.username, settings.password) == ("me/you", "p@ss/word")
