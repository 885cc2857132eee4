"""The shapes of the emulator's own endpoints."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from app.emulator.faults import RequestFault, RunFault
from app.errors import FAILURES
from app.web.declared.shape import Moment, SentShape
from app.web.shapes import Shape, Timestamp

MOST_FAULTS: Final = 100


def check_failure(code: str) -> str:
    """Raises ValueError."""
    if code not in FAILURES:
        raise ValueError("must be the code of a failure, such as unreadable_file")
    return code


class FaultBody(SentShape):
    """One fault. `nth` counts the requests, or the imports, that come to its place."""

    fault: RequestFault | RunFault
    nth: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    times: Annotated[int, Field(ge=1, le=1_000_000)] | None = 1
    seconds: Annotated[float, Field(ge=0, le=3_600)] = 1.0
    method: str | None = None
    path: Annotated[str, Field(max_length=500)] = "*"
    retry_after: Annotated[int, Field(ge=0, le=3_600)] = 1
    row: Annotated[int, Field(ge=1)] = 1
    type: str | None = None
    file_name: str | None = None
    failure: Annotated[str, AfterValidator(check_failure)] = "unreadable_file"


class FaultsBody(SentShape):
    faults: Annotated[list[FaultBody], Field(max_length=MOST_FAULTS)]


class ListedFault(FaultBody):
    reached: int


class FaultList(Shape):
    faults: list[ListedFault]


class ClockBody(SentShape):
    """Either the moment that it is to be, or how far time is to pass."""

    now: Moment | None = None
    forward_seconds: Annotated[float, Field(ge=-3_153_600_000, le=3_153_600_000)] | None = None


class ClockItem(Shape):
    now: Timestamp
    shift_seconds: float


class AccountItem(Shape):
    account: str
    key: str
