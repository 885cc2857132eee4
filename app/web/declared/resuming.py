"""What somebody who resumes a run agrees to."""

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from app.runs.holding.brakes import BRAKES, Brakes
from app.runs.holding.held import Approval
from app.web.declared.brakes import BrakedBody
from app.web.declared.shape import json_body
from app.web.surface import parse_shape

ONLY_WITH_ANY: Final = "Limits are for `accept` any: without it the run does what it shows"


class ResumeBody(BrakedBody):
    """Limits are those of the rest of the run, with `accept` any; without one there is none."""

    plan: int | None = Field(
        default=None, description="The `plan` that was looked at. Another one by now is refused, and nothing goes on"
    )
    accept: Literal["shown", "any"] = Field(
        default="shown",
        description="shown: the run writes what it shows, or is halted again. any: it writes what its rows come to by "
        "then, within the limits that are given here",
    )

    @model_validator(mode="after")
    def refuse_limits_of_what_is_shown(self) -> Self:
        """Raises ValueError."""
        if self.accept != "any" and any(getattr(self, name) is not None for name in BRAKES):
            raise ValueError(ONLY_WITH_ANY)
        return self


RESUME_BODY: Final = json_body(ResumeBody, {"plan": 3}, required=False)


def parse_approval(body: dict[str, Any]) -> Approval:
    """Raises one Refused("invalid") that names every mistake."""
    given = parse_shape(ResumeBody, body)
    limits = Brakes(**{name: getattr(given, name) for name in BRAKES})
    return Approval(given.plan, limits if given.accept == "any" else None)
