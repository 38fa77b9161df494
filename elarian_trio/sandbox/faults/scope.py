"""What a rule looks at: which commands and notifications, of which customer, on which channel.

The rules stand above. Below are the wire's tables, which name everything that travels, and the world's way of writing
numbers.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from elarian_trio._wire import tables
from elarian_trio.models import commands, notifications, simulator
from elarian_trio.models.channels import CUSTOMER_PROVIDERS, Channel, MessagingChannel
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, SecondaryId
from elarian_trio.models.payments import ChannelPayment, CustomerPayment, PaymentChannel, PaymentChannelNumber, Wallet
from elarian_trio.sandbox.faults.values import FaultError, known
from elarian_trio.sandbox.world.addresses import channel_key, normal, normal_number, payment_channel_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from elarian_trio.models.commands import Command
    from elarian_trio.models.notifications import AnyNotification

__all__ = ["AnyChannel", "Kind", "NumbersOf", "Scope", "Target", "kinds_named"]

Kind: TypeAlias = "type[Command[Any] | AnyNotification]"
Target: TypeAlias = "Kind | str"
AnyChannel: TypeAlias = "MessagingChannel | PaymentChannelNumber | Channel | PaymentChannel | str"
NumbersOf: TypeAlias = "Callable[[str | SecondaryId], Iterable[CustomerNumber]]"
"""Looks up the numbers of a customer that is named otherwise."""

_COMMANDS: tuple[Kind, ...] = (*tables.REPLIES, *tables.SIMULATOR_COMMANDS)
_NOTIFICATIONS: tuple[Kind, ...] = (*notifications.APP_NOTIFICATIONS[:-1], *simulator.SIMULATOR_NOTIFICATIONS)
KINDS: tuple[Kind, ...] = (*_COMMANDS, *_NOTIFICATIONS)
"""Every class of which something travels; the last of an app's notifications is what nobody knows."""

_GROUPS: tuple[Kind, ...] = (
    commands.Command,
    commands.AppCommand,
    commands.SimulatorCommand,
    notifications.AnyNotification,
    notifications.Notification,
    notifications.ReceivedMessageNotification,
    notifications.ReceivedChatNotification,
    simulator.SimulatorNotification,
)
_BY_NAME: Mapping[str, Kind] = {kind.__name__: kind for kind in (*KINDS, *_GROUPS)}

_PARTIES = ("debit_party", "credit_party", "wallet")
_CUSTOMER_FIELDS = frozenset({"customer_number", "customer", "other_customer", "customer_id", *_PARTIES})
_CHANNEL_FIELDS = frozenset({"channel_number", "channel", "debit_party", "credit_party"})
_PAYMENT_CHANNELS = tuple(each.value for each in PaymentChannel if each.value != "unknown")
_CHANNELS = (*(each.value for each in Channel if each.value != "unknown"), *_PAYMENT_CHANNELS)


# --- which kinds ---


def kinds_named(on: Target | Iterable[Target] | None) -> tuple[tuple[Kind, ...], tuple[Kind, ...]]:
    """Give every kind that *on* takes in, and of those the ones that it names themselves, and not by a group.

    Raises:
        FaultError: something is neither a kind nor a group of them.
    """
    if on is None:
        return KINDS, ()
    several = isinstance(on, Iterable) and not isinstance(on, str | type)
    given = [_kind(each) for each in (cast("Iterable[Target]", on) if several else (cast("Target", on),))]
    if not given:
        raise FaultError("on", "at least one command or notification", on)
    return tuple(kind for kind in KINDS if issubclass(kind, tuple(given))), tuple(set(given) & set(KINDS))


def _kind(given: Target) -> Kind:
    found = _BY_NAME.get(given) if isinstance(given, str) else given
    if isinstance(found, type) and found in _BY_NAME.values():
        return found
    name = given if isinstance(given, str) else getattr(given, "__name__", "")
    near = difflib.get_close_matches(name, _BY_NAME, n=1)
    hint = f" (perhaps {near[0]!r})" if near else ""
    wanted = f"a command or notification by its class or the class's name{hint}; known are {', '.join(_BY_NAME)}"
    raise FaultError("on", wanted, given)


# --- which messages ---


@dataclass(frozen=True, slots=True)
class Scope:
    """Which commands and notifications a rule looks at.

    Attributes:
        kinds: their classes.
        number: the customer, normalised; by a bare string under any provider.
        channel: what kind of channel, and its number unless it may be any.
    """

    kinds: frozenset[Kind]
    number: CustomerNumber | str | None = None
    channel: tuple[str, str | None] | None = None

    @classmethod
    def of(
        cls,
        kinds: tuple[Kind, ...],
        named: tuple[Kind, ...],
        number: CustomerNumber | str | None,
        channel: AnyChannel | None,
    ) -> Scope:
        """Make one that takes in those of *kinds* that can be of such a customer, on such a channel.

        Raises:
            FaultError: a kind that was *named* cannot, or *number* or *channel* is none.
        """
        scope = cls(frozenset(kinds), _number(number), _channel(channel))
        if number is not None:
            scope = scope._narrowed("number", number, named, _CUSTOMER_FIELDS)
        return scope if channel is None else scope._narrowed("channel", channel, named, _CHANNEL_FIELDS)

    def _narrowed(self, argument: str, given: object, named: tuple[Kind, ...], needed: frozenset[str]) -> Scope:
        for kind in named:
            if not _has_one_of(kind, needed):
                raise FaultError(argument, f"left out: {kind.__name__} names no {argument}", given)
        return replace(self, kinds=frozenset(kind for kind in self.kinds if _has_one_of(kind, needed)))

    def takes_in(self, message: object, numbers_of: NumbersOf) -> bool:
        """Whether *message*, a command or notification, is looked at."""
        if type(message) not in self.kinds:
            return False
        if self.channel is not None and not any(map(self._is_channel, _channels_in(message))):
            return False
        return self.number is None or any(map(self._is_number, _numbers_in(message, numbers_of)))

    def _is_channel(self, found: tuple[str, str]) -> bool:
        return self.channel is not None and self.channel in (found, (found[0], None))

    def _is_number(self, found: CustomerNumber) -> bool:
        if isinstance(self.number, str):
            return normal_number(found.number) == self.number
        return normal(found) == self.number


def _has_one_of(kind: Kind, names: frozenset[str]) -> bool:
    return not names.isdisjoint(field.name for field in fields(kind))  # type: ignore[arg-type]


def _number(given: CustomerNumber | str | None) -> CustomerNumber | str | None:
    if isinstance(given, CustomerNumber):
        return normal(given)
    if given is None:
        return None
    text = normal_number(given) if isinstance(cast("object", given), str) else ""
    if not text:
        raise FaultError("number", "a customer's number, as '+254709759881' or CustomerNumber(…)", given)
    return text


def _channel(given: AnyChannel | None) -> tuple[str, str | None] | None:
    if given is None:
        return None
    found = _named_channel(given)
    if found is None or found[0] not in _CHANNELS or found[1] == "":
        wanted = f"a channel, or its kind with or without a number, as 'sms:83044'; known kinds are {known(_CHANNELS)}"
        raise FaultError("channel", wanted, given)
    return found


def _named_channel(given: AnyChannel) -> tuple[str, str | None] | None:
    if isinstance(given, MessagingChannel | PaymentChannelNumber):
        return _channel_key(given)
    kind, colon, number = given.partition(":") if isinstance(cast("object", given), str) else ("", "", "")
    if kind not in _CHANNELS:
        return None
    if not colon:
        return kind, None
    if kind in _PAYMENT_CHANNELS:
        return _channel_key(PaymentChannelNumber(number, PaymentChannel(kind)))
    return _channel_key(MessagingChannel(number, Channel(kind)))


# --- who and what a message is about ---


def _numbers_in(message: object, numbers_of: NumbersOf) -> Iterator[CustomerNumber]:
    """Give the numbers that a message names, or else those of the customers that it names otherwise."""
    for address in _addresses_in(message):
        if isinstance(address, CustomerNumber):
            yield address
        elif address:
            yield from numbers_of(address)


def _addresses_in(message: object) -> Iterator[CustomerNumber | SecondaryId | str]:
    number: CustomerNumber | str | None = getattr(message, "customer_number", None)
    if isinstance(number, str):
        yield CustomerNumber(number, _provider(getattr(message, "channel_number", None)))
    elif number is not None:
        yield number
    else:  # a notification says both, and the id says no more
        yield getattr(message, "customer_id", None) or ""
    for name in ("customer", "other_customer"):
        yield getattr(message, name, "")
    for name in _PARTIES:
        party: object = getattr(message, name, None)
        if isinstance(party, CustomerPayment):
            yield party.customer_number
        elif isinstance(party, Wallet):
            yield party.customer_id


def _provider(channel: object) -> CustomerNumberProvider:
    """Whose number a phone means by a bare string."""
    if isinstance(channel, MessagingChannel):
        return CUSTOMER_PROVIDERS.get(channel.channel, CustomerNumberProvider.CELLULAR)
    return CustomerNumberProvider.CELLULAR


def _channels_in(message: object) -> Iterator[tuple[str, str]]:
    channel: object = getattr(message, "channel_number", None)
    if isinstance(channel, MessagingChannel | PaymentChannelNumber):
        yield _channel_key(channel)
    if isinstance(message, simulator.SendChannelPaymentSimulatorNotification):
        yield _channel_key(PaymentChannelNumber(message.source, message.channel))
    for name in ("debit_party", "credit_party"):
        party: object = getattr(message, name, None)
        if isinstance(party, CustomerPayment):
            yield _channel_key(party.channel_number)
        elif isinstance(party, ChannelPayment):
            yield _channel_key(PaymentChannelNumber(party.source, party.channel))


def _channel_key(channel: MessagingChannel | PaymentChannelNumber) -> tuple[str, str]:
    key = channel_key("", channel) if isinstance(channel, MessagingChannel) else payment_channel_key("", channel)
    return str(key.channel), key.number
