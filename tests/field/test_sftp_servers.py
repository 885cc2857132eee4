"""SFTP servers as they are met in the field: with one host key of some kind, and too old to speak with."""

from dataclasses import replace
from typing import Any

import asyncssh
import httpx
import pytest

from app.transports.transport import Remote
from tests.transports.servers.sftp import Keys, SftpServer, sftp_server
from tests.transports.test_connections import body, made

FILE = b"_email,_name\r\nsftp1@example.net,Sftp One\r\n"
TIMES = 10
KINDS = ["ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "ssh-ed25519"]
MISMATCH = "The server's host key does not match the expected one"
OLD = "The server's SSH software is too old to connect safely. It offers only these {}: {}"


async def check(api: httpx.AsyncClient, remote: Remote, name: str, times: int = 2) -> list[dict[str, Any]]:
    """The last step of each of so many trials of one connection."""
    connection = await made(api, body(remote, name))
    trials = [
        await api.post(f"/connections/{connection['id']}/test-import", json={"path": "/plain.csv"})
        for _ in range(times)
    ]
    return [trial.json()["steps"][-1] for trial in trials]


def expecting(server: SftpServer, host_key: str) -> Remote:
    return replace(server.remote, options={"host_key": host_key})


@pytest.mark.parametrize("curt", [False, True], ids=["polite", "curt"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_with_one_host_key_is_reached_however_it_is_pinned(
    outward: httpx.AsyncClient, kind: str, *, curt: bool
) -> None:
    host, times = asyncssh.generate_private_key(kind), TIMES if curt else 2
    async with sftp_server(Keys(hosts=[host])) as server:
        await server.store("plain.csv", FILE)
        server.faults.curt = curt
        for pinned in (host.get_fingerprint(), host.export_public_key().decode().strip(), "trust-on-first-use"):
            seen = await check(outward, expecting(server, pinned), pinned[:18], times)
            assert seen == [{"step": "read", "ok": True, "found": f"{len(FILE)} bytes"}] * times


async def test_each_key_of_a_server_with_several_may_be_pinned(outward: httpx.AsyncClient) -> None:
    hosts = [asyncssh.generate_private_key(kind) for kind in ("ssh-rsa", "ecdsa-sha2-nistp256", "ssh-ed25519")]
    async with sftp_server(Keys(hosts=hosts)) as server:
        await server.store("plain.csv", FILE)
        server.faults.curt = True
        for host in hosts:
            seen = await check(outward, expecting(server, host.get_fingerprint()), host.get_algorithm())
            assert all(step["ok"] for step in seen), seen


@pytest.mark.parametrize("curt", [False, True], ids=["polite", "curt"])
@pytest.mark.parametrize("kind", ["ssh-rsa", "ssh-ed25519"])
async def test_another_host_key_is_called_so_whatever_its_kind(
    outward: httpx.AsyncClient, kind: str, *, curt: bool
) -> None:
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    async with sftp_server(Keys(hosts=[asyncssh.generate_private_key(kind)])) as server:
        server.faults.curt = curt
        for pinned in (other.get_fingerprint(), other.export_public_key().decode().strip()):
            seen = await check(outward, expecting(server, pinned), pinned[:18])
            assert seen == [{"step": "connect", "ok": False, "why": MISMATCH}] * 2
        assert server.faults.passwords == []


@pytest.mark.parametrize("curt", [False, True], ids=["polite", "curt"])
@pytest.mark.parametrize(
    ("offers", "kind", "named"),
    [
        (
            {"kex_algs": ["diffie-hellman-group1-sha1", "diffie-hellman-group-exchange-sha1"]},
            "key exchange methods",
            "diffie-hellman-group-exchange-sha1, diffie-hellman-group1-sha1",
        ),
        ({"encryption_algs": ["aes128-cbc", "3des-cbc"]}, "ciphers", "3des-cbc, aes128-cbc"),
        ({"encryption_algs": ["aes128-ctr"], "mac_algs": ["hmac-md5"]}, "MACs", "hmac-md5"),
        ({"signature_algs": ["ssh-rsa"]}, "host key algorithms", "ssh-rsa"),
    ],
    ids=["key exchange", "cipher", "mac", "host key"],
)
async def test_a_server_that_is_too_old_is_called_so(
    outward: httpx.AsyncClient, offers: dict[str, list[str]], kind: str, named: str, *, curt: bool
) -> None:
    host = asyncssh.generate_private_key("ssh-rsa")
    if "signature_algs" in offers:
        host.sig_algorithms = (b"ssh-rsa",)  # type: ignore[misc]
    async with sftp_server(Keys(hosts=[host]), **offers) as server:
        server.faults.curt = curt
        for pinned in (host.get_fingerprint(), host.export_public_key().decode().strip(), "trust-on-first-use"):
            seen = await check(outward, expecting(server, pinned), pinned[:18])
            assert seen == [{"step": "connect", "ok": False, "why": OLD.format(kind, named)}] * 2
