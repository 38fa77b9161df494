"""How customers and channels are found: by id, by number, by secondary id.

All families stand on this. Below are the entities and the unit of work.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from elarian_trio.models.channels import CUSTOMER_PROVIDERS, MessagingChannel
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, SecondaryId
from elarian_trio.sandbox.world.entities import (
    ActivityKey,
    ActivityRecord,
    AppKey,
    AppRecord,
    ChannelKey,
    CustomerKey,
    CustomerRecord,
    Key,
    MessagingKey,
    MessagingRecord,
    NumberKey,
    NumberRecord,
    PaymentChannelKey,
    PaymentsKey,
    PaymentsRecord,
    SecondaryIdKey,
    SecondaryIdRecord,
)
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.payments import PaymentChannelNumber
    from elarian_trio.sandbox.world.work import Work

_SEPARATORS = re.compile(r"[\s\-()\[\]{}\u2010-\u2015]+")  # what people put into phone numbers to read them better


def normal_number(number: str) -> str:
    """Give a phone number as it is compared: without separators, and with ``+`` for a leading ``00``."""
    bare = number if number.removeprefix("+").isdecimal() else _SEPARATORS.sub("", number)  # most are so already
    return f"+{bare[2:]}" if bare.startswith("00") else bare


def normal(number: CustomerNumber) -> CustomerNumber:
    """Give a customer number as it is remembered. Names, addresses and ids of other providers are left as they are.

    An empty partition is none: clients may send the one for the other, and mean the same number.
    """
    is_phone = number.provider is CustomerNumberProvider.CELLULAR
    text = normal_number(number.number) if is_phone else number.number.strip()
    if text == number.number and number.partition != "":
        return number
    return replace(number, number=text, partition=number.partition or None)


def phone_number(number: str, channel: MessagingChannel) -> CustomerNumber:
    """Give the customer number that a phone means by a bare string: the channel says whose number it is."""
    provider = CUSTOMER_PROVIDERS.get(channel.channel)
    if provider is None:
        msg = f"channel_number must name a channel; known are {', '.join(CUSTOMER_PROVIDERS)}"
        raise Refusal(msg)
    return normal(CustomerNumber(number, provider))


def number_key(org_id: str, number: CustomerNumber) -> NumberKey:
    """Give the key of a customer number, in whatever way it is written."""
    known = normal(number)
    return NumberKey(org_id, str(known.provider), known.number, known.partition)


def secondary_id_key(org_id: str, secondary_id: SecondaryId) -> SecondaryIdKey:
    """Give the key of a secondary id; the kind of id is not case-sensitive."""
    return SecondaryIdKey(org_id, secondary_id.key.casefold(), secondary_id.value)


def channel_key(org_id: str, channel: MessagingChannel) -> ChannelKey:
    """Give the key of a channel number, in whatever way it is written; pages, bots and mailboxes as they are."""
    is_phone = CUSTOMER_PROVIDERS.get(channel.channel) is CustomerNumberProvider.CELLULAR
    number = normal_number(channel.number) if is_phone else channel.number.strip()
    return ChannelKey(org_id, str(channel.channel), number)


def payment_channel_key(org_id: str, channel: PaymentChannelNumber) -> PaymentChannelKey:
    """Give the key of a payment channel number, in whatever way it is written."""
    return PaymentChannelKey(org_id, str(channel.channel), normal_number(channel.number))


# --- customers ---


def search_key(org_id: str, address: object) -> Key[CustomerRecord | NumberRecord | SecondaryIdRecord] | None:
    """Give the key under which the search for the customer at *address* begins; ``None`` where it is no address."""
    make = _SEARCH_KEYS.get(type(address))
    return None if make is None else make(org_id, address)


_SEARCH_KEYS: Mapping[type, Callable[[str, Any], Key[CustomerRecord | NumberRecord | SecondaryIdRecord]]] = {
    CustomerNumber: number_key,
    SecondaryId: secondary_id_key,
    str: CustomerKey,
}


def survivor(work: Work, customer_id: str) -> CustomerRecord | None:
    """Give the customer who has that id, or who adopted the one that had it; ``None`` if nobody has."""
    found = work.get(CustomerKey(work.org_id, customer_id))
    while found is not None and found.decommissioned_to is not None:
        found = work.get(CustomerKey(work.org_id, found.decommissioned_to))
    return found


def customer_with_id(work: Work, customer_id: str) -> CustomerRecord:
    """Give the customer with that id.

    Raises:
        Refusal: there is none, or it was adopted.
    """
    found = work.get(CustomerKey(work.org_id, customer_id))
    if found is None:
        msg = f"no customer has the id {customer_id!r}; address by number to have one made"
        raise Refusal(msg, "unknown_customer")
    if found.decommissioned_to is not None:
        heir = survivor(work, customer_id)
        name = found.decommissioned_to if heir is None else heir.customer_id
        msg = f"customer {customer_id} is decommissioned: it was adopted by {name}, use that id or a number"
        raise Refusal(msg, "decommissioned", name)
    return found


def customer_with_number(work: Work, number: CustomerNumber) -> CustomerRecord:
    """Give the customer with that number, made now if there is none: everybody who engages is a customer.

    Raises:
        Refusal: the number is empty, or nobody's kind of number.
    """
    found = number_owner(work, number)
    return _make_customer(work, normal(number)) if found is None else found


def number_owner(work: Work, number: CustomerNumber) -> CustomerRecord | None:
    """Give the customer with that number, if there is one.

    Raises:
        Refusal: the number is empty, or nobody's kind of number.
    """
    if number.provider is CustomerNumberProvider.UNKNOWN:
        known = ", ".join(each.value for each in CustomerNumberProvider if each.value != "unknown")
        msg = f"the customer number has no provider; known are {known}"
        raise Refusal(msg)
    key = number_key(work.org_id, number)
    if not key.number:
        msg = "the customer number is empty; give a number such as +254700000000"
        raise Refusal(msg)
    owner = work.get(key)
    return None if owner is None else survivor(work, owner.customer_id)


def secondary_id_owner(work: Work, secondary_id: SecondaryId) -> CustomerRecord | None:
    """Give the customer with that secondary id, if there is one and it has not expired."""
    owner = work.get(secondary_id_key(work.org_id, secondary_id))
    if owner is None or work.is_past(owner.expires_at):
        return None
    return survivor(work, owner.customer_id)


def customer_at(work: Work, address: CustomerAddress) -> CustomerRecord:
    """Give the customer at an address; by number, one is made if there is none.

    Raises:
        Refusal: there is none with that id or secondary id, or it was adopted.
    """
    if isinstance(address, CustomerNumber):
        return customer_with_number(work, address)
    if isinstance(address, str):
        return customer_with_id(work, address)
    found = secondary_id_owner(work, address)
    if found is None:
        msg = f"no customer has the secondary id {address.key}={address.value}; set it first, or address by number"
        raise Refusal(msg, "unknown_customer")
    return found


def _make_customer(work: Work, number: CustomerNumber) -> CustomerRecord:
    made = CustomerRecord(
        org_id=work.org_id,
        customer_id=work.new_id("cst"),
        created_at=work.now,
        numbers=(number,),
    )
    work.put(made)
    put_number(work, made.customer_id, number)
    return made


def put_number(work: Work, customer_id: str, number: CustomerNumber) -> None:
    """Note whose *number* is from now on."""
    key = number_key(work.org_id, number)
    work.put(
        NumberRecord(
            org_id=key.org_id,
            provider=CustomerNumberProvider(key.provider),
            number=key.number,
            partition=key.partition,
            customer_id=customer_id,
        ),
    )


# --- a customer's other records, empty ones where there are none yet ---


def messaging_of(work: Work, customer_id: str) -> MessagingRecord:
    """Give what was said with a customer."""
    found = work.get(MessagingKey(work.org_id, customer_id))
    return MessagingRecord(org_id=work.org_id, customer_id=customer_id) if found is None else found


def payments_of(work: Work, customer_id: str) -> PaymentsRecord:
    """Give what a customer paid and was paid."""
    found = work.get(PaymentsKey(work.org_id, customer_id))
    return PaymentsRecord(org_id=work.org_id, customer_id=customer_id) if found is None else found


def activity_of(work: Work, customer_id: str) -> ActivityRecord:
    """Give what a customer did elsewhere."""
    found = work.get(ActivityKey(work.org_id, customer_id))
    return ActivityRecord(org_id=work.org_id, customer_id=customer_id) if found is None else found


def app_record_of(work: Work, app_id: str, customer_id: str) -> AppRecord:
    """Give what an app keeps on a customer."""
    found = work.get(AppKey(work.org_id, app_id, customer_id))
    return AppRecord(org_id=work.org_id, app_id=app_id, customer_id=customer_id) if found is None else found


def put_app_record(work: Work, record: AppRecord) -> None:
    """Remember what an app keeps on a customer, and with the customer that the app does."""
    work.put(record)
    customer = work.get(CustomerKey(record.org_id, record.customer_id))
    if customer is not None and record.app_id not in customer.app_ids:
        work.put(replace(customer, app_ids=(*customer.app_ids, record.app_id)))
