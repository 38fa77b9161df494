"""What the sandbox and its stand-ins are told of what they remember. Both stand above."""

from __future__ import annotations

import os
from types import NoneType

from elarian_trio._arguments import require

__all__ = ["check_folder", "check_memory"]


def check_memory(data: object, seed: object) -> None:
    """See that *data* is the path of a file, and *seed* one of dice, where they are given.

    Raises:
        ValueError: the path is empty.
        TypeError: one is of the wrong type.
    """
    require("data", (str, os.PathLike, NoneType), data, wanted="the path of a file")
    if isinstance(data, str | os.PathLike) and not os.fspath(data):
        msg = "data must be the path of a file, got an empty one; leave it out to keep everything in memory"
        raise ValueError(msg)
    require("seed", (int, str, NoneType), seed)


def check_folder(name: str, folder: object) -> None:
    """See that *folder* is the path of one, where it is given.

    Raises:
        ValueError: the path is empty.
        TypeError: it is of the wrong type.
    """
    require(name, (str, os.PathLike, NoneType), folder, wanted="the path of a folder")
    if isinstance(folder, str | os.PathLike) and not os.fspath(folder):
        msg = f"{name} must be the path of a folder, got an empty one"
        raise ValueError(msg)
