"""Who a customer is: numbers, tags, secondary ids, and the state of them.

Stands on :mod:`.model`; the commands, replies and notifications stand on it. Names follow Elarian's SDK
specification, values its published wire contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from .checks import WireEnum
from .model import EPOCH, Model, dataclass


class CustomerNumberProvider(WireEnum):
    """Whose number a customer number is. The same digits under two providers are two identities."""

    UNKNOWN = "unknown"
    FACEBOOK = "facebook"
    CELLULAR = "cellular"
    TELEGRAM = "telegram"
    APP = "app"
    WEB = "app"  # the specification's older name of the same value
    EMAIL = "email"

    @classmethod
    def _missing_(cls, value: object) -> Any:  # noqa: ANN401 - raises or gives the member, as enum demands
        return cls.APP if value == "web" else super()._missing_(value)


CustomerNumberProviderName: TypeAlias = Literal["facebook", "cellular", "telegram", "app", "web", "email"]


class ChannelNumberProvider(WireEnum):
    """Who carries a channel number's traffic."""

    UNKNOWN = "unknown"
    AT = "at"
    TWILIO = "twilio"
    MAILGUN = "mailgun"
    FACEBOOK = "facebook"
    TELEGRAM = "telegram"
    MPESA = "mpesa"


ChannelNumberProviderName: TypeAlias = Literal["at", "twilio", "mailgun", "facebook", "telegram", "mpesa"]


class CustomerRequestOrigin(WireEnum):
    """What made the server act on a customer."""

    UNKNOWN = "unknown"
    API_REQUEST = "api_request"
    CUSTOMER_TAG = "customer_tag"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class CustomerNumber(Model):
    """A number under which a customer is reached.

    Attributes:
        number: the number or name itself, such as "+254709759881".
        provider: whose number it is.
        partition: a subdivision of the provider's numbers, where it has any.
    """

    number: str
    provider: CustomerNumberProvider | CustomerNumberProviderName = CustomerNumberProvider.CELLULAR
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class _Index(Model):
    """A key and value that may lapse: what tags and secondary ids share."""

    key: str
    value: str
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields, and that the expiry is not the epoch, which means "never" on the wire."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        if self.expires_at is not None and self.expires_at == EPOCH:
            msg = "expires_at at the epoch means no expiry on the wire; leave it out"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Tag(_Index):
    """A key and value by which customers are grouped; one value per key, keys not case-sensitive.

    Attributes:
        key: the tag's name.
        value: its value.
        expires_at: when the server drops it; ``None`` for never.
    """


@dataclass(frozen=True, slots=True)
class SecondaryId(_Index):
    """A further, unique handle for a customer, such as a passport number.

    Attributes:
        key: what kind of id it is; not case-sensitive.
        value: the id.
        expires_at: when the server drops it; ``None`` for never.
    """


CustomerAddress: TypeAlias = "str | CustomerNumber | SecondaryId"
"""How a command names its customer: by id (a str), by number, or by secondary id."""


@dataclass(frozen=True, slots=True)
class Reminder(Model):
    """A note to the app itself, delivered when it falls due.

    Attributes:
        key: names the reminder; setting the same key again replaces it.
        remind_at: when it is due.
        interval: repeats it every so often until cancelled (a minute at least); ``None`` for once.
        payload: text given back with the notification.
    """

    key: str
    remind_at: datetime | None
    interval: timedelta | None = None
    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityState(Model):
    """What is known of a customer's identity.

    Attributes:
        tags: the tags in force.
        metadata: the values stored under each key, shared by all apps of the organisation.
        secondary_ids: the secondary ids in force.
    """

    tags: tuple[Tag, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    secondary_ids: tuple[SecondaryId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthToken(Model):
    """A short-lived credential that replaces the API key.

    Attributes:
        token: the credential.
        lifetime: how long it can be used to connect.
    """

    token: str = field(repr=False)
    lifetime: timedelta
