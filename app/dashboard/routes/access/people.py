"""People: who may sign in to the account, invited with a link, with a role, removed."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.access.again import write_confirmed
from app.dashboard.visitor import MayAdminister, Visitor
from app.errors import Refused
from app.people.links import link_path
from app.people.members import Invitation, change_role, invite, list_members, load_member, remove, renew_link
from app.people.roles import ROLES
from app.people.sessions import count_sessions
from app.runtime import Runtime
from app.web.caller import OpenRuntime
from app.web.failures import STATUSES
from app.web.links import base_url

router = APIRouter(prefix="/app/people")
LIST: Final = "/app/people"
CHOICES: Final = [(name, name.title(), role.may) for name, role in ROLES.items()]
EMPTY: Final = {"email": "", "name": "", "role": "viewer", "password_again": ""}


@router.get("")
async def show_people(request: Request, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    async with runtime.database.read() as session:
        people = await list_members(session, visitor.account_id)
    return render_page(request, visitor, "access/people.html", people=people, url=base_url(request, runtime))


@router.get("/new")
async def show_invitation(request: Request, visitor: MayAdminister) -> Response:
    return render_page(request, visitor, "access/person_new.html", form=FilledForm(EMPTY), roles=CHOICES)


@router.post("/new")
async def invite_person(request: Request, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    """Answers with the link, without a redirect: it is stored nowhere."""
    sent = await read_form(request)
    form = FilledForm({**EMPTY, **{name: text_of(sent, name) for name in ("email", "name", "role")}})
    wanted = Invitation(form.value("email"), form.value("name"), form.value("role"))
    try:
        async with write_confirmed(request, visitor, runtime, sent) as session:
            member, token = await invite(
                session, visitor.account_id, wanted, pepper=runtime.pepper, created_by=visitor.caller.id
            )
    except Refused as refused:
        status, form = STATUSES[refused.code], form.refused(refused)
        return render_page(request, visitor, "access/person_new.html", status, form=form, roles=CHOICES)
    link = base_url(request, runtime) + link_path(token)
    return render_page(request, visitor, "access/person_link.html", person=member, link=link)


@router.get("/{person_id}")
async def show_person(request: Request, person_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    return await render_person(request, person_id, visitor, runtime, "access/person.html")


@router.post("/{person_id}")
async def set_role(request: Request, person_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    sent = await read_form(request)
    try:
        async with write_confirmed(request, visitor, runtime, sent) as session:
            member = await change_role(session, visitor.account_id, person_id, text_of(sent, "role"))
    except Refused as refused:
        return await render_person(request, person_id, visitor, runtime, "access/person.html", refused)
    return redirect(LIST, f"{member.name} is {member.role} now.")


@router.post("/{person_id}/link")
async def renew(request: Request, person_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    sent = await read_form(request)
    try:
        async with write_confirmed(request, visitor, runtime, sent) as session:
            token = await renew_link(session, visitor.account_id, person_id, pepper=runtime.pepper)
            member = await load_member(session, visitor.account_id, person_id)
    except Refused as refused:
        return await render_person(request, person_id, visitor, runtime, "access/person.html", refused)
    link = base_url(request, runtime) + link_path(token)
    return render_page(request, visitor, "access/person_link.html", person=member, link=link)


@router.get("/{person_id}/remove")
async def show_remove(request: Request, person_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    return await render_person(request, person_id, visitor, runtime, "access/person_remove.html")


@router.post("/{person_id}/remove")
async def remove_person(request: Request, person_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    sent = await read_form(request)
    try:
        async with write_confirmed(request, visitor, runtime, sent) as session:
            member = await load_member(session, visitor.account_id, person_id)
            await remove(session, visitor.account_id, person_id)
    except Refused as refused:
        return await render_person(request, person_id, visitor, runtime, "access/person_remove.html", refused)
    return redirect(LIST, f"{member.name} cannot sign in to {visitor.account} any more.")


async def render_person(
    request: Request, person_id: str, visitor: Visitor, runtime: Runtime, page: str, refused: Refused | None = None
) -> Response:
    """Raises Refused("not_found")."""
    async with runtime.database.read() as session:
        person = await load_member(session, visitor.account_id, person_id)
        sessions = await count_sessions(session, visitor.account_id, person_id)
    form = FilledForm({"role": person.role, "password_again": ""})
    status = STATUSES[refused.code] if refused else 200
    form = form.refused(refused) if refused else form
    return render_page(request, visitor, page, status, person=person, sessions=sessions, form=form, roles=CHOICES)
