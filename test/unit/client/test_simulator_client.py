"""The simulator's socket: the same block, its own commands and notifications."""

from __future__ import annotations

import anyio
import pytest
from scripted_server import scripted_server

from elarian_trio import (
    Cash,
    CommandFailed,
    CustomerNumber,
    MakeVoiceCallSimulatorNotification,
    MessagingChannel,
    PaymentChannelNumber,
    ReceivedSmsNotification,
    Simulator,
    SimulatorReply,
    UssdInput,
)
from elarian_trio._wire.envelopes import encode_notification
from elarian_trio.models import commands as c

pytestmark = pytest.mark.anyio

CALL = MakeVoiceCallSimulatorNotification(
    customer_id="el_cst_1",
    session_id="s",
    customer_number=CustomerNumber("+1"),
    channel_number=MessagingChannel.voice("+2"),
)
DONE = SimulatorReply(status=True, description="done")


async def test_simulators_commands_reach_the_server() -> None:
    """The specification's three; a false status is an error here, too."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Simulator(**server.credentials) as phone:
            server.answers = dict.fromkeys((c.ReceiveMessage, c.ReceivePayment, c.UpdatePaymentStatus), DONE)
            assert server.setups[0].simulator_mode
            ussd = MessagingChannel.ussd("*1#")
            assert await phone.receive_message("+1", ussd, "s", [UssdInput("", "active")]) == DONE
            assert (
                await phone.receive_payment("+1", PaymentChannelNumber("83044"), "t", Cash("KES", 1), "success") == DONE
            )
            assert await phone.update_payment_status("t", "failed") == DONE
            server.answers[c.UpdatePaymentStatus] = SimulatorReply(status=False, description="no such payment")
            with pytest.raises(CommandFailed, match="no such payment"):
                await phone.update_payment_status("t", "failed")


async def test_simulators_notifications_are_answered_with_nothing() -> None:
    """The wire: a simulator's answer is empty, and there is no customer."""
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            Simulator(**server.credentials) as phone,
            anyio.create_task_group() as tasks,
            phone.notifications(MakeVoiceCallSimulatorNotification) as inbox,
        ):
            answers: list[bytes] = []

            async def ask() -> None:
                answers.append(await server.notify_raw(encode_notification(CALL)))

            tasks.start_soon(ask)
            async with await inbox.receive() as delivery:
                assert delivery.notification == CALL
                assert delivery.event == "makeVoiceCall"
                with pytest.raises(LookupError):
                    _ = delivery.customer
                with pytest.raises(ValueError, match="simulator"):
                    await delivery.reply("Hi")
                await delivery.reply()
            while not answers:
                await anyio.lowlevel.checkpoint()
            assert answers == [b""]


def test_apps_notifications_never_come_to_a_simulator() -> None:
    """This SDK: a ValueError that lists those that do."""
    phone = Simulator(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match="MakeVoiceCallSimulatorNotification"):
        phone.notifications(ReceivedSmsNotification)
    with pytest.raises(ValueError, match="makeVoiceCall"):
        phone.on("receivedSms", lambda *_: None)
    for size in (0, 1.5, float("inf")):
        with pytest.raises((ValueError, OverflowError)):
            phone.notifications(max_buffer_size=size)  # type: ignore[arg-type]
