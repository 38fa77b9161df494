"""How numbers, channels and money are written on the command line: ``sms:83044``, ``KES:100``.

The commands stand above, the models below. Whatever is no such thing is a ValueError that shows one.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.payments import Cash, PaymentChannel, PaymentChannelNumber

__all__ = ["as_cash", "as_channel", "as_channel_of_app", "as_paybill", "as_purse", "cash_text", "channel_text"]

ChannelNumber: TypeAlias = MessagingChannel | PaymentChannelNumber

_MESSAGING = tuple(each.value for each in Channel if each is not Channel.UNKNOWN)
_PAYMENT = tuple(each.value for each in PaymentChannel if each is not PaymentChannel.UNKNOWN)


def as_channel(text: str) -> MessagingChannel:
    """Read a messaging channel: ``sms:83044``."""
    found = _number_on(text, _MESSAGING, "sms:83044")
    return MessagingChannel(found[1], Channel(found[0]))


def as_paybill(text: str) -> PaymentChannelNumber:
    """Read a payment channel, cellular unless it says otherwise: ``83044`` or ``airtime:83044``."""
    kind, number = _number_on(text if ":" in text else f"cellular:{text}", _PAYMENT, "cellular:83044")
    return PaymentChannelNumber(number, PaymentChannel(kind))


def as_channel_of_app(text: str) -> tuple[ChannelNumber, str]:
    """Read a channel of either kind and the app it belongs to, if that is named: ``sms:83044=APP``."""
    name, equals, app_id = text.rpartition("=") if "=" in text else (text, "", "")
    kind, number = _number_on(name, (*_MESSAGING, *_PAYMENT), "sms:83044=APP")
    if equals and not app_id:
        msg = f"name an app after the = of {text!r}, or leave it out for the first"
        raise ValueError(msg)
    if kind in _PAYMENT:
        return PaymentChannelNumber(number, PaymentChannel(kind)), app_id
    return MessagingChannel(number, Channel(kind)), app_id


def as_cash(text: str) -> Cash:
    """Read an amount of money: ``KES:100``."""
    currency, _, amount = text.partition(":")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = None
    if value is None or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        msg = f"money is written like KES:100, got {text!r}"
        raise ValueError(msg)
    return Cash(currency, value)


def as_purse(text: str) -> tuple[str, Cash]:
    """Read a purse and what is in it: ``ID=KES:1000000``."""
    purse_id, equals, amount = text.rpartition("=")
    if not (equals and purse_id):
        msg = f"a purse is written like ID=KES:1000000, got {text!r}"
        raise ValueError(msg)
    return purse_id, as_cash(amount)


def channel_text(channel: ChannelNumber) -> str:
    """Write a channel as it is read here."""
    return f"{channel.channel}:{channel.number}"


def cash_text(cash: Cash) -> str:
    """Write money as it is read here."""
    return f"{cash.currency_code}:{cash.amount:f}"


def _number_on(text: str, kinds: tuple[str, ...], example: str) -> tuple[str, str]:
    kind, _, number = text.partition(":")
    if kind not in kinds or not number:
        msg = f"a channel is written like {example}, and is one of {', '.join(kinds)}; got {text!r}"
        raise ValueError(msg)
    return kind, number
