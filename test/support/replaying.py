"""Replays into a seeded world, with what holds for each: taken on it moves nothing, refused it changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seeded_world import purse_balance
from world_support import START

if TYPE_CHECKING:
    from world_support import World

    from elarian_trio.models.commands import Command

PAST = START - timedelta(days=30)


def load(world: World, command: Command[Any]) -> Any:  # noqa: ANN401 - each command's own reply
    """Run a replay that is taken on: it moves nothing and tells nobody."""
    before = purse_balance(world)
    reply = world.run(command)
    assert reply.status, reply.description
    assert reply.description
    assert (world.told(), world.phones(), world.jobs) == ([], [], {})
    assert purse_balance(world) == before
    return reply


def refused(world: World, command: Command[Any]) -> None:
    """Run a replay that is refused, and changes nothing."""
    before = dict(world.records)
    reply = world.run(command)
    assert not reply.status
    assert reply.description
    assert world.records == before
