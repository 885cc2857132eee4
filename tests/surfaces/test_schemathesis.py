"""A fuzzer that knows the OpenAPI documents finds no answer that contradicts them, and no fault of the service."""

import sys
from pathlib import Path
from secrets import token_hex

import pytest

from tests.support.contract import DOCUMENTS
from tests.support.environments import run
from tests.support.live import Live

# What it may not expect, with the reasons.
EXCEPTIONS = Path(__file__).parent / "schemathesis.toml"
pytestmark = pytest.mark.timeout(300)


def fuzz(live: Live, folder: Path, surface: str, *bounds: str) -> None:
    """Raises AssertionError with a report if anything was wrong."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(EXCEPTIONS), "--no-color", "run"]
    headers = [f"--header={each}" for each in WHO[surface](live.key(f"fuzz-{token_hex(4)}"))]
    run(
        [*command, *headers, "--continue-on-failure", *bounds, "--url", live.url, str(DOCUMENTS / f"{surface}.json")],
        folder=folder,
    )


def pair(key: str) -> list[str]:
    app_id, _, token = key.partition(":")
    return [f"X-App-Id: {app_id}", f"X-App-Token: {token}"]


def one(key: str) -> list[str]:
    return [f"Authorization: apiKey {key}"]


# How each surface's own clients show who they are.
WHO = {"voucherify": pair, "connectif": one, "cordial": one, "native": one}

# What reads its 30 parameters with the code of another operation: random requests go there, too.
TWICE = {"connectif": ("createImportFromFile",)}


@pytest.mark.parametrize("surface", WHO)
def test_the_fuzzer_finds_nothing_with_the_examples(live: Live, tmp_path: Path, surface: str) -> None:
    fuzz(live, tmp_path, surface, "--phases", "examples", "--generation-deterministic")


@pytest.mark.slow
@pytest.mark.parametrize("surface", ["voucherify", "connectif", "cordial"])
def test_the_fuzzer_finds_nothing_at_the_edges(live: Live, tmp_path: Path, surface: str) -> None:
    """What is at the edges of each parameter, the same requests in every run: a failure here is one of this change."""
    bounds = [f"--exclude-operation-id={each}" for each in TWICE.get(surface, ())]
    fuzz(live, tmp_path, surface, "--phases", "examples,coverage", "--generation-deterministic", *bounds)


@pytest.mark.slow
@pytest.mark.parametrize("surface", ["voucherify", "connectif", "cordial", "native"])
def test_the_fuzzer_finds_nothing_with_random_requests_in_chains(live: Live, tmp_path: Path, surface: str) -> None:
    fuzz(live, tmp_path, surface, "--max-time", "60")
