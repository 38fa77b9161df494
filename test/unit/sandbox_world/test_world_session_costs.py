"""What a session cost, where the sums are no longer what the wire can carry."""

from __future__ import annotations

from datetime import timedelta

import pytest
from seeded_world import WHATSAPP, phone, seeded_world, state

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
