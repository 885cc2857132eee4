"""The mapping that a request chooses: one that it brings along, a stored template, or the default."""

import asyncio
from collections.abc import Mapping as Members
from typing import TypeVar

from app.auth.caller import Caller
from app.errors import Refused
from app.formats.decode import normalize_encoding
from app.mappings.declaring.requested import MappingChoice, build_mapping, choice_from
from app.mappings.mapping import Mapping
from app.mappings.templates.stored import StoredTemplate, as_mapping_for, find_template
from app.runtime import Runtime
from app.web.caller import ensure_scope

T = TypeVar("T")


class MappingChooser:
    """For one request, which may ask before and after its file has arrived: a template is read once, so that both times
    it is the same."""

    def __init__(self, runtime: Runtime, caller: Caller) -> None:
        self._runtime, self._caller = runtime, caller
        self._templates: dict[str, StoredTemplate | None] = {}

    async def choose(self, members: Members[str, object]) -> Mapping | None:
        """By the parts of a form or the members of JSON; None if they choose none. Raises Refused: not_allowed,
        invalid."""
        choice = choice_from(members, str(members.get("type") or ""))
        if choice.id is None and choice.body is None:
            return None
        if not choice.names_template:
            return await asyncio.to_thread(build_mapping, choice)  # 13 ms for 2,000 columns
        return await asyncio.to_thread(as_mapping_for, await self._find(choice), choice.type)

    async def fill_type(self, members: Members[str, T]) -> dict[str, T | str]:
        """The members, with the type of the template that they name where they have none. Raises
        Refused("not_allowed")."""
        choice = choice_from(members, "")
        template = await self._find(choice) if choice.names_template and not members.get("type") else None
        return {**members} if template is None else {**members, "type": template.type}

    async def find_encoding(self, parts: Members[str, str]) -> str | None:
        """That of the mapping which the parts so far choose. What is wrong with it is told when the form is whole."""
        try:
            mapping = await self.choose(parts)
        except Refused:
            return None
        encoding = mapping.options.get("encoding") if mapping else None
        return None if encoding is None else normalize_encoding(encoding)

    async def _find(self, choice: MappingChoice) -> StoredTemplate | None:
        ensure_scope(self._caller, "mappings:read")
        template_id = str(choice.id)
        if template_id not in self._templates:
            async with self._runtime.database.read() as session:
                self._templates[template_id] = await find_template(session, self._caller.account_id, template_id)
        return self._templates[template_id]
