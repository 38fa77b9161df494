"""``elarian-trio state`` and ``send``: what is known of a customer, and a message to one.

:mod:`.commands` stands above, the app's client below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.tree import Tree

from elarian_trio.cli.access import Access, AsJson
from elarian_trio.cli.exits import OK, REFUSED
from elarian_trio.cli.notation import as_channel
from elarian_trio.cli.terminal import Terminal, visible
from elarian_trio.customer import is_id
from elarian_trio.elarian import Elarian
from elarian_trio.models.channels import CUSTOMER_PROVIDERS, Channel
from elarian_trio.models.identity import CustomerNumberProvider
from elarian_trio.models.messaging import Message, MessageDeliveryStatus, UssdMenu
from elarian_trio.models.voice import Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.customer import Customer
    from elarian_trio.models.messaging import MessageBody
    from elarian_trio.options import JsonValue

__all__ = ["send", "state"]

ANYWHERE = Access()

ACCEPTED = frozenset(
    {
        MessageDeliveryStatus.QUEUED,
        MessageDeliveryStatus.SENT,
        MessageDeliveryStatus.DELIVERED,
        MessageDeliveryStatus.READ,
        MessageDeliveryStatus.SESSION_INITIATED,
    }
)


async def state(
    number: str,
    /,
    *,
    provider: str = "cellular",
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Show what the server knows of a customer.

    Permissions to reply, which are secrets, are left out. A number that the server does not know becomes a customer.

    Args:
        number: The customer's number, or the id that other output shows.
        provider: Whose number it is: cellular, facebook, telegram, app or email.
    """
    whose = CustomerNumberProvider(provider)
    async with access.client(Elarian, takes_notifications=False) as app:
        found = await _customer(app, number, whose).get_state()
    known = {name: _without_tokens(part) for name, part in found.to_json().items()}
    if json:
        terminal.say_json(known)
    else:
        tree = Tree(f"customer {known.pop('customer_id')}")
        _grow(tree, known)
        terminal.show(tree)
    return OK


def _without_tokens(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _without_tokens(part) for name, part in value.items() if name != "reply_token"}
    return [_without_tokens(part) for part in value] if isinstance(value, list) else value


def _grow(tree: Tree, value: dict[str, JsonValue] | list[JsonValue]) -> None:
    """Add a branch for whatever is there; what is empty would only be in the way."""
    for name, part in _branches(value):
        if isinstance(part, dict | list):
            _grow(tree.add(visible(name)), part)
        else:
            tree.add(visible(f"{name}: {part}"))


def _branches(value: dict[str, JsonValue] | list[JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value, 1)
    for name, part in pairs:
        short = _short(part)
        if name != "class" and short not in (None, "", [], {}):
            yield str(name), short


def _short(value: JsonValue) -> JsonValue:
    """Give a number or an amount as it is written on the command line; anything else as it is, unless it is empty."""
    if not isinstance(value, dict):
        return value
    for first, second in (("channel", "number"), ("provider", "number"), ("currency_code", "amount")):
        if {first, second} <= value.keys():
            return f"{value[first]}:{value[second]}"
    return value if any(_branches(value)) else None


async def send(
    number: str,
    text: str,
    /,
    *,
    channel: str = "sms:83044",
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Send a message to a customer.

    Ends with status 1 where the server takes the message but says that it will not arrive.

    Args:
        number: The customer's number, or the id that other output shows.
        text: What to say; after -- if it begins with a dash.
        channel: From which number of the organisation: sms:83044, whatsapp:+254711621711. A call reads it out.
    """
    origin = as_channel(channel)
    async with access.client(Elarian, takes_notifications=False) as app:
        customer = _customer(app, number, CUSTOMER_PROVIDERS[origin.channel])
        reply = await customer.send_message(origin, Message(_body(origin.channel, text)))
    if json:
        terminal.say_json(reply.to_json())
    else:
        terminal.say(f"{reply.status}: {reply.description}" + (f" ({reply.message_id})" if reply.message_id else ""))
    return OK if reply.status in ACCEPTED else REFUSED


def _customer(app: Elarian, name: str, provider: CustomerNumberProvider) -> Customer:
    return app.customer(customer_id=name) if is_id(name) else app.customer(name, provider=provider)


def _body(channel: str, text: str) -> MessageBody:
    if channel == Channel.VOICE:
        return (Say(text),)
    return UssdMenu(text) if channel == Channel.USSD else text
