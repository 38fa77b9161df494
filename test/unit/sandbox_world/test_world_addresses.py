"""Customers are found by id, number and secondary id, and made where a number is new."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world_support import ASHA, BEN, ORG, START, World

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import (
    AdoptCustomerState,
    CreateCustomer,
    DeleteCustomer,
    GetCustomerState,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, SecondaryId, Tag
from elarian_trio.models.payments import PaymentChannelNumber
from elarian_trio.sandbox.world.addresses import (
    channel_key,
    normal,
    normal_number,
    number_key,
    payment_channel_key,
    phone_number,
    search_key,
)
from elarian_trio.sandbox.world.entities import CustomerKey, NumberKey, SecondaryIdKey
from elarian_trio.sandbox.world.work import Refusal


def created(world: World, number: CustomerNumber) -> str:
    """Create a customer and give its id."""
    reply = world.run(CreateCustomer(customer_number=number))
    assert reply.status
    assert reply.description
    return str(reply.customer_id)


@pytest.mark.parametrize(
    "written",
    ["+254 709 759 881", "+254-709-759881", "00254709759881", "+(254) 709759881", "00 254 [709] 759\u2013881"],
)
def test_numbers_that_differ_in_writing_only_are_one_customers(written: str) -> None:
    """This SDK: separators do not count, and a leading 00 reads as +."""
    world = World()
    first = created(world, ASHA)
    assert first.startswith("el_cst_")
    assert len(first) == len("el_cst_") + 32
    assert created(world, CustomerNumber(written)) == first
    assert normal_number(written) == ASHA.number


def test_addresses_of_other_providers_are_compared_as_they_are() -> None:
    """This SDK: a dash in a mail address is no separator."""
    world = World()
    assert created(world, CustomerNumber("a-b@example.com", "email")) != created(
        world, CustomerNumber("ab@example.com", "email")
    )
    assert normal(CustomerNumber(" a-b@example.com ", "email")).number == "a-b@example.com"


def test_the_same_digits_under_two_providers_or_partitions_are_two_customers() -> None:
    """The wire: provider and partition are part of an identity."""
    world = World()
    ids = {
        created(world, CustomerNumber("123")),
        created(world, CustomerNumber("123", "app")),
        created(world, CustomerNumber("123", "app", "eu")),
        created(world, CustomerNumber("123", "telegram")),
    }
    assert len(ids) == 4
    assert number_key(ORG, CustomerNumber("1", "app", "")) == number_key(ORG, CustomerNumber("1", "app"))


def test_creating_a_customer_again_gives_the_same_customer() -> None:
    """Other SDKs send it for each customer object they make."""
    world = World()
    assert created(world, ASHA) == created(world, ASHA)
    assert "already" in world.run(CreateCustomer(customer_number=ASHA)).description


def test_looking_up_an_unknown_number_makes_the_customer() -> None:
    """Other SDKs' tests ask for the state of numbers that nobody ever used."""
    world = World()
    reply = world.run(GetCustomerState(customer=BEN))
    assert reply.status
    assert reply.data.customer_id == created(world, BEN)


@pytest.mark.parametrize("address", ["el_cst_nobody", SecondaryId("passport", "A1")])
def test_unknown_ids_and_secondary_ids_are_refused(address: str | SecondaryId) -> None:
    """This SDK: there is nothing to make a customer of; the words say what would help."""
    reply = World().run(GetCustomerState(customer=address))
    assert not reply.status
    assert "no customer" in reply.description
    assert "number" in reply.description


@pytest.mark.parametrize("number", ["", "  ", "-"])
def test_an_empty_number_is_refused(number: str) -> None:
    """This SDK: it would be one customer for all who forget theirs."""
    world = World()
    reply = world.run(CreateCustomer(customer_number=CustomerNumber(number)))
    assert not reply.status
    assert "empty" in reply.description
    assert not world.records


def test_a_number_without_a_provider_is_refused() -> None:
    """Older or broken clients leave it out; the words list what is known."""
    world = World()
    reply = world.run(CreateCustomer(customer_number=CustomerNumber("1", CustomerNumberProvider.UNKNOWN)))
    assert not reply.status
    assert "cellular" in reply.description


def test_a_secondary_id_finds_its_customer_until_it_expires() -> None:
    """Elarian: a secondary id is a unique handle; expiry at read time is this SDK's choice."""
    world = World()
    customer_id = created(world, ASHA)
    passport = SecondaryId("Passport", "A1", START + timedelta(hours=1))
    assert world.run(UpdateCustomerSecondaryId(customer=ASHA, updates=(passport,))).status
    found = world.run(GetCustomerState(customer=SecondaryId("PASSPORT", "A1")))
    assert found.data.customer_id == customer_id
    assert found.data.identity_state.secondary_ids == (passport,)
    world.advance(3600)
    assert not world.run(GetCustomerState(customer=SecondaryId("passport", "A1"))).status
    assert world.run(GetCustomerState(customer=ASHA)).data.identity_state.secondary_ids == ()


def test_organisations_never_see_each_others_customers() -> None:
    """Elarian: the organisation is the root of all data."""
    world = World()
    customer_id = created(world, ASHA)
    other = world.run(CreateCustomer(customer_number=ASHA), org_id="el_org_eu_other")
    assert other.customer_id != customer_id
    assert not world.run(GetCustomerState(customer=customer_id), org_id="el_org_eu_other").status


def test_a_decommissioned_id_is_refused_and_the_new_id_named() -> None:
    """This SDK, for commands whose reply has no status of its own for it."""
    world = World()
    asha, ben, carl = (created(world, CustomerNumber(number)) for number in ("1", "2", "3"))
    world.run(AdoptCustomerState(customer_id=ben, other_customer=asha))
    world.run(AdoptCustomerState(customer_id=carl, other_customer=ben))
    reply = world.run(UpdateCustomerTag(customer=asha, updates=(Tag("a", "b"),)))
    assert not reply.status
    assert "decommissioned" in reply.description
    assert carl in reply.description
    assert reply.customer_id == carl
    assert created(world, CustomerNumber("1")) == carl


def test_a_decommissioned_id_is_refused_when_its_adopter_is_gone() -> None:
    """This SDK: the pointer that stays behind may lead nowhere."""
    world = World()
    asha, ben = created(world, ASHA), created(world, BEN)
    world.run(AdoptCustomerState(customer_id=ben, other_customer=asha))
    world.run(DeleteCustomer(customer=ben))
    reply = world.run(GetCustomerState(customer=asha))
    assert not reply.status
    assert ben in reply.description


def test_a_bare_number_of_a_phone_is_of_the_channels_provider() -> None:
    """The simulator gives a bare string; the channel says whose number it is."""
    assert phone_number("00254 1", MessagingChannel.sms("1")) == CustomerNumber("+2541")
    assert phone_number("tele-1", MessagingChannel.telegram("bot")) == CustomerNumber("tele-1", "telegram")
    with pytest.raises(Refusal, match="sms"):
        phone_number("1", MessagingChannel("1", "unknown"))  # type: ignore[arg-type]


def test_channel_numbers_are_compared_without_separators() -> None:
    """This SDK: the same short code in another writing is the same channel."""
    assert channel_key(ORG, MessagingChannel.voice("00 254-711")).number == "+254711"
    assert payment_channel_key(ORG, PaymentChannelNumber("83 044")).number == "83044"


def test_mailboxes_and_bots_are_compared_as_they_are() -> None:
    """This SDK: a dash is a separator in a phone number only."""
    assert channel_key(ORG, MessagingChannel.email(" no-reply@x.example ")).number == "no-reply@x.example"
    assert channel_key(ORG, MessagingChannel.telegram("loan-bot")).number == "loan-bot"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (CustomerNumber("00254 709-759881"), NumberKey(ORG, "cellular", ASHA.number, None)),
        (SecondaryId("Passport", "A1"), SecondaryIdKey(ORG, "passport", "A1")),
        ("el_cst_1", CustomerKey(ORG, "el_cst_1")),
        (None, None),
    ],
)
def test_the_search_for_a_customer_begins_at_what_the_address_names(address: object, key: object) -> None:
    """This SDK: those of several commands are read together; what addresses nobody is not looked for."""
    assert search_key(ORG, address) == key
