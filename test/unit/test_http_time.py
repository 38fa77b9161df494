"""Retries and time-outs of the one sender, on a clock that jumps: what is sent again, and after how long."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from answering import Answering, json_answer
from trio.testing import MockClock

from elarian_trio._http import Request, Sender
from elarian_trio.errors import CommandTimedOut, ConnectionFailed, ConnectionLost, RemoteProtocolError
from elarian_trio.options import Retries

pytestmark = pytest.mark.anyio

GET = Request(method="GET", path="/x")
LOST = httpx2.ReadError("cut")
REFUSED = httpx2.ConnectError("nobody")
FAIR = Retries()


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


def the_sender(transport: Answering, retries: Retries = FAIR, timeout: float | None = 60.0) -> Sender:
    """Make a sender over *transport*."""
    return Sender("https://h", transport, timeout, retries)


@pytest.mark.parametrize(
    ("method", "answer", "times"),
    [
        ("GET", 429, 3),
        ("GET", 503, 3),
        ("GET", 500, 1),
        ("GET", 404, 1),
        ("GET", 200, 1),
        ("PATCH", 503, 1),
        ("DELETE", 503, 1),
        ("POST", 503, 1),
        ("GET", LOST, 3),
        ("GET", REFUSED, 3),
        ("POST", LOST, 1),
        ("POST", REFUSED, 1),
        ("GET", httpx2.RemoteProtocolError("nonsense"), 1),
    ],
)
async def test_table_of_retries_says_what_is_sent_again(method: str, answer: int | Exception, times: int) -> None:
    """This SDK: by default GET only, after a broken connection, a 429 or a 503, three times at most."""
    given: Any = [answer if isinstance(answer, Exception) else json_answer({}, answer) for _ in range(9)]
    transport = Answering(given)
    try:
        response = await the_sender(transport).send(Request(method=method, path="/x"))
    except (ConnectionFailed, ConnectionLost, RemoteProtocolError):
        assert isinstance(answer, Exception)
    else:
        assert response.status == answer
    assert len(transport.asked) == times


async def test_answer_that_comes_at_last_is_the_answer() -> None:
    """This SDK: what went before is forgotten."""
    transport = Answering([LOST, json_answer({}, 503), json_answer({"a": 1})])
    assert (await the_sender(transport).send(GET)).json() == {"a": 1}


@pytest.mark.parametrize(
    ("retries", "statuses", "seconds"),
    [
        (Retries(attempts=4, first=1.0, cap=30.0), (503, 503, 503), 7.0),
        (Retries(attempts=4, first=1.0, cap=1.5), (503, 503, 503), 4.0),
        (Retries(attempts=4, first=0.0), (503, 503, 503), 0.0),
    ],
)
async def test_delays_are_any_up_to_what_doubles(retries: Retries, statuses: tuple[int, ...], seconds: float) -> None:
    """This SDK: full jitter, so that clients that failed together do not come back together."""
    took: list[float] = []
    for _ in range(30):
        began = anyio.current_time()
        await the_sender(Answering([*(json_answer({}, each) for each in statuses), json_answer({})]), retries).send(GET)
        took.append(anyio.current_time() - began)
    assert all(0.0 <= each <= seconds for each in took)
    assert seconds == 0.0 or max(took) - min(took) > seconds / 10


async def test_retry_after_replaces_the_delay() -> None:
    """RFC 9110 §10.2.3: in seconds."""
    began = anyio.current_time()
    await the_sender(Answering([json_answer({}, 429, retry_after="17"), json_answer({})])).send(GET)
    assert anyio.current_time() - began == pytest.approx(17.0)


async def test_retry_after_may_be_a_date_that_has_passed() -> None:
    """RFC 9110 §10.2.3: then there is nothing to wait for."""
    began = anyio.current_time()
    answers = [json_answer({}, 503, retry_after="Mon, 01 Jan 2024 00:00:00 GMT"), json_answer({})]
    assert (await the_sender(Answering(answers)).send(GET)).status == 200
    assert anyio.current_time() == began


@pytest.mark.parametrize(("asked", "timeout"), [("31", 60.0), ("20", 10.0), ("10", 10.0)])
async def test_patience_that_nobody_has_is_not_waited_for(asked: str, timeout: float) -> None:  # noqa: ASYNC109
    """This SDK: an answer in hand is worth more than a time-out that is sure."""
    transport = Answering([json_answer({}, 503, retry_after=asked), json_answer({})])
    began = anyio.current_time()
    assert (await the_sender(transport, timeout=timeout).send(GET)).status == 503
    assert anyio.current_time() == began


async def test_patience_that_the_callers_scope_has_not_is_not_waited_for() -> None:
    """This SDK: the caller's cancel scope is a time-out like any other."""
    with anyio.fail_after(5):
        assert (await the_sender(Answering([json_answer({}, 503, retry_after="20")])).send(GET)).status == 503


async def never(_: httpx2.Request) -> httpx2.Response:
    """Let a client wait."""
    await anyio.sleep_forever()
    raise AssertionError


async def test_no_answer_in_time_says_that_it_was_sent() -> None:
    """This SDK: ``sent`` tells whether the service may have acted."""

    async def stall(request: httpx2.Request) -> httpx2.Response:
        return await never(request)

    began = anyio.current_time()
    with pytest.raises(CommandTimedOut, match="GET: no response within 8 s") as caught:
        await the_sender(Answering(stall), timeout=8.0).send(GET)
    assert caught.value.sent is True
    assert anyio.current_time() - began == pytest.approx(8.0)


class Unreachable(Answering):
    """A network whose connections are never opened."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.extensions["trace"]("connection.connect_tcp.started", {})
        return await never(request)


class Silent(httpx2.AsyncBaseTransport):
    """A transport that says nothing of what it does, as a user's may: it answers what the test says, or never."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = iter(answers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        return answer or await never(request)


async def test_no_connection_in_time_says_that_nothing_was_sent() -> None:
    """This SDK: then asking again is safe, for a POST as well."""
    with pytest.raises(CommandTimedOut) as caught:
        await the_sender(Unreachable(()), timeout=8.0).send(Request(method="POST", path="/x"))
    assert caught.value.sent is False


@pytest.mark.parametrize("answers", [(), (REFUSED,), (json_answer({}, 503),)], ids=["first", "second", "answered"])
async def test_transport_that_does_not_say_what_it_does_may_have_sent(answers: tuple[Any, ...]) -> None:
    """A past bug: behind a user's own transport a time-out said that nothing was sent, and asking again was safe."""
    with pytest.raises(CommandTimedOut) as caught:
        await the_sender(Silent(*answers)).send(GET)
    assert caught.value.sent is True


@pytest.mark.parametrize(
    ("answers", "error"),
    [((LOST,), ConnectionLost), ((REFUSED,), ConnectionFailed), ((json_answer({}, 503), REFUSED), ConnectionLost)],
    ids=["lost", "refused", "refused later"],
)
async def test_transport_that_does_not_say_what_it_does_is_believed_that_it_never_connected(
    answers: tuple[Any, ...], error: type[Exception]
) -> None:
    """The same: what broke was "could not connect", unless that is what it says itself."""
    with pytest.raises(error):
        await the_sender(Silent(*answers), Retries(attempts=len(answers), first=0.0)).send(GET)


async def test_time_out_bounds_all_attempts_together() -> None:
    """This SDK: seconds for one call with all its attempts."""
    began = anyio.current_time()
    retries = Retries(attempts=1000, first=3.0, cap=3.0)
    with pytest.raises(CommandTimedOut):
        await the_sender(Answering([LOST] * 1000), retries, 20.0).send(GET)
    assert anyio.current_time() - began == pytest.approx(20.0)


async def test_failed_connection_after_an_attempt_that_was_sent_says_so() -> None:
    """This SDK: "nothing was sent" must be true of all attempts."""
    with pytest.raises(ConnectionLost) as caught:
        await the_sender(Answering([LOST, REFUSED, REFUSED])).send(GET)
    assert caught.value.sent is True


async def test_without_a_time_out_the_caller_bounds_the_call() -> None:
    """This SDK: ``None`` leaves bounding to cancel scopes."""
    with anyio.move_on_after(1_000_000) as scope:
        await the_sender(Unreachable(()), timeout=None).send(GET)
    assert scope.cancelled_caught
