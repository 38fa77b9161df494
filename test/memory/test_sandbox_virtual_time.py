"""The sandbox under Trio's MockClock: virtual time, as users' own tests run it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
import trio
import trio.testing
from sandbox_clients import BOUND, raw_client

from elarian_trio import Elarian, MessagingChannel, Reminder, ReminderNotification, Simulator
from elarian_trio._wire.envelopes import encode_command
from elarian_trio.models.commands import CreateCustomer, CustomerActivity, LeaseCustomerAppData
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.sandbox import Sandbox

ASHA = "+254709759881"


@pytest.mark.trio
async def test_a_year_passes_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """The design: on the memory transport nothing ticks, so an autojump test passes a year in about a second."""
    begun = time.monotonic()
    async with (
        Sandbox(clock="virtual") as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials),
    ):
        start = sandbox.clock.now()
        asha = app.customer(ASHA)
        await asha.send_message(MessagingChannel.sms("83044"), "Happy new year")  # its report is taken by nobody
        await asha.add_reminder(Reminder("birthday", start + timedelta(days=200)))
        await sandbox.clock.advance(timedelta(days=365))
        assert sandbox.clock.now() - start >= timedelta(days=365)
        assert (await asha.get_state()).messaging_state.channels
    assert time.monotonic() - begun < 10 * BOUND  # generous: a ticking timer would take hours


@pytest.mark.trio
async def test_reminders_come_at_their_time_while_a_program_only_waits(autojump_clock: trio.testing.MockClock) -> None:
    """The design: "auto" follows the MockClock, so that programs need not say anything about time."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
        start = sandbox.clock.now()
        asha = app.customer(ASHA)
        every_hour = Reminder("hourly", start + timedelta(hours=1), timedelta(hours=1))
        fired: list[int] = []
        async with app.notifications(ReminderNotification) as inbox:
            await asha.add_reminder(every_hour)
            async for delivery in inbox:
                async with delivery:
                    fired.append(round((sandbox.clock.now() - start).total_seconds()))
                if len(fired) == 3:
                    await asha.cancel_reminder("hourly")
                    break
        assert fired == [3600, 7200, 10800]


@pytest.mark.trio
async def test_advance_goes_no_further_than_it_says(autojump_clock: trio.testing.MockClock) -> None:
    """This SDK: an app that has not answered yet does not make time run away."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        await app.send(CustomerActivity(customer_number=CustomerNumber(ASHA), source="s", session_id="1", key="k"))
        await app.next()
        start = sandbox.clock.now()
        await sandbox.clock.advance(timedelta(seconds=10))
        assert sandbox.clock.now() - start < timedelta(seconds=10.001)


@pytest.mark.trio
async def test_a_lease_lapses_after_90_virtual_seconds(autojump_clock: trio.testing.MockClock) -> None:
    """The specification: 90 s at most; on the sandbox's clock like everything else."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        customer = CustomerNumber(ASHA)
        await app.send(CreateCustomer(customer_number=customer))
        await app.send(LeaseCustomerAppData(customer=customer))
        start = trio.current_time()
        await app.session.request(encode_command(LeaseCustomerAppData(customer=customer)))
        assert round(trio.current_time() - start) == 90


def test_time_goes_on_under_the_mock_clock_that_runs_when_a_sandbox_is_entered_again() -> None:
    """A past bug: it stood still under the second clock, so that one shared by tests reminded in the first only."""
    sandbox, seen = Sandbox(), list[datetime]()

    async def enter() -> None:
        async with sandbox, Elarian(**sandbox.credentials) as app, app.notifications(ReminderNotification) as inbox:
            seen.append(sandbox.clock.now())
            await app.customer(ASHA).add_reminder(Reminder("soon", sandbox.clock.now() + timedelta(hours=1)))
            with trio.fail_after(2 * 3_600):
                async with await inbox.receive():
                    seen.append(sandbox.clock.now())
            await sandbox.clock.advance(timedelta(days=1))
            seen.append(sandbox.clock.now())

    for _ in range(2):
        trio.run(enter, clock=trio.testing.MockClock(autojump_threshold=0))
    assert seen == sorted(seen)
    assert [round((later - seen[0]) / timedelta(hours=1)) for later in seen] == [0, 1, 25, 25, 26, 50]


async def enter(sandbox: Sandbox) -> None:
    """Enter the block, and leave it."""
    async with sandbox:
        pass


@pytest.mark.parametrize("is_mocked_first", [True, False])
def test_a_sandbox_does_not_change_between_real_and_virtual_time(is_mocked_first: bool) -> None:
    """This SDK: nothing fell due in a sandbox that was entered again under the other, and nothing told why."""
    sandbox = Sandbox()
    clocks = [trio.testing.MockClock(autojump_threshold=0), None]
    first, second = clocks if is_mocked_first else reversed(clocks)
    trio.run(enter, sandbox, clock=first)
    with pytest.raises(ValueError, match="manual"):
        trio.run(enter, sandbox, clock=second)
    trio.run(enter, sandbox, clock=None if first is None else trio.testing.MockClock())


@pytest.mark.trio
async def test_virtual_time_and_a_port_do_not_go_together(autojump_clock: trio.testing.MockClock) -> None:
    """The design: any other combination is a ValueError that names the manual clock."""
    with pytest.raises(ValueError, match="manual"):
        Sandbox(tcp="127.0.0.1:0")
    with pytest.raises(ValueError, match="manual"):
        Sandbox(tcp="127.0.0.1:0", clock="virtual")
    async with Sandbox(tcp="127.0.0.1:0", clock="manual") as sandbox:
        assert sandbox.endpoints
