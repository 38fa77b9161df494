"""Auth tokens."""

from __future__ import annotations

from datetime import timedelta

from world_support import ORG, START, World

from elarian_trio.models.commands import GenerateAuthToken
from elarian_trio.sandbox.world.entities import TokenKey, token_digest


def test_a_token_is_known_by_its_digest_alone() -> None:
    """This SDK: what is stored lets nobody in; the form of the token is Elarian's."""
    world = World()
    reply = world.run(GenerateAuthToken())
    assert reply.token.startswith("el_tkn_")
    assert len(reply.token) == len("el_tkn_") + 64
    assert reply.lifetime == timedelta(hours=1)
    record = world.records[TokenKey(ORG, token_digest(reply.token))]
    assert record.expires_at == START + timedelta(hours=1)  # type: ignore[attr-defined]
    assert reply.token not in repr(record)
    assert reply.token not in repr(world.records)


def test_each_token_is_another_and_is_forgotten_when_it_expires() -> None:
    """This SDK: a server that is asked for tokens for years keeps an hour's."""
    world = World()
    assert world.run(GenerateAuthToken()).token != world.run(GenerateAuthToken()).token
    assert len(world.records) == 2
    world.advance(3599)
    assert len(world.records) == 2
    world.advance(1)
    assert not world.records
