"""Routes whose functions are called straight away do what FastAPI does for all others."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from app.main import SITES
from app.web.links import key_path
from app.web.surface import collect_routes

CALLED: list[str] = []


async def find_sender(request: Request) -> str:
    CALLED.append("sender")
    return request.headers["sender"]


Sender = Annotated[str, Depends(find_sender)]


async def refuse_strangers(sender: Sender) -> None:
    CALLED.append("refuse")
    if sender == "stranger":
        raise LookupError(sender)


async def greet(request: Request, name: str, key: str, sender: Sender) -> Response:
    return Response(f"{sender} {name} {key} {request.url.path}")


async def search(sender: Sender, words: Annotated[str, Query()]) -> Response:
    return Response(f"{sender} {words}")


async def tell(sender: Sender) -> dict[str, str]:
    return {"sender": sender}


async def count(number: int) -> Response:
    return Response(str(number + 1))


def build_app(*, directly: bool) -> FastAPI:
    router = APIRouter()
    router.get(f"/greet/{{name}}{key_path('key')}", dependencies=[Depends(refuse_strangers)])(greet)
    for path, function in {"/search": search, "/tell": tell, "/count/{number}": count}.items():
        router.get(path)(function)
    app = FastAPI()
    app.router.routes.extend(collect_routes([router]) if directly else router.routes)
    return app


def is_direct(route: Any) -> bool:
    return bool(route.app.__module__ != "fastapi.routing")


async def answers_of(app: FastAPI, path: str, sender: str) -> tuple[int, str, str]:
    CALLED.clear()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test") as client:
        answer = await client.get(path, headers={"sender": sender})
    return answer.status_code, answer.text, " ".join(CALLED)


PATHS = ("/greet/ann/a/b%20c", "/search?words=x", "/search", "/tell", "/count/4", "/count/four", "/nothing")


@pytest.mark.parametrize("path", PATHS)
async def test_a_route_answers_the_same_with_fastapi_and_without(path: str) -> None:
    plain = await answers_of(build_app(directly=False), path, "bob")
    assert await answers_of(build_app(directly=True), path, "bob") == plain


async def test_a_dependency_is_called_once_and_may_refuse() -> None:
    assert await answers_of(build_app(directly=True), "/greet/ann/a", "bob") == (
        200,
        "bob ann a /greet/ann/a",
        "sender refuse",
    )
    with pytest.raises(LookupError):
        await answers_of(build_app(directly=True), "/greet/ann/a", "stranger")


def test_only_what_is_simple_is_called_directly() -> None:
    direct = {
        route.path for route in build_app(directly=True).routes if isinstance(route, APIRoute) and is_direct(route)
    }
    assert direct == {"/greet/{name}/{key:key}"}


def test_polls_are_called_directly() -> None:
    paths = {"/imports/{import_id}", "/runs/{run_id}"}
    direct = {route.path for site in SITES.all for route in site.routes if is_direct(route)}
    assert paths <= direct
