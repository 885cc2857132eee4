"""What becomes of a message after each answer: delivered, tried again at its time, or given up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.deliveries.webhooks.webhook import TEST
from app.transports.transport import HttpAnswer

MINUTE, HOUR = 60.0, 3_600.0
# The waits before each further try, as Standard Webhooks proposes them.
RETRIES: Final = (
    5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
# A message can wait longer than its tries take, while its receiver has a rest or the webhook is disabled.
GIVE_UP_SECONDS: Final = sum(RETRIES) + 24 * HOUR
LONGEST_ASKED: Final = 24 * HOUR  # that a receiver may have us wait with `Retry-After`

TOO_OLD: Final = "It could not be delivered for four days"
LOCKED: Final = "The secret of the webhook cannot be decrypted with the keys of this service. Rotate it"
REDIRECTED: Final = "The receiver answered with a redirect (status {status}). Redirects are not followed"
REFUSED: Final = "The receiver answered with status {status}"
GONE: Final = 410
# Answers that say of the receiver, and not of the message, that it cannot take any at the moment.
BUSY: Final[Mapping[int, str]] = {
    429: "The receiver takes no more messages at the moment (status 429)",
    502: "The receiver cannot be reached through its gateway (status 502)",
    503: "The receiver is not available at the moment (status 503)",
    504: "The receiver did not answer its gateway in time (status 504)",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one try. `reason` is a sentence of ours, None: it was delivered. `troubled`: nothing else is sent to the
    receiver for a while, and for no less than `asked` seconds. `final`: there is no further try."""

    status: int | None
    reason: str | None = None
    troubled: bool = False
    asked: float = 0.0
    final: bool = False


def judge(answer: HttpAnswer) -> Outcome:
    """What an answer means: 2xx is a success, and nothing else is."""
    status, asked = answer.status, min(answer.retry_after or 0.0, LONGEST_ASKED)
    if 200 <= status < 300:
        return Outcome(status)
    if status in BUSY:
        return Outcome(status, BUSY[status], troubled=True, asked=asked)
    words = REDIRECTED if 300 <= status < 400 else REFUSED
    return Outcome(status, words.format(status=status), asked=asked, final=status == GONE)


def find_wait(outcome: Outcome, event: str, step: int) -> float | None:
    """Seconds until the next try after `step` of them; None: there is none."""
    if outcome.final or event == TEST or step > len(RETRIES):
        return None
    return max(RETRIES[step - 1], outcome.asked)
