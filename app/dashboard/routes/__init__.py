"""The pages, one file each. The prefix of each router is its whole path, because that is what the log tells."""

from fastapi import APIRouter

from app.dashboard.routes import connections, exports, files, jobs, live, templates
from app.dashboard.routes.access import keys, me, people, sign_in, welcome
from app.dashboard.routes.catalogue import record, records, rows, types
from app.dashboard.routes.clock import feed_form, feeds, schedule_form, schedules
from app.dashboard.routes.runs import decide, problems, show
from app.dashboard.routes.syncs import actions, lists, settings
from app.dashboard.routes.wizard import WIZARD

router = APIRouter()
PAGES = (
    *(files, keys, me, people, sign_in, welcome),
    *(jobs, live, show, problems, decide),
    templates,
    *(types, records, record, rows),
    *(settings, lists, actions),
    *(schedule_form, schedules, feed_form, feeds),
    connections,
    *WIZARD,
    exports,
)
for page in PAGES:
    router.include_router(page.router, include_in_schema=False)
# Last, because a path such as /app/imports/new must not be taken for a run.
router.include_router(show.addresses, include_in_schema=False)
