"""People: who may sign in to the dashboard of the account, and as what."""

from fastapi import Request
from fastapi.responses import Response

from app.people.links import link_path
from app.people.members import Invitation, change_role, invite, list_members, load_member, remove, renew_link
from app.surfaces.native import translate
from app.surfaces.native.access import keys_and_people as access
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.access.people import (
    INVITATION_BODY,
    ROLE_BODY,
    AccountMember,
    AccountMemberList,
    InvitationBody,
    InvitedMember,
    MemberLink,
    RoleBody,
)
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayAdminister, OpenRuntime, write_as
from app.web.links import base_url
from app.web.refusals import refusals
from app.web.surface import parse_shape

router = build_router("/people", "people")


@router.get("", response_model=AccountMemberList, responses=refusals(401, 403, 503))
async def list_people(caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """List the people who may sign in to the dashboard of the account, and those who are invited."""
    async with runtime.database.read() as session:
        found = await list_members(session, caller.account_id)
    results = [access.account_member(each) for each in found]
    return Response(AccountMemberList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=InvitedMember,
    responses=refusals(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=INVITATION_BODY,
)
async def invite_person(request: Request, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Invite a person. No mail is sent: pass the link on yourself, in a way that only they can read."""
    body = parse_shape(InvitationBody, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    wanted = Invitation(body.email, body.name, body.role)
    async with write_as(caller, runtime) as session:
        member, token = await invite(session, caller.account_id, wanted, pepper=runtime.pepper, created_by=caller.id)
    link = base_url(request, runtime) + link_path(token)
    shown = InvitedMember(link=link, **access.member_members(member))
    return Response(shown.encoded(), 201, media_type=translate.JSON)


@router.get("/{person_id}", response_model=AccountMember, responses=refusals(401, 403, 404, 503))
async def get_person(person_id: str, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Read who a person is, and their role."""
    async with runtime.database.read() as session:
        member = await load_member(session, caller.account_id, person_id)
    return Response(access.account_member(member).encoded(), media_type=translate.JSON)


@router.put(
    "/{person_id}",
    response_model=AccountMember,
    responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=ROLE_BODY,
)
async def put_person(request: Request, person_id: str, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Give a person another role, from their next request on. One admin has to be left."""
    body = parse_shape(RoleBody, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    async with write_as(caller, runtime) as session:
        member = await change_role(session, caller.account_id, person_id, body.role)
    return Response(access.account_member(member).encoded(), media_type=translate.JSON)


@router.delete("/{person_id}", status_code=204, responses=refusals(401, 403, 404, 409, 503))
async def remove_person(person_id: str, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Take a person out of the account. Their sessions end with the next request. One admin has to be left."""
    async with write_as(caller, runtime) as session:
        await remove(session, caller.account_id, person_id)
    return Response(status_code=204)


@router.post(
    "/{person_id}/link", status_code=201, response_model=MemberLink, responses=refusals(401, 403, 404, 409, 503)
)
async def create_person_link(request: Request, person_id: str, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Make a new link for a person who was invited, or who has forgotten the password. Earlier links end.

    The password of a person who belongs to other accounts, too, can be reset only by the operator."""
    async with write_as(caller, runtime) as session:
        token = await renew_link(session, caller.account_id, person_id, pepper=runtime.pepper)
    link = MemberLink(link=base_url(request, runtime) + link_path(token))
    return Response(link.encoded(), 201, media_type=translate.JSON)
