"""What a session cost and how long it lasted, by what the phone reports."""

from __future__ import annotations

from datetime import timedelta

import pytest
from seeded_world import USSD, WHATSAPP, phone, seeded_world, state

from elarian_trio.models.messaging import UssdInput
from elarian_trio.models.payments import Cash


@pytest.mark.parametrize(
    ("first", "second"), [("12345678901.1234", "0.000012"), ("1e308", "1e308")], ids=["too many digits", "too large"]
)
def test_a_cost_that_cannot_be_added_does_not_keep_a_message_out(first: str, second: str) -> None:
    """A past bug: the phone was told of an error in the server, and the app was told nothing."""
    world = seeded_world()
    for cost in (Cash("KES", first), Cash("KES", second)):
        assert phone(world, "Hi", channel=WHATSAPP, cost=cost).status
    world.advance(timedelta(hours=24))
    assert state(world).messaging_state.sessions[0].cost == Cash("KES", first)


@pytest.mark.parametrize(("reported", "kept"), [(42, 42), (0, 60), (-5, 60)])
def test_a_session_lasted_as_long_as_the_phone_says_or_else_as_it_did(reported: float, kept: float) -> None:
    """The facts: a phone's input carries its duration; clients send 0 unless told. A past bug: calls' only counted."""
    world = seeded_world()
    phone(world, UssdInput("", "active"), channel=USSD, session_id="s")
    world.advance(60)
    last, duration = UssdInput("", "incomplete"), timedelta(seconds=reported)
    assert phone(world, last, channel=USSD, session_id="s", duration=duration).status
    assert state(world).messaging_state.sessions[0].duration == timedelta(seconds=kept)
