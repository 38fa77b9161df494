"""A value that does not show itself.

Whatever holds keys, tokens or passwords stands above.
"""

from __future__ import annotations

from elarian_trio._arguments import is_encodable

__all__ = ["Secret"]

SHORTEST = 8  # bytes of a secret that is taken out of what a service says


class Secret:
    """A value that does not show itself: a string, or what somebody took for one."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        """Say nothing."""
        return "<secret>"

    def __reduce__(self) -> str:
        """Refuse to be copied out of the process."""
        msg = "a secret is not pickled"
        raise TypeError(msg)

    @property
    def kind(self) -> type:
        """The class of the value."""
        return type(self._value)

    @property
    def problem(self) -> str | None:
        """Say what is wrong with it, if anything, without repeating it."""
        if not isinstance(self._value, str):
            return "must be a str"
        if not self._value.strip():
            return "must not be empty"
        if not is_encodable(self._value):
            return "holds a lone surrogate, which UTF-8 cannot carry"
        return None

    def taken_out_of(self, words: bytes) -> bytes:
        """Give *words* without it; one that is short is left, since it may be there by chance."""
        revealed = self.reveal().encode()
        return words.replace(revealed, repr(self).encode()) if len(revealed) >= SHORTEST else words

    def reveal(self) -> str:
        """Give the string itself; keep it in no variable."""
        return str(self._value)
