"""The channels on which an organisation and its customers meet.

Stands on :mod:`.identity`; :mod:`.voice` and :mod:`.messaging` stand on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from .checks import WireEnum
from .identity import CustomerNumberProvider
from .model import Model, dataclass


class Channel(WireEnum):
    """A way to reach customers."""

    UNKNOWN = "unknown"
    SMS = "sms"
    VOICE = "voice"
    USSD = "ussd"
    FB_MESSENGER = "fb_messenger"
    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    EMAIL = "email"


ChannelName: TypeAlias = Literal["sms", "voice", "ussd", "fb_messenger", "telegram", "whatsapp", "email"]

CUSTOMER_PROVIDERS: Mapping[str, CustomerNumberProvider] = {
    Channel.SMS: CustomerNumberProvider.CELLULAR,
    Channel.VOICE: CustomerNumberProvider.CELLULAR,
    Channel.USSD: CustomerNumberProvider.CELLULAR,
    Channel.WHATSAPP: CustomerNumberProvider.CELLULAR,
    Channel.FB_MESSENGER: CustomerNumberProvider.FACEBOOK,
    Channel.TELEGRAM: CustomerNumberProvider.TELEGRAM,
    Channel.EMAIL: CustomerNumberProvider.EMAIL,
}
"""Whose numbers each channel reaches; nothing public states it, it follows from what the channels are."""


@dataclass(frozen=True, slots=True)
class MessagingChannel(Model):
    """A number of the organisation on a channel, such as an SMS short code.

    Attributes:
        number: the short code, sender id, USSD code, phone number, page, bot or mailbox.
        channel: the channel it is a number of.
    """

    number: str
    channel: Channel | ChannelName

    @classmethod
    def sms(cls, number: str) -> MessagingChannel:
        """Give an SMS short code or sender id."""
        return cls(number, Channel.SMS)

    @classmethod
    def voice(cls, number: str) -> MessagingChannel:
        """Give a number that places and takes calls."""
        return cls(number, Channel.VOICE)

    @classmethod
    def ussd(cls, number: str) -> MessagingChannel:
        """Give a USSD code, such as ``*384#``."""
        return cls(number, Channel.USSD)

    @classmethod
    def fb_messenger(cls, number: str) -> MessagingChannel:
        """Give a Facebook page that talks over Messenger."""
        return cls(number, Channel.FB_MESSENGER)

    @classmethod
    def telegram(cls, number: str) -> MessagingChannel:
        """Give a Telegram bot."""
        return cls(number, Channel.TELEGRAM)

    @classmethod
    def whatsapp(cls, number: str) -> MessagingChannel:
        """Give a WhatsApp business number."""
        return cls(number, Channel.WHATSAPP)

    @classmethod
    def email(cls, number: str) -> MessagingChannel:
        """Give a mailbox that sends and takes mail."""
        return cls(number, Channel.EMAIL)
