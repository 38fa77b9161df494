"""Sessions that wait for their clients under Trio's MockClock: the window is virtual, like all of the loop's time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio
import trio.testing
from resuming_clients import resuming_client, visit
from sandbox_clients import raw_client

from elarian_trio.sandbox import Sandbox


@pytest.mark.trio
async def test_the_window_is_two_minutes_of_the_loops_time(autojump_clock: trio.testing.MockClock) -> None:
    """The design: resume_window is 120 s; under Trio's MockClock they are virtual, and pass at once."""
    async with Sandbox() as sandbox, resuming_client(sandbox) as app:
        await app.cut()
        await trio.sleep(119)
        await app.resume()
        assert app.session.attached
        await app.cut()
        await trio.sleep(121)
        await app.resume()
        assert not app.session.resumable


@pytest.mark.trio
async def test_time_passes_over_a_session_that_is_not_resumed(autojump_clock: trio.testing.MockClock) -> None:
    """This SDK: what waits for a detached session is kept, as for an app that is away; a year passes at once."""
    async with (
        Sandbox() as sandbox,
        raw_client(sandbox, simplex_mode=True) as shop,
        resuming_client(sandbox) as app,
    ):
        for key in ("first", "second"):
            await shop.send(visit(key))
        await app.next()
        await app.cut()
        await sandbox.clock.advance(timedelta(days=365))
        async with raw_client(sandbox) as fresh:
            for key in ("first", "second"):
                heard = await fresh.next()
                assert heard.notification.activity.key == key
                heard.answer()
