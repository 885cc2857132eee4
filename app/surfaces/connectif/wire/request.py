"""The request that starts an import, for OpenAPI: a form with the file, or JSON that says where the file is."""

from typing import Any, Final

from app.connections.declaration import SECRETS, SETTINGS
from app.imports.plan import ON_ERROR
from app.runs.holding.brakes import BRAKES, MOST, Brake
from app.transports.options import RULES
from app.web.declared.shape import WEBHOOK_ID
from app.web.mapping_schema import MAPPING, MAPPING_ID
from app.web.shapes import DELIMITER

# The page at /docs sends an example as it is, and leaves an empty part out.
LEFT_OUT: Final = {"examples": [""]}
KINDS: Final = {str: "string", int: "integer", bool: "boolean"}


def describe_option(word: str) -> dict[str, str]:
    """The type of an option of a remote, and the transports that it is for."""
    transports = [scheme for scheme, rules in RULES.items() if word in rules]
    rule = RULES[transports[0]][word]
    return {"type": KINDS[rule.kind], "description": f"For {', '.join(transports)}. It {rule.requirement}"}


def describe_brake(brake: Brake) -> dict[str, object]:
    bounds: dict[str, object] = {"type": "number", "minimum": 0, "maximum": 1}
    if brake.find_whole is None:
        bounds = {"type": "integer", "minimum": 0, "maximum": MOST}
    return bounds | {"description": f"The import is halted if {brake.about}", **LEFT_OUT}


SOURCE: Final[dict[str, Any]] = {
    "title": "ImportSource",
    "type": "object",
    "description": "Where a file is: the members of a connection and `path`, or `url`",
    "required": ["transport"],
    "properties": {
        "transport": {"type": "string", "enum": list(RULES)},
        "path": {"type": "string", "description": "The path of one file. Patterns are not allowed here"},
        "url": {"type": "string", "description": "For http and https: the host, port and path in one"},
        **{member: describe_option(word) for member, word in {**SETTINGS, **SECRETS}.items()},
    },
}
# The members of POST /imports that a form and JSON spell alike. None has a `default`, since openapi-typescript would
# require it.
MEMBERS: Final[dict[str, Any]] = {
    "type": {
        "type": "string",
        "description": "contacts, products, coupons, or a type that the account declared. A mapping template says it, "
        "too",
        "examples": ["contacts"],
    },
    "name": {
        "type": "string",
        "maxLength": 200,
        "description": "What people call the import. Several imports may have one name",
        **LEFT_OUT,
    },
    "overrideExisting": {
        "type": "boolean",
        "description": "Whether existing records are updated. Required for the three built-in types, otherwise true",
    },
    "updateOnlyEmptyFields": {
        "type": "boolean",
        "description": "Whether only the empty fields of existing records are filled. Can be true only if "
        "`overrideExisting` is true. Required for the three built-in types, otherwise false",
    },
    "delimiter": DELIMITER
    | {
        "description": f"{DELIMITER['description']}. Required for the three built-in types, otherwise auto. curl sends "
        "a semicolon only with `--form-string`",
        "examples": [","],
    },
    "couponSetId": {
        "type": "string",
        "description": "The set that the coupons belong to. Required for coupons",
        **LEFT_OUT,
    },
    "encoding": {
        "type": "string",
        "examples": ["utf-8"],
        "description": "The encoding of the file: utf-8 (the default), utf-16, iso-8859-1, iso-8859-15, windows-1250, "
        "windows-1251 or windows-1252. Must come before the file in the form",
    },
    "sheet": {
        "type": "string",
        "description": "Of a workbook (.xlsx, .xls, .ods): the name of the sheet, or its number from 1 on. Without it "
        "the first one that is not hidden is read. Must come before the file in the form",
        **LEFT_OUT,
    },
    "format": {
        "type": "string",
        "enum": ["csv", "jsonl"],
        "description": "If it is not set, the file's name decides, or else its first character",
        **LEFT_OUT,
    },
    "blankCells": {
        "type": "string",
        "enum": ["keep", "clear", "empty"],
        "examples": ["keep"],
        "description": "What an empty cell does: keep the field (the default), set it to null, or store an empty "
        "string",
    },
    "nullMarker": {
        "type": "string",
        "description": "A cell equal to it leaves the field as it is",
        **LEFT_OUT,
    },
    "duplicates": {
        "type": "string",
        "enum": ["last", "first", "error"],
        "examples": ["last"],
        "description": "Which of several rows with the same key is used (the last by default), or that the later ones "
        "are errors",
    },
    "unknownColumns": {
        "type": "string",
        "enum": ["ignore", "keep", "error"],
        "description": "What happens to a column that the type does not have. If it is not set, the type decides",
        **LEFT_OUT,
    },
    "undoable": {
        "type": "boolean",
        "examples": [True],
        "description": "Whether what it changes is noted, so that it can be undone (the default). An import that is "
        "sent `false` is faster where it changes many records",
    },
    "ifSameFile": {
        "type": "string",
        "enum": ["allow", "report", "refuse"],
        "examples": ["allow"],
        "description": "For a file that has been imported before, as the same type: import it (the default), import it "
        "with a warning that names the earlier import, or refuse it",
    },
    "mode": {
        "type": "string",
        "enum": ["write", "delete"],
        "examples": ["write"],
        "description": "What is done with the records that rows name: write them (the default), or delete them, once "
        "all rows are checked and in one transaction. To delete, the file needs no column but that of the key",
    },
    "replace": {
        "type": "boolean",
        "description": "Whether the file replaces the type: records that no row names are removed, in one "
        "transaction with everything else; of coupons, those of the set. false by default. Cannot be combined with "
        "`updateOnlyEmptyFields`",
    },
    "dryRun": {
        "type": "boolean",
        "description": "Whether the import only shows what it would do: it checks all rows, writes nothing, and waits "
        "until it is committed or cancelled. false by default. Can stand in the query as well",
    },
    "onError": {
        "type": "string",
        "enum": list(ON_ERROR),
        "description": "What a row that fails does to the others: continue with them (the default); stop, so that the "
        "rows before it are written and none after it; or rollback, so that nothing is written",
        "examples": ["continue"],
    },
    **{brake.name: describe_brake(brake) for brake in BRAKES.values()},
    "mappingId": MAPPING_ID | LEFT_OUT,
    "mapping": MAPPING,
    "connectionId": {
        "type": "string",
        "description": "Instead of a file: a stored connection, together with `path`",
        **LEFT_OUT,
    },
    "path": {
        "type": "string",
        "description": "With `connectionId`: the path of the file there. The service fetches it",
        **LEFT_OUT,
    },
    "source": SOURCE,
    "confirmEmail": {
        "type": "string",
        "description": "The e-mail address to notify when the import has ended",
        **LEFT_OUT,
    },
    "webhookId": {"type": "string", "description": WEBHOOK_ID, **LEFT_OUT},
}
BOOLEAN: Final = {"type": "string", "enum": ["true", "false"]}

# The form of POST /imports, for OpenAPI. FastAPI does not read it, because the file must never be held in memory.
FORM: Final[dict[str, Any]] = {
    "title": "ImportForm",
    "type": "object",
    "required": ["type"],
    "properties": {
        **MEMBERS,
        "overrideExisting": MEMBERS["overrideExisting"] | BOOLEAN | {"examples": ["true"]},
        "updateOnlyEmptyFields": MEMBERS["updateOnlyEmptyFields"] | BOOLEAN | {"examples": ["false"]},
        "replace": MEMBERS["replace"] | BOOLEAN | {"examples": ["false"]},
        "undoable": MEMBERS["undoable"] | BOOLEAN | {"examples": ["true"]},
        "dryRun": MEMBERS["dryRun"] | BOOLEAN | {"examples": ["false"]},
        "mapping": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": MAPPING,
            "description": f"{MAPPING['description']}. If it names the encoding, it must come before the file",
            **LEFT_OUT,
        },
        "source": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": SOURCE,
            "description": "Instead of a file: where it is, as JSON: the members of a connection and `path`, or `url`",
            **LEFT_OUT,
        },
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV with a header, or JSON Lines, plain or gzipped, at most 52,428,800 bytes",
        },
    },
}
# The same without a file.
JSON_BODY: Final[dict[str, Any]] = {
    "title": "ImportFromSource",
    "type": "object",
    "required": ["type"],
    "properties": MEMBERS,
}
JSON_EXAMPLE: Final = {
    "type": "contacts",
    "overrideExisting": True,
    "updateOnlyEmptyFields": False,
    "delimiter": ",",
    "source": {"transport": "https", "url": "https://files.example.com/contacts.csv"},
}
# What POST /imports/{id}/rerun takes: the new file, where the earlier one was sent.
RERUN_NAME: Final = MEMBERS["name"] | {"description": "What people call the rerun, if it is called otherwise"}
RERUN_FORM: Final[dict[str, Any]] = {
    "title": "RerunForm",
    "type": "object",
    "properties": {
        "name": RERUN_NAME,
        "dryRun": MEMBERS["dryRun"] | BOOLEAN | {"examples": ["false"]},
        "file": {
            "type": "string",
            "format": "binary",
            "description": "The file as it is now. Required if the earlier one was uploaded",
        },
    },
}
# Where the service fetches the file. The body may be left out.
RERUN_JSON: Final[dict[str, Any]] = {
    "title": "RerunFromSource",
    "type": "object",
    "properties": {"name": RERUN_NAME, "dryRun": MEMBERS["dryRun"], "source": SOURCE},
}
RETRY_FORM: Final[dict[str, Any]] = {
    "title": "RetryForm",
    "type": "object",
    "properties": {
        "name": MEMBERS["name"] | {"description": "What people call the retry, if it is called otherwise"},
        "file": {
            "type": "string",
            "format": "binary",
            "description": "The failed rows after they were corrected. Without it they are tried again as they are",
        },
    },
}
RETRY_REQUEST: Final = {
    "requestBody": {
        "required": False,
        "content": {"multipart/form-data": {"schema": RETRY_FORM, "encoding": {"file": {"contentType": "text/csv"}}}},
    }
}
FILE_REQUEST: Final = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": FORM, "encoding": {"file": {"contentType": "text/csv"}}}},
    }
}
FROM_SOURCE: Final = (
    "Start an import of a file that the service fetches. Send `source`, or `connectionId` and `path`. Poll "
    "`links.self` for progress.\n\n`POST /imports` describes the form with the file itself. Both paths take both "
    "bodies."
)
SOURCE_REQUEST: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": JSON_BODY, "example": JSON_EXAMPLE}},
    }
}
RERUN_REQUEST: Final = {
    "requestBody": {
        "required": False,  # a file that the service fetches is not sent
        "content": {"multipart/form-data": {"schema": RERUN_FORM, "encoding": {"file": {"contentType": "text/csv"}}}},
    }
}
RERUN_FROM_SOURCE: Final = (
    "Start an import again that fetches its file: same type, mapping, options and source. Nothing needs to be sent, as "
    "long as `source.complete` of the import is true. Else its credentials or its query are not kept, and `source` is "
    "required.\n\n"
    "`POST /imports/{import_id}/rerun` describes the form with a file. Both paths take both bodies."
)
RERUN_SOURCE_REQUEST: Final = {
    "requestBody": {"required": False, "content": {"application/json": {"schema": RERUN_JSON, "example": {}}}}
}
