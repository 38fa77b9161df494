"""Requests whose answer a function is called with: what servers use, who have many to ask and no task for each."""

from __future__ import annotations

from typing import Any

import pytest
from peers import client_and_server, echo, settle

from elarian_trio._session import IncomingRequest, StreamFailed
from elarian_trio._session.pending import Pending
from elarian_trio.errors import ConnectionLost

pytestmark = pytest.mark.anyio


async def test_answers_and_errors_are_handed_to_the_function() -> None:
    """This SDK: once each, whatever becomes of the request."""

    def handler(request: IncomingRequest) -> None:
        if request.data == b"good":
            request.respond(b"answer")
        else:
            request.fail(0x201, "no")

    told: list[Any] = []
    async with client_and_server(client_handler=handler) as (_, server):
        server.ask(b"good", told.append)
        server.ask(b"bad", told.append)
        assert told == []
        await settle()
        assert server.idle
    answer, error = told
    assert answer == b"answer"
    assert isinstance(error, StreamFailed)
    assert (error.code, error.message) == (0x201, "no")


async def test_requests_go_out_in_the_order_they_were_asked() -> None:
    """This SDK: the sandbox's transcript must not depend on how a loop orders its tasks."""
    heard: list[bytes] = []
    async with client_and_server(client_handler=lambda request: heard.append(request.data)) as (_, server):
        for number in range(20):
            server.ask(b"%d" % number, lambda _outcome: None)
        await settle()
    assert heard == [b"%d" % number for number in range(20)]


async def test_what_is_given_up_is_cancelled_at_the_peer_and_never_told() -> None:
    """Protocol: a requester that stops waiting sends CANCEL."""
    requests: list[IncomingRequest] = []
    told: list[Any] = []
    async with client_and_server(client_handler=requests.append) as (_, server):
        question = server.ask(b"it", told.append)
        await settle()
        question.call_off()
        question.call_off()
        await settle()
        (request,) = requests
        assert request.canceled
        assert server.idle
    assert told == []


async def test_the_end_of_the_session_is_told_with_whether_it_was_sent() -> None:
    """This SDK: every way out wakes everybody who waits."""
    told: list[Any] = []
    async with client_and_server(client_handler=lambda _request: None) as (_, server):
        server.ask(b"sent", told.append)
        await settle()
        server.ask(b"not sent", told.append)
        server.close()
        await settle()
        with pytest.raises(ConnectionLost) as refused:
            server.ask(b"too late", told.append)
    assert [(type(error), error.sent) for error in told] == [(ConnectionLost, True), (ConnectionLost, False)]
    assert refused.value.sent is False


async def test_a_function_that_raises_harms_no_session(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: it is logged, by the error's name, and the reader goes on."""

    def explode(outcome: object) -> None:
        raise KeyError(outcome)

    async with client_and_server(client_handler=echo) as (_, server):
        server.ask(b"it", explode)
        await settle()
        assert server.usable
    assert any("KeyError" in record.message for record in caplog.records)


async def test_a_key_is_expected_once() -> None:
    """This SDK: two who wait for one stream are a defect, seen at once."""
    pending: Pending[int, bytes] = Pending()
    told: list[Any] = []
    pending.expect(1, told.append)
    with pytest.raises(ValueError, match="already"):
        pending.expect(1, told.append)
    with pytest.raises(ValueError, match="already"), pending.catch(1):
        pytest.fail("caught")
    assert pending.resolve(1, b"x")
    assert not pending.resolve(1, b"y")
    assert not pending.forget(1)
    with pending.catch(1):
        assert not pending.forget(1)
    assert told == [b"x"]


async def test_a_function_that_is_told_may_have_another_called_off() -> None:
    """This SDK: where all are told at once, what was called off by then is not called."""
    pending: Pending[int, bytes] = Pending()
    told: list[Any] = []
    pending.expect(1, lambda _: pending.forget(2))
    pending.expect(2, told.append)
    assert pending.fail_all(lambda key: KeyError(key)) == 1
    assert (told, len(pending)) == ([], 0)
