"""Cordial's jobs. The vendor describes their content in prose only: all names but `jobId` and `times` are ours."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema

from app.surfaces.cordial.wire.shape import CordialShape

# Dates as MM-DD-YYYY are accepted, too, for which JSON Schema has no format.
TimeText = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
TIME = "A date as MM-DD-YYYY or in ISO 8601, which means its first moment in UTC, or an ISO 8601 date-time"


class Times(CordialShape):
    start: str = Field(description="When the job was accepted", examples=["2018-06-18T21:42:55+0000"])
    end: str | None


class Job(CordialShape):
    """`inserted`, `updated` and `rejected` add up to `completedItems` at every moment."""

    jobId: str = Field(examples=["018bcfe568a1c0ffee012345"])
    id: str = Field(description="The same value")
    jobName: str = Field(examples=["ImportProducts"])
    name: str = Field(description="The same value")
    status: Literal["Pending", "Processing", "Done", "Failed"] = Field(
        description="`Done` also if rows were rejected. `Failed` means that the file could not be processed"
    )
    times: Times
    totalItems: int | None = Field(description="Rows of the file. Null until the file has arrived")
    completedItems: int
    totalRecords: int | None = Field(description="The same as totalItems")
    inserted: int = Field(description="Rows that created a product")
    updated: int = Field(description="Rows of existing products, even if they changed nothing")
    rejected: int = Field(
        description="Rows that were not written: invalid ones, and those whose product a later import has written"
    )
    duplicate: int = Field(description="Rows whose product occurs earlier in the file. They are written all the same")
    invalid: int = Field(description="Rows with problems. `GET /imports/{id}` says which")
    new: int = Field(description="The same as inserted")
    message: str = Field(default="", description="Why the job has failed")


class JobList(RootModel[list[Job]]):
    """Newest first."""


class JobQuery(BaseModel):
    """The query of a list."""

    model_config = ConfigDict(frozen=True)

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=25, ge=1, le=1_000)
    job_name: str | None = Field(default=None, alias="jobName", description="`ImportProducts`. There are no other jobs")
    start_gt: TimeText | None = Field(default=None, alias="times[start][gt]", description=TIME)
    start_gte: TimeText | None = Field(default=None, alias="times[start][gte]", description=TIME)
    start_lt: TimeText | None = Field(default=None, alias="times[start][lt]", description=TIME)
    start_lte: TimeText | None = Field(default=None, alias="times[start][lte]", description=TIME)
