"""The API is killed around answers that are repeated until they come: each key has made one import, and not two."""

import asyncio
import random
import signal

import httpx
import pytest

from tests.faults.arena import Arena, until
from tests.faults.test_killed_api import Client, assert_all_told, client_of, nothing_open, started

pytestmark = pytest.mark.asyncio
# As if the time for which a killed process holds its keys had passed.
LET_GO = "UPDATE idempotency_keys SET claimed_until = now() WHERE status IS NULL"


class Stubborn(Client):
    """Sends each file with a key of its own until it gets an answer."""

    @property
    def headers(self) -> dict[str, str]:
        return {**super().headers, "Idempotency-Key": f"file-{self.posted}"}

    async def post_until_it_dies(self) -> None:
        async with httpx.AsyncClient() as http:
            while True:
                try:
                    assert (await self.post(http)).status_code == 201
                except httpx.TransportError:
                    self.posted -= 1  # the same file again, with the same key
                    return


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.slow)])
async def test_a_request_that_is_repeated_after_a_kill_makes_one_import(arena: Arena, rounds: int) -> None:
    chance = random.Random(20261128)
    async with client_of(arena) as (known, port):
        client = Stubborn(known.url, known.key)
        for _ in range(rounds):
            api = await started(arena, client, port)
            await arena.ask(LET_GO)
            posting = asyncio.create_task(client.post_until_it_dies())
            await asyncio.sleep(0.1 + chance.random() * 0.3)
            api.end()
            await posting
            assert await api.ended() == -signal.SIGKILL

        await started(arena, client, port)
        await arena.ask(LET_GO)
        async with httpx.AsyncClient() as http:
            assert (await client.post(http)).status_code == 201
        arena.worker()
        await until(lambda: nothing_open(arena), "not every import ends")

        assert sorted(client.acknowledged.values()) == list(range(client.posted))
        assert len(await arena.ask("SELECT FROM runs")) == client.posted
        assert len(await arena.ask("SELECT FROM idempotency_keys WHERE status = 201")) == client.posted
        await assert_all_told(arena, client)
