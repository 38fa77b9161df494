"""The fault network in memory does, to the byte, what it is told to: every figure stands on that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from faulty import (
    FOREVER,
    Fault,
    FaultNetwork,
    FaultyStream,
    FrameBytes,
    Kind,
    Line,
    Plan,
    RandomCuts,
    Way,
    cut,
    first_of,
    sound,
)
from peers import BOUND

from elarian_trio._rsocket import join_frames
from elarian_trio._transport import MemoryTransport, StreamTransport, open_memory_pair

if TYPE_CHECKING:
    from anyio.abc import ByteStream
    from faulty import Step

pytestmark = pytest.mark.anyio

FRAMES = [bytes([each]) * size for each, size in enumerate((6, 40, 7, 300, 6, 19))]
BYTES = join_frames(FRAMES)
GONE = (anyio.EndOfStream, anyio.BrokenResourceError)


def whole(count: int) -> list[bytes]:
    """Give the frames that are whole within the first bytes."""
    frames, end = [], 0
    for frame in FRAMES:
        end += 3 + len(frame)
        if end <= count:
            frames.append(frame)
    return frames


def steps(plan: Plan, *fed: bytes, way: Way = Way.UP) -> list[Step]:
    """Give everything a line says."""
    line = Line(plan, way)
    return [step for data in (b"", *fed) for step in line.feed(data)]


# --- a line, without I/O ---


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_line_cuts_after_exactly_so_many_bytes(size: int) -> None:
    """This network: at every byte, however the bytes come."""
    data = bytes(range(50))
    for at in range(51):
        fault = cut("up", at)
        said = steps(Plan(faults=(fault,)), *(data[each : each + size] for each in range(0, 50, size)))
        assert said[-1] == fault
        assert b"".join(step for step in said[:-1] if isinstance(step, bytes)) == data[:at]


def test_line_minds_its_own_way() -> None:
    """This network: a cut of the one way is none of the other's."""
    assert steps(Plan(faults=(cut("down", 3),)), b"abcdef") == [b"abcdef"]


def test_line_says_faults_in_their_order_and_between_their_bytes() -> None:
    """This network: several may befall one connection."""
    stall, half = Fault(Kind.STALL, Way.UP, 2, 5.0), Fault(Kind.HALF_CLOSE, Way.UP, 5)
    assert steps(Plan(faults=(half, stall)), b"abc", b"defg", b"h") == [b"ab", stall, b"c", b"de", half]


def test_line_flips_just_the_bytes_it_is_told_to() -> None:
    """This network: garbled bytes are counted like others."""
    plan = Plan(faults=(Fault(Kind.GARBLE, Way.UP, 1, 1), Fault(Kind.GARBLE, Way.UP, 4, 0xFF), cut("up", 5)))
    assert b"".join(step for step in steps(plan, b"aaa", b"\0\0\0") if isinstance(step, bytes)) == b"a`a\0\xff"


def test_line_cuts_bytes_into_pieces() -> None:
    """This network: sizes come round and round."""
    assert steps(Plan(pieces=(1, 3)), b"abcdefgh", b"ij") == [b"a", b"bcd", b"e", b"fgh", b"i", b"j"]


def test_plans_come_again_from_their_seed_alone() -> None:
    """This network: a connection is had again by seed and number, without those before it."""
    there = [RandomCuts(5)(number) for number in range(100)]
    back = [RandomCuts(5)(number) for number in reversed(range(100))]
    assert there == back[::-1]
    assert [RandomCuts(6)(number) for number in range(100)] != there
    assert len({str(plan) for plan in there}) > 90


# --- streams in memory ---


class Ends:
    """The two ends of a connection to which a plan happens."""

    def __init__(self, plan: Plan) -> None:
        near, self.far = open_memory_pair()
        self.met: list[Fault] = []
        self.stream = FaultyStream(FrameBytes(near), plan, lambda _, fault: self.met.append(fault))
        self.near = StreamTransport(self.stream)


async def rest_of(transport: StreamTransport | MemoryTransport) -> tuple[list[bytes], type[BaseException]]:
    """Give all that arrives, and how it ends."""
    frames: list[bytes] = []
    with anyio.fail_after(BOUND):
        try:
            while True:
                frames += await transport.receive_frames()
        except GONE as error:
            return frames, type(error)


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.END])
@pytest.mark.parametrize("loud", [True, False], ids=["loud", "silent"])
async def test_frames_before_a_cut_upwards_arrive_and_the_one_inside_is_lost(kind: Kind, loud: bool) -> None:
    """This network: at every byte, and both ends then see the loss."""
    for at in range(len(BYTES) + 1):
        ends = Ends(Plan(faults=(cut("up", at, kind),), loud=loud))
        async with ends.near, ends.far:
            if loud:
                with pytest.raises(anyio.BrokenResourceError):
                    await ends.near.send_frames(FRAMES)
            else:
                await ends.near.send_frames(FRAMES)
            with pytest.raises(anyio.BrokenResourceError):
                await ends.near.send_frames(FRAMES)
            assert ends.stream.up.passed == at
            assert await rest_of(ends.far) == (whole(at), anyio.EndOfStream)
            assert await rest_of(ends.near) == (
                [],
                anyio.EndOfStream if kind is Kind.END else anyio.BrokenResourceError,
            )
            with pytest.raises(anyio.BrokenResourceError):
                await ends.far.send_frames(FRAMES)
            assert [fault.at for fault in ends.met] == [at]


@pytest.mark.parametrize("pieces", [(), (1,), (4, 90)])
async def test_frames_before_a_cut_downwards_arrive_and_the_one_inside_is_lost(pieces: tuple[int, ...]) -> None:
    """This network: at every byte, and both ends then see the loss."""
    for at in range(len(BYTES) + 1):
        ends = Ends(Plan(faults=(cut("down", at),), pieces=pieces))
        async with ends.near, ends.far:
            await ends.far.send_frames(FRAMES)
            assert await rest_of(ends.near) == (whole(at), anyio.BrokenResourceError)
            assert ends.stream.down.passed == at
            with pytest.raises(anyio.BrokenResourceError):
                await ends.near.send_frames(FRAMES)
            assert await rest_of(ends.far) == ([], anyio.EndOfStream)


async def test_cut_wakes_who_reads() -> None:
    """This network: a reader hears of a cut that a write met."""
    ends = Ends(Plan(faults=(cut("up", 20),), loud=False))
    heard: list[object] = []

    async def read() -> None:
        heard.append(await rest_of(ends.near))

    async with ends.near, ends.far:
        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.lowlevel.checkpoint()
                await ends.near.send_frames(FRAMES)
    assert heard == [([], anyio.BrokenResourceError)]


async def test_cut_wakes_who_waits_for_room() -> None:
    """This network: a writer hears of a cut that a read met, also while the other end takes nothing."""
    ends = Ends(Plan(faults=(cut("down", 5),)))
    ended = anyio.Event()

    async def write() -> None:
        await ends.near.send_frames([b"x" * 600_000])
        with pytest.raises(anyio.BrokenResourceError):
            await ends.near.send_frames([b"x" * 600_000])
        ended.set()

    async with ends.near, ends.far:
        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(write)
                await anyio.lowlevel.checkpoint()
                await ends.far.send_frames(FRAMES)
                assert await rest_of(ends.near) == ([], anyio.BrokenResourceError)
                await ended.wait()


async def test_vanished_connection_is_open_for_the_other_end() -> None:
    """This network: a server may not hear of a loss before its client is back."""
    ends = Ends(Plan(faults=(cut("up", 9, Kind.VANISH),)))
    async with ends.far:
        async with ends.near:
            with pytest.raises(anyio.BrokenResourceError):
                await ends.near.send_frames(FRAMES)
        assert await ends.far.receive_frames() == whole(9)
        await ends.far.send_frames(FRAMES)
        with anyio.move_on_after(0.01) as scope:
            await ends.far.receive_frames()
        assert scope.cancelled_caught


async def test_half_closed_connection_goes_on_the_other_way() -> None:
    """This network: half an end is an end of one way only."""
    ends = Ends(Plan(faults=(Fault(Kind.HALF_CLOSE, Way.UP, 9),)))
    async with ends.near, ends.far:
        await ends.near.send_frames(FRAMES)
        assert await rest_of(ends.far) == (whole(9), anyio.EndOfStream)
        await ends.far.send_frames(FRAMES)
        assert await ends.near.receive_frames() == FRAMES
        await ends.near.send_frames(FRAMES)  # into nothing


async def test_half_close_downwards_ends_what_is_read() -> None:
    """This network: the same, the other way."""
    ends = Ends(Plan(faults=(Fault(Kind.HALF_CLOSE, Way.DOWN, 60),)))
    async with ends.near, ends.far:
        await ends.far.send_frames(FRAMES)
        assert await rest_of(ends.near) == (whole(60), anyio.EndOfStream)
        await ends.near.send_frames(FRAMES)
        assert await ends.far.receive_frames() == FRAMES


async def test_split_stream_is_the_same_stream() -> None:
    """This network: how bytes are cut and joined says nothing."""
    ends = Ends(Plan(pieces=(1, 2, 11), linger=3))
    async with ends.near, ends.far:
        await ends.near.send_frames(FRAMES)
        got: list[bytes] = []
        with anyio.fail_after(BOUND):
            while len(got) < len(FRAMES):
                got += await ends.far.receive_frames()
            assert got == FRAMES
            await ends.far.send_frames(FRAMES[:2])
            await ends.far.send_frames(FRAMES[2:])
            got = []
            while len(got) < len(FRAMES):
                got += await ends.near.receive_frames()
            assert got == FRAMES


async def test_lingering_reads_find_more_at_once() -> None:
    """This network: writes are joined where a reader takes its time."""
    ends = Ends(Plan(linger=30))

    async def write() -> None:
        for frame in FRAMES:
            await ends.far.send_frames([frame])

    async with ends.near, ends.far, anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        assert await ends.near.receive_frames() == FRAMES


async def test_garbled_byte_arrives_flipped() -> None:
    """This network: and nothing else changes."""
    ends = Ends(Plan(faults=(Fault(Kind.GARBLE, Way.DOWN, 3, 0x55),)))
    async with ends.near, ends.far:
        await ends.far.send_frames(FRAMES)
        got = await ends.near.receive_frames()
        assert got[0] == bytes([FRAMES[0][0] ^ 0x55]) + FRAMES[0][1:]
        assert got[1:] == FRAMES[1:]


@pytest.mark.parametrize("way", list(Way))
async def test_stall_holds_what_comes_behind_it_and_nothing_before(way: Way) -> None:
    """This network: for ever, here; a cut ends that as well."""
    ends = Ends(Plan(faults=(Fault(Kind.STALL, way, 9, FOREVER),)))
    source, sink = (ends.near, ends.far) if way is Way.UP else (ends.far, ends.near)
    async with ends.near, ends.far, anyio.create_task_group() as tasks:

        async def write() -> None:
            try:
                await source.send_frames(FRAMES)
            except anyio.BrokenResourceError:
                await anyio.lowlevel.checkpoint()

        tasks.start_soon(write)
        assert await sink.receive_frames() == whole(9)
        with anyio.move_on_after(0.01) as scope:
            await sink.receive_frames()
        assert scope.cancelled_caught
        await ends.stream.tear(cut("up", 9))
        assert (await rest_of(sink))[0] == []


async def test_stall_that_is_over_has_lost_nothing() -> None:
    """This network: neither has a read that was given up meanwhile."""
    ends = Ends(Plan(faults=(Fault(Kind.STALL, Way.DOWN, 9, 0.02),), delay=0.001))
    async with ends.near, ends.far:
        await ends.far.send_frames(FRAMES)
        got = await ends.near.receive_frames()
        with anyio.move_on_after(0.001):
            await ends.near.receive_frames()
        with anyio.fail_after(BOUND):
            while len(got) < len(FRAMES):
                got += await ends.near.receive_frames()
        assert got == FRAMES


# --- the network ---


class Server:
    """Takes connections, and keeps its ends of them."""

    def __init__(self) -> None:
        self.ends: list[MemoryTransport] = []

    async def dial(self) -> MemoryTransport:
        await anyio.lowlevel.checkpoint()
        near, far = open_memory_pair()
        self.ends.append(far)
        return near


async def test_network_gives_each_connection_its_plan_and_counts() -> None:
    """This network: and says how to see it again."""
    server = Server()
    plans = first_of(Plan(0, (cut("up", 9),)), Plan(1, refused=True), Plan(2, (cut("up", 0, Kind.VANISH),)))
    async with FaultNetwork(server.dial, plans) as network:
        first = await network.dial()
        with pytest.raises(ConnectionRefusedError):
            await network.dial()
        third, fourth = await network.dial(), await network.dial()
        for transport in (first, third):
            with pytest.raises(anyio.BrokenResourceError):
                await transport.send_frames(FRAMES)
        await fourth.send_frames(FRAMES)
        network.reachable = False
        with pytest.raises(ConnectionRefusedError):
            await network.dial()
        await network.cut()
        await network.cut()
        assert str(network.record) == "5 connections, 2 refused, 3 cuts (2 cut, 1 vanish)"
        assert list(network.record.latest) == ["#0 cut up at 9", "#2 vanish up at 0", f"#3 cut up at {len(BYTES)}"]
    for end in server.ends:
        assert (await rest_of(end))[1] is anyio.EndOfStream


async def test_network_takes_streams_of_bytes_as_well() -> None:
    """This network: whatever a client's ``dial`` may give, may be cut."""
    near, far = open_memory_pair()

    async def dial() -> ByteStream:
        await anyio.lowlevel.checkpoint()
        return FrameBytes(near)

    async with far, FaultNetwork(dial, sound, timed=True) as network, await network.dial() as transport:
        assert transport.timed
        await transport.send_frames(FRAMES)
        assert await far.receive_frames() == FRAMES
