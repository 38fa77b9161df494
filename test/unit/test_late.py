"""Names that load when they are asked for, at a door of the test's own."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

DOOR = """
from elarian_trio._late import find_late
__getattr__ = find_late(__name__, {"Thing": "things", "things": "things", "Gone": "things", "Broken": "broken"})
"""
THINGS = """
import time
time.sleep(0.01)  # long enough for every thread to come while it loads
class Thing: pass
"""
BROKEN = "import sys\nsys.there_is_no_such_name\n"
NAME = "a_door_of_the_tests"


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with names that load late."""
    package = tmp_path / NAME
    package.mkdir()
    for name, text in (("__init__", DOOR), ("things", THINGS), ("broken", BROKEN)):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in (NAME, f"{NAME}.things", f"{NAME}.broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(NAME)


def test_name_is_loaded_when_it_is_asked_for_and_stays(door: ModuleType) -> None:
    """This SDK: asked for once, a name costs what any other does."""
    assert f"{NAME}.things" not in sys.modules
    thing = door.Thing
    assert thing is sys.modules[f"{NAME}.things"].Thing
    assert vars(door)["Thing"] is thing


def test_module_may_be_offered_itself(door: ModuleType) -> None:
    """This SDK: ``import elarian_trio`` is enough for ``elarian_trio.errors``, as it is without such a door."""
    assert door.things is sys.modules[f"{NAME}.things"]


def test_wrong_name_is_an_attribute_error_that_says_so(door: ModuleType) -> None:
    """Python's own words, so that whoever knows them knows these."""
    with pytest.raises(AttributeError, match=f"^module '{NAME}' has no attribute 'Thng'$") as caught:
        _ = door.Thng
    assert (caught.value.name, caught.value.obj) == ("Thng", door)


def test_home_without_the_name_is_an_attribute_error(door: ModuleType) -> None:
    """This SDK: a table that lies is found out."""
    with pytest.raises(AttributeError, match="Gone"):
        _ = door.Gone


def test_module_that_cannot_be_loaded_says_why(door: ModuleType) -> None:
    """Python makes of an AttributeError that there is no such name, and hides what is wrong: an old dependency, say."""
    with pytest.raises(ImportError, match="broken cannot be loaded: module 'sys' has no attribute") as caught:
        exec(f"from {door.__name__} import Broken")  # as a program would
    assert caught.value.name == f"{NAME}.broken"


def test_threads_that_ask_at_once_get_the_same(door: ModuleType) -> None:
    """Python lets one thread load a module; the others wait for it."""
    start, got = threading.Barrier(8), list[object]()

    def ask() -> None:
        start.wait(5)
        got.append(door.Thing)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(got) == len(threads)
    assert set(got) == {door.Thing}
