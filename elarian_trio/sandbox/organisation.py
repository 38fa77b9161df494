"""What a sandbox is set up with: organisations, their apps, channel numbers, purses and paybill.

The server stands above and reads its arguments here. Below are credentials, the models, and the records that the rules
will find. Without arguments it is the one organisation that Elarian's public SDK specification tests with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from elarian_trio._arguments import require
from elarian_trio.models.channels import CUSTOMER_PROVIDERS, Channel, MessagingChannel
from elarian_trio.models.payments import Cash, PaymentBalance, PaymentChannel, PaymentChannelNumber
from elarian_trio.sandbox.credentials import SandboxApp
from elarian_trio.sandbox.world.addresses import channel_key, payment_channel_key
from elarian_trio.sandbox.world.entities import ChannelRecord, PaymentChannelRecord, PurseRecord, Record
from elarian_trio.sandbox.world.ledgers import check_value
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Apps", "ChannelNumber", "Channels", "Organisations", "Purses"]

ORG_ID = "el_org_eu_1SJ2jx"
APP_ID = "el_app_WZFQdt"
PURSE_ID = "el_prs_rL3IPZ"
PHONE = "+254711621711"
CHANNELS: tuple[MessagingChannel, ...] = (
    MessagingChannel.sms("83044"),
    MessagingChannel.sms("TEST_SENDER_ID"),
    MessagingChannel.ussd("*83044#"),
    MessagingChannel.voice(PHONE),
    MessagingChannel.whatsapp(PHONE),
    MessagingChannel.telegram(PHONE),
    MessagingChannel.fb_messenger(PHONE),
    MessagingChannel.email("sandbox@elarian.example"),  # the specification has no mailbox to test with
)
PAYBILL = PaymentChannelNumber("83044")
OPENING_BALANCE = Cash("KES", 10_000_000)

ChannelNumber: TypeAlias = MessagingChannel | PaymentChannelNumber
Apps: TypeAlias = Iterable[SandboxApp | Mapping[str, str]]
Channels: TypeAlias = Iterable[ChannelNumber] | Mapping[ChannelNumber, str]
Purses: TypeAlias = Mapping[str, Cash | Iterable[Cash]]


@dataclass(frozen=True, slots=True)
class Organisations:
    """Everything that is there from the beginning. Made from the sandbox's arguments.

    Attributes:
        apps: who is let in, the main one first.
        channels: which app each channel number belongs to.
        purses: what is in each purse. All belong to the main app's organisation; unasked payments go to the first.
    """

    apps: tuple[SandboxApp, ...]
    channels: Mapping[ChannelNumber, str]
    purses: Mapping[str, tuple[Cash, ...]]

    @classmethod
    def of(cls, apps: Apps | None, channels: Channels | None, purses: Purses | None) -> Organisations:
        """Read what the user gave; what was left out is the specification's.

        Raises:
            ValueError: an app is there twice, a channel belongs to no app, or a list is empty.
            TypeError: something is none of the types named.
        """
        require("apps", (Iterable, NoneType), apps, wanted="a sequence of apps")
        require("channels", (Iterable, NoneType), channels, wanted="a sequence of channel numbers, or a mapping")
        require("purses", (Mapping, NoneType), purses, wanted="a mapping")
        given = (SandboxApp(ORG_ID, APP_ID),) if apps is None else tuple(map(_app, apps))
        if not given:
            msg = "apps must name at least one app"
            raise ValueError(msg)
        if len({(app.org_id, app.app_id) for app in given}) < len(given):
            msg = "apps must not name the same app twice"
            raise ValueError(msg)
        owners = _owners((*CHANNELS, PAYBILL) if channels is None else channels, given)
        balances = {PURSE_ID: OPENING_BALANCE} if purses is None else dict(purses)
        return cls(given, owners, {purse: _cash(purse, balance) for purse, balance in balances.items()})

    @property
    def main(self) -> SandboxApp:
        """The app whose credentials the sandbox hands out."""
        return self.apps[0]

    @property
    def messaging_channels(self) -> Mapping[str, MessagingChannel]:
        """The first channel number of each kind, by the kind's name."""
        found: dict[str, MessagingChannel] = {}
        for channel in self.channels:
            if isinstance(channel, MessagingChannel):
                found.setdefault(channel.channel, channel)
        return found

    @property
    def paybill(self) -> PaymentChannelNumber | None:
        """The first payment channel number."""
        return next((each for each in self.channels if isinstance(each, PaymentChannelNumber)), None)

    @property
    def purse_id(self) -> str | None:
        """The first purse."""
        return next(iter(self.purses), None)

    def records(self) -> Iterator[Record]:
        """Give the records with which the rules begin."""
        orgs = {app.app_id: app.org_id for app in reversed(self.apps)}
        for channel, app_id in self.channels.items():
            if isinstance(channel, MessagingChannel):
                key = channel_key(orgs[app_id], channel)
                yield ChannelRecord(org_id=key.org_id, channel=Channel(key.channel), number=key.number, app_id=app_id)
            elif self.purse_id is not None:
                yield self._payment_channel(orgs[app_id], channel, app_id, self.purse_id)
        for purse_id, balance in self.purses.items():
            yield PurseRecord(
                org_id=self.main.org_id,
                purse_id=purse_id,
                balances={cash.currency_code: _opened(cash) for cash in balance},
            )

    def _payment_channel(
        self, org_id: str, channel: PaymentChannelNumber, app_id: str, purse_id: str
    ) -> PaymentChannelRecord:
        key = payment_channel_key(org_id, channel)
        return PaymentChannelRecord(
            org_id=org_id, channel=PaymentChannel(channel.channel), number=key.number, app_id=app_id, purse_id=purse_id
        )


def _app(given: SandboxApp | Mapping[str, str]) -> SandboxApp:
    if not isinstance(cast("object", given), SandboxApp | Mapping):
        msg = f"an app must be a SandboxApp or a mapping with org_id, app_id and api_key, got {type(given).__name__}"
        raise TypeError(msg)
    return given if isinstance(given, SandboxApp) else SandboxApp(**given)


def _owners(channels: Channels, apps: tuple[SandboxApp, ...]) -> Mapping[ChannelNumber, str]:
    """Say which app each channel belongs to: the first, where none is named."""
    owners: dict[Any, str] = dict.fromkeys(channels, apps[0].app_id)
    if isinstance(channels, Mapping):
        owners.update(cast("Mapping[Any, str]", channels))
    known = {app.app_id for app in apps}
    for channel, app_id in owners.items():
        if not isinstance(channel, MessagingChannel | PaymentChannelNumber):
            msg = f"a channel must be a MessagingChannel or PaymentChannelNumber, got {type(channel).__name__}"
            raise TypeError(msg)
        if app_id not in known:
            msg = f"{channel} belongs to {app_id!r}, which is none of the apps"
            raise ValueError(msg)
        if isinstance(channel, MessagingChannel) and channel.channel not in CUSTOMER_PROVIDERS:
            msg = f"{channel} is on no known channel"
            raise ValueError(msg)
    _check_numbers(cast("Iterable[ChannelNumber]", owners))
    return owners


def _check_numbers(channels: Iterable[ChannelNumber]) -> None:
    """See that each has a number of its own, in whatever way it is written: one would shadow the other."""
    known: dict[object, ChannelNumber] = {}
    for channel in channels:
        key = channel_key("", channel) if isinstance(channel, MessagingChannel) else payment_channel_key("", channel)
        if not key.number:
            msg = f"{channel} has no number"
            raise ValueError(msg)
        if key in known:
            msg = f"{channel} and {known[key]} are the same number; name it once"
            raise ValueError(msg)
        known[key] = channel


def _cash(purse_id: str, balance: Cash | Iterable[Cash]) -> tuple[Cash, ...]:
    """Give what is in a purse, one balance for each currency.

    Raises:
        ValueError: that is nothing that could have come to be by payments.
        TypeError: it is no money.
    """
    require(f"the balance of purse {purse_id!r}", (Cash, Iterable), balance, wanted="a Cash, or several in a sequence")
    found = (balance,) if isinstance(balance, Cash) else tuple(balance)
    if not all(isinstance(cash, Cash) for cash in cast("tuple[object, ...]", found)):
        msg = f"the balance of purse {purse_id!r} must be a Cash, or several in different currencies"
        raise TypeError(msg)
    if not purse_id:
        msg = "a purse has an empty id"
        raise ValueError(msg)
    if len({cash.currency_code for cash in found}) < len(found):
        msg = f"purse {purse_id!r} must not hold the same currency twice"
        raise ValueError(msg)
    try:
        for cash in found:
            check_value(replace(cash, amount=cash.amount or Decimal(1)))  # an empty purse is one, too
    except Refusal as no:
        msg = f"purse {purse_id!r} cannot hold that: {no.description}"
        raise ValueError(msg) from None
    return found


def _opened(cash: Cash) -> PaymentBalance:
    return PaymentBalance(currency_code=cash.currency_code, available=cash, actual=cash)
