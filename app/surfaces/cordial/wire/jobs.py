"""Cordial's jobs. Their content is documented in prose only: all of these names but `jobId` and `times` are ours."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema

from app.surfaces.cordial.wire.shape import Shape

# Dates as MM-DD-YYYY are taken, too, which no format of JSON Schema says.
Spelled = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
MOMENT = "A date as MM-DD-YYYY or of ISO 8601 (its beginning in UTC), or a date-time of ISO 8601"


class Times(Shape):
    start: str = Field(description="When the job was accepted", examples=["2018-06-18T21:42:55+0000"])
    end: str | None


class Job(Shape):
    """`inserted`, `updated` and `rejected` add up to `completedItems` at every moment."""

    jobId: str = Field(examples=["018bcfe568a1c0ffee012345"])
    id: str = Field(description="The same")
    jobName: str = Field(examples=["ImportProducts"])
    name: str = Field(description="The same")
    status: Literal["Pending", "Processing", "Done", "Failed"] = Field(
        description="Done also when rows were rejected; Failed is a file that cannot be processed"
    )
    times: Times
    totalItems: int | None = Field(description="Rows of the file; null until it is here")
    completedItems: int
    totalRecords: int | None = Field(description="The same as totalItems")
    inserted: int = Field(description="Rows that made a product")
    updated: int = Field(description="Rows of products that were there, also where they changed nothing")
    rejected: int = Field(
        description="Rows that were not written: invalid ones, and those of a later import's products"
    )
    duplicate: int = Field(description="Rows whose product stood in the file before; they were written all the same")
    invalid: int = Field(description="Rows with something wrong; `GET /imports/{id}` says what")
    new: int = Field(description="The same as inserted")
    message: str = Field(default="", description="Why the job has failed")


class JobList(RootModel[list[Job]]):
    """Newest first."""


class JobsAsked(BaseModel):
    """The query of a list."""

    model_config = ConfigDict(frozen=True)

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=25, ge=1, le=1_000)
    job_name: str | None = Field(default=None, alias="jobName", description="`ImportProducts`; there are no others")
    start_gt: Spelled | None = Field(default=None, alias="times[start][gt]", description=MOMENT)
    start_gte: Spelled | None = Field(default=None, alias="times[start][gte]", description=MOMENT)
    start_lt: Spelled | None = Field(default=None, alias="times[start][lt]", description=MOMENT)
    start_lte: Spelled | None = Field(default=None, alias="times[start][lte]", description=MOMENT)
