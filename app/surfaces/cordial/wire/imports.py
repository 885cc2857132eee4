"""What starts an import: a JSON body that says where the file is, or a form with the file itself."""

from typing import Any, Final

from pydantic import Field

from app.surfaces.cordial.wire.shape import Shape


class Started(Shape):
    jobId: str = Field(description="To poll with", examples=["018bcfe568a1c0ffee012345"])
    jobID: str = Field(description="The same: the vendor's page spells it so, its service does not")


def text(description: str, example: str | None = None) -> dict[str, Any]:
    return {"type": "string", "description": description} | ({} if example is None else {"examples": [example]})


SOURCE: Final = {
    "type": "object",
    "required": ["transport"],
    "properties": {
        "transport": text("http, https, ftp, ftps, sftp or s3, in any case", "https"),
        "url": text("http, https: the address of the file", "https://example.com/product-import.csv"),
        "server": text("ftp, ftps, sftp: the host", "example.com"),
        "port": {
            "type": ["string", "integer"],
            "description": "ftp, ftps, sftp: another port than the usual",
            "examples": ["44"],
        },
        "username": text("ftp, ftps, sftp; for http and https if they ask for it"),
        "password": text("ftp, ftps, sftp; for http and https if they ask for it"),
        "path": text("ftp, ftps, sftp, s3: where the file is there", "./files/file.csv"),
        "tls": text("ftps: explicit, or implicit as it is on port 990", "explicit"),
        "host_key": text("sftp: the server's public key or its fingerprint; without it the first one shown is taken"),
        "aws_access_key_id": text("s3"),
        "aws_secret_access_key": text("s3"),
        "aws_bucket": text("s3"),
        "aws_region": text("s3", "us-west-2"),
        "aws_endpoint": text("s3: the address of a store that is not Amazon's"),
    },
}
HEADER: Final = "Whether the first record is a header; needs to be true where there are no `columns`"
MARKER: Final = "Of a cell that is equal to it the field is left as it is; not for JSON Lines"
NAMES: Final = "What the cells are called, from left to right; a header is thrown away then"

IMPORT_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["source"],
                    "properties": {
                        "source": SOURCE,
                        "hasHeader": {"type": "boolean", "default": False, "description": HEADER},
                        "columns": {"type": "array", "items": {"type": "string"}, "description": NAMES},
                        "nullMarker": text(MARKER),
                        "confirmEmail": {
                            "type": "string",
                            "format": "email",
                            "description": "Who is told by mail when the job has ended",
                        },
                    },
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV with commas, or JSON Lines, plain or gzip; at most 52,428,800 bytes",
                        },
                        "hasHeader": text(f"true or false. {HEADER}", "true"),
                        "columns": text(f"A JSON list, or names with commas between them. {NAMES}"),
                        "nullMarker": text(MARKER),
                        "confirmEmail": text("Who is told by mail when the job has ended"),
                    },
                }
            },
        },
    }
}
