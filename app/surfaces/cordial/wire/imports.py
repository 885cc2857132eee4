"""The request that starts an import: a JSON body that says where the file is, or a form with the file itself."""

from typing import Any, Final

from pydantic import Field

from app.surfaces.cordial.wire.shape import CordialShape


class StartedJob(CordialShape):
    jobId: str = Field(description="The id with which to poll the job", examples=["018bcfe568a1c0ffee012345"])
    jobID: str = Field(description="The same id. The vendor's documentation spells it like this, its service does not")


def text(description: str, example: str | None = None) -> dict[str, Any]:
    return {"type": "string", "description": description} | ({} if example is None else {"examples": [example]})


SOURCE: Final = {
    "type": "object",
    "required": ["transport"],
    "properties": {
        "transport": text("http, https, ftp, ftps, sftp or s3, in upper or lower case", "https"),
        "url": text("http, https: the URL of the file", "https://example.com/product-import.csv"),
        "server": text("ftp, ftps, sftp: the host", "example.com"),
        "port": {
            "type": ["string", "integer"],
            "description": "ftp, ftps, sftp: the port, if it is not the usual one",
            "examples": ["44"],
        },
        "username": text("ftp, ftps, sftp, and http and https if the server asks for it"),
        "password": text("ftp, ftps, sftp, and http and https if the server asks for it"),
        "privateKey": text("sftp: a private key in PEM format, in place of the password"),
        "passphrase": text("sftp: the passphrase of the private key, if it has one"),
        "path": text("ftp, ftps, sftp, s3: the path of the file", "./files/file.csv"),
        "tls": text("ftps: explicit, or implicit as on port 990", "explicit"),
        "host_key": text("sftp: the server's public key or its fingerprint. Without it, any server is trusted"),
        "aws_access_key_id": text("s3"),
        "aws_secret_access_key": text("s3"),
        "aws_bucket": text("s3"),
        "aws_region": text("s3", "us-west-2"),
        "aws_endpoint": text("s3: the URL of a store that is not Amazon's"),
    },
}
LEFT_OUT: Final = ""  # as an example: the page at /docs does not send an empty part
HEADER: Final = "Whether the first record is a header. Must be true if there are no `columns`"
MARKER: Final = "A cell with this value leaves the field as it is. Does not apply to JSON Lines"
NAMES: Final = "The names of the columns, from left to right. They replace a header in the file"

JSON_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["source"],
                    "properties": {
                        "source": SOURCE,
                        # A null counts as absent.
                        "hasHeader": {"type": ["boolean", "null"], "description": HEADER},
                        "columns": {"type": ["array", "null"], "items": {"type": "string"}, "description": NAMES},
                        "nullMarker": text(MARKER) | {"type": ["string", "null"]},
                        "confirmEmail": {
                            "type": ["string", "null"],
                            "format": "email",
                            "description": "The e-mail address to notify when the job has ended",
                        },
                    },
                },
                "example": {
                    "source": {"transport": "https", "url": "https://example.com/product-import.csv"},
                    "hasHeader": True,
                },
            }
        },
    }
}
FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV with commas, or JSON Lines, plain or gzipped, at most 52,428,800 bytes",
                        },
                        "hasHeader": text(f"true or false. {HEADER}", "true"),
                        "columns": text(f"A JSON list, or names separated by commas. {NAMES}", LEFT_OUT),
                        "nullMarker": text(MARKER, LEFT_OUT),
                        "confirmEmail": text("The e-mail address to notify when the job has ended", LEFT_OUT),
                    },
                }
            }
        },
    }
}
