"""A sandbox with a file: what clients were told is there after a restart, and a file that is no such is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from on_disk import ASHA, SMS, START, on

from elarian_trio import (
    Cash,
    ConnectionOptions,
    Elarian,
    Purse,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    SecondaryId,
    SetupRejected,
    Simulator,
    StoreError,
    Tag,
    Wallet,
)
from elarian_trio.sandbox import ManualClock
from elarian_trio.sandbox.delivery import route as deliveries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the file."""
    return tmp_path / "sandbox.sqlite3"


async def test_customers_money_and_keys_are_there_after_a_restart(file: Path) -> None:
    """Issue: state that survives; the key that the sandbox made up is the same, too."""
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        asha = app.customer(ASHA)
        await asha.update_tags(Tag("segment", "premium"))
        await asha.update_metadata({"strikes": 2, "raw": b"\0"})
        await asha.update_app_data({"screen": "home"})
        before = await asha.get_state()
        await app.initiate_payment(Purse(sandbox.purse_id), Wallet(before.customer_id, "loans"), Cash("KES", 40))
        before, key = await asha.get_state(), sandbox.credentials["api_key"]
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        asha = app.customer(ASHA)
        assert sandbox.credentials["api_key"] == key
        assert await asha.get_state() == before
        assert await asha.get_metadata() == {"strikes": 2, "raw": b"\0"}
        assert await asha.lease_app_data() == {"screen": "home"}
        assert sandbox.purse_balance() == 10_000_000 - 40


async def test_a_block_that_is_entered_again_goes_on_from_its_file(file: Path) -> None:
    """The design: a sandbox that is entered again is a server that was restarted."""
    sandbox = on(file)
    with pytest.raises(RuntimeError, match="while its block is entered"):
        sandbox.credentials  # noqa: B018 - reading it is the test
    for visit in range(3):
        async with sandbox, Elarian(**sandbox.credentials) as app:
            assert await app.customer(ASHA).get_metadata() == ({} if not visit else {"visit": visit - 1})
            await app.customer(ASHA).update_metadata({"visit": visit})
            await sandbox.clock.advance(timedelta(days=1))
            assert sandbox.clock.now() == START + timedelta(days=visit + 1)
    with pytest.raises(RuntimeError, match="while its block is entered"):
        sandbox.purse_balance()


async def test_ids_are_not_given_again_by_the_same_seed(file: Path) -> None:
    """This SDK: the ids of the first run are somebody's in the file."""
    found: set[str] = set()
    for number in range(4):
        async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
            found.add((await app.customer(f"+25470000000{number}").get_state()).customer_id)
    assert len(found) == 4


async def test_reminders_fire_after_a_restart_and_missed_ones_collapse(file: Path) -> None:
    """Facts, decision 21: missed repeats are collapsed into one."""
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        asha = app.customer(ASHA)
        await asha.add_reminder(Reminder("once", START + timedelta(days=10)))
        await asha.add_reminder(Reminder("daily", START + timedelta(days=1), interval=timedelta(days=1)))
        await asha.add_reminder(Reminder("never", START + timedelta(days=2)))
        await asha.cancel_reminder("never")
    clock = ManualClock(START + timedelta(days=5, hours=1))
    async with (
        on(file, clock=clock) as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(ReminderNotification) as inbox,
    ):
        heard: list[tuple[str, int]] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.advance, timedelta(days=6))
            async for delivery in inbox:
                async with delivery:
                    reminder = delivery.notification.reminder
                    assert reminder.remind_at is not None
                    heard.append((reminder.key, (reminder.remind_at - START).days))
                if len(heard) == 8:
                    break
        assert heard == [
            ("daily", 5),
            *(("daily", day) for day in (6, 7, 8, 9)),
            ("once", 10),
            ("daily", 10),
            ("daily", 11),
        ]


async def test_what_an_app_has_not_answered_is_told_after_a_restart_in_order(file: Path) -> None:
    """Issue: pending notifications are kept; a bounded queue for an app while it is away, flushed in order."""
    async with on(file) as sandbox, Simulator(**sandbox.credentials) as phone:
        for text in ("one", "two", "three"):
            await phone.receive_message(ASHA, SMS, None, [text])
        leaving = ConnectionOptions(drain_timeout=0.0)
        app = Elarian(**sandbox.credentials, options=leaving)
        async with app, app.notifications(ReceivedSmsNotification) as inbox:
            async with await inbox.receive() as delivery:
                assert delivery.notification.text == "one"
            unanswered = await inbox.receive()
            key = unanswered.key
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        heard = []
        for _ in range(2):
            async with await inbox.receive() as delivery:
                heard.append((delivery.notification.text, delivery.key))
        assert [text for text, _ in heard] == ["two", "three"]
        assert heard[0][1] == key
    async with on(file) as sandbox:
        assert sandbox._remembered.database.last_number() == 0, "nothing is left to do"


async def test_what_finds_no_room_is_not_told_after_a_restart_either(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts, decision 18: the queue is bounded; what is dropped stays so."""
    monkeypatch.setattr(deliveries, "AWAY_LIMIT", 2)
    async with on(file) as sandbox, Simulator(**sandbox.credentials) as phone:
        for text in ("one", "two", "three"):
            await phone.receive_message(ASHA, SMS, None, [text])
        assert len(list(sandbox._remembered.database.parcels())) == 2
    monkeypatch.undo()
    async with (
        on(file) as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
        Simulator(**sandbox.credentials) as phone,
    ):
        await phone.receive_message(ASHA, SMS, None, ["four"])
        heard: list[str | None] = []
        for _ in range(3):
            async with await inbox.receive() as delivery:
                heard.append(delivery.notification.text)
        assert heard == ["one", "two", "four"]


async def test_a_token_lets_its_bearer_in_after_a_restart_until_it_expires(file: Path) -> None:
    """Issue: tokens are kept, and expire."""
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        token = (await app.generate_auth_token()).token
    async with on(file) as sandbox:
        known = {name: value for name, value in sandbox.credentials.items() if name != "api_key"}
        async with Elarian(**known, auth_token=token):
            pass
        await sandbox.clock.advance(timedelta(hours=2))
        with pytest.raises(SetupRejected):
            async with Elarian(**known, auth_token=token):
                pytest.fail("came in")


async def test_a_file_that_is_in_use_is_refused_and_its_server_goes_on(file: Path) -> None:
    """Issue: a lock against two servers on one file."""
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        with pytest.raises(StoreError, match="in use"):
            async with on(file):
                pytest.fail("entered")
        assert await app.customer(ASHA).get_metadata() == {}


@pytest.fixture
def diary(file: Path) -> Iterator[None]:
    """Write something else there, and find it as it was."""
    file.write_text("Dear diary")
    yield
    assert file.read_text() == "Dear diary"


@pytest.mark.usefixtures("diary")
async def test_a_foreign_file_is_refused_from_the_line_that_enters(file: Path) -> None:
    """Issue: refused with a clear message."""
    with pytest.raises(StoreError, match=r"sandbox\.sqlite3 is no SQLite database"):
        async with on(file):
            pytest.fail("entered")


async def test_commands_that_come_together_are_answered_each_for_its_own_customer(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: a million customers; whose commands come together are read together, however they are addressed."""
    numbers = [f"+2547000000{n:02}" for n in range(12)]
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        for n, number in enumerate(numbers):
            await app.customer(number).update_metadata({"n": n})
        await app.customer(numbers[1]).update_secondary_ids(SecondaryId("badge", "1"))
        first = (await app.customer(numbers[0]).get_state()).customer_id
    async with on(file) as sandbox, Elarian(**sandbox.credentials) as app:
        database = sandbox._remembered.database
        reads: list[str] = []
        read_one, read_many = database.rows, database.rows_of_many
        monkeypatch.setattr(database, "rows", lambda key: (reads.append("one"), read_one(key))[1])
        monkeypatch.setattr(database, "rows_of_many", lambda keys: (reads.append("many"), read_many(keys))[1])
        asked = [
            *map(app.customer, numbers[2:]),
            app.customer(customer_id=first),
            app.customer(secondary_id=SecondaryId("badge", "1")),
            app.customer("+254711111111"),
        ]
        seen: dict[int, object] = {}

        async def ask(place: int) -> None:
            seen[place] = await asked[place].get_metadata()

        async with anyio.create_task_group() as tasks:
            for place in range(len(asked)):
                tasks.start_soon(ask, place)
        assert [seen[place] for place in range(len(asked))] == [
            *({"n": n} for n in range(2, 12)),
            {"n": 0},
            {"n": 1},
            {},
        ]
        assert reads.count("many") == 2
        assert reads.count("one") <= 1, "of the one who came only now"
