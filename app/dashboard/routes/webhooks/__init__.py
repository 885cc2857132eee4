"""Pages of webhooks: who is told that runs have ended, and what they were sent."""

from app.dashboard.routes.webhooks import actions, form, listed, one

WEBHOOK_PAGES = (listed, form, one, actions)
