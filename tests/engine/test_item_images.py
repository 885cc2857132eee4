"""The pictures of an archive become images of items, and are shown over HTTP."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.formats.archives.zip_file import ZipReader
from app.item_images.archive import Found, Turn, build_archive_limits, read_pictures
from app.item_images.kept_pictures import sweep_pictures
from app.item_images.records import ImageCounts, format_images, write_images
from app.runtime import Runtime
from app.storage import records
from app.storage.access import accounts
from app.storage.journal.pruning import TABLES
from app.undo.pruning import forget_old_changes
from tests.conftest import Finish, NewAccount
from tests.support.archives import Made, put_together, zip_of
from tests.support.http import Account, post, stored_files
from tests.support.pictures import find_corner, opened, picture

ITEMS = "ItemCode,Description\nSHIRT01,Shirt\nA/B,Slash\nA_B,Underscore\n"


@pytest.fixture
async def shop(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> Account:
    """An account with three items."""
    await send_items(client, an_account, runtime, finish, ITEMS)
    return an_account


async def send_items(client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish, items: str) -> None:
    accepted = await post(client, account, items.encode(), name="items.csv", parts={"type": "items"})
    await finish(runtime, accepted.json()["id"])


async def read(runtime: Runtime, account: Account, files: Mapping[str, bytes] | bytes) -> Found:
    file = files if isinstance(files, bytes) else zip_of(files)
    archive = ZipReader(io.BytesIO(file), build_archive_limits(runtime))
    found = await read_pictures(runtime, account.id, archive, Turn(lambda: False))
    assert found is not None
    return found


async def write(
    runtime: Runtime, account: Account, found: Found, *, remove_missing: bool = False, earlier: int = 0
) -> ImageCounts:
    """As a run that was accepted by so many numbers earlier than now."""
    async with runtime.database.transaction() as session:
        number = await accounts.next_seq(session, account.id) - earlier
        lines = format_images(found.images)
        return await write_images(session, account.id, "a-run", number, lines, remove_missing=remove_missing)


async def shown(client: httpx.AsyncClient, account: Account, code: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/items/{code}/images", headers=account.headers)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def test_pictures_of_an_archive_are_listed_and_downloaded(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime
) -> None:
    large = picture(size=(900, 600))
    files = {
        "SHIRT01_2.jpg": large,
        "folder/SHIRT01.PNG": picture("PNG"),
        "A%2FB_1.jpg": large,
        "A_B_3.jpeg": large,
        "__MACOSX/._SHIRT01_2.jpg": b"noise",
        "Thumbs.db": b"noise",
        "OTHER_1.jpg": large,
        "read me.txt": b"text",
        "SHIRT01_4.jpg": large[:-900],
        "SHIRT01_5.jpg": b"GIF89a",
    }
    found = await read(runtime, shop, files)
    assert sorted(found.refused) == [
        ("OTHER_1.jpg", "unknown_item"),
        ("SHIRT01_4.jpg", "damaged_picture"),
        ("SHIRT01_5.jpg", "not_a_picture"),
        ("read me.txt", "other_extension"),
    ]
    assert found.ignored == 2
    assert await write(runtime, shop, found) == ImageCounts(4, 0, 0, 0, 0)

    first, second = await shown(client, shop, "SHIRT01")
    assert [(each["sequence"], each["fileName"], each["mediaType"]) for each in (first, second)] == [
        (1, "SHIRT01.PNG", "image/png"),
        (2, "SHIRT01_2.jpg", "image/jpeg"),
    ]
    answer = await client.get(second["url"], headers=shop.headers)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert (find_corner(answer.content), opened(answer.content).size) == ("top left", (900, 600))
    assert len(answer.content) == second["bytes"]
    again = await client.get(second["url"], headers=shop.headers | {"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    assert [each["sequence"] for each in await shown(client, shop, "A%2FB")] == [1]
    assert [each["sequence"] for each in await shown(client, shop, "A_B")] == [3]
    record = (await client.get("/records/item-images/SHIRT01_2", headers=shop.headers)).json()
    assert record["data"]["itemCode"] == "SHIRT01"
    assert record["data"]["sha256"] == second["sha256"]


async def test_a_size_is_made_once_and_never_larger(client: httpx.AsyncClient, shop: Account, runtime: Runtime) -> None:
    await write(runtime, shop, await read(runtime, shop, {"SHIRT01.jpg": picture(size=(900, 600))}))
    url, headers = "/items/SHIRT01/images/1", shop.headers
    whole = await client.get(url, headers=headers)
    before = stored_files(runtime)
    answers = await asyncio.gather(*(client.get(f"{url}?width=320", headers=headers) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["etag"] for answer in answers} | {whole.headers["etag"]}) == 2
    assert opened(answers[0].content).size == (320, 213)
    assert len(stored_files(runtime) - before) == 1
    assert (await client.get(f"{url}?width=1280", headers=headers)).content == whole.content
    assert len(stored_files(runtime) - before) == 1
    refused = await client.get(f"{url}?width=321", headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "width")


async def test_a_page_of_small_pictures_is_made_for_one_account_beside_another(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime, finish: Finish, a_key: NewAccount
) -> None:
    """Many at once, of which each takes its time, hold up the single picture of another account by one or two."""
    files = {f"SHIRT01_{number}.jpg": picture(size=(900 + number, 600)) for number in range(24)}
    await write(runtime, shop, await read(runtime, shop, files))
    other = await a_key()
    await send_items(client, other, runtime, finish, ITEMS)
    await write(runtime, other, await read(runtime, other, {"SHIRT01.jpg": picture(size=(900, 600))}))
    ended: list[str] = []

    async def ask(account: Account, number: int) -> int:
        answer = await client.get(f"/items/SHIRT01/images/{number}?width=160", headers=account.headers)
        ended.append(account.name)
        return answer.status_code

    many = [asyncio.create_task(ask(shop, number)) for number in range(24)]
    while len(ended) < 3:
        await asyncio.sleep(0)
    assert await ask(other, 1) == 200
    assert ended.index(other.name) < 10
    assert set(await asyncio.gather(*many)) == {200}


async def test_a_size_that_cannot_be_made_now_is_asked_for_again(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(runtime, shop, await read(runtime, shop, {"SHIRT01.jpg": picture(size=(900, 600))}))
    await runtime.pictures.close()
    url = "/items/SHIRT01/images/1?width=160"
    with monkeypatch.context() as patched:
        patched.setattr("app.pictures.process.SCRIPT", "/nowhere/decoder.py")
        answer = await client.get(url, headers=shop.headers)
    assert (answer.status_code, answer.headers["retry-after"].isdigit()) == (503, True)
    assert opened((await client.get(url, headers=shop.headers)).content).size == (160, 107)


async def test_one_content_is_kept_once_and_decoded_once(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, before = picture(size=(300, 200)), stored_files(runtime)
    files = {"SHIRT01_1.jpg": sent, "SHIRT01_2.jpg": sent, "A_B.jpg": sent, "A_B_2.jpg": b"no picture"}
    found = await read(runtime, shop, files)
    assert len(stored_files(runtime) - before) == 1
    assert await write(runtime, shop, found) == ImageCounts(3, 0, 0, 0, 0)

    monkeypatch.setattr(type(runtime.pictures), "clean", None)
    again = await read(runtime, shop, files)
    assert (again.images, again.refused) == (found.images, found.refused)
    assert await write(runtime, shop, again) == ImageCounts(0, 0, 3, 0, 0)


async def test_of_several_files_for_one_image_the_last_picture_counts(shop: Account, runtime: Runtime) -> None:
    small, large = picture(size=(10, 10)), picture(size=(20, 20))
    made = [
        Made(name=b"SHIRT01_1.jpg", content=small),
        Made(name=b"SHIRT01_1.jpg", content=large),
        Made(name=b"other/SHIRT01.jpg", content=b"no picture"),
    ]
    found = await read(runtime, shop, put_together(made))
    assert [each.width for each in found.images.values()] == [20]
    assert found.refused == [("other/SHIRT01.jpg", "not_a_picture"), ("SHIRT01_1.jpg", "repeated")]


async def test_what_was_accepted_later_is_neither_overwritten_nor_removed(shop: Account, runtime: Runtime) -> None:
    files = {"SHIRT01.jpg": picture(size=(20, 20)), "A_B.jpg": picture(size=(20, 20))}
    await write(runtime, shop, await read(runtime, shop, files))
    await write(runtime, shop, await read(runtime, shop, {"SHIRT01.jpg": picture(size=(30, 30))}))
    async with runtime.database.transaction() as session:
        await delete_items(session, shop, "SHIRT01")
    older = await read(runtime, shop, {"A_B.jpg": picture(size=(40, 40))})
    assert await write(runtime, shop, older, earlier=2, remove_missing=True) == ImageCounts(0, 1, 0, 0, 0)
    await send_back(runtime, shop, "SHIRT01")
    older = await read(runtime, shop, {"SHIRT01.jpg": picture(size=(50, 50)), "A_B.jpg": picture(size=(40, 40))})
    assert await write(runtime, shop, older, earlier=3) == ImageCounts(0, 0, 1, 1, 0)


async def send_back(runtime: Runtime, account: Account, code: str) -> None:
    async with runtime.database.transaction() as session:
        item = "INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row) "
        item += "VALUES (:id, 'items', :code, '{}', now(), now(), 1, 1)"
        await session.execute(text(item), {"id": account.id, "code": code})


async def test_images_of_items_that_are_gone_go_where_that_is_asked_for(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime
) -> None:
    found = await read(runtime, shop, {"SHIRT01.jpg": picture(), "A_B_1.jpg": picture()})
    await write(runtime, shop, found)
    async with runtime.database.transaction() as session:
        await delete_items(session, shop, "SHIRT01")
    nothing = Found()
    assert (await write(runtime, shop, nothing)).removed == 0
    assert (await write(runtime, shop, nothing, remove_missing=True)).removed == 1
    assert (await client.get("/items/SHIRT01/images", headers=shop.headers)).status_code == 404
    assert (await client.get("/items/SHIRT01/images/1", headers=shop.headers)).status_code == 404
    assert len(await shown(client, shop, "A_B")) == 1


async def delete_items(session: Any, account: Account, *codes: str) -> None:
    for code in codes:
        assert await records.delete(session, account.id, "items", code)


async def test_pictures_that_no_image_shows_are_swept(shop: Account, runtime: Runtime) -> None:
    before = stored_files(runtime)
    shown_one, other = picture(size=(30, 30)), picture(size=(31, 31))
    await write(runtime, shop, await read(runtime, shop, {"SHIRT01.jpg": shown_one}))
    await read(runtime, shop, {"SHIRT01.jpg": other, "A_B.jpg": b"no picture"})
    assert len(stored_files(runtime) - before) == 2
    await sweep_pictures(runtime)
    assert len(stored_files(runtime) - before) == 2
    await sweep_a_day_later(runtime)
    assert len(stored_files(runtime) - before) == 1


async def test_a_picture_is_kept_for_as_long_as_an_undo_can_bring_it_back(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime, finish: Finish
) -> None:
    before, url = stored_files(runtime), "/items/SHIRT01/images/1"
    await write(runtime, shop, await read(runtime, shop, {"SHIRT01.jpg": picture(size=(900, 600))}))
    shown_before = [(await client.get(f"{url}{size}", headers=shop.headers)).content for size in ("", "?width=320")]
    parts = {"type": "item-images", "replace": "true", "maxRemovedShare": "1"}
    replacement = (await post(client, shop, b"id,itemCode\nA_B_1,A_B\n", parts=parts)).json()["id"]
    await finish(runtime, replacement)
    assert (await client.get(url, headers=shop.headers)).status_code == 404
    await sweep_a_day_later(runtime)

    undo = (await client.post(f"/imports/{replacement}/undo", headers=shop.headers)).json()["id"]
    await finish(runtime, undo)
    shown_again = [(await client.get(f"{url}{size}", headers=shop.headers)).content for size in ("", "?width=320")]
    assert shown_again == shown_before
    # It is shown now, so it stays without the notes, and goes with them once it is not.
    for expected in (2, 0):
        async with runtime.database.transaction() as session:
            for column in (*(f"{table} SET {moment}" for table, moment in TABLES.items()), "runs SET finished_at"):
                aged = f"UPDATE {column} = now() - interval '10 days' WHERE account_id = :id"
                await session.execute(text(aged), {"id": shop.id})
        await forget_old_changes(runtime)
        await sweep_a_day_later(runtime)
        assert len(stored_files(runtime) - before) == expected + 1  # and the file of the replacement
        async with runtime.database.transaction() as session:
            await records.delete(session, shop.id, "item-images", "SHIRT01_1")


async def sweep_a_day_later(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text("UPDATE pictures SET used_at = now() - interval '25 hours'"))
    await sweep_pictures(runtime)


async def test_a_picture_that_is_lost_is_said_to_be_and_kept_again(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime
) -> None:
    before = stored_files(runtime)
    await write(runtime, shop, await read(runtime, shop, {"SHIRT01.jpg": picture()}))
    (lost,) = stored_files(runtime) - before
    await asyncio.to_thread((runtime.blobs.root / lost).unlink)  # type: ignore[attr-defined]
    url = "/items/SHIRT01/images/1"
    assert [(await client.get(url, headers=shop.headers)).status_code for _ in range(2)] == [410, 404]
    await read(runtime, shop, {"SHIRT01.jpg": picture()})
    assert (await client.get(url, headers=shop.headers)).status_code == 200


async def test_a_record_that_a_caller_wrote_shows_only_what_the_account_has(
    client: httpx.AsyncClient, shop: Account, runtime: Runtime, finish: Finish, a_key: NewAccount
) -> None:
    """The SHA-256 of another account's picture opens nothing, and no record names a stored file."""
    (image,) = (await read(runtime, shop, {"SHIRT01.jpg": picture(size=(77, 7))})).images.values()
    other = await a_key()
    await send_items(client, other, runtime, finish, ITEMS)
    rows = f"id,itemCode,sequence,sha256\nSHIRT01_1,SHIRT01,1,{image.sha256}\nSHIRT01_2,SHIRT01,2,\nx,SHIRT01,3,\n"
    for account, status in ((shop, 200), (other, 404)):
        accepted = await post(client, account, rows.encode(), name="images.csv", parts={"type": "item-images"})
        await finish(runtime, accepted.json()["id"])
        answer = await client.get("/items/SHIRT01/images/1", headers=account.headers)
        assert answer.status_code == status
        assert [each["sequence"] for each in await shown(client, account, "SHIRT01")] == [1, 2]


async def test_lists_come_in_pages(client: httpx.AsyncClient, shop: Account, runtime: Runtime) -> None:
    await write(runtime, shop, await read(runtime, shop, {f"SHIRT01_{each}.jpg": picture() for each in (10, 2, 1, 0)}))
    url, seen = "/items/SHIRT01/images?limit=3", []
    while url:
        page = (await client.get(url, headers=shop.headers)).json()
        seen += [each["sequence"] for each in page["results"]]
        url = page["links"].get("next")
    assert seen == [0, 1, 2, 10]
    refused = await client.get("/items/SHIRT01/images?cursor=eA", headers=shop.headers)
    assert refused.status_code == 422


async def test_reading_stops_when_it_is_time_and_goes_on_without_decoding_again(
    shop: Account, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean, decoded = type(runtime.pictures).clean, []

    async def counted(self: Any, content: bytes) -> Any:
        decoded.append(content)
        return await clean(self, content)

    monkeypatch.setattr(type(runtime.pictures), "clean", counted)
    file = zip_of({f"SHIRT01_{each}.jpg": picture(size=(40 + each, 40)) for each in range(5)})
    archive = ZipReader(io.BytesIO(file), build_archive_limits(runtime))
    assert await read_pictures(runtime, shop.id, archive, Turn(lambda: len(decoded) == 3)) is None
    assert len((await read(runtime, shop, file)).images) == 5
    assert len(decoded) == 5
