"""A sandbox whose disk fails: what cannot be kept or read is refused, costs what it is about only, and comes later."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
import anyio.lowlevel
import pytest
from on_disk import ASHA, JUMA, SMS, START, on

from elarian_trio import (
    Activity,
    CommandFailed,
    ConnectionOptions,
    CustomerActivityNotification,
    Elarian,
    MessagingChannel,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    Simulator,
    StoreError,
    UssdInput,
    UssdMenu,
)
from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox import store as stores

if TYPE_CHECKING:
    from pathlib import Path

    from elarian_trio.sandbox.database import Script

pytestmark = pytest.mark.anyio

FULL = StoreError("the disk is full: make room, and ask again")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the file."""
    return tmp_path / "sandbox.sqlite3"


async def test_what_cannot_be_kept_is_refused_and_the_server_goes_on(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: disk full is refused, never silent; nothing has changed, reads go on, and so does writing later."""
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        asha = app.customer(ASHA)
        await asha.update_metadata({"n": 1})
        with monkeypatch.context() as patch:
            patch.setattr(sandbox._remembered.database, "begin", _full)
            for _ in range(3):
                with pytest.raises(CommandFailed, match="disk is full"):
                    await asha.update_metadata({"n": 2})
            assert await asha.get_metadata() == {"n": 1}
        await asha.update_metadata({"n": 3})
        assert await asha.get_metadata() == {"n": 3}


async def test_a_reminder_that_could_not_be_kept_is_told_once_there_is_room(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: disk full is recovered from: what was due is done a second later, once."""
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(ReminderNotification) as inbox,
    ):
        await app.customer(ASHA).add_reminder(Reminder("it", START + timedelta(seconds=10)))
        with monkeypatch.context() as patch:
            patch.setattr(sandbox._remembered.database, "begin", _full)
            await sandbox.clock.advance(timedelta(seconds=15))
            assert app.statistics().notifications == 0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sandbox.clock.advance, timedelta(seconds=15))
            async with await inbox.receive() as delivery:
                assert delivery.notification.reminder.key == "it"
        await sandbox.clock.advance(timedelta(days=1))
        assert app.statistics().notifications == 1


async def test_an_answer_that_could_not_be_kept_is_asked_for_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: the app data of an answer is not lost; the notification comes again, with the same key.

    A past bug: it came again at once, so that a handler was called a thousand times a second.
    """
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        await phone.receive_message(ASHA, SMS, None, ["hello"])
        first = await inbox.receive()
        with monkeypatch.context() as patch:
            patch.setattr(sandbox._remembered.database, "begin", _full)
            async with first:
                await first.reply(app_data={"seen": True})
            await sandbox.clock.advance(timedelta(seconds=0.9))
            assert app.statistics().notifications == 1
            await sandbox.clock.advance(timedelta(seconds=0.2))
            again = await inbox.receive()
        assert again.key == first.key
        async with again:
            await again.reply(app_data={"seen": True})
        assert await app.customer(ASHA).lease_app_data() == {"seen": True}
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        await sandbox.clock.advance(timedelta(minutes=1))
        assert app.statistics().notifications == 0, "it was answered"


async def test_an_answer_that_could_not_be_kept_is_asked_for_of_the_apps_next_client(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: between the two the server knows nothing of the app but what is in the file."""
    async with on(file) as sandbox, Simulator(**sandbox.credentials) as phone:
        with monkeypatch.context() as patch:
            async with Elarian(**sandbox.credentials) as app, app.notifications(ReceivedSmsNotification) as inbox:
                await phone.receive_message(ASHA, SMS, None, ["hello"])
                first = await inbox.receive()
                patch.setattr(sandbox._remembered.database, "begin", _full)
                async with first:
                    await first.reply(app_data={"seen": True})
                await sandbox.clock.advance(timedelta(seconds=0.5))
        async with Elarian(**sandbox.credentials) as app, app.notifications(ReceivedSmsNotification) as inbox:
            await sandbox.clock.advance(timedelta(seconds=1))
            with anyio.fail_after(5):
                async with await inbox.receive() as again:
                    assert again.key == first.key


def _full(_: object) -> None:
    raise FULL


async def test_what_cannot_be_read_is_refused_and_the_server_goes_on(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: I/O errors are refused, never silent."""
    broken = StoreError("the sandbox's file is damaged")

    def fails(_: object) -> dict[str, Any]:
        raise broken

    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        with monkeypatch.context() as patch:
            patch.setattr(sandbox._remembered.database, "rows", fails)
            with pytest.raises(CommandFailed, match="is damaged"):
                await app.customer(ASHA).get_metadata()
        assert await app.customer(ASHA).get_metadata() == {}


async def test_no_notification_tells_of_what_could_not_be_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue: what a client was told is in the file; its app data too, which another command changed meanwhile."""
    begun, may_commit = anyio.Event(), threading.Event()
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
        app.notifications(ReceivedSmsNotification) as inbox,
        anyio.create_task_group() as tasks,
    ):
        await app.customer(ASHA).update_app_data("kept")
        database, store = sandbox._remembered.database, sandbox._remembered.store
        begin, commit = database.begin, database.commit

        def begin_the_first(script: Script) -> None:
            if begun.is_set():
                raise FULL
            begun.set()
            begin(script)

        def commit_late() -> float:
            may_commit.wait(5)
            return commit()

        async def update() -> None:
            with pytest.raises(CommandFailed, match="disk is full"):
                await app.customer(ASHA).update_app_data("lost")

        with monkeypatch.context() as patch, anyio.fail_after(5):
            patch.setattr(database, "begin", begin_the_first)
            patch.setattr(database, "commit", commit_late)
            tasks.start_soon(phone.receive_message, ASHA, SMS, None, ["hello"])
            await begun.wait()
            tasks.start_soon(update)
            while not store._staged.units:
                await anyio.lowlevel.checkpoint()
            may_commit.set()
            delivery = await inbox.receive()
        async with delivery:
            assert delivery.app_data == "kept"


def keys_heard_by(app: Elarian) -> list[str]:
    """Give the keys of the reminders that *app* is told of, as it hears of them."""
    told: list[str] = []

    async def note(notification: ReminderNotification, *_: object) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(notification.reminder.key)

    app.on(ReminderNotification, note)
    return told


async def test_what_is_due_goes_on_once_the_disk_has_caught_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: a server that is behind begins nothing that nobody asked for, until it is no more."""
    monkeypatch.setattr(stores, "MAX_BEHIND", 1)
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        told = keys_heard_by(app)
        for key in ("1", "2", "3"):
            await app.customer(f"+25470000000{key}").add_reminder(Reminder(key, START + timedelta(seconds=5)))
        await sandbox.clock.advance(timedelta(minutes=1))
        assert told == ["1", "2", "3"]


def hide(patch: pytest.MonkeyPatch, sandbox: Sandbox, customer_id: str) -> None:
    """Have nothing be readable of one customer, as where a page of the file is damaged."""
    database = sandbox._remembered.database
    read = database.rows

    def rows(key: Any) -> list[tuple[str, int, str]]:  # noqa: ANN401 - any record's
        if getattr(key, "customer_id", None) == customer_id:
            msg = "the sandbox's file is damaged"
            raise StoreError(msg)
        return read(key)

    patch.setattr(database, "rows", rows)


async def test_a_notification_that_cannot_be_read_keeps_no_app_out_and_comes_after_a_restart(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past bug: no client could connect to the app, whoever the others were that it was to hear of."""
    deaf = ConnectionOptions(receive_notifications=False)
    async with on(file) as sandbox, Elarian(**sandbox.credentials, options=deaf) as app:
        for number in (ASHA, JUMA):
            await app.customer(number).update_activity("site", Activity("seen", "1", {}))
        hidden = (await app.customer(ASHA).get_state()).customer_id
    with anyio.fail_after(5):
        async with on(file) as sandbox:
            hide(monkeypatch, sandbox, hidden)
            async with Elarian(**sandbox.credentials) as app, app.notifications(CustomerActivityNotification) as inbox:
                async with await inbox.receive() as delivery:
                    assert delivery.notification.customer_number.number == JUMA
                await sandbox.clock.advance(timedelta(minutes=1))
                assert app.statistics().notifications == 1
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(CustomerActivityNotification) as inbox,
        await inbox.receive() as delivery,
    ):
        assert delivery.notification.customer_number.number == ASHA


async def test_a_reminder_that_cannot_be_read_keeps_no_other_waiting_and_is_tried_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past bug: nothing was done that fell due behind it, for whomever, and nobody was told why."""
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        for number, seconds in ((ASHA, 5), (JUMA, 6)):
            await app.customer(number).add_reminder(Reminder(number, START + timedelta(seconds=seconds)))
        hidden = (await app.customer(ASHA).get_state()).customer_id
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        told = keys_heard_by(app)
        with monkeypatch.context() as patch:
            hide(patch, sandbox, hidden)
            await sandbox.clock.advance(timedelta(minutes=1))
            assert told == [JUMA]
        await sandbox.clock.advance(timedelta(minutes=1))
        assert told == [JUMA, ASHA]


async def test_commands_that_come_together_and_cannot_be_read_are_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: I/O errors are refused, never silent."""
    broken = StoreError("the sandbox's file is damaged")
    refused: list[CommandFailed] = []

    def fails(_: object) -> NoReturn:
        raise broken

    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:

        async def ask(number: str) -> None:
            with pytest.raises(CommandFailed, match="is damaged") as caught:
                await app.customer(number).get_metadata()
            refused.append(caught.value)

        with monkeypatch.context() as patch:
            for name in ("rows", "rows_of_many"):
                patch.setattr(sandbox._remembered.database, name, fails)
            async with anyio.create_task_group() as tasks:
                for n in range(3):
                    tasks.start_soon(ask, f"+25470000000{n}")
        assert len(refused) == 3
        assert await app.customer(ASHA).get_metadata() == {}


async def test_a_hop_that_could_not_be_kept_is_refused_at_the_phone(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: never silent, to whom it may concern."""
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
        app.notifications() as inbox,
        anyio.create_task_group() as tasks,
    ):
        said: list[BaseException] = []

        async def dial() -> None:
            try:
                await phone.receive_message(ASHA, MessagingChannel.ussd("*83044#"), None, [UssdInput("", "active")])
            except CommandFailed as error:
                said.append(error)

        tasks.start_soon(dial)
        async for delivery in inbox:
            if delivery.event == "ussdSession":
                break
            async with delivery:
                pass
        with monkeypatch.context() as patch:
            patch.setattr(sandbox._remembered.database, "begin", _full)
            await delivery.reply(UssdMenu("Good-bye", is_terminal=True))
            with anyio.fail_after(5):
                while not said:
                    await anyio.lowlevel.checkpoint()
        assert "disk is full" in str(said[0])
