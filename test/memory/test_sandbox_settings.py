"""A sandbox whose rules are set by its user."""

from __future__ import annotations

import re
from datetime import timedelta

import anyio
import pytest

from elarian_trio import (
    CommandFailed,
    Elarian,
    MessageDeliveryStatus,
    MessageStatusNotification,
    MessagingChannel,
    Reminder,
    SetupRejected,
    Simulator,
)
from elarian_trio.sandbox import ManualClock, Sandbox, SandboxApp, Settings

pytestmark = pytest.mark.anyio

ASHA, BEN = "+254709759881", "+254709759882"
SMS = MessagingChannel.sms("83044")


async def test_rules_go_by_the_settings() -> None:
    """Facts, decisions 3, 21 and 23: token lifetime, least interval and deliveries may be set."""
    settings = Settings(
        token_lifetime=timedelta(minutes=5),
        min_interval=timedelta(0),
        delivery_delay=timedelta(seconds=3),
        outcomes={ASHA: MessageDeliveryStatus.FAILED},
    )
    clock = ManualClock()
    async with (
        Sandbox(settings=settings, clock=clock) as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(MessageStatusNotification) as inbox,
    ):
        assert (await app.generate_auth_token()).lifetime == timedelta(minutes=5)
        await app.customer(BEN).add_reminder(Reminder("often", clock.now(), timedelta(seconds=1)))
        for number in (ASHA, BEN):
            await app.customer(number).send_message(SMS, "hello")
        heard: list[str] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.advance, timedelta(seconds=4))
            for _ in range(2):
                async with await inbox.receive() as delivery:
                    heard.append(delivery.notification.status)
        assert sorted(heard) == ["delivered", "failed"]


async def test_strict_and_settle_count_as_they_are_given() -> None:
    """This SDK: the sandbox's own arguments say these two, whatever else the settings say."""
    async with (
        Sandbox(strict=False, settle="manual", settings=Settings(whatsapp_asks=True)) as sandbox,
        Elarian(**sandbox.credentials) as app,
    ):
        reply = await app.customer(ASHA).send_message(MessagingChannel.sms("00000"), "hello")
        assert reply.status is MessageDeliveryStatus.SENT


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(strict=False), re.escape("Sandbox(strict=False)")),
        (Settings(settle="manual"), re.escape("Sandbox(settle='manual')")),
    ],
    ids=["strict", "settle"],
)
def test_settings_that_contradict_the_sandbox_are_refused(settings: Settings, said: str) -> None:
    """This SDK: two ways to say one thing must not contradict each other in silence. A past bug: they did."""
    with pytest.raises(ValueError, match=said):
        Sandbox(settings=settings)


async def test_settings_may_repeat_what_the_sandbox_is_told() -> None:
    """This SDK: they do not contradict each other then."""
    async with (
        Sandbox(strict=False, settle="manual", settings=Settings(strict=False, settle="manual")) as sandbox,
        Elarian(**sandbox.credentials) as app,
    ):
        reply = await app.customer(ASHA).send_message(MessagingChannel.sms("00000"), "hello")
        assert reply.status is MessageDeliveryStatus.SENT


async def test_a_simulator_comes_in_with_any_key_of_the_organisation() -> None:
    """Facts, decision 45: same credentials as apps, and any app id of the organisation."""
    apps = [SandboxApp("org", "one", "first key"), SandboxApp("org", "two", "second key")]
    async with Sandbox(apps=apps) as sandbox:
        known = {**sandbox.credentials, "app_id": "two"}
        async with Simulator(**known) as phone:
            with pytest.raises(CommandFailed):
                await phone.receive_message(ASHA, MessagingChannel.sms("00000"), None, ["hello"])
        with pytest.raises(SetupRejected):
            async with Elarian(**known):
                pytest.fail("came in")
