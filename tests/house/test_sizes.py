"""Functions, files and folders stay small enough to be read at once."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
COMMANDS = {
    "export_records",
    "import_file",
    "run_again",
    "list_audit_log",
    "print_runs",
    "import_from_connection",
    "create_connection",
    "create_schedule",
    "create_feed",
    "correct_values",
    "put_feed",
    "put_connection",
}
NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """How many arguments may be passed by position, and how many there are. A constructor may have any number (the
    alternative is a tuple that is splatted into it), and so may a command, whose keyword arguments are its options."""
    if function.name == "__init__" or function.name in COMMANDS:
        return 0, 0
    positional = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    positional = positional[1:] if positional[:1] in (["self"], ["cls"]) else positional
    return len(positional), len(positional) + len(function.args.kwonlyargs)


def depth(node: ast.AST) -> int:
    """How deep blocks are nested in a function; `elif` is no deeper than `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        below = depth(child)
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, below + (isinstance(child, NESTING) and not chained))
    return deepest


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_is_small(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= 300, f"{lines} lines, at most 300"
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= 40, f"{function.name}(): {length} lines, at most 40"
        assert depth(function) <= 3, f"{function.name}(): nested {depth(function)} deep, at most 3"
        positional, every = arguments(function)
        assert positional <= 6, f"{function.name}(): {positional} positional arguments, at most 6"
        assert every <= 8, f"{function.name}(): {every} arguments, at most 8"


def test_a_folder_holds_at_most_twelve_modules() -> None:
    folders = {path.parent for path in SOURCES} - {ROOT / "app/resources"}
    for folder in folders:
        modules = [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
        assert len(modules) <= 12, f"{folder.relative_to(ROOT)}: {len(modules)} modules, at most 12"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_begins_with_a_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "no docstring"
    assert docstring.split("\n\n")[0].rstrip().endswith((".", ":")), "its first paragraph is no sentence"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_of_ours_is_imported_inside_a_function(path: Path) -> None:
    for function in functions(path):
        for node in ast.walk(function):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] in ("app", "workers") for name in names), function.name
