"""Bounds of waiting: on each backend, and under each clock that Trio may go by."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
import trio
import trio.testing

from elarian_trio.testing.bounds import bounded, settle

SOON = 0.01  # seconds
DAY = 86_400.0  # seconds


async def nothing() -> None:
    """Wait for ever."""
    await anyio.sleep_forever()


async def answer() -> str:
    """Answer after a turn."""
    await anyio.lowlevel.checkpoint()
    return "yes"


async def refuse() -> str:
    """Fail after a turn."""
    await anyio.lowlevel.checkpoint()
    raise LookupError


@pytest.mark.anyio
async def test_what_is_done_in_time_is_handed_on() -> None:
    """This SDK: results and errors, as they are."""
    assert await bounded(DAY, answer) == "yes"
    with pytest.raises(LookupError):
        await bounded(DAY, refuse)


@pytest.mark.anyio
async def test_what_takes_longer_is_given_up() -> None:
    """The house rule: no wait without a bound."""
    with pytest.raises(TimeoutError):
        await bounded(SOON, nothing)


@pytest.mark.trio
async def test_virtual_time_jumps_to_the_bound(autojump_clock: trio.testing.MockClock) -> None:
    """This SDK: bounds are of the loop's time, so a test that fails does so at once."""
    begun = trio.current_time()
    with pytest.raises(TimeoutError):
        await bounded(DAY, nothing)
    assert trio.current_time() - begun == DAY


@pytest.mark.trio
async def test_time_that_stands_still_is_bounded_too(mock_clock: trio.testing.MockClock) -> None:
    """The house rule: pytest-trio's ``mock_clock`` moves only when told to; then real seconds of silence count."""
    with pytest.raises(TimeoutError):
        await bounded(SOON, nothing)
    assert await bounded(SOON, answer) == "yes"
    with pytest.raises(LookupError):
        await bounded(SOON, refuse)
    assert trio.current_time() == mock_clock.current_time()


class Busy:
    """A sandbox whose clock somebody advances just now."""

    @property
    def clock(self) -> Busy:
        return self

    async def advance(self, by: object) -> None:
        raise anyio.BusyResourceError("advancing")


@pytest.mark.anyio
async def test_settling_leaves_waiting_to_whoever_advances_the_clock() -> None:
    """This SDK: two may not advance one clock, and the other one waits for the same things."""
    await settle(Busy())  # type: ignore[arg-type]
