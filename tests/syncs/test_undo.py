"""An item sync that is undone leaves all records of a catalogue as they were: items, prices, filters and pictures."""

import pytest

from tests.support.archives import zip_of
from tests.support.item_syncs import SyncEngine
from tests.support.pictures import picture
from tests.support.undoing import dump, undo

ITEMS = "ItemCode;Description;SalesPrice;salesprice1;salesprice2\nA;Shirt;9.95;8;7.5\nB;Cap;5;;4\nC;Sock;1;1;\n"
FILTERS = "ClassName;ClassValue;ItemCode;Sequence\nColor;Red;A;1\nColor;Blue;B;2\nBrand;Nike;A;1\n"
# A changes, B is named twice, C goes where that is asked for, and D is new, as are a price list and a filter.
LATER_ITEMS = (
    "ItemCode;Description;SalesPrice;salesprice1;salesprice3\nA;Shirt;9.9500;8.5;7\nB;Hat;5;2;4\nB;Hats;;3;\nD;;1;1;\n"
)
LATER_FILTERS = "ClassName;ClassValue;ItemCode;Sequence\nColor;Red;B;7\nSize;L;D;2\nColor;Red;A;1\n"


@pytest.mark.parametrize("mode", ["incremental", "full"])
async def test_an_item_sync_and_its_undo_leave_the_catalogue_byte_for_byte(syncs: SyncEngine, mode: str) -> None:
    red, blue = picture(size=(30, 30)), picture(size=(31, 31))
    await syncs.run(ITEMS, FILTERS, images=zip_of({"A.jpg": red, "B.jpg": red, "C.jpg": red}))
    before = await dump(syncs)
    images = zip_of({"A.jpg": blue, "B_2.jpg": blue, "D.jpg": blue})
    run = await syncs.run(LATER_ITEMS, LATER_FILTERS, images=images, mode=mode, max_removed_share=None)
    after = await dump(syncs)
    assert (run.state, "C" in await syncs.stored("items")) == ("finished", mode == "incremental")
    assert {row[0] for row in before} == {row[0] for row in after} == {row[0] for row in set(before) ^ set(after)}

    undone = await undo(syncs, run)
    assert (undone.state, undone.skipped, await dump(syncs)) == ("finished", 0, before)
    # In the other direction, and back again.
    again = await undo(syncs, undone)
    assert (again.skipped, await dump(syncs)) == (0, after)
    assert ((await undo(syncs, run)).skipped, await dump(syncs)) == (0, before)
