"""Failures on purpose under Trio's MockClock: what is late is late by the sandbox's time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from elarian_trio import Activity, ConnectionOptions, CustomerActivityNotification, Elarian, MessagingChannel
from elarian_trio.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    import trio.testing

A_DAY = timedelta(days=1)
ASHA = "+254709759881"


@pytest.mark.trio
async def test_a_day_of_delay_passes_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """Issue 4, item 5: delays count for the sandbox's timers, and programs that only wait see them pass."""
    options = ConnectionOptions(command_timeout=None)
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials, options=options) as app:
        sandbox.faults.add(Fault.delay(A_DAY.total_seconds()), on="SendMessage")
        before = sandbox.clock.now()
        assert (await app.customer(ASHA).send_message(MessagingChannel.sms("83044"), "Hello")).status == "sent"
        assert A_DAY <= sandbox.clock.now() - before < A_DAY + timedelta(seconds=1)


@pytest.mark.trio
async def test_a_notification_is_a_day_late_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """Issue 4, item 5: the same of notifications; a cut beforehand takes no time at all."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
        sandbox.faults.add(Fault.deliver_late(A_DAY.total_seconds()))
        sandbox.faults.add(Fault.drop(), on="CustomerActivityNotification", times=1)
        before = sandbox.clock.now()
        async with app.notifications(CustomerActivityNotification) as inbox:
            await app.customer(ASHA).update_activity("shop.example", Activity("look", "1", {}))
            async for delivery in inbox:
                async with delivery:
                    break
        assert A_DAY <= sandbox.clock.now() - before < A_DAY + timedelta(seconds=10)
        assert app.statistics().resumptions == 1
