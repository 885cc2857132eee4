"""A class name exists once, so that a search for it has one answer."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_class_name_exists_once() -> None:
    """The shapes on the wire bear their vendor's names, which two vendors may share."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for path in (*(ROOT / "app").rglob("*.py"), *(ROOT / "workers").rglob("*.py")):
        name = path.relative_to(ROOT)
        if "wire" in name.parts or name.stem == "wire":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                files[node.name].append(str(name))
    assert {name: places for name, places in files.items() if len(places) > 1} == {}
