"""Acceptance, written from the design: entering and leaving the client's block by every way."""

from __future__ import annotations

import itertools
import logging
from datetime import timedelta
from typing import Any

import anyio
import pytest
from acceptance import (
    ASHA,
    BOUND,
    CONNECTION_CLOSE,
    ERROR,
    KEY,
    PAYLOAD,
    SMS,
    Place,
    ScriptedServer,
    a_place,
    an_sms,
    answering,
    enter,
    texts_of,
    the_end_of,
)

from elarian_trio import (
    ConnectionClosed,
    ConnectionState,
    Elarian,
    ReceivedSmsNotification,
    SetupRejected,
    Simulator,
    Tag,
)
from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", [Elarian, Simulator])
@pytest.mark.parametrize("wrong", [{"api_key": KEY}, {"org_id": "el_org_other"}])
async def test_wrong_credentials_are_rejected_plainly_and_shown_nowhere(
    kind: type[Any], wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 4: SetupRejected from the ``async with`` line, in no group, and no credential in any text of it."""
    caplog.set_level(logging.DEBUG)
    async with Sandbox() as sandbox:
        app = kind(**{**sandbox.credentials, **wrong})
        error = await the_end_of(SetupRejected, lambda: enter(app))
    keys = {wrong.get("api_key", sandbox.credentials["api_key"]), sandbox.credentials["api_key"]}
    texts = [*texts_of(error), repr(app), repr(sandbox.credentials), caplog.text]
    shown = [text[:80] for text in texts for key in keys if key in text]
    assert not shown


async def test_credentials_are_shown_nowhere_while_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    """Promise 4: no repr and no log line holds a key, at any level; phone numbers and words in none above DEBUG."""
    caplog.set_level(logging.DEBUG)
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as inbox:
        await place.app.customer(ASHA).send_message(SMS, "the words of it")
        await place.phone.receive_message(ASHA, SMS, "", ["the words of it"])
        await inbox.next()
        key = place.sandbox.credentials["api_key"]
        shown = [repr(place.app), str(place.app), repr(place.sandbox), repr(getattr(place.app, "__dict__", ""))]
        assert not [text for text in [*shown, caplog.text] if key in text]
    above = [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG]
    assert not [text for text in above if ASHA in text or "the words" in text]


class Mishap(Exception):
    """The user's own."""


@pytest.mark.parametrize(
    "error", [Mishap("mine"), ExceptionGroup("mine", [Mishap("a"), Mishap("b")])], ids=["one", "group"]
)
async def test_the_users_exception_comes_out_as_it_is(error: Exception) -> None:
    """Promise 3: the same object, no group around it; a group of the user's stays theirs."""
    cause = ValueError("why")
    async with Sandbox() as sandbox:
        with pytest.raises(type(error)) as caught:
            async with Elarian(**sandbox.credentials):
                raise error from cause
        assert caught.value is error
        assert caught.value.__cause__ is cause


async def test_cancelled_block_is_cancelled_and_nothing_else() -> None:
    """Promise 3: cancellation passes through."""
    async with Sandbox() as sandbox:
        with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
            async with Elarian(**sandbox.credentials):
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught


async def test_cleanup_in_a_cancelled_block_can_still_send() -> None:
    """This SDK: cancellation reaches the block first, so its cleanup can still send."""
    async with Sandbox() as sandbox:
        with anyio.CancelScope() as scope:
            async with Elarian(**sandbox.credentials) as app:
                try:
                    scope.cancel()
                    await anyio.sleep_forever()
                finally:
                    with anyio.CancelScope(shield=True), anyio.fail_after(BOUND):
                        await app.customer(ASHA).update_metadata({"cleaned": True})
        async with Elarian(**sandbox.credentials) as app:
            assert await app.customer(ASHA).get_metadata() == {"cleaned": True}


async def test_client_is_used_inside_its_block_and_entered_once() -> None:
    """This SDK: before and after the block commands raise ConnectionClosed."""
    async with Sandbox() as sandbox:
        app = Elarian(**sandbox.credentials)
        asha = app.customer(ASHA)
        assert app.connection_state == "pending"
        await the_end_of(ConnectionClosed, asha.create)
        async with app:
            assert app.connection_state is ConnectionState.CONNECTED
            await asha.create()
        assert app.connection_state == "closed"
        await the_end_of(ConnectionClosed, asha.create)
        await the_end_of(ConnectionClosed, app.ping)
        with pytest.raises((RuntimeError, ConnectionClosed)):
            await enter(app)


async def test_disconnect_refuses_commands_and_lets_deliveries_be_answered() -> None:
    """This SDK: new commands raise ConnectionClosed; what is in hand may still be answered; then the end is orderly."""
    async with ScriptedServer() as server:
        async with (
            Elarian(**server.arguments) as app,
            anyio.create_task_group() as tasks,
            app.notifications(ReceivedSmsNotification) as inbox,
        ):
            stream = await server.line.ask(an_sms("hi"))
            async with await anext(aiter(inbox)) as delivery:
                tasks.start_soon(app.disconnect)
                await anyio.wait_all_tasks_blocked()
                await the_end_of(ConnectionClosed, app.generate_auth_token)
                await delivery.reply("Bye")
            assert (await server.line.answer_to(stream)).kind == PAYLOAD
            with anyio.fail_after(BOUND):
                assert [each async for each in inbox] == []  # the loop ends in order
        await server.line.until(lambda: server.line.ended)
        last = server.line.frames[-1]
        assert (last.stream, last.kind, last.code) == (0, ERROR, CONNECTION_CLOSE)


async def test_leaving_in_order_drains() -> None:
    """This SDK: leaving the block waits for the delivery in another task's hands to be answered."""
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        taken, release = anyio.Event(), anyio.Event()

        async def work(app: Elarian, *, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with app.notifications(ReceivedSmsNotification) as inbox:
                task_status.started()
                async for delivery in inbox:
                    async with delivery:
                        taken.set()
                        await release.wait()
                        await delivery.reply("Done")

        async def leave() -> None:
            async with Elarian(**server.arguments) as app:
                await tasks.start(work, app)
                await server.line.ask(an_sms("hi"))
                await taken.wait()

        with anyio.fail_after(BOUND):
            tasks.start_soon(leave)
            await taken.wait()
            await anyio.wait_all_tasks_blocked()
            assert not server.line.ended
            release.set()
        await server.line.until(lambda: server.line.ended)
        assert [each.kind for each in server.line.answers.values()] == [PAYLOAD]


async def test_states_are_told_in_order() -> None:
    """This SDK: the present state first, then each change."""
    seen: list[str] = []
    async with Sandbox() as sandbox, anyio.create_task_group() as tasks:
        app = Elarian(**sandbox.credentials)

        async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with app.connection_states() as states:
                task_status.started()
                async for state in states:
                    seen.append(str(state))
                    if state == "closed":
                        break

        await tasks.start(listen)
        async with app:
            await app.ping()
    assert seen == ["pending", "connecting", "connected", "closed"]


# --- cancellation at every step ---


async def the_scenario(place: Place) -> None:
    """Do a bit of everything, so that every step may be the one at which it is cancelled."""
    asha = place.app.customer(ASHA)
    await asha.update_app_data("free")
    await asha.update_tags(Tag("a", "b"))
    await asha.lease_app_data()
    await asha.update_app_data("next")
    async with place.app.notifications(ReceivedSmsNotification, max_buffer_size=64) as inbox:
        await place.phone.receive_message(ASHA, SMS, "", ["hi"])
        async for delivery in inbox:
            async with delivery:
                await delivery.customer.send_message(SMS, "ho")
                await delivery.reply(app_data="answered")
            break
    await place.app.ping()


async def cancel_after(steps: int, scope: anyio.CancelScope) -> None:
    """Cancel *scope* after so many checkpoints."""
    for _ in range(steps):
        await anyio.lowlevel.checkpoint()
    scope.cancel()


async def test_command_cancelled_at_any_step_leaves_the_session_usable() -> None:
    """The issue: cancelled after each checkpoint in turn until it completes; then all works and nothing is left."""
    async with a_place() as place, answering(place.phone):
        for steps in itertools.count():
            done = False
            with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(cancel_after, steps, scope)
                    await the_scenario(place)
                    done = True
                    tasks.cancel_scope.cancel()
            with anyio.fail_after(BOUND):
                await place.app.ping()
                await place.app.customer(ASHA).update_app_data("after")
                assert await place.app.customer("+254700000001").get_metadata() == {}
                await place.sandbox.clock.advance(timedelta(minutes=5))  # what a cancelled answer held is free again
            if done:
                break
        assert steps > 10
        assert place.app.connection_state == "connected"
        statistics = place.app.statistics()
        assert (statistics.sessions_lost, statistics.reconnects) == (0, 0)


async def test_entering_cancelled_at_any_step_leaves_nothing() -> None:
    """Promise 3: the leak checks around every test see what a half-entered client leaves."""
    async with Sandbox() as sandbox:
        for steps in itertools.count():
            done = False
            with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(cancel_after, steps, scope)
                    async with Elarian(**sandbox.credentials) as app:
                        await app.customer(ASHA).create()
                    done = True
                    tasks.cancel_scope.cancel()
            if done:
                break
        assert steps > 5
