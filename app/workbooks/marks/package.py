"""Reads the parts of a workbook that is a ZIP."""

import posixpath
import re
from collections.abc import Callable
from typing import IO, Final
from xml.parsers import expat
from zipfile import ZipFile

PIECE_BYTES: Final = 262_144
OVERLAP_BYTES: Final = 256  # more than any pattern has that is looked for

Attributes = dict[str, str]


class Package:
    """The parts are found whatever the case of their names is, as spreadsheet programs do."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._names = {name.replace("\\", "/").lower(): name for name in archive.namelist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._names

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._names[name.lower()])

    def mentions(self, name: str, pattern: "re.Pattern[bytes]") -> bool:
        """Whether a part has it anywhere: much quicker than to parse it."""
        rest = b""
        with self.open(name) as part:
            while piece := part.read(PIECE_BYTES):
                if pattern.search(rest + piece):
                    return True
                rest = piece[-OVERLAP_BYTES:]
        return False

    def find_workbook(self) -> str:
        """The part with the workbook, of .xlsx or .xlsb; "" for another kind of package."""
        found = (target for kind, target in self._list_targets("").values() if kind.endswith("/officeDocument"))
        return next(found, "")

    def find_sheet(self, workbook: str, relationship: str) -> str:
        """The part of a sheet, by the relationship that `workbook` names; "" if there is none."""
        return self._list_targets(workbook).get(relationship, ("", ""))[1]

    def _list_targets(self, source: str) -> dict[str, tuple[str, str]]:
        """The relationships of a part by their ids: their types, and the parts that there are (ECMA-376 part 2, §9)."""
        folder, name = posixpath.split(source)
        targets: dict[str, tuple[str, str]] = {}

        def begin(element: str, attributes: Attributes) -> None:
            path = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "").replace("\\", "/")))[1:]
            if local(element) == "Relationship" and path in self:
                targets[attributes.get("Id", "")] = attributes.get("Type", ""), path

        relationships = posixpath.join(folder, "_rels", f"{name}.rels")
        if relationships in self:
            self.parse(relationships, begin)
        return targets

    def parse(
        self,
        name: str,
        begin: Callable[[str, Attributes], None],
        end: Callable[[str], object] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Calls these for what a part of XML has, with names as they are written, prefixes included."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
        with self.open(name) as part:
            while piece := part.read(PIECE_BYTES):
                parser.Parse(piece, False)
        parser.Parse(b"", True)


def local(name: str) -> str:
    """The name of an element or attribute without the prefix of its namespace."""
    return name.rpartition(":")[2]
