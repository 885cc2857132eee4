"""An import and its undo leave the records as they were, whatever is odd about their type."""

from typing import Any

import pytest

from app.declarations.types import declare_type
from app.runs.holding.brakes import Brakes
from app.storage.declared import coupon_sets
from tests.engine.conftest import ImportEngine
from tests.support.undoing import dump, undo

TICKETS = {
    "key": "number",
    "generateKey": True,
    "fields": [{"id": "number", "type": "text"}, {"id": "title", "type": "text"}],
}
SPRING, AUTUMN = ({"constants": {"couponSetId": f'"{name}"'}} for name in ("spring", "autumn"))
Files = list[tuple[str, str, dict[str, Any]]]
# By what is odd about them: the files before, and the one that is undone.
KINDS_OF_RECORDS: dict[str, tuple[Files, tuple[str, str, dict[str, Any]]]] = {
    "keys that are generated": (
        [("tickets", "title\nOne\nTwo\n", {})],
        ("tickets", "title\nThree\nFour\n", {}),
    ),
    "records that name each other by their titles": (
        [("shop-products", "title,parentTitle,optionTitle\nShirt,,\nRed,Shirt,Color\n", {})],
        ("shop-products", "title,parentTitle,optionTitle\nCap,,\nBlue,Shirt,Color\nGreen,Cap,Color\n", {}),
    ),
    "references to another type": (
        [("items", "itemCode\nA\nB\n", {}), ("price-lists", "id,code,name\n1,1,One\n", {}),
         ("item-prices", "id,priceListId,itemCode,price\n1:A,1,A,1.50\n", {})],
        ("item-prices", "id,priceListId,itemCode,price\n1:A,1,A,2\n1:B,1,B,3.10\n1:C,1,C,4\n", {}),
    ),
    "coupons of one set": (
        [("coupons", "code\nA\nB\n", SPRING), ("coupons", "code\nC\n", AUTUMN)],
        ("coupons", "code\nB\nD\nC\n", SPRING),
    ),
    "coupons of one set that are replaced": (
        [("coupons", "code\nA\nB\n", SPRING), ("coupons", "code\nC\n", AUTUMN)],
        ("coupons", "code\nB\nD\n", SPRING | {"replace": True, "brakes": Brakes(max_removed_share=1)}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("odd", KINDS_OF_RECORDS)
async def test_records_of_every_kind_are_left_byte_for_byte(engine: ImportEngine, odd: str) -> None:
    async with engine.runtime.database.transaction() as session:
        await declare_type(session, engine.account_id, "tickets", TICKETS)
        for name in ("spring", "autumn"):
            await coupon_sets.put(session, engine.account_id, name, name)
    earlier, (type_, file, options) = KINDS_OF_RECORDS[odd]
    for each, data, others in earlier:
        run = await engine.run(data, each, **others)
        assert (run.state, run.failed) == ("finished", 0), run.error_summary
    before = await dump(engine)
    imported = await engine.run(file, type_, **options)
    after = await dump(engine)
    assert (imported.state, imported.created > 0, len(set(after) - set(before)) > 0) == ("finished", True, True)

    undone = await undo(engine, imported)
    assert (undone.skipped, await dump(engine)) == (0, before)
    assert ((await undo(engine, undone)).skipped, await dump(engine)) == (0, after)
