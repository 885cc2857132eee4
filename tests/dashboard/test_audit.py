"""The page of the audit log, and what people do in the dashboard as it tells it."""

import httpx

from tests.dashboard.people import OWN, PASSWORD, Dashboard, new_dashboard
from tests.support.http import make_account

PLACE = {"name": "<b>shop</b>", "transport": "ftp", "host": "a.example.com", "password": "s3cret-of-this-test"}


async def test_what_somebody_does_in_the_dashboard_is_told_with_their_address(dashboard: Dashboard) -> None:
    transport = httpx.ASGITransport(app=dashboard.app, client=("192.0.2.77", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test", headers=OWN) as browser:
        email = dashboard.person.email
        assert (await browser.post("/app/sign-in", data={"email": email, "password": PASSWORD})).status_code == 303
        assert (await browser.post("/app/keys/new", data={"label": "new", "scopes": "imports:read"})).status_code == 200
        await browser.post("/app/settings/connections/new", data=PLACE)
        page = await browser.get("/app/audit")
        own = await browser.get("/app/audit", params={"actor": email.upper()})
    assert page.status_code == 200
    for done in ("created the connection &lt;b&gt;shop&lt;/b&gt;", "created the API key new", "signed in to the"):
        assert f"{email} {done}" in page.text, page.text
    assert "Dashboard, 192.0.2.77" in page.text
    assert ("created the API key new" in own.text, "created the API key test" in own.text) == (True, False)
    assert "s3cret" not in page.text


async def test_the_page_is_filtered_and_goes_on_and_is_for_admins_of_the_account(dashboard: Dashboard) -> None:
    for _ in range(60):
        await make_account(dashboard.runtime, ["imports:read"], dashboard.account.name)
    first = await dashboard.get("/app/audit?action=key.created")
    assert first.text.count("created the API key test") == 50
    following = first.text.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = await dashboard.get(following)
    assert second.text.count("created the API key test") == 11  # with that of the fixture
    assert "First page" in second.text
    none = await dashboard.get("/app/audit", params={"since": "2020-01-01", "until": "2020-01-02"})
    assert "Nothing was done that meets these filters" in none.text
    wrong = [await dashboard.get("/app/audit", params=each) for each in ({"since": "today"}, {"action": "a.b"})]
    assert [each.status_code for each in wrong] == [422, 422]
    viewer = await dashboard.as_role("viewer")
    assert (await viewer.get("/app/audit")).status_code == 403
    assert "Audit log" not in (await viewer.get("/app/jobs")).text
    other = await new_dashboard(dashboard.runtime)
    assert dashboard.account.name not in (await other.get("/app/audit")).text
    await other.close()
