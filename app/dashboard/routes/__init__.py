"""The pages, one file each. The prefix of each router is its whole path, because that is what the log tells."""

from app.dashboard.routes import account, files, jobs, live
from app.dashboard.routes.access import audit, keys, me, people, sign_in, welcome
from app.dashboard.routes.catalogue import record, records, removal, rows, types
from app.dashboard.routes.clock import feed_form, feeds, schedule_form, schedules
from app.dashboard.routes.connections import CONNECTION_PAGES
from app.dashboard.routes.exports import EXPORT_PAGES
from app.dashboard.routes.runs import decide, fix, problems, retry, show, undo
from app.dashboard.routes.syncs import actions, lists, settings
from app.dashboard.routes.templates import TEMPLATE_PAGES
from app.dashboard.routes.webhooks import WEBHOOK_PAGES
from app.dashboard.routes.wizard import WIZARD
from app.web.surface import collect_routes

PAGES = (
    *(files, audit, keys, me, people, sign_in, welcome),
    *(jobs, live, show, problems, fix, retry, decide, undo),
    *TEMPLATE_PAGES,
    *(types, records, removal, record, rows),
    *(settings, lists, actions),
    *(schedule_form, schedules, feed_form, feeds),
    *CONNECTION_PAGES,
    *WEBHOOK_PAGES,
    account,
    *WIZARD,
    *EXPORT_PAGES,
)
# Addresses last, because a path such as /app/imports/new must not be taken for a run.
ROUTES = collect_routes((*(page.router for page in PAGES), show.addresses))
for route in ROUTES:
    route.include_in_schema = False  # a page is in no OpenAPI document
