"""`sluice coupon-sets …`: creates, renames and shows the sets that coupons are imported into."""

from typing import Annotated, Any

import typer

from app.cli.client.http import build_path, connect, get_object, read_object, request
from app.cli.client.options import DEFAULT_URL, AsJson, Key, Url
from app.cli.client.printing import print_facts, print_json, show_time

coupon_sets = typer.Typer()

SetId = Annotated[str, typer.Argument(metavar="ID", help="Id of the set, as --coupon-set names it")]
SetName = Annotated[str | None, typer.Option("--name", help="Name of the set, for people; default: its id")]


@coupon_sets.command("put")
def put_coupon_set(
    set_id: SetId, *, name: SetName = None, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False
) -> None:
    """Create a coupon set, or rename it."""
    with connect(url, key, as_json=as_json) as client:
        answer = request(client, "PUT", build_path("coupon-sets", set_id), json={"name": name} if name else {})
        print_coupon_set(read_object(answer), as_json=as_json)


@coupon_sets.command("show")
def show_coupon_set(set_id: SetId, *, url: Url = DEFAULT_URL, key: Key = "", as_json: AsJson = False) -> None:
    """Show a coupon set and the number of its coupons."""
    with connect(url, key, as_json=as_json) as client:
        print_coupon_set(get_object(client, build_path("coupon-sets", set_id)), as_json=as_json)


def print_coupon_set(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    times = {"Created": show_time(found["createdAt"]), "Updated": show_time(found["updatedAt"])}
    print_facts({"Set": found["id"], "Name": found["name"], "Coupons": f"{found['quantity']:,}", **times})
