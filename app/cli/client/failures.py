"""Why a request did not work: the service refused it, failed, or cannot be reached."""

from typing import Any, Final

import httpx
import msgspec

from app.errors import SluiceError

LONGEST_WAIT_SECONDS: Final = 3_600.0  # whatever Retry-After says


class Digits(str):
    """The digits of a number that is not whole, as they came: 1.10 stays 1.10."""

    __slots__ = ()


DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Digits)


class JsonObject(dict[str, Any]):
    """A JSON object, and the text that it came as."""

    def __init__(self, members: dict[str, Any], text: str) -> None:
        super().__init__(members)
        self.text = text


class RequestFailed(SluiceError):
    """The service refused the request, failed or cannot be reached.

    `body` is the body of the error response, or one of the same shape made here. `retry_after` has the seconds after
    which the service says that another try may succeed.
    """

    def __init__(self, body: dict[str, object], retry_after: float | None = None) -> None:
        super().__init__(str(body.get("detail") or body.get("title") or "The service refused the request"))
        self.body = body
        self.retry_after = retry_after

    @property
    def refused(self) -> bool:
        """Whether the service answered that it will not do this, as it would again."""
        status = self.body.get("status")
        return isinstance(status, int) and 400 <= status < 500


def request_failed(title: str, detail: str) -> RequestFailed:
    return RequestFailed({"title": title, "detail": detail})


def failed_response(response: httpx.Response) -> RequestFailed:
    """The failure that a response tells. Proxies answer with pages: then the status is all that is known."""
    detail = f"{response.request.url} answered {response.status_code} {response.reason_phrase}"
    unknown: dict[str, object] = {"status": response.status_code, "title": "Unexpected response", "detail": detail}
    wait = retry_after_seconds(response, longest=LONGEST_WAIT_SECONDS)
    return RequestFailed(parse_object(response) or unknown, wait)


def parse_object(response: httpx.Response) -> JsonObject | None:
    """The JSON object of a response that has been read; None if it is none."""
    try:
        return JsonObject(DECODER.decode(response.content), response.text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def retry_after_seconds(response: httpx.Response, *, longest: float) -> float | None:
    """The seconds of Retry-After; None if there is no such header, or if it is a date."""
    try:
        return min(max(float(response.headers["Retry-After"]), 0.05), longest)
    except (KeyError, ValueError):
        return None


def list_reasons(body: dict[str, object]) -> list[str]:
    """The reasons in the body of an error, each once: `errors` and `validationErrors` usually list the same."""
    items: list[object] = []
    for member in ("errors", "validationErrors"):
        value = body.get(member)
        items += value if isinstance(value, list) else []
    return list(dict.fromkeys(str(item.get("reason", "")) for item in items if isinstance(item, dict)))


def list_holding(body: dict[str, object]) -> list[str]:
    """What holds the places of a queue that is full, a line each, if the body of the error tells: "Import 018b… of
    contacts, august.csv: running, 62 %"."""
    queue = body.get("queue")
    runs = queue.get("runs") if isinstance(queue, dict) else None
    return [describe_holding(run) for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []


def describe_holding(run: dict[str, Any]) -> str:
    name = f", {run['name']}" if run.get("name") else ""
    percent = f", {run.get('percent')} %" if run.get("status") == "running" else ""
    what = f"{str(run.get('kind')).capitalize()} {run.get('id')} of {run.get('type')}{name}"
    return f"{what}: {run.get('status')}{percent}"
