"""The actions that the audit log tells, and how each is said in a sentence."""

from collections.abc import Mapping
from itertools import product
from typing import Final

# What is kept under a name, and what happens to it.
NOUNS: Final = {
    "connection": "connection",
    "mapping": "mapping template",
    "coupon_set": "coupon set",
    "type": "record type",
    "record": "record",
    "item_sync": "item sync",
    "schedule": "schedule",
    "feed": "feed",
    "webhook": "webhook",
    "account": "account",
    "operator_key": "operator's key",
}
CHANGES: Final = ("created", "changed", "deleted")
SWITCHED: Final = ("schedule", "feed", "webhook")
RUNS: Final = {"import": "import", "export": "export", "sync": "run of an item sync", "undo": "undo"}
DECISIONS: Final = ("started", "resumed", "cancelled", "deleted")

# Action -> what somebody did, before the name of what they did it to. An action is called by what it is done to, a dot,
# and the deed. The triggers of migrations 0041, 0042 and 0044 name those of all but records, the beginning
# of a deletion and failed sign-ins, which `app.imports`, `app.accounts` and `app.people` note themselves.
ACTIONS: Final[Mapping[str, str]] = {
    **{f"{kind}.{deed}": f"{deed} the {noun}" for (kind, noun), deed in product(NOUNS.items(), CHANGES)},
    **{f"{kind}.paused": f"switched off the {NOUNS[kind]}" for kind in SWITCHED},
    **{f"{kind}.resumed": f"switched on the {NOUNS[kind]}" for kind in SWITCHED},
    **{f"{kind}.{deed}": f"{deed} the {noun}" for (kind, noun), deed in product(RUNS.items(), DECISIONS)},
    "import.committed": "committed the import",
    "sync.committed": "committed the run of the item sync",
    "import.rerun": "ran an import again as",
    "import.retried": "retried failed rows in the import",
    "import.corrected": "sent corrected rows in the import",
    "export.rerun": "ran an export again as",
    "export.retried": "retried deliveries in the export",
    "account.deletion_begun": "began to delete the account",
    "account.suspended": "suspended the account",
    "account.activated": "let the account go on that was suspended,",
    "operator_key.revoked": "revoked the operator's key",
    "key.created": "created the API key",
    "key.changed": "changed the API key",
    "key.revoked": "revoked the API key",
    "key.deleted": "deleted the API key",
    "token.issued": "was issued an access token of the API key",
    "token.revoked": "revoked an access token of the API key",
    "person.invited": "invited",
    "person.joined": "took the invitation of",
    "person.changed": "changed the person",
    "person.removed": "removed",
    "person.link_made": "made a link that sets the password of",
    "person.sign_in_failed": "failed to sign in to the dashboard as",
    "session.started": "signed in to the dashboard",
}
