"""Names at a door, loaded when somebody asks for the first of them.

The package's own door and :mod:`elarian_trio._wire`'s stand on this; nothing is below. A program pays for what it uses:
one that only names an error does not load protobuf.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

__all__ = ["find_late"]


def find_late(door: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a module.

    Threads may ask at once: Python lets one of them load a module, and what is found is the same for all.

    Args:
        door: the module's name.
        homes: what it offers: in which module, relative to it, each name is at home. A name that is its own home is a
            module.

    Returns:
        A function that gives what a name stands for and puts it at the door, so that it is not asked for it again. It
        raises AttributeError for a name that is not offered, ImportError where a module cannot be loaded.
    """

    def find(name: str) -> Any:  # noqa: ANN401 - whatever there is
        home = homes.get(name)
        if home is None:
            msg = f"module {door!r} has no attribute {name!r}"
            raise AttributeError(msg, name=name, obj=sys.modules[door])
        module = _load(f"{door}.{home}")
        found = module if name == home else getattr(module, name)
        setattr(sys.modules[door], name, found)
        return found

    return find


def _load(module: str) -> ModuleType:
    try:
        return import_module(module)
    except AttributeError as error:  # ``from door import name`` would say no more than that there is no such name
        msg = f"{module} cannot be loaded: {error}"
        raise ImportError(msg, name=module) from error
