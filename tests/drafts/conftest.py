"""Drafts without pages: a file is put into one as the upload page does it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.auth.identity import Identity
from app.drafts.begin import keep_upload
from app.drafts.draft import Draft
from app.drafts.file import RawFile
from app.runs.model import AccountId
from app.runtime import Runtime
from tests.support.http import Account

NewDraft = Callable[..., Awaitable[Draft]]


def sender_of(account: Account) -> Identity:
    return Identity(account.key.partition(":")[0])


async def put_file(runtime: Runtime, account: Account, data: bytes, name: str, **more: Any) -> Draft:
    file = RawFile(runtime)
    try:
        await file.add(data)
        await file.end()
        return await keep_upload(runtime, AccountId(account.id), sender_of(account), file.as_upload(name), **more)
    finally:
        file.discard()


@pytest.fixture
def a_draft(runtime: Runtime, an_account: Account) -> NewDraft:
    """Makes a draft of a file: a_draft(b"…", "people.csv", choices={…}, draft=…, parent_id=…)."""

    async def make(data: bytes, name: str = "people.csv", **more: Any) -> Draft:
        draft, columns = more.pop("draft", None), {"choices": more.pop("choices", {}), **more}
        return await put_file(runtime, an_account, data, name, draft=draft, values=columns)

    return make
