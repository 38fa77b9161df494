"""What was heard, in words for people who read a failing test, and whether it is what was expected.

Everything else in this room stands above; below are the models.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio._arguments import require
from elarian_trio.models.channels import Channel
from elarian_trio.models.messaging import Email, Location, Media, Template, Url, UssdMenu
from elarian_trio.models.simulator import (
    CheckoutPaymentSimulatorNotification,
    MakeVoiceCallSimulatorNotification,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
)
from elarian_trio.models.voice import GetDigits, GetRecording, Play, Say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from elarian_trio.models.messaging import MessageBody
    from elarian_trio.models.notifications import AnyNotification
    from elarian_trio.models.payments import Cash
    from elarian_trio.models.voice import VoiceAction

__all__ = [
    "Wanted",
    "called",
    "describe",
    "heard_in",
    "indented",
    "kind_of_message",
    "matches",
    "money",
    "require_wanted",
    "saying",
    "shown",
    "text_of",
]

Wanted: TypeAlias = "str | re.Pattern[str]"
"""What a text is expected to hold: these words, or something that the pattern finds."""


def require_wanted(wanted: Iterable[Wanted]) -> None:
    """See that everything that is wanted can be found in a text.

    Raises:
        TypeError: something is neither words nor a pattern.
    """
    for each in wanted:
        require("wanted", (str, re.Pattern), each, wanted="a str or a compiled pattern")


def matches(text: str, wanted: Iterable[Wanted]) -> bool:
    """Whether *text* holds everything that is wanted."""
    return all(each in text if isinstance(each, str) else each.search(text) for each in wanted)


def saying(wanted: tuple[Wanted, ...]) -> str:
    """Give " that says 'Hello'", or nothing where anything will do."""
    return f" that says {shown(wanted)}" if wanted else ""


def shown(wanted: tuple[Wanted, ...]) -> str:
    """Give "'Hello' and /[0-9]+/"."""
    return " and ".join(repr(each) if isinstance(each, str) else f"/{each.pattern}/" for each in wanted)


def called(method: str, *arguments: object) -> str:
    """Give a call as it is written in a program: "says('Hello')"."""
    return f"{method}({', '.join(map(repr, arguments))})"


def indented(text: str) -> str:
    """Give *text* as lines of their own, further in."""
    return "".join(f"\n    {line}" for line in text.splitlines() or [""])


# --- texts ---


def text_of(body: MessageBody | None) -> str:
    """Give what can be read, or heard, of a message's body."""
    if body is None or isinstance(body, str):
        return body or ""
    return heard_in(body) if isinstance(body, tuple) else _TEXTS[type(body)](body)


_TEXTS: Mapping[type, Callable[[Any], str]] = {
    Media: lambda body: body.url,
    Location: lambda body: " ".join(filter(None, (body.label, body.address))) or f"{body.latitude}, {body.longitude}",
    Email: lambda body: "\n".join(filter(None, (body.subject, body.body_plain or body.body_html))),
    Template: lambda body: " ".join((body.id, *body.params.values())),
    Url: lambda body: body.url,
    UssdMenu: lambda body: body.text,
}


def heard_in(actions: tuple[VoiceAction, ...]) -> str:
    """Give what a caller hears of *actions*: a line for each text that is spoken and each recording's URL."""
    return "\n".join(filter(None, map(_sound, actions)))


def _sound(action: VoiceAction) -> str:
    if isinstance(action, GetDigits | GetRecording):
        prompt = action.say or action.play
        return "" if prompt is None else _sound(prompt)
    if isinstance(action, Say):
        return action.text
    return action.url if isinstance(action, Play) else ""


# --- what reached a phone or the gateway ---


def describe(told: AnyNotification) -> str:
    """Give a line about *told*."""
    line = _LINES.get(type(told))
    return type(told).__name__ if line is None else line(told)


def money(value: Cash) -> str:
    """Give "KES 100"."""
    return f"{value.currency_code} {value.amount:f}"


def kind_of_message(channel: str | None) -> str:
    """Give "SMS", "mail" or "WhatsApp message"; "message" where the channel is not known."""
    return _MESSAGES.get(channel or "", "message")


_MESSAGES: Mapping[str, str] = {
    Channel.SMS: "SMS",
    Channel.USSD: "USSD menu",
    Channel.WHATSAPP: "WhatsApp message",
    Channel.TELEGRAM: "Telegram message",
    Channel.FB_MESSENGER: "Messenger message",
    Channel.EMAIL: "mail",
}


def _message(told: SendMessageSimulatorNotification) -> str:
    channel = told.channel_number
    return f"{kind_of_message(channel.channel)} from {channel.number}: {text_of(told.message.body)!r}"


_LINES: Mapping[type, Callable[[Any], str]] = {
    SendMessageSimulatorNotification: _message,
    MakeVoiceCallSimulatorNotification: lambda told: f"call from {told.channel_number.number}",
    CheckoutPaymentSimulatorNotification: lambda told: f"request to pay {money(told.value)}",
    SendCustomerPaymentSimulatorNotification: lambda told: f"payout of {money(told.value)}",
    SendChannelPaymentSimulatorNotification: lambda told: f"payment of {money(told.value)} to {told.destination}",
}
