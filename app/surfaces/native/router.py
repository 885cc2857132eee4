"""How the routes of our own surface are made: named for generators of clients, and strict with queries."""

from fastapi import APIRouter, Depends

from app.web.checks import refuse_unknown_query, refuse_unknown_query_of_operator
from app.web.openapi import operation_id
from app.web.refusals import refusals
from app.web.server.final_slash import FinalSlashRoute


def build_router(prefix: str, tag: str, *, for_operator: bool = False) -> APIRouter:
    """A router whose routes refuse query parameters that they do not have. Those for monitors and browsers, which add
    some of their own, are not made here."""
    refuse_unknown = refuse_unknown_query_of_operator if for_operator else refuse_unknown_query
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(refuse_unknown)],
        responses=refusals(422),
        generate_unique_id_function=operation_id,
        route_class=FinalSlashRoute,
    )
