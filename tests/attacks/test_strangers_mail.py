"""An import's notice must not become a way to mail strangers."""

import httpx
import pytest

from app.deliveries.mail import is_allowed
from app.runtime import Runtime
from tests.support.http import Account, app_on, client_of, post, stored_files

DOMAINS = "example.org, Shop.example"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("ana@example.org", True),
        ("ana@EXAMPLE.org", True),
        ("ana@shop.example", True),
        ("ana@sub.example.org", False),
        ("ana@notexample.org", False),
        ('"x@example.org"@elsewhere.example', False),
    ],
)
async def test_only_the_domains_of_the_operator_get_mail(
    runtime: Runtime, an_account: Account, address: str, allowed: bool
) -> None:
    before = stored_files(runtime)
    async with client_of(app_on(runtime, mail_domains=DOMAINS)) as client:
        answer = await post(client, an_account, parts={"confirmEmail": address})
    assert (answer.status_code == 201) is allowed
    if not allowed:
        assert answer.json()["errors"][0]["path"] == "confirmEmail"
        assert stored_files(runtime) == before


async def test_without_the_setting_every_domain_gets_mail(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await post(client, an_account, parts={"confirmEmail": "ana@elsewhere.example"})).status_code == 201
    assert is_allowed("ana@elsewhere.example", " , ")
