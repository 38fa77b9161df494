"""The joined pair inside one process: bounded, ordered, and it ends as sockets do."""

from __future__ import annotations

import anyio
import pytest

from elarian_trio._transport import MemoryTransport, open_memory_pair

pytestmark = pytest.mark.anyio


async def test_frames_cross_in_order_both_ways() -> None:
    """RSocket demands of a transport that it keeps frames whole and in order."""
    left, right = open_memory_pair()
    async with left, right:
        await left.send_frames([b"one", b"two"])
        await right.send(b"back")
        assert await right.receive_frames() == [b"one", b"two"]
        assert await left.receive() == b"back"


async def test_single_receives_take_turns_through_one_read() -> None:
    """Anyio's ObjectStream: ``receive`` gives one item, however many came at once."""
    left, right = open_memory_pair()
    async with left, right:
        await left.send_frames([b"one", b"two"])
        assert [await right.receive(), await right.receive()] == [b"one", b"two"]


@pytest.mark.parametrize(("max_frames", "max_bytes"), [(2, 1000), (1000, 20)])
async def test_sender_waits_while_too_much_is_unread(max_frames: int, max_bytes: int) -> None:
    """This SDK, "no unbounded buffer": by number and by bytes."""
    left, right = open_memory_pair(max_frames, max_bytes)
    done = anyio.Event()

    async def send() -> None:
        await left.send_frames([b"0123456789"] * 3)
        done.set()

    with anyio.fail_after(5):
        async with left, right, anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await anyio.wait_all_tasks_blocked()
            assert not done.is_set()
            received = await right.receive_frames()
            assert len(received) == 2
            received += await right.receive_frames()
            await done.wait()
    assert received == [b"0123456789"] * 3


async def test_frame_beyond_the_bound_travels_alone() -> None:
    """This SDK: a bound on bytes must not make a large frame impossible."""
    left, right = open_memory_pair(max_bytes=10)
    async with left, right:
        await left.send(bytes(1000))
        assert len(await right.receive()) == 1000


async def test_what_was_sent_is_received_after_closing() -> None:
    """As on a socket: an orderly close comes after the bytes before it."""
    left, right = open_memory_pair()
    await left.send_frames([b"last words"])
    await left.aclose()
    assert await right.receive_frames() == [b"last words"]
    with pytest.raises(anyio.EndOfStream):
        await right.receive_frames()
    with pytest.raises(anyio.BrokenResourceError):
        await right.send_frames([b"x"])
    await right.aclose()


async def test_half_close_ends_one_direction() -> None:
    """Anyio's ObjectStream: after ``send_eof`` the other direction still works."""
    left, right = open_memory_pair()
    async with left, right:
        await left.send_eof()
        with pytest.raises(anyio.EndOfStream):
            await right.receive_frames()
        await right.send_frames([b"still here"])
        assert await left.receive_frames() == [b"still here"]
        with pytest.raises(anyio.ClosedResourceError):
            await left.send_frames([b"x"])


@pytest.mark.parametrize("end", ["this", "other"])
async def test_waiting_ends_when_either_end_closes(end: str) -> None:
    """This SDK, "nothing leaks": nobody waits on a pair that is gone."""
    left, right = open_memory_pair(max_frames=1)
    raised: list[type[Exception]] = []

    async def wait_for(what: str) -> None:
        try:
            await (left.receive_frames() if what == "receive" else left.send_frames([b"x", b"y", b"z"]))
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raised.append(type(error))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait_for, "receive")
            tasks.start_soon(wait_for, "send")
            await anyio.wait_all_tasks_blocked()
            await (left if end == "this" else right).aclose()
    closed = {anyio.ClosedResourceError}
    assert set(raised) == (closed if end == "this" else {anyio.EndOfStream, anyio.BrokenResourceError})
    await left.aclose()
    await right.aclose()


async def test_cancelled_wait_for_frames_loses_none() -> None:
    """RSocket and its peers: a cancelled reader must not lose a frame that arrives later."""
    left, right = open_memory_pair()
    async with left, right:
        with anyio.move_on_after(0):
            await right.receive_frames()
        await left.send_frames([b"kept"])
        with anyio.CancelScope() as scope:
            scope.cancel()
            await right.receive_frames()
        assert await right.receive_frames() == [b"kept"]


async def test_two_senders_at_once_are_a_mistake() -> None:
    """Anyio's streams: concurrent use of one direction raises BusyResourceError."""
    left, right = open_memory_pair(max_frames=1)
    async with left, right, anyio.create_task_group() as tasks:
        tasks.start_soon(left.send_frames, [b"a", b"b"])
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.BusyResourceError):
            await left.send_frames([b"c"])
        tasks.cancel_scope.cancel()


async def test_memory_is_not_timed() -> None:
    """This SDK: in memory only the proving KEEPALIVE is sent, so that a year passes at once."""
    assert MemoryTransport.timed is False


@pytest.mark.parametrize("bounds", [(0, 1), (1, 0)])
async def test_pair_without_room_is_refused(bounds: tuple[int, int]) -> None:
    """This SDK: a bad argument is a ValueError before anything happens."""
    with pytest.raises(ValueError, match="at least one"):
        open_memory_pair(*bounds)
