"""The cookie that holds a session, and the session that it holds."""

from typing import Final

from fastapi import Request
from fastapi.responses import Response

from app.people.sessions import OpenSession, find_session
from app.runtime import Runtime
from app.storage.database import DatabaseUnavailable
from app.storage.people.sessions import LONGEST_SECONDS
from app.web.links import base_url

# Browsers take the first name over TLS only, and only for this host and all of its paths. On plain HTTP they would drop
# it without a word, and nobody could sign in.
SECURE_COOKIE, PLAIN_COOKIE = "__Host-sluice", "sluice"
LONGEST_COOKIE: Final = 100  # characters; ours have 43


def is_encrypted(request: Request, runtime: Runtime) -> bool:
    """Whether people reach the dashboard by HTTPS."""
    return base_url(request, runtime).startswith("https:")


def cookie_name(request: Request, runtime: Runtime) -> str:
    return SECURE_COOKIE if is_encrypted(request, runtime) else PLAIN_COOKIE


def read_cookie(request: Request, runtime: Runtime) -> str | None:
    value = request.cookies.get(cookie_name(request, runtime))
    return value if value and len(value) <= LONGEST_COOKIE else None


def give_cookie(response: Response, request: Request, runtime: Runtime, value: str) -> None:
    """`Lax`, because links in mails must open."""
    response.set_cookie(
        cookie_name(request, runtime),
        value,
        max_age=LONGEST_SECONDS,
        path="/",
        secure=is_encrypted(request, runtime),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, request: Request, runtime: Runtime) -> None:
    secure = is_encrypted(request, runtime)
    response.delete_cookie(cookie_name(request, runtime), path="/", secure=secure, httponly=True, samesite="lax")


async def load_session(request: Request, runtime: Runtime) -> OpenSession | None:
    """The session of the request's cookie; None if there is none, or none any more."""
    cookie = read_cookie(request, runtime)
    if cookie is None:
        return None
    try:
        return await look_up(runtime, cookie)
    except DatabaseUnavailable:  # as for `app.web.caller.find_caller`
        return await look_up(runtime, cookie)


async def look_up(runtime: Runtime, cookie: str) -> OpenSession | None:
    async with runtime.database.read() as session:
        return await find_session(session, cookie, pepper=runtime.pepper)
