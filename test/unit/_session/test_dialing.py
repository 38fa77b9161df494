"""What comes of an error that dialing raised: tried again under the backoff, or seen by the program as it is."""

from __future__ import annotations

import asyncio

import anyio
import pytest
import trio

from elarian_trio._session.dialing import dialing
from elarian_trio.errors import ConnectionFailed, SetupRejected

pytestmark = pytest.mark.anyio

UNREACHABLE = [
    ConnectionRefusedError(111, "connection refused"),
    TimeoutError(),
    anyio.BrokenResourceError(),
    anyio.ClosedResourceError(),
    anyio.EndOfStream(),
    trio.BrokenResourceError("gone"),
    trio.ClosedResourceError(),
    trio.TooSlowError(),
]


@pytest.mark.parametrize("first", [True, False])
async def test_transport_that_was_dialed_is_kept(first: bool) -> None:
    """This SDK: where nothing is raised there is nothing to say."""
    with dialing(first=first):
        reached = "somebody"
    assert reached


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("error", UNREACHABLE, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}")
async def test_nobody_reached_is_tried_again_also_at_first(error: Exception, first: bool) -> None:
    """This SDK: a server may come up later than its client; the words are the error's, or its name if it has none."""
    with pytest.raises(ConnectionFailed, match="could not be opened") as caught, dialing(first=first):
        raise error
    assert (str(error) or type(error).__name__) in str(caught.value)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("error", [ConnectionFailed("nobody at localhost"), SetupRejected("no token for you")])
async def test_own_error_of_a_dial_comes_out_as_it_is(error: ConnectionFailed, first: bool) -> None:
    """This SDK: what says ConnectionFailed, as our transports do, is not wrapped once more; what is final stays so."""
    with pytest.raises(ConnectionFailed) as caught, dialing(first=first):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("error", [AttributeError("no such attribute"), RuntimeError("el_k_1 is unknown")])
async def test_anything_else_comes_out_as_it_is_at_first(error: Exception) -> None:
    """This SDK: a mistake in the program's own callable should be seen, not retried for ever."""
    with pytest.raises(type(error)) as caught, dialing(first=True):
        raise error
    assert caught.value is error


async def test_anything_else_is_tried_again_later_and_named_without_its_words() -> None:
    """This SDK: tokens come over the network, which may be down as well; the words may be secret, the name is not."""
    error = RuntimeError("el_k_1 is unknown")
    with pytest.raises(ConnectionFailed) as caught, dialing(first=False):
        raise error
    assert str(caught.value) == "dialing raised RuntimeError"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("first", [True, False])
async def test_cancellation_of_ours_passes(first: bool) -> None:
    """House: cancellation is never held back."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        with dialing(first=first):
            await anyio.sleep_forever()
    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio"], scope="module")  # trio has nothing like it
@pytest.mark.parametrize("first", [True, False])
async def test_cancelled_error_of_something_else_is_tried_again(anyio_backend: str, first: bool) -> None:
    """A past bug: what ``await task`` raises after ``task.cancel()`` ended the client in silence."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    with pytest.raises(ConnectionFailed, match="dialing raised CancelledError"), dialing(first=first):
        await future


@pytest.mark.parametrize("first", [True, False])
async def test_interrupt_passes(first: bool) -> None:
    """House: Ctrl-C is Ctrl-C, whatever it hits."""
    with pytest.raises(KeyboardInterrupt), dialing(first=first):
        raise KeyboardInterrupt
