"""The names of events, and whom ``on()`` has called for them.

The client stands above; the inbox's handlers run what is registered here.
"""

from __future__ import annotations

import re
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING

from elarian_trio._arguments import require_function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elarian_trio._inbox import Handler, Handlers
    from elarian_trio.models.notifications import AnyNotification

__all__ = ["CONNECTION_EVENTS", "EventTable", "snake_case"]

CONNECTION_EVENTS = ("error", "closed", "pending", "connecting", "connected")

# What a handler of notifications is called with, by position, and a listener to an event of the connection's.
_NOTIFICATION = ("notification", "customer", "app_data", "callback")
_ERROR = ("exception",)


@cache
def snake_case(event: str) -> str:
    """Give ``ussd_session`` for ``ussdSession``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", event).lower()


@cache
def _by_names(kinds: tuple[type[AnyNotification], ...]) -> Mapping[str, type[AnyNotification]]:
    """Find each kind by all its names; one table for all clients that hear the same."""
    return {name: kind for kind in kinds for name in (snake_case(kind.event), kind.event)}


class EventTable:
    """The events of one kind of socket, by all their names. Made by the client.

    Args:
        kinds: the notifications that come by the socket.
        handlers: what runs their handlers.
    """

    def __init__(self, kinds: Sequence[type[AnyNotification]], handlers: Handlers) -> None:
        self._handlers = handlers
        self._listeners: dict[str, Handler] = {}
        self._kinds = _by_names(tuple(kinds))
        self._names = tuple(dict.fromkeys(kind.event for kind in self._kinds.values()))

    def on(self, event: str | type[AnyNotification], handler: Handler) -> None:
        """Have *handler* called for *event*, in place of an earlier one."""
        found = self.check(event, handler)
        if isinstance(found, str):
            self._listeners[found] = handler
        else:
            self._handlers.set(found, handler)

    def check(self, event: str | type[AnyNotification], handler: Handler) -> str | type[AnyNotification]:
        """See that *handler* can be called for *event*; give the event of the connection's, or the notification."""
        found = self._find(event)
        require_function("a handler", handler)
        given = _NOTIFICATION if not isinstance(found, str) else _ERROR if found == "error" else ()
        _require_parameters(handler, given)
        return found

    def off(self, event: str | type[AnyNotification]) -> None:
        """Have nothing called for *event*."""
        found = self._find(event)
        if isinstance(found, str):
            self._listeners.pop(found, None)
        else:
            self._handlers.remove(found)

    def tell(self, event: str, *arguments: object) -> None:
        """Have a connection event's listener run, if there is one."""
        listener = self._listeners.get(event)
        if listener is not None:
            self._handlers.tell(listener, *arguments)

    def _find(self, event: str | type[AnyNotification]) -> str | type[AnyNotification]:
        if isinstance(event, str):
            found = event if event in CONNECTION_EVENTS else self._kinds.get(event)
        else:
            found = event if event in self._kinds.values() else None
        if found is None:
            known = ", ".join((*self._names, *CONNECTION_EVENTS))
            msg = f"{event!r} is no event of this socket; known are {known}"
            raise ValueError(msg)
        return found


def _require_parameters(handler: Handler, given: tuple[str, ...]) -> None:
    """See that *handler* can be called with what it will be, as far as Python can tell: each event would fail on it.

    Raises:
        TypeError: it cannot.
    """
    try:
        found = signature(handler, follow_wrapped=False)  # a decorator may give what it wraps more, or less
    except (TypeError, ValueError):  # written in C, perhaps
        return
    try:
        found.bind(*given)
    except TypeError as error:
        msg = f"a handler for this event is called with ({', '.join(given)}), and this one takes {found}: {error}"
        raise TypeError(msg) from None
