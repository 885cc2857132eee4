"""What a user of Voucherify's Python SDK does, against BASE_URL with API_KEY; prints JSON with a member for each step.

A step that raises is told as {"raised": …}, and the others go on.
"""

import json
import os
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voucherify import ApiClient, AsyncActionsApi, Configuration, CustomersApi
from voucherify.exceptions import ApiException
from voucherify.models.customers_update_in_bulk_request_body import CustomersUpdateInBulkRequestBody as Change

# Who may have an odd id: `@`, `+`, `/`, `%` and a blank have to come through a path percent-encoded.
ODD = ("john+news@example.org", "shop/17/anna", "100% sure?", "Ägypten")
GOOD = """Source_id,Name,Email,Phone,Birthdate,Description,Address_line_1,City,Postal_Code,Country,level,seats
john,Jöhn Doe,john@example.org,+48 123 456 789,1990-03-11,"says ""hi"", often",Main St 1,Łódź,90-001,PL,gold,2
anna,Anna,,,,,,,,,,
"""
PARTLY_BAD = """source_id,name,email,phone,birthdate
one,One,one@example.org,+48111222333,1990-03-11
two,Two,no address,+48111222333,1990-03-11
three,Three,three@example.org,1,1990-03-11
four,Four,four@example.org,+48111222333,21-06-1995
five,Five,five@example.org,+48111222333,1995-06-21T09:00:00.000Z
"""
TRIES = 300
PAUSE = 0.1


class Customers:
    """The SDK with one key. A path is read from disk; bytes go as a part of another name and type."""

    def __init__(self, key: str) -> None:
        app_id, _, token = key.partition(":")
        configuration = Configuration(host=os.environ["BASE_URL"], api_key={"X-App-Id": app_id, "X-App-Token": token})
        client = ApiClient(configuration)
        self.customers, self.actions = CustomersApi(client), AsyncActionsApi(client)

    def started(self, file: str | bytes) -> str:
        return self.customers.import_customers_using_csv(file=file).async_action_id

    def polled_as_the_vendors_app(self, action_id: str) -> Any:
        """Until it is anything but IN_PROGRESS."""
        return self.polled(action_id, lambda action: action.status not in ("IN_PROGRESS", None))

    def polled_as_the_vendors_tests(self, action_id: str) -> Any:
        return self.polled(action_id, lambda action: action.operation_status in ("SUCCESS", "FAILED"))

    def polled(self, action_id: str, ended: Callable[[Any], bool]) -> Any:
        for _ in range(TRIES):
            action = self.actions.get_async_action(action_id)
            if ended(action):
                return action
            time.sleep(PAUSE)
        raise TimeoutError(action)


def from_a_path(sdk: Customers) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        path.write_text(GOOD)
        action_id = sdk.started(str(path))
    return shown(sdk.polled_as_the_vendors_app(action_id)) | {"started": action_id}


def odd_names(sdk: Customers) -> object:
    rows = "".join(f"{name},{number}\n" for number, name in enumerate(ODD))
    return shown(sdk.polled_as_the_vendors_tests(sdk.started(f"Source_id,Name\n{rows}".encode())))


def partly_bad(sdk: Customers) -> object:
    return shown(sdk.polled_as_the_vendors_tests(sdk.started(PARTLY_BAD.encode())))


def customer(sdk: Customers) -> object:
    return shown(sdk.customers.get_customer("john"))


def customer_by_id(sdk: Customers) -> object:
    return shown(sdk.customers.get_customer(sdk.customers.get_customer("john").id))


def odd_customers(sdk: Customers) -> object:
    return [sdk.customers.get_customer(name).source_id for name in ODD]


def customer_list(sdk: Customers) -> object:
    first = sdk.customers.list_customers(limit=2)
    after = first.customers[-1].created_at
    return {
        "pages": [shown(first), shown(sdk.customers.list_customers(limit=2, starting_after=after))],
        "named": [each.source_id for each in sdk.customers.list_customers(email="john@example.org").customers],
        "in_the_future": shown(sdk.customers.list_customers(created_at_after=datetime(2200, 1, 1, tzinfo=UTC))),
    }


def action_list(sdk: Customers) -> object:
    early, late = datetime(2020, 1, 1, 12, tzinfo=UTC), datetime(2200, 1, 1, 12, tzinfo=UTC)
    return {
        "newest": shown(sdk.actions.list_async_actions(limit=1)),
        "before_2020": shown(sdk.actions.list_async_actions(end_date=early)),
        "before_2200": shown(sdk.actions.list_async_actions(limit=100, end_date=late)),
    }


def bulk(sdk: Customers) -> object:
    changes = [
        Change(source_id="john", name="John the Second", metadata={"level": "silver", "points": 7}),
        Change(source_id="new", email="new@example.org"),
        Change(source_id="bad", email="no address"),
    ]
    started = sdk.customers.update_customers_in_bulk(changes).async_action_id
    action = sdk.polled(started, lambda action: action.status == "DONE")
    return {"action": shown(action), "customer": shown(sdk.customers.get_customer("john"))}


def errors(sdk: Customers) -> object:
    stranger = Customers("wrong:key")
    return {
        "wrong_key": error_of(lambda: stranger.started(GOOD.encode())),
        "wrong_key_polls": error_of(lambda: stranger.actions.get_async_action("aa_" + "0" * 24)),
        "no_file": error_of(sdk.customers.import_customers_using_csv),
        "empty_file": error_of(lambda: sdk.started(b"")),
        "unknown_action": error_of(lambda: sdk.actions.get_async_action("aa_" + "0" * 24)),
        "unknown_customer": error_of(lambda: sdk.customers.get_customer("nobody@example.org")),
    }


def error_of(call: Callable[[], object]) -> object:
    try:
        return {"returned": repr(call())}
    except ApiException as raised:
        return {"class": type(raised).__name__, "status": raised.status, "body": json.loads(raised.body)}


def shown(model: Any) -> Any:
    # The SDK's own to_json() raises on every model with a date-time.
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


STEPS = (
    from_a_path,
    odd_names,
    partly_bad,
    customer,
    customer_by_id,
    odd_customers,
    customer_list,
    action_list,
    bulk,
    errors,
)


def told(step: Callable[[Customers], object], sdk: Customers) -> object:
    try:
        return step(sdk)
    except Exception:  # noqa: BLE001  whatever it is, the test shows it
        return {"raised": traceback.format_exc()}


sdk = Customers(os.environ["API_KEY"])
print(json.dumps({step.__name__: told(step, sdk) for step in STEPS}))
