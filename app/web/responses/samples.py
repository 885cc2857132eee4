"""Sends a sample file of a record type."""

from urllib.parse import quote

from fastapi.responses import Response

from app.resources.sample import sample_csv
from app.resources.schema import Resource
from app.web.responses.downloads import CSV


def respond_with_sample(resource: Resource) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{quote(resource.name, safe="")}-sample.csv"'}
    return Response(sample_csv(resource), headers=headers, media_type=CSV)
