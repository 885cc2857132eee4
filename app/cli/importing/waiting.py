"""Waits until an account has room for another import, as long as the service says."""

import time
from collections.abc import Callable

import httpx

from app.cli.client.failures import RequestFailed
from app.cli.client.printing import print_note

OnFull = Callable[[RequestFailed], None]


def try_until_accepted(send: Callable[[], httpx.Response], on_full: OnFull | None) -> httpx.Response:
    """The response to the first try that is not told to come later. `on_full` is told each time that it is; without
    it the first try counts. Raises RequestFailed."""
    while True:
        try:
            return send()
        except RequestFailed as failure:
            if on_full is None or failure.retry_after is None:
                raise
            on_full(failure)
            time.sleep(failure.retry_after)


def print_wait(failure: RequestFailed) -> None:
    """Says why there is no room yet, and when the next try is."""
    print_note(f"{failure}. Trying again in {failure.retry_after:.0f} s")
