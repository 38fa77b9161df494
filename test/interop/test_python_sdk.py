"""Elarian's own Python SDK, as published, as app and as phone, against the sandbox.

Only the argument that asyncio has no more is taken from its call. Each chapter of ``sdk_chapters.py`` is a program of
its own with its own assertions, and a sandbox of its own. The SDK's phone fails on everything that it is told, and
cannot dial: where that is needed, the phone is ours.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import foreign
import pytest

from elarian_trio import (
    Cash,
    Email,
    MakeVoiceCallSimulatorNotification,
    Say,
    Simulator,
    UssdInput,
    UssdMenu,
    VoiceCallInput,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from foreign import Peer

WHY_NOT = foreign.why_not("python sdk")
pytestmark = [pytest.mark.anyio, pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))]

NUMBER = "+254709759881"


@asynccontextmanager
async def chapter(name: str) -> AsyncIterator[tuple[Sandbox, Peer]]:
    """Run a chapter to its end, beside the block."""
    purses = {"el_prs_rL3IPZ": Cash("KES", 10_000), "el_prs_other": Cash("KES", 0)}
    async with Sandbox(tls="127.0.0.1:0", purses=purses) as sandbox:
        port = sandbox.endpoints["tls"].rpartition(":")[2]
        command, environment = foreign.sdk_command("python", name, port, sandbox.ca_file)
        environment |= {
            "PURSE_ID": sandbox.purse_id,
            **{each.upper(): sandbox.credentials[each] for each in ("org_id", "app_id", "api_key")},
        }
        async with foreign.foreign(command, environment) as program:
            yield sandbox, program
            await program.says("DONE")


@pytest.mark.parametrize("name", ["identity", "app_data", "reminders", "messaging", "payments", "large", "refused"])
async def test_the_python_sdk_finds_in_the_sandbox_what_it_knows_from_elarian(name: str) -> None:
    """The issue: the official SDK, with its ``loop`` argument patched out, for what it implements."""
    async with chapter(name):
        pass


async def test_the_python_sdk_hears_by_every_channel() -> None:
    """Of mails its own phone has none to send."""
    async with chapter("everything") as (sandbox, program), Simulator(**sandbox.credentials) as phone:
        await program.says("LISTENING")
        channels = sandbox.channels
        for number, name in (("asha_on_telegram", "telegram"), ("asha.face", "fb_messenger")):
            await phone.receive_message(number, channels[name], "chat", ["look"])
        mail = Email(subject="Hi", body_plain="plain", cc_list=("c@x.example",))
        await phone.receive_message("asha@x.example", channels["email"], "mail", [mail])
        await phone.receive_message("asha_on_telegram", channels["telegram"], "chat", ["again"])


async def test_the_python_sdk_answers_menus() -> None:
    """With app data and commands between the hops."""
    async with chapter("ussd") as (sandbox, program), Simulator(**sandbox.credentials) as phone:
        await program.says("LISTENING")
        for hop, text in enumerate(("", "1", "42")):
            part = UssdInput(text, "completed" if hop == 2 else "active")
            reply = await phone.receive_message(NUMBER, sandbox.channels["ussd"], "dial", [part])
            assert reply.message is not None
            assert reply.message.body == UssdMenu(f"hop {hop}", is_terminal=hop == 2)


async def test_the_python_sdk_calls_and_is_called() -> None:
    """A phone of ours rings, and what was planned is heard once it is answered."""
    async with chapter("calls") as (sandbox, program), Simulator(**sandbox.credentials) as phone:
        async with phone.notifications(MakeVoiceCallSimulatorNotification) as rings:
            with anyio.fail_after(foreign.BOUND):
                async with await rings.receive() as call:
                    session_id = call.notification.session_id
        assert (await program.says("CALLED")).endswith(session_id)
        part = VoiceCallInput(direction="outbound", status="answered")
        reply = await phone.receive_message(NUMBER, sandbox.channels["voice"], session_id, [part])
        assert reply.message is not None
        assert reply.message.body == (Say("hello", voice="female"),)
