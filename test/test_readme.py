"""What the README shows is what there is."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [block.removeprefix("python\n") for block in README.split("```")[1::2]]


def lines_of(program: str) -> list[str]:
    """The lines of a program that say something."""
    return [line for line in program.splitlines() if line.strip()]


def test_first_program_is_the_quickstart_example() -> None:
    """This SDK: the example that the tests run is the program that the reader sees, to the letter."""
    program = lines_of(BLOCKS[0])
    quickstart = (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8")
    assert lines_of(quickstart)[-len(program) :] == program


def test_programs_are_python() -> None:
    """This SDK: what a reader copies runs, in a function or in a console that awaits."""
    for block in BLOCKS:
        compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", BLOCKS)
def test_programs_import_what_they_use(block: str) -> None:
    """This SDK: nobody has to guess in which module a name is."""
    tree = ast.parse(block)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    known = {alias.name for node in imports for alias in node.names} | set(vars(builtins))
    known |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    known |= {node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    assert {node.id for node in names} <= known


def test_setup_is_two_commands() -> None:
    """This SDK: one command to see it work, one to check a change."""
    commands = [line.strip() for line in README.splitlines() if line.startswith("    python -m")]
    assert commands == [
        'python -m pip install ".[all]" && python examples/loan_collection.py',
        "python -m pip install nox && python -m nox",
    ]
