"""The live service as clients in other processes see it: behind a proxy that knows its OpenAPI documents."""

from collections.abc import Iterator

import pytest

from tests.support.live import Live
from tests.support.proxy import Proxy, checking_proxy


@pytest.fixture(scope="module")
def proxy(live: Live) -> Iterator[Proxy]:
    """Fails at the end of the module if any answer contradicted its document."""
    with checking_proxy(live.url) as running:
        yield running
