"""How long the sandbox keeps sessions that were cut, whom it does not let resume, and who hears what was left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import anyio
import pytest
from peers import RawPeer
from resuming_clients import ResumingClient, dialled, resumable, resuming_client, visit
from sandbox_clients import BOUND, a_setup, raw_client, refused_by

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import ErrorFrame, ResumeFrame
from elarian_trio._session import Reception
from elarian_trio.sandbox import Sandbox, server

pytestmark = pytest.mark.anyio


async def answer_to_resume(sandbox: Sandbox, token: bytes) -> ErrorFrame:
    """Offer to resume a session that must not be, and give the refusal."""
    async with await dialled(sandbox) as transport:
        peer = RawPeer(transport)
        await peer.send(ResumeFrame(token, 0, 0))
        (refusal,) = await peer.receive_rest()
        assert isinstance(refusal, ErrorFrame)
        assert refusal.stream_id == 0
        return refusal


async def test_a_session_that_expires_leaves_its_notifications_to_others_in_order() -> None:
    """The design: a detached session is kept for its resume window; what it was told is then told to somebody else."""
    async with (
        Sandbox(clock="manual", resume_window=0.01) as sandbox,
        raw_client(sandbox, simplex_mode=True) as shop,
        resuming_client(sandbox) as dead,
    ):
        for key in ("first", "second"):
            await shop.send(visit(key))
        await dead.next()
        await dead.cut()
        async with raw_client(sandbox) as other:
            for key in ("first", "second"):
                heard = await other.next()
                assert heard.notification.activity.key == key
                heard.answer()
        await dead.resume()
        assert not dead.session.resumable


async def test_where_too_many_wait_the_oldest_gives_its_notification_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The design: detached sessions are bounded in count; what the one that ends was told is not lost."""
    monkeypatch.setattr(server, "Reception", partial(Reception, max_parked=1))
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simplex_mode=True) as shop,
        resuming_client(sandbox) as oldest,
        resuming_client(sandbox, simulator_mode=True) as newest,
    ):
        await shop.send(visit("look"))
        await oldest.next()
        await oldest.cut()
        async with raw_client(sandbox) as other:
            await other.settle()
            assert other.heard == []
            await newest.cut()
            assert (await other.next()).notification.activity.key == "look"
        await newest.resume()
        await oldest.resume()
        assert (newest.session.attached, oldest.session.attached) == (True, False)


async def test_a_session_is_known_by_its_token_alone() -> None:
    """The protocol: RESUME with a token that the server does not know is answered REJECTED_RESUME."""
    async with Sandbox() as sandbox, resuming_client(sandbox) as app:
        await app.cut()
        assert (await answer_to_resume(sandbox, b"nobody's")).code == ErrorCode.REJECTED_RESUME
        await app.resume()
        await app.session.ping()


async def test_a_token_names_one_session() -> None:
    """The protocol: a SETUP whose token is in use is not accepted, be its session attached or parked."""
    async with Sandbox() as sandbox, resuming_client(sandbox) as app:
        taken = replace(a_setup(sandbox.credentials), resume_token=app.session.resume_token)
        assert (await refused_by(sandbox, taken)).code == ErrorCode.REJECTED_SETUP
        await app.cut()
        assert (await refused_by(sandbox, taken)).code == ErrorCode.REJECTED_SETUP
        await app.resume()
        await app.session.ping()


async def test_without_a_window_nothing_is_resumed() -> None:
    """The design: resume_window=0 switches resumption off: the flag is REJECTED_SETUP, RESUME is REJECTED_RESUME."""
    async with Sandbox(resume_window=0) as sandbox:
        refusal = await refused_by(sandbox, resumable(a_setup(sandbox.credentials)))
        assert refusal.code == ErrorCode.REJECTED_SETUP
        assert (await answer_to_resume(sandbox, b"any")).code == ErrorCode.REJECTED_RESUME
        async with raw_client(sandbox) as app:
            await app.session.ping()


async def test_a_restarted_sandbox_remembers_customers_and_no_sessions() -> None:
    """This SDK: sessions live in the block's tasks; what their apps had not answered is kept for them."""
    sandbox = Sandbox(clock="manual")
    async with anyio.create_task_group() as tasks:
        async with sandbox, raw_client(sandbox, simplex_mode=True) as shop:
            transport = await dialled(sandbox)
            app = ResumingClient(sandbox, transport, resumable(a_setup(sandbox.credentials)), tasks)
            await app.live(transport)
            await shop.send(visit("look"))
            await app.next()
            await app.cut()
        async with sandbox:
            token = app.session.resume_token
            assert token is not None
            assert (await answer_to_resume(sandbox, token)).code == ErrorCode.REJECTED_RESUME
            await app.resume()
            assert not app.session.resumable
            async with raw_client(sandbox) as fresh:
                assert (await fresh.next()).notification.activity.key == "look"


async def test_leaving_the_block_ends_what_is_parked() -> None:
    """The design's promise 3: leaving the block ends every task; nobody waits for a resume window."""
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks, Sandbox() as sandbox:
            transport = await dialled(sandbox)
            app = ResumingClient(sandbox, transport, resumable(a_setup(sandbox.credentials)), tasks)
            await app.live(transport)
            await app.cut()
            app.session.end()


async def test_a_manual_clock_moves_no_resume_window() -> None:
    """This SDK: the window runs on the loop's clock, like keepalives, since it is about the network."""
    async with Sandbox(clock="manual") as sandbox, resuming_client(sandbox) as app:
        await app.cut()
        await sandbox.clock.advance(timedelta(days=365))
        await app.resume()
        await app.session.ping()
