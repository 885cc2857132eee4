"""Imports customers with the Python client made from openapi/voucherify.json and polls them to the end; prints JSON.

Run with the generated package `voucherify_client` on the path, the service in BASE_URL and the key in API_KEY.
"""

import json
import os
import time
from io import BytesIO

from voucherify_client import Client
from voucherify_client.api.async_actions import download_report, get_async_action, list_async_actions
from voucherify_client.api.customers import (
    get_customer,
    import_customers_using_csv,
    list_customers,
    update_customers_in_bulk,
)
from voucherify_client.models import (
    AsyncAction,
    AsyncActionStatus,
    Customer,
    Error,
    ImportCustomersUsingCsvBody,
    Started,
    UpdateCustomersInBulkBodyItem,
)
from voucherify_client.types import File

FILE = "Source_id,Name,Birthdate,level\na/b+c@d,Jöhn,1990-03-11,gold\nsteve,Steve,tomorrow,\n"


def client_with(key: str) -> Client:
    app_id, _, token = key.partition(":")
    headers = {"X-App-Id": app_id, "X-App-Token": token}
    return Client(base_url=os.environ["BASE_URL"], headers=headers, raise_on_unexpected_status=True)


def body() -> ImportCustomersUsingCsvBody:
    file = File(payload=BytesIO(FILE.encode()), file_name="customers.csv", mime_type="text/csv")
    return ImportCustomersUsingCsvBody(file=file)


def polled(client: Client, started: Started | object) -> AsyncAction:
    assert isinstance(started, Started), started
    while True:
        action = get_async_action.sync(started.async_action_id, client=client)
        assert isinstance(action, AsyncAction), action
        if action.status is not AsyncActionStatus.IN_PROGRESS:
            return action
        time.sleep(0.1)


def main() -> None:
    client = client_with(os.environ["API_KEY"])
    action = polled(client, import_customers_using_csv.sync(client=client, body=body()))
    customer = get_customer.sync("a/b+c@d", client=client)
    assert isinstance(customer, Customer)
    change = UpdateCustomersInBulkBodyItem(source_id="a/b+c@d", email="john@example.org")
    bulk = polled(client, update_customers_in_bulk.sync(client=client, body=[change]))
    refused = import_customers_using_csv.sync(client=client_with("wrong:key"), body=body())
    missing = get_async_action.sync("aa_" + "0" * 24, client=client)
    assert isinstance(refused, Error)
    assert isinstance(missing, Error)
    told = {
        "action": action.to_dict(),
        "customer": customer.to_dict(),
        "bulk": bulk.to_dict(),
        "report": download_report.sync(bulk.id, client=client),
        "customers": [each.source_id for each in list_customers.sync(client=client, limit=5).customers],
        "actions": [each.id for each in list_async_actions.sync(client=client, limit=1).async_actions],
        "refused": refused.to_dict(),
        "missing": missing.to_dict(),
    }
    print(json.dumps(told))


main()
