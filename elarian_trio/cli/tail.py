"""``elarian-trio tail``: notifications as they come.

:mod:`.commands` stands above, the app's client below.
"""

from __future__ import annotations

import json as formats
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from elarian_trio.cli.access import Access, AsJson
from elarian_trio.cli.exits import OK
from elarian_trio.cli.notation import cash_text, channel_text
from elarian_trio.cli.terminal import Terminal
from elarian_trio.elarian import Elarian
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.model import plain
from elarian_trio.models.payments import Cash, PaymentChannelNumber

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cyclopts import Token

    from elarian_trio._inbox import Delivery
    from elarian_trio.models.notifications import Notification

__all__ = ["tail"]

ANYWHERE = Access()

_ENVELOPE = ("org_id", "app_id", "customer_id", "created_at", "customer_number")


def _as_count(_: type, tokens: Sequence[Token]) -> int:
    """Read a whole number; cyclopts by itself would round."""
    try:
        return int(tokens[0].value)
    except ValueError:
        msg = f"Give a whole number from 1 on, got {tokens[0].value!r}."
        raise ValueError(msg) from None


async def tail(
    *,
    count: Annotated[int | None, Parameter(converter=_as_count)] = None,
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Show the app's notifications as they come, until Ctrl-C.

    Each is answered as an SDK without a handler answers it: with nothing, and the app's data as it was. A notification
    goes to one connection of the app: what is shown here, a service of the same app does not get. A connection that is
    cut is opened again.

    Args:
        count: End after so many.
    """
    if count is not None and count < 1:
        msg = f"--count takes a number from 1 on, got {count}"
        raise ValueError(msg)
    async with access.client(Elarian, takes_notifications=False):
        pass  # wrong settings and dead endpoints end the command; later on it has all the patience there is
    app = access.client(Elarian, is_patient=True)
    async with app.notifications() as inbox, app:
        with terminal.stoppable():
            async for delivery in inbox:
                async with delivery:
                    _show(terminal, delivery, as_json=json)
                count = None if count is None else count - 1
                if count == 0:
                    break
    return OK


def _show(terminal: Terminal, delivery: Delivery[Notification], *, as_json: bool) -> None:
    told = delivery.notification
    if as_json:
        terminal.say_json({"event": told.event, **told.to_json(), "app_data": plain(delivery.app_data)})
    else:
        terminal.say(_line(delivery))


def _line(delivery: Delivery[Notification]) -> str:
    told = delivery.notification
    when = "" if told.created_at is None else f"{told.created_at:%Y-%m-%d %H:%M:%S}"
    number: object = getattr(told, "customer_number", None)
    who = number.number if isinstance(number, CustomerNumber) else told.customer_id
    words = (f"{name}={_short(value)}" for name, value in _said(told))
    data = () if delivery.app_data is None else (f"app_data={formats.dumps(plain(delivery.app_data))}",)
    return " ".join([when, told.event, who or "-", *words, *data])


def _said(told: Notification) -> Iterator[tuple[str, Any]]:
    """Give what a notification says beyond what all of them do; a text alone says it all, without its parts."""
    for name in told.to_json():
        value: object = getattr(told, name)
        is_said = name == "parts" and value == (getattr(told, "text", None),)
        if name not in _ENVELOPE and value not in (None, "", ()) and not is_said:
            yield name, value


def _short(value: object) -> str:
    if isinstance(value, MessagingChannel | PaymentChannelNumber):
        return channel_text(value)
    if isinstance(value, Cash):
        return cash_text(value)
    said = plain(value)
    return said if isinstance(said, str) and said.isprintable() and " " not in said else formats.dumps(said)
