"""Consent: whether customers may be written to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from seeded_world import SMS, TELEGRAM, WHATSAPP, phone, seeded_world, send, state
from world_support import APP, ASHA, World

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import DeleteCustomer, UpdateMessagingConsent
from elarian_trio.models.messaging import (
    ActiveMessagingChannelState,
    BlockedMessagingChannelState,
    ConsentAction,
    InSessionMessagingChannelState,
    MessagingConsentUpdateStatus,
)
from elarian_trio.models.notifications import MessagingConsentUpdateNotification, ReceivedSmsNotification

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerNumber

Status = MessagingConsentUpdateStatus


def update(
    world: World,
    action: ConsentAction,
    channel: MessagingChannel = SMS,
    number: CustomerNumber = ASHA,
) -> Any:  # noqa: ANN401 - the reply
    """Change a consent."""
    return world.run(UpdateMessagingConsent(customer_number=number, channel_number=channel, update=action))


def test_blocking_and_allowing_are_completed_at_once_and_told() -> None:
    """The live server completed an SMS block at once and told the app that asked."""
    world = seeded_world()
    assert update(world, ConsentAction.BLOCK).status is Status.COMPLETED
    (told,) = world.told()
    assert isinstance(told, MessagingConsentUpdateNotification)
    assert (told.update, told.status, told.app_id) == (ConsentAction.BLOCK, Status.COMPLETED, APP)
    (shown,) = state(world).messaging_state.channels
    assert isinstance(shown, BlockedMessagingChannelState)
    assert shown.blocked_at == world.now
    assert update(world, ConsentAction.ALLOW).status is Status.COMPLETED
    (shown,) = state(world).messaging_state.channels
    assert isinstance(shown, ActiveMessagingChannelState)
    assert shown.allowed_at == world.now


def test_whoever_blocked_a_channel_may_still_write() -> None:
    """Consent is about what the customer gets."""
    world = seeded_world()
    update(world, ConsentAction.BLOCK)
    assert phone(world, "Hello").status
    assert world.told(ReceivedSmsNotification)


def test_a_block_shows_in_the_state_while_a_session_goes_on_under_it() -> None:
    """This SDK: whoever reads the state before writing sees that writing is not wanted."""
    world = seeded_world()
    phone(world, "Hi", channel=WHATSAPP)
    update(world, ConsentAction.BLOCK, WHATSAPP)
    (shown,) = state(world).messaging_state.channels
    assert isinstance(shown, BlockedMessagingChannelState)
    update(world, ConsentAction.ALLOW, WHATSAPP)
    (shown,) = state(world).messaging_state.channels
    assert isinstance(shown, InSessionMessagingChannelState)


def test_whatsapp_may_ask_the_customer_first() -> None:
    """A setting: the live server once answered with a request that was completed later."""
    world = seeded_world(whatsapp_asks=True)
    assert update(world, ConsentAction.ALLOW, WHATSAPP).status is Status.QUEUED
    assert world.told() == []
    world.advance(0.2)
    assert [each.update for each in world.told()] == [ConsentAction.ALLOW]
    assert update(world, ConsentAction.BLOCK, WHATSAPP).status is Status.COMPLETED
    assert update(world, ConsentAction.ALLOW, SMS).status is Status.COMPLETED


def test_a_block_overtakes_an_allowance_that_is_still_queued() -> None:
    """The last word counts."""
    world = seeded_world(whatsapp_asks=True)
    update(world, ConsentAction.ALLOW, WHATSAPP)
    update(world, ConsentAction.BLOCK, WHATSAPP)
    world.advance(1)
    assert [each.update for each in world.told()] == [ConsentAction.BLOCK]
    assert send(world, "Hello", WHATSAPP).status == "no_consent"


@pytest.mark.parametrize("written", ["+254 711 621 711", "00254711621711"])
def test_a_block_overtakes_an_allowance_however_the_channel_is_written(written: str) -> None:
    """A past bug: the allowance came into force after the block, and the customer was written to."""
    world = seeded_world(whatsapp_asks=True)
    update(world, ConsentAction.ALLOW, WHATSAPP)
    update(world, ConsentAction.BLOCK, MessagingChannel.whatsapp(written))
    world.advance(1)
    assert [each.update for each in world.told()] == [ConsentAction.BLOCK]
    assert send(world, "Hello", WHATSAPP).status == "no_consent"


def test_numbers_of_two_partitions_are_asked_each_for_itself() -> None:
    """A past bug: the second took the place of the first, which was never completed."""
    world = seeded_world(whatsapp_asks=True)
    for number in (ASHA, replace(ASHA, partition="a")):
        assert update(world, ConsentAction.ALLOW, WHATSAPP, number).status is Status.QUEUED
    world.advance(1)
    assert [each.customer_number.partition for each in world.told()] == [None, "a"]


def test_an_empty_partition_does_not_get_round_a_block() -> None:
    """A past bug: it is the same customer's same number, which some clients write so."""
    world = seeded_world()
    update(world, ConsentAction.BLOCK)
    assert send(world, "Hello", SMS, replace(ASHA, partition="")).status == "no_consent"
    (shown,) = state(world).messaging_state.channels
    assert shown.customer_number == ASHA


def test_a_queued_allowance_ends_with_the_customer() -> None:
    """Nobody is left to ask."""
    world = seeded_world(whatsapp_asks=True)
    update(world, ConsentAction.ALLOW, WHATSAPP)
    world.run(DeleteCustomer(customer=ASHA))
    world.advance(1)
    assert world.told() == []


@pytest.mark.parametrize(
    ("action", "channel", "status"),
    [
        (ConsentAction.BLOCK, MessagingChannel.sms("99999"), Status.INVALID_CHANNEL_NUMBER),
        (ConsentAction.BLOCK, TELEGRAM, Status.APPLICATION_ERROR),
        (ConsentAction.UNKNOWN, SMS, Status.APPLICATION_ERROR),
    ],
)
def test_what_cannot_be_consented_to_is_refused(
    action: ConsentAction, channel: MessagingChannel, status: Status
) -> None:
    """The wire has few statuses for it; the description says what was wrong."""
    world = seeded_world()
    reply = update(world, action, channel)
    assert reply.status is status
    assert reply.description
    assert world.told() == []
