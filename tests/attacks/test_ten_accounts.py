"""Nine accounts get their imports done, with every row, while a tenth attacks in each way that is known.

How long their requests take is a benchmark: `make bench`, "One hostile account among ten".
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.attacks import WAYS
from benchmarks.hostile import OTHERS, attacking, measure
from benchmarks.memory import peaks, reset
from benchmarks.service import Service, started

API_MEGABYTES = 250  # about twice what the API needs for ten large uploads


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    work: Path = tmp_path_factory.mktemp("hostile")
    for folder in (work, work.parent):  # root runs PostgreSQL as another account, which must be able to walk in
        folder.chmod(0o711)
    with started(work) as running:
        yield running


@pytest.fixture(scope="module")
def keys(service: Service) -> list[str]:
    return [service.key(f"other-{number}") for number in range(OTHERS)]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_imports_of_the_others_finish(service: Service, keys: list[str], way: str) -> None:
    reset(service)
    with attacking(service, way):
        measured = measure(service, keys)
    assert not measured.wrong, measured.wrong[:3]
    assert measured.imports >= OTHERS
    assert peaks(service).api < API_MEGABYTES, str(peaks(service))
