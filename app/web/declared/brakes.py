"""The members by which a request says what a run may do at most."""

from pydantic import Field, StrictInt

from app.runs.holding.brakes import MOST
from app.web.declared.shape import SentShape


class BrakedBody(SentShape):
    """A limit is null if there is none."""

    max_errors: StrictInt | None = Field(default=None, ge=0, le=MOST)
    max_error_share: float | None = Field(default=None, ge=0, le=1, strict=True)
    max_created: StrictInt | None = Field(default=None, ge=0, le=MOST)
    max_updated: StrictInt | None = Field(default=None, ge=0, le=MOST)
    max_removed: StrictInt | None = Field(default=None, ge=0, le=MOST)
    max_removed_share: float | None = Field(default=None, ge=0, le=1, strict=True)
    min_rows: StrictInt | None = Field(default=None, ge=0, le=MOST)
