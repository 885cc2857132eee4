"""Removing a mapping template: what uses it, then the button."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.render import redirect, render_page
from app.dashboard.routes.templates.listed import TEMPLATES
from app.dashboard.routes.templates.one import open_template
from app.dashboard.script import write_curl
from app.dashboard.visitor import MayWriteMappings
from app.web.caller import OpenRuntime
from app.web.declared.mappings import delete_mapping
from app.web.links import base_url

router = APIRouter(prefix=TEMPLATES)


@router.get("/{template_id}/delete")
async def removal_page(request: Request, template_id: str, visitor: MayWriteMappings, runtime: OpenRuntime) -> Response:
    opened = await open_template(runtime, visitor, template_id)
    command = write_curl(base_url(request, runtime), f"/mappings/{template_id}", method="DELETE")
    template, uses = opened.template, opened.uses
    return render_page(request, visitor, "templates/delete.html", 200, template=template, uses=uses, command=command)


@router.post("/{template_id}/delete")
async def remove(template_id: str, visitor: MayWriteMappings, runtime: OpenRuntime) -> Response:
    name = (await open_template(runtime, visitor, template_id)).template.name
    await delete_mapping(runtime, visitor.caller, template_id)
    return redirect(TEMPLATES, f"Template {name} removed.")
