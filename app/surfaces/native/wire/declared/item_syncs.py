"""Shapes of item syncs."""

from pydantic import Field

from app.runs.states import State
from app.surfaces.native.wire.shape import Links
from app.web.declared.item_syncs import ItemSyncBody
from app.web.shapes import Shape, Timestamp


class ItemSync(ItemSyncBody):
    id: str = Field(examples=["sync_018bcfe568a1c0ffee012345"])
    schedule_ids: list[str] = Field(
        description="The schedules that run it: those of the kind sync that POST /schedules has made for it"
    )
    last_run_id: str = Field(default="", description="The run that was accepted last. Absent if none is kept")
    last_run_status: State = Field(default=State.QUEUED, description="Present with that run")
    created_at: Timestamp
    updated_at: Timestamp


class ItemSyncList(Shape):
    """Ordered by name."""

    links: Links
    results: list[ItemSync]
