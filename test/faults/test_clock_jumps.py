"""Clocks that jump and machines that sleep: no reconnect loop, nothing twice, no lease that sticks.

Three clocks are told apart. What people call the time may be set to anything. What event loops count goes evenly, and
on some systems stands still while the machine sleeps. What has really passed is known to the server, who was awake.
"""

from __future__ import annotations

import struct
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trio
from acceptance import (
    ASHA,
    KEEPALIVE,
    SETUP,
    SMS,
    Frame,
    Line,
    ScriptedServer,
    a_token_reply,
    an_sms,
    an_update_reply,
    answer_frame,
    answering,
    the_command,
)
from faulty import FaultNetwork, Kind, sound
from trio.testing import MockClock

from elarian_trio import (
    Backoff,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    SendMessageSimulatorNotification,
    SetupRejected,
    Simulator,
    Tag,
)
from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.clock import MAX_DOZE, RealClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

LIFETIME = 30.0
LEASE = 90.0  # seconds that app data is kept from others
DAY, NIGHT = 86_400.0, 8 * 3600.0
RESUME, REJECTED_RESUME, ERROR = 0x0D, 0x004, 0x0B
CALM = ConnectionOptions(reconnect=Backoff(jitter=0.0))


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


class Machine:
    """The clocks of a machine whose loop runs in virtual time."""

    def __init__(self) -> None:
        self._set_by = 0.0
        self._slept = 0.0
        self.clock = RealClock(wall=self.wall, passed=self.passed, awake=trio.current_time)

    def passed(self) -> float:
        """Give the seconds that have really passed."""
        return trio.current_time() + self._slept

    def wall(self) -> datetime:
        """Give what people call the time."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed() + self._set_by)

    def set_the_time(self, by: float) -> None:
        """Set what people call the time to something else."""
        self._set_by += by

    def sleep(self, seconds: float) -> None:
        """Sleep, with the loop's clock standing still."""
        self._slept += seconds


def leap(seconds: float) -> None:
    """Let the loop's own clock leap, as where a process is stopped, or where clocks count sleep."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, MockClock)
    clock.jump(seconds)


# --- the computer's clock is set ---


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forwards", "backwards"])
async def test_lease_lapses_after_its_time_whatever_the_clock_is_set_to(jump: float) -> None:
    """The issue: no stuck lease; and none that ends while it is held."""
    machine = Machine()
    async with (
        Sandbox(clock=machine.clock) as sandbox,
        Elarian(**sandbox.credentials, options=CALM) as one,
        Elarian(**sandbox.credentials, options=CALM) as other,
    ):
        await one.customer(ASHA).update_app_data({"visits": 1})
        await one.customer(ASHA).lease_app_data()
        begun = anyio.current_time()
        machine.set_the_time(jump)
        with pytest.raises(TimeoutError):
            with anyio.fail_after(LEASE - 5):
                await other.customer(ASHA).lease_app_data()
        with anyio.fail_after(60):
            assert await other.customer(ASHA).lease_app_data() == {"visits": 1}
        assert anyio.current_time() - begun == pytest.approx(LEASE, abs=1)


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forwards", "backwards"])
async def test_reminders_and_tokens_keep_their_times_whatever_the_clock_is_set_to(jump: float) -> None:
    """The issue: no duplicate, and nothing that is due at once, or never."""
    machine = Machine()
    async with (
        Sandbox(clock=machine.clock) as sandbox,
        Elarian(**sandbox.credentials, options=CALM) as app,
        answering(app, ReminderNotification, bound=2 * DAY) as reminders,
    ):
        token = (await app.generate_auth_token()).token
        for seconds in (60, 600, 7200):
            due = sandbox.clock.now() + timedelta(seconds=seconds)
            await app.customer(ASHA).add_reminder(Reminder(f"in {seconds} s", due))
        begun = anyio.current_time()
        machine.set_the_time(jump)
        for seconds in (60, 600, 7200):
            assert (await reminders.next()).reminder.key == f"in {seconds} s"
            assert anyio.current_time() - begun == pytest.approx(seconds, abs=1)
            by_token = {**sandbox.credentials, "api_key": None, "auth_token": token}
            if seconds < 3600:
                async with Elarian(**by_token, options=CALM) as guest:
                    await guest.customer(ASHA).update_tags(Tag("seen", str(seconds)))
            else:
                with pytest.raises(SetupRejected):
                    async with Elarian(**by_token, options=CALM):
                        pytest.fail("entered")
        await anyio.sleep(2 * DAY)
        assert len(reminders.deliveries) == 3


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forwards", "backwards"])
async def test_connection_does_not_hear_of_it(jump: float) -> None:
    """The issue: no reconnect loop. The client counts seconds, and asks nobody for the time."""
    machine = Machine()
    async with (
        Sandbox(clock=machine.clock) as sandbox,
        FaultNetwork(sandbox.credentials["dial"], sound, timed=True) as network,
        Elarian(**{**sandbox.credentials, "dial": network.dial}, options=CALM) as app,
        Simulator(**sandbox.credentials) as phone,
        answering(app, ReceivedSmsNotification, bound=600) as inbox,
        answering(phone, SendMessageSimulatorNotification, bound=600) as handset,
    ):
        for number in range(3):
            machine.set_the_time(jump)
            await phone.receive_message(ASHA, SMS, "", [f"in {number}"])
            await app.customer(ASHA).send_message(SMS, f"out {number}")
            await anyio.sleep(100)
        assert [each.text for each in await inbox.many(3)] == ["in 0", "in 1", "in 2"]
        assert [each.message.body for each in await handset.many(3)] == ["out 0", "out 1", "out 2"]
        assert (len(inbox.deliveries), len(handset.deliveries)) == (3, 3)
        assert network.record.connections == 1
        assert app.statistics().reconnects == 0


# --- the machine sleeps, with everybody on it ---


async def test_who_sleeps_with_the_server_finds_leases_free_and_reminders_due() -> None:
    """The issue: the process sleeps 8 h. The loop's clock stood still; the sandbox's did not."""
    machine = Machine()
    async with (
        Sandbox(clock=machine.clock) as sandbox,
        Elarian(**sandbox.credentials, options=CALM) as one,
        Elarian(**sandbox.credentials, options=CALM) as other,
        answering(one, ReminderNotification, bound=600) as reminders,
    ):
        await one.customer(ASHA).update_app_data({"visits": 1})
        await one.customer(ASHA).lease_app_data()
        await one.customer("+254700000001").add_reminder(Reminder("due", sandbox.clock.now() + timedelta(hours=5)))
        begun = anyio.current_time()
        machine.sleep(NIGHT)
        with anyio.fail_after(2 * MAX_DOZE):
            assert await other.customer(ASHA).lease_app_data() == {"visits": 1}
            assert (await reminders.next()).reminder.key == "due"
        assert anyio.current_time() - begun <= 2 * MAX_DOZE
        assert abs(sandbox.clock.now() - machine.wall()) < timedelta(seconds=1)
        await anyio.sleep(3600)
        assert len(reminders.deliveries) == 1


async def test_delivery_that_was_in_hand_is_in_hand_still_and_comes_once() -> None:
    """The issue: no duplicate. The app slept as well, and has as long for its answer as it had before."""
    machine = Machine()
    async with (
        Sandbox(clock=machine.clock) as sandbox,
        Elarian(**sandbox.credentials, options=CALM) as app,
        Simulator(**sandbox.credentials) as phone,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        await phone.receive_message(ASHA, SMS, "", ["good night"])
        with anyio.fail_after(60):
            delivery = await inbox.receive()
        async with delivery:
            await anyio.sleep(5)
            machine.sleep(NIGHT)
            await anyio.sleep(5)
            await delivery.reply("good morning", app_data={"slept": True})
        await phone.receive_message(ASHA, SMS, "", ["again"])
        with anyio.fail_after(60):
            following = await inbox.receive()
        async with following:
            assert (following.notification.text, following.app_data) == ("again", {"slept": True})
        with anyio.move_on_after(3600):
            pytest.fail(f"a third came: {await inbox.receive()!r}")
        assert app.statistics().answers_late == 0


# --- the app's machine sleeps, and the server's does not ---


class Watchful:
    """A server that was awake: it has cut whoever slept, and does not know them any more.

    Attributes:
        counts: frames that came, by kind.
        openings: when which first frame came.
    """

    def __init__(self, *, cuts: bool) -> None:
        self._cuts = cuts
        self.counts: Counter[int] = Counter()
        self.openings: list[tuple[float, int]] = []
        self.commands: list[str] = []
        self.is_night = False
        self.server = ScriptedServer(self.play)

    async def play(self, line: Line) -> None:
        """Serve one connection."""
        first = await line.receive()
        self.openings.append((anyio.current_time(), first.kind))
        if first.kind == RESUME:
            await line.send(Frame(0, ERROR, 0, struct.pack(">I", REJECTED_RESUME) + b"who?"))
            await line.receive()
            return
        assert first.kind == SETUP
        while True:
            await self.take(line, await line.receive())

    async def take(self, line: Line, frame: Frame) -> None:
        """Take a frame, and answer it by day."""
        self.counts[frame.kind] += 1
        is_deaf = self.is_night and line is self.server.lines[0]
        if frame.kind == KEEPALIVE and frame.flags & 0x80 and not is_deaf:
            await line.send(Frame(0, KEEPALIVE, 0, bytes(8) + frame.rest[8:]))
        elif frame.kind == 0x04:
            name = the_command(frame)
            self.commands.append(name)
            if not is_deaf:
                reply = a_token_reply() if name == "generate_auth_token" else an_update_reply()
                await line.send(answer_frame(frame.stream, reply))

    async def fall(self) -> None:
        """Let the night come: who is connected now is not heard any more, and is cut if that is what it does."""
        self.is_night = True
        if self._cuts:
            await self.server.line.hang_up()


@asynccontextmanager
async def overnight(*, cuts: bool, **options: Any) -> AsyncIterator[tuple[Watchful, Elarian]]:  # noqa: ANN401
    """Connect an app to a server that is awake all night."""
    watchful = Watchful(cuts=cuts)
    async with watchful.server:
        arguments = {"reconnect": Backoff(jitter=0.0), "command_timeout": None} | options
        async with Elarian(**watchful.server.arguments, options=ConnectionOptions(**arguments)) as app:
            yield watchful, app


@pytest.mark.parametrize("give_up_after", [None, 60.0])
@pytest.mark.parametrize("resume", ["auto", "off"])
@pytest.mark.parametrize("counts_sleep", [True, False], ids=["counted", "uncounted"])
@pytest.mark.parametrize("cuts", [True, False], ids=["cut", "deaf"])
async def test_on_waking_there_is_one_resume_one_setup_and_no_storm(
    cuts: bool, counts_sleep: bool, resume: str, give_up_after: float | None
) -> None:
    """The issue: on wake the lifetime is over, RESUME is refused, one fresh SETUP follows; commands end as promised."""
    backoff = Backoff(jitter=0.0, give_up_after=give_up_after)
    async with overnight(cuts=cuts, resume=resume, reconnect=backoff) as (watchful, app):
        ends: list[bool] = []
        await anyio.sleep(100)
        watchful.is_night = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tag, app, ends)
            tasks.start_soon(app.generate_auth_token)
            await anyio.sleep(1)
            before = watchful.counts[KEEPALIVE]
            await watchful.fall()
            woken = anyio.current_time()
            if counts_sleep:
                leap(NIGHT)
                woken += NIGHT
        bound = woken + LIFETIME + 5
        assert anyio.current_time() <= bound
        assert ends == [True], "it was sent, and nobody knows whether it was carried out"
        assert watchful.commands[2:] == ["generate_auth_token"], "a read is sent again, and nothing else"
        await anyio.sleep(600)
        kinds = [kind for _, kind in watchful.openings[1:]]
        assert kinds == ([RESUME, SETUP] if resume == "auto" else [SETUP])
        assert watchful.counts[KEEPALIVE] - before <= 3 + 600 / 10 + 4, "no storm of KEEPALIVEs"
        counted = app.statistics()
        assert (counted.reconnects, counted.sessions_lost) == (1, 1)
        await app.customer(ASHA).update_tags(Tag("awake", "yes"))


async def tag(app: Elarian, ends: list[bool]) -> None:
    """Send a command, and note whether it was sent where its session is lost."""
    try:
        await app.customer(ASHA).update_tags(Tag("n", "1"))
    except ConnectionLost as error:
        ends.append(error.sent)


async def test_a_lifetime_longer_than_the_night_costs_one_keepalive() -> None:
    """This SDK: after a pause of the whole process one KEEPALIVE is enough, not one for each that was missed."""
    async with overnight(cuts=False, keepalive_interval=10.0, keepalive_lifetime=DAY) as (watchful, app):
        await anyio.sleep(95)
        before = watchful.counts[KEEPALIVE]
        leap(NIGHT)
        await anyio.sleep(9)
        assert watchful.counts[KEEPALIVE] - before == 1
        assert len(watchful.openings) == 1
        await app.customer(ASHA).update_tags(Tag("awake", "yes"))


async def test_deadlines_of_deliveries_pass_in_a_night_that_is_counted() -> None:
    """The design: a deadline is on the loop's clock. In hand and unanswered by then, the default answer is sent."""
    async with overnight(cuts=False, keepalive_lifetime=DAY) as (watchful, app):
        async with app.notifications(ReceivedSmsNotification) as inbox:
            await watchful.server.line.ask(an_sms("good night"))
            with anyio.fail_after(5):
                delivery = await inbox.receive()
            assert delivery.deadline == pytest.approx(anyio.current_time() + 15.0, abs=0.1)
            async with delivery:
                leap(NIGHT)
                await anyio.sleep(1)
        assert app.statistics().answers_late == 1
        assert app.statistics().notifications == 1


async def test_network_that_is_gone_while_the_machine_sleeps_is_tried_again_calmly() -> None:
    """The issue: no attempt storm on waking, however many attempts a night would have seen."""
    async with (
        Sandbox() as sandbox,
        FaultNetwork(sandbox.credentials["dial"], sound, timed=True) as network,
        Elarian(**{**sandbox.credentials, "dial": network.dial}, options=CALM) as app,
    ):
        await anyio.sleep(20)
        network.reachable = False
        await network.cut(Kind.VANISH)
        await anyio.sleep(120)
        before = network.record.connections
        leap(NIGHT)
        await anyio.sleep(1)
        assert network.record.connections - before <= 1
        await anyio.sleep(59)
        assert network.record.connections - before <= 3
        network.reachable = True
        await app.reconnect_now()
        with anyio.fail_after(60):
            await app.customer(ASHA).update_tags(Tag("awake", "yes"))
        assert app.connection_state == "connected"
