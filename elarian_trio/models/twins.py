"""A twin of a model's class whose fields can be set: what makes models out of values that need no check.

``_wire`` fills one with what came off the wire, :mod:`.restoring` with what a file holds and :mod:`.model` with what is
altered; then they turn it into the class itself. It imports nothing of the package.
"""

from __future__ import annotations

from typing import Any

_TWINS: dict[type, Any] = {}


def twin(cls: type) -> Any:  # noqa: ANN401 - a class with the fields of *cls*
    """Give a class like *cls* but without its constructor and its refusal to be changed; made once.

    ``new = twin(cls)()``, then every field, then ``new.__class__ = cls``: the interpreter sets a field of an ordinary
    class many times faster than ``object.__setattr__`` does, which is what a frozen class leaves.
    """
    found = _TWINS.get(cls)
    if found is None:
        # Both or neither: of a class that refuses only deletion the interpreter takes the slow way to set, too.
        ordinary = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__, "__init__": object.__init__}
        body = {"__slots__": (), "__module__": cls.__module__, **ordinary}
        found = _TWINS[cls] = type(cls.__name__, (cls,), body)
    return found
