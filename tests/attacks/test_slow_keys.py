"""Private keys that are cheap to send and slow to read: they hold up nobody but who sent them."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncssh
import httpx
import pytest
from asyncssh.asn1 import der_decode, der_encode
from asyncssh.packet import MPInt, String, UInt32
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from app.runtime import Runtime
from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.key_cost import HIGHEST_PARAMETER, MOST_ITERATIONS, MOST_ROUNDS
from app.transports.transport import Remote, TransferPolicy
from tests.support.http import Account, app_on, client_of, make_account, post
from tests.transports.servers.server import policy
from tests.transports.servers.sftp import SftpServer, sftp_server
from tests.transports.test_connections import body, made

TRIALS = 12
PLENTY = 1.5  # seconds for an upload of two rows, which takes 0.05; it took 36 before


@pytest.fixture
async def sftp() -> AsyncIterator[SftpServer]:
    async with sftp_server() as server:
        await server.store("a.csv", b"_email\nana@example.com\n")
        yield server


@pytest.fixture
def calls(runtime: Runtime) -> TransferPolicy:
    return policy(tls=runtime.transfer_policy.tls, total_seconds=120)


@asynccontextmanager
async def client_for(runtime: Runtime, calls: TransferPolicy) -> AsyncIterator[tuple[httpx.AsyncClient, Account]]:
    account = await make_account(runtime)
    async with client_of(app_on(replace(runtime, transfer_policy=calls))) as client:
        client.headers.update(account.headers)
        yield client, account


def with_key(server: SftpServer, key: str, passphrase: str = "x") -> Remote:
    secrets = {"private_key": SecretStr(key), "passphrase": SecretStr(passphrase)}
    return replace(server.remote, password=None, options={**server.remote.options, **secrets})


def openssh(key: asyncssh.SSHKey, rounds: int) -> str:
    """The key with so many rounds of bcrypt."""
    return key.export_private_key(passphrase="x", rounds=rounds, ignore_few_rounds=True).decode()


def openssh_claiming(key: asyncssh.SSHKey, rounds: int) -> str:
    """A key whose header names so many rounds, whatever was done."""
    lines = openssh(key, 1).split("\n")
    raw = base64.b64decode("".join(lines[1:-2]))
    at = raw.index(b"bcrypt") + 6 + 4 + 4 + 16  # past the size of the options, and the salt with its size
    assert raw[at : at + 4] == UInt32(1)
    text = base64.b64encode(raw[:at] + UInt32(rounds) + raw[at + 4 :]).decode()
    return f"{lines[0]}\n{text}\n{lines[-2]}\n"


def pkcs8_claiming(key: asyncssh.SSHKey, iterations: int, length: int | None = None) -> str:
    """An encrypted PKCS#8 key whose header names so many iterations, and the length of the key to derive."""
    (scheme, ((kdf, (salt, _, prf)), cipher)), sealed = der_decode(key.export_private_key("pkcs8-der", passphrase="x"))
    settings = (salt, iterations, prf) if length is None else (salt, iterations, length, prf)
    text = base64.b64encode(der_encode(((scheme, ((kdf, settings), cipher)), sealed))).decode()
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}\n-----END ENCRYPTED PRIVATE KEY-----"


def rsa_with(n: int, e: int, d: int, p: int, q: int, iqmp: int) -> str:
    """An OpenSSH key without a passphrase, of any numbers."""
    numbers = MPInt(n) + MPInt(e) + MPInt(d) + MPInt(iqmp) + MPInt(p) + MPInt(q)
    private = UInt32(1) + UInt32(1) + String("ssh-rsa") + numbers + String("")
    private += bytes(range(1, -len(private) % 8 + 1))
    public = String(String("ssh-rsa") + MPInt(e) + MPInt(n))
    head = b"openssh-key-v1\0" + String("none") + String("none") + String("") + UInt32(1)
    text = base64.b64encode(head + public + String(private)).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda key: openssh_claiming(key, 256), "hashed with 256 rounds of bcrypt, and at most 128 are allowed"),
        (lambda key: openssh_claiming(key, 2**32 - 1), "hashed with 4,294,967,295 rounds of bcrypt"),
        (lambda key: pkcs8_claiming(key, MOST_ITERATIONS + 1), "hashed with 600,001 iterations, and at most 600,000"),
    ],
    ids=["few rounds too many", "all rounds", "iterations"],
)
async def test_a_key_with_too_many_rounds_is_refused_when_it_is_declared(
    runtime: Runtime,
    calls: TransferPolicy,
    sftp: SftpServer,
    make: Callable[[asyncssh.SSHKey], str],
    reason: str,
) -> None:
    remote = with_key(sftp, make(sftp.keys.user))
    async with client_for(runtime, calls) as (client, _):
        answer = await client.post("/connections", json=body(remote))
    assert answer.status_code == 422, answer.text
    (complaint,) = answer.json()["errors"]
    assert complaint["path"] == "privateKey"
    assert complaint["reason"].startswith("`privateKey` would take too long to decrypt: ")
    assert reason in complaint["reason"]
    # A connection of an earlier release may hold such a key: it is named as well, and not decrypted.
    with pytest.raises(TransportFailed, match=reason) as failed:
        async with connect(remote, calls):
            pass
    assert failed.value.reason == "slow_key"


async def test_keys_of_one_account_hold_up_no_other_account(
    runtime: Runtime, calls: TransferPolicy, sftp: SftpServer
) -> None:
    slow, quick = openssh(sftp.keys.user, MOST_ROUNDS), openssh(sftp.keys.user, 2)
    async with client_for(runtime, calls) as (hostile, _), client_for(runtime, calls) as (other, account):
        theirs = await made(hostile, body(with_key(sftp, slow)))
        ours = await made(other, body(with_key(sftp, quick)))

        def test_import(client: httpx.AsyncClient, connection: dict[str, str]) -> "asyncio.Task[httpx.Response]":
            where = f"/connections/{connection['id']}/test-import"
            return asyncio.create_task(client.post(where, json={"path": "a.csv"}))

        trials = [test_import(hostile, theirs) for _ in range(TRIALS)]
        await asyncio.wait(trials, return_when="FIRST_COMPLETED")
        begin = time.monotonic()
        uploaded = await post(other, account)
        upload_seconds = time.monotonic() - begin
        trial = await test_import(other, ours)
        seconds = time.monotonic() - begin
        waiting = sum(not trial.done() for trial in trials)
        for each in trials:
            each.cancel()
        done = [
            each for each in await asyncio.gather(*trials, return_exceptions=True) if isinstance(each, httpx.Response)
        ]
    assert uploaded.status_code == 201, uploaded.text
    assert upload_seconds < PLENTY
    assert (trial.json()["ok"], [each.json()["ok"] for each in done]) == (True, [True] * len(done))
    assert waiting > TRIALS / 2, f"the others had to wait {seconds:.1f} s for the trials"


async def test_a_turn_for_a_slow_key_is_not_waited_for_for_ever(
    calls: TransferPolicy, sftp: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.transports.sftp.keys.KEY_SECONDS", 0.05)
    remote = with_key(sftp, openssh(sftp.keys.user, MOST_ROUNDS))
    with pytest.raises(TransportFailed) as failed:
        async with connect(remote, calls):
            pass
    assert (failed.value.reason, failed.value.transient) == ("keys_wait", True)


@pytest.mark.parametrize("length", [2**31, HIGHEST_PARAMETER + 1])
async def test_a_key_that_asks_for_a_long_derived_key_is_refused(
    calls: TransferPolicy, sftp: SftpServer, length: int
) -> None:
    begin = time.monotonic()
    with pytest.raises(TransportFailed) as failed:
        async with connect(with_key(sftp, pkcs8_claiming(sftp.keys.user, 2_048, length)), calls):
            pass
    assert failed.value.reason == "bad_option"
    assert time.monotonic() - begin < PLENTY


async def test_a_large_rsa_key_freezes_nobody(calls: TransferPolicy, sftp: SftpServer) -> None:
    """Whether its factors are primes would be tested for 3 s, and with a lock that stops the whole process."""
    key = rsa.generate_private_key(65_537, 4_096).private_numbers()
    p, q = 2**9_689 - 1, 2**127 - 1  # known primes, so that the test would run to its end
    for text, reason in (
        (rsa_with(key.public_numbers.n, 65_537, key.d, key.p, key.q, key.iqmp), "login"),  # a stranger's
        (rsa_with(p * q, 65_537, key.d, p, q, 3), "bad_option"),
        (rsa_with(key.public_numbers.n, 65_537, key.d, 1, key.q, key.iqmp), "bad_option"),
        (rsa_with(key.public_numbers.n, 65_537, -key.d, key.p, key.q, key.iqmp), "bad_option"),
    ):
        begin = time.process_time()
        with pytest.raises(TransportFailed) as failed:
            async with connect(with_key(sftp, text), calls):
                pass
        assert failed.value.reason == reason
        assert time.process_time() - begin < 0.15


async def test_a_group_that_a_server_makes_up_is_not_computed_with(calls: TransferPolicy) -> None:
    async with sftp_server(kex_algs=["diffie-hellman-group-exchange-sha256"]) as server:
        with pytest.raises(
            TransportFailed, match="only these key exchange methods: diffie-hellman-group-exchange-sha256"
        ):
            async with connect(server.remote, calls):
                pass
