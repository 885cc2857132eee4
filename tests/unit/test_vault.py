"""A sealed text is unreadable, opens only in its own row, and still opens while keys are being changed."""

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from app.runtime import Misconfigured, open_vault
from app.settings import Settings
from app.vault import Vault, VaultError, build_vault

MARKER = "hunter2-marker"
CREDENTIALS = {"user": "ana", "password": MARKER, "port": 22, "options": {"key": None}}
SECRET_KEY = "a secret key as operators write it"


def new_key() -> str:
    return Fernet.generate_key().decode()


def settings(vault_keys: str | None, secret_key: str = SECRET_KEY) -> Settings:
    given = SecretStr(vault_keys) if vault_keys is not None else None
    return Settings(vault_keys=given, secret_key=SecretStr(secret_key))


def test_a_sealed_text_cannot_be_read_but_can_be_opened() -> None:
    vault = Vault([new_key()])
    sealed = vault.seal(CREDENTIALS, bound_to="run:1")
    assert vault.open(sealed, bound_to="run:1") == CREDENTIALS
    assert MARKER.encode() not in sealed
    assert vault.seal(CREDENTIALS, bound_to="run:1") != sealed


@pytest.mark.parametrize("other", ["run:2", "run:", "", "connection:1:1", "RUN:1"])
def test_a_sealed_text_opens_only_in_its_own_row(other: str) -> None:
    vault = Vault([new_key()])
    with pytest.raises(VaultError):
        vault.open(vault.seal(CREDENTIALS, bound_to="run:1"), bound_to=other)


def test_a_wrong_key_a_wrong_row_and_changed_bytes_look_alike() -> None:
    vault, stranger = Vault([new_key()]), Vault([new_key()])
    sealed = vault.seal(CREDENTIALS, bound_to="run:1")
    changed = sealed[:-3] + bytes([sealed[-3] ^ 1]) + sealed[-2:]
    told = set()
    for each, content, row in (
        (stranger, sealed, "run:1"), (vault, sealed, "run:2"), (vault, changed, "run:1"), (vault, b"", "run:1"),
    ):  # fmt: skip
        with pytest.raises(VaultError) as locked:
            each.open(content, bound_to=row)
        assert locked.value.__cause__ is None
        assert locked.value.__suppress_context__ or locked.value.__context__ is None
        told.add(str(locked.value))
    assert len(told) == 1
    assert MARKER not in told.pop()


def test_the_first_key_seals_and_each_opens() -> None:
    old, new = new_key(), new_key()
    sealed = Vault([old]).seal(CREDENTIALS, bound_to="run:1")
    both = Vault([new, old])
    assert both.open(sealed, bound_to="run:1") == CREDENTIALS
    with pytest.raises(VaultError):
        Vault([old]).open(both.seal(CREDENTIALS, bound_to="run:1"), bound_to="run:1")


def test_a_resealed_text_no_longer_needs_the_old_key_and_stays_bound() -> None:
    old, new = new_key(), new_key()
    resealed = Vault([new, old]).reseal(Vault([old]).seal(CREDENTIALS, bound_to="run:1"))
    assert Vault([new]).open(resealed, bound_to="run:1") == CREDENTIALS
    with pytest.raises(VaultError):
        Vault([new]).open(resealed, bound_to="run:2")
    with pytest.raises(VaultError):
        Vault([old]).reseal(resealed)


def test_without_keys_the_same_key_is_derived_on_all_machines() -> None:
    sealed = build_vault("", SECRET_KEY).seal(CREDENTIALS, bound_to="run:1")
    assert open_vault(settings(None)).open(sealed, bound_to="run:1") == CREDENTIALS
    with pytest.raises(VaultError):
        open_vault(settings(None, SECRET_KEY + "!")).open(sealed, bound_to="run:1")


def test_keys_that_are_set_later_still_open_what_the_secret_key_has_sealed() -> None:
    sealed = open_vault(settings(None)).seal(CREDENTIALS, bound_to="run:1")
    later = open_vault(settings(f" {new_key()} , {new_key()}"))
    assert later.open(sealed, bound_to="run:1") == CREDENTIALS
    with pytest.raises(VaultError):
        open_vault(settings(None)).open(later.reseal(sealed), bound_to="run:1")


@pytest.mark.parametrize("keys", [MARKER, f"{'A' * 43}=,{MARKER}", "ü" * 44])
def test_an_invalid_key_is_refused_without_being_repeated(keys: str) -> None:
    with pytest.raises(Misconfigured, match="SLUICE_VAULT_KEYS") as refused:
        open_vault(settings(keys))
    assert MARKER not in str(refused.value)
    assert "ü" not in str(refused.value)
