"""Acceptance, written from the design: handlers, what they answer through, how many run, and what events they hear."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from acceptance import APPLICATION_ERROR, ERROR, PAYLOAD, REJECTED, ScriptedServer, an_sms, settle, the_answer

from elarian_trio import Customer, Elarian, ReceivedSmsNotification

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("event", ["receivedSms", "received_sms", ReceivedSmsNotification])
@pytest.mark.parametrize("awaited", [True, False])
async def test_handler_answers_through_its_callback_in_both_spellings(event: Any, awaited: bool) -> None:  # noqa: ANN401
    """The specification's handler: (notification, customer, app_data, callback); the callback may be awaited or not."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        seen: list[Any] = []

        async def handler(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
            seen.append((notification.text, type(customer), app_data))
            done = callback("Thanks", app_data={"n": 1})
            if awaited:
                assert await done is None

        assert app.on(event, handler) is app
        stream = await server.line.ask(an_sms("hi", app_data="[1]"))
        answer = the_answer(await server.line.answer_to(stream))
        assert (answer.message.body.text, answer.data_update.data.string_val) == ("Thanks", '{"n":1}')
        assert seen == [("hi", Customer, [1])]


async def test_handler_without_an_answer_gives_the_default_one() -> None:
    """The other SDKs: a handler that never calls back is answered by the echo."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:

        async def handler(*_: object) -> None:
            await anyio.lowlevel.checkpoint()

        app.on("receivedSms", handler)
        stream = await server.line.ask(an_sms("hi", app_data="kept"))
        assert the_answer(await server.line.answer_to(stream)).data_update.data.string_val == "kept"


async def test_handler_that_raises_costs_its_own_notification_only(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: logged without what the customer wrote, and answered APPLICATION_ERROR; the client lives on."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:

        async def handler(notification: Any, *_: object) -> None:  # noqa: ANN401
            if notification.text == "bad":
                raise RuntimeError("0709-secret")

        app.on("receivedSms", handler)
        bad = await server.line.ask(an_sms("bad"))
        good = await server.line.ask(an_sms("good"))
        answer = await server.line.answer_to(bad)
        assert (answer.kind, answer.code) == (ERROR, APPLICATION_ERROR)
        assert "secret" not in answer.words
        assert (await server.line.answer_to(good)).kind == PAYLOAD
        assert app.connection_state == "connected"
        above_debug = [record for record in caplog.records if record.levelname != "DEBUG"]
        assert any("RuntimeError" in record.getMessage() for record in above_debug)
        assert not any("secret" in record.getMessage() for record in above_debug)


async def test_on_replaces_off_removes_and_unknown_events_are_refused() -> None:
    """The specification: one listener per event; an event that nobody knows is a ValueError."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        calls: list[str] = []
        app.on("receivedSms", lambda *_: calls.append("old"))
        app.on("received_sms", lambda *_: calls.append("new"))
        await server.line.answer_to(await server.line.ask(an_sms("1")))
        app.off("receivedSms")
        await server.line.answer_to(await server.line.ask(an_sms("2")))
        assert calls == ["new"]
        assert app.statistics().unclaimed == 1
        with pytest.raises(ValueError, match="receivedSms"):
            app.on("receivedPigeon", lambda *_: None)
        with pytest.raises(ValueError, match="str"):
            app.notifications(str)  # type: ignore[type-var]


async def test_at_most_64_handlers_run_and_64_more_wait() -> None:
    """This SDK: beyond that REJECTED, at once and counted."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        running = 0
        release = anyio.Event()

        async def handler(*_: object) -> None:
            nonlocal running
            running += 1
            await release.wait()

        app.on("receivedSms", handler)
        streams = [await server.line.ask(an_sms("x", f"el_cst_{n}", f"m-{n}")) for n in range(130)]
        await settle(app)
        assert running == 64
        assert sorted(server.line.answers) == streams[128:]
        assert {each.code for each in server.line.answers.values()} == {REJECTED}
        release.set()
        for stream in streams[:128]:
            assert (await server.line.answer_to(stream)).kind == PAYLOAD
        assert running == 128


async def test_connection_events_reach_their_handlers() -> None:
    """The specification's other events: connecting, connected, closed."""
    told: list[str] = []
    async with ScriptedServer() as server:
        app = Elarian(**server.arguments)
        for name in ("pending", "connecting", "connected", "closed"):
            app.on(name, lambda name=name: told.append(name))
        async with app:
            await app.ping()
            await anyio.wait_all_tasks_blocked()
            assert told[-2:] == ["connecting", "connected"]
    assert told[-1] == "closed"
