"""``elarian-trio`` as a process of its own: its ready line, its signals, its pipes."""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
import pytest
from acceptance import ASHA, SMS
from anyio.streams.text import TextReceiveStream
from command_line import environment_of

from elarian_trio import ConnectionOptions, Elarian, GetDigits, Simulator, VoiceCallNotification
from elarian_trio._transport import client_context
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from anyio.abc import Process

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["trio"]),  # the command is the same, whoever waits for it
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for another process"),
]

PATIENCE = 30.0  # seconds; each takes one or two
COMMAND = [sys.executable, "-m", "elarian_trio"]


def surroundings(**more: str) -> dict[str, str]:
    """Give an environment without an Elarian of the developer's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ELARIAN_")} | more


class Running:
    """A command that runs, and what it has said so far."""

    def __init__(self, process: Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.process = process
        self._out, self._err = TextReceiveStream(process.stdout), TextReceiveStream(process.stderr)
        self.said = ""

    async def says(self, pattern: str) -> str:
        """Wait until it has said something; give the first group, or all."""
        found = None
        with anyio.fail_after(PATIENCE):
            while (found := re.search(pattern, self.said, re.MULTILINE)) is None:
                self.said += await self._out.receive()
        return found.group(found.re.groups)

    async def ends(self) -> tuple[int, str]:
        """Wait for the end; give the status, and what it complained of."""
        complaints = ""
        with anyio.fail_after(PATIENCE):
            with suppress(anyio.EndOfStream):
                while True:
                    complaints += await self._err.receive()
            return await self.process.wait(), complaints


@asynccontextmanager
async def running(*words: str, **variables: str) -> AsyncIterator[Running]:
    """Run a command; whatever becomes of the test, it ends."""
    async with await anyio.open_process([*COMMAND, *words], env=surroundings(**variables)) as process:
        try:
            yield Running(process)
        finally:
            if process.returncode is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
async def test_sandbox_says_ready_and_ends_in_order_by_signal(number: signal.Signals) -> None:
    """The design: where it listens, what it keeps where, then ``ready``; what it made up is there to be used."""
    async with running("sandbox", "--tcp", "127.0.0.1:0") as server:
        await server.says("^ready$")
        assert server.said.endswith("\nready\n")
        assert "has the channels sms:83044, sms:TEST_SENDER_ID, ussd:*83044#, " in server.said
        assert ", cellular:83044\n" in server.said  # the paybill
        assert "in memory" in server.said
        given = {name.lower(): await server.says(f"export ELARIAN_{name}=(.*)") for name in ("ORG_ID", "APP_ID")}
        endpoint, key = await server.says("^listens on (tcp://.*)"), await server.says("export ELARIAN_API_KEY=(.*)")
        async with Elarian(**given, api_key=key, endpoint=endpoint) as app:
            assert (await app.customer(ASHA).create()).status
        server.process.send_signal(number)
        assert await server.ends() == (128 + number, "")


async def test_key_that_the_user_gave_is_not_repeated(tmp_path: Path) -> None:
    """The issue: no credential printed but what the sandbox made up."""
    path = tmp_path / "key"
    path.write_text("5ec2e7-1\n")
    words = ["--org-id", "o", "--app-id", "a", "--app-id", "b", "--api-key", "5ec2e7-1", "--api-key", "5ec2e7-2"]
    async with running("sandbox", "--tcp", "127.0.0.1:0", *words) as server:
        await server.says("^ready$")
        assert "5ec2e7" not in server.said
        assert "lets in b of o" in server.said
        endpoint = await server.says("^listens on (tcp://.*)")
        async with Elarian(org_id="o", app_id="b", api_key="5ec2e7-2", endpoint=endpoint) as app:
            assert await app.ping() >= 0


async def test_authority_that_is_kept_is_trusted_after_a_restart(tmp_path: Path) -> None:
    """The issue: ``--tls-dir``, so that clients need to trust it once."""
    words = ["--tls", "127.0.0.1:0", "--tls-dir", str(tmp_path), "--org-id", "o", "--app-id", "a", "--api-key", "k"]
    trusted = None
    for _ in range(2):
        async with running("sandbox", *words) as server:
            await server.says("^ready$")
            trusted = trusted or client_context(await server.says("export ELARIAN_CA_FILE=(.*)"))
            endpoint = await server.says("^listens on (tls://.*)")
            options = ConnectionOptions(ssl_context=trusted)
            async with Elarian(org_id="o", app_id="a", api_key="k", endpoint=endpoint, options=options) as app:
                assert await app.ping() >= 0


async def test_port_that_is_taken_is_one_line_and_status_1() -> None:
    """The issue: no tracebacks for what can be expected."""
    async with Sandbox(tcp="127.0.0.1:0") as first:
        address = first.endpoints["tcp"].removeprefix("tcp://")
        async with running("sandbox", "--tcp", address) as second:
            status, complaints = await second.ends()
    assert status == 1
    assert f"{address}: " in complaints
    assert "choose another port, or 0" in complaints
    assert complaints.count("\n") == 1


async def test_tail_runs_until_ctrl_c() -> None:
    """The issue: until Ctrl-C, which is status 130."""
    async with (
        Sandbox(tcp="127.0.0.1:0") as sandbox,
        Simulator(**sandbox.credentials) as phone,
        running("tail", **environment_of(sandbox)) as tail,
    ):
        await phone.receive_message(ASHA, SMS, None, ["Hello"])
        await tail.says("receivedSms .* text=Hello$")
        tail.process.send_signal(signal.SIGINT)
        assert await tail.ends() == (130, "")


async def test_tail_ends_quietly_when_nobody_reads_on() -> None:
    """This SDK: ``elarian-trio tail | head -1`` is no failure to write home about."""
    async with (
        Sandbox(tcp="127.0.0.1:0") as sandbox,
        Simulator(**sandbox.credentials) as phone,
        running("tail", **environment_of(sandbox)) as tail,
    ):
        await phone.receive_message(ASHA, SMS, None, ["one"])
        await tail.says("one$")
        assert tail.process.stdout is not None
        await tail.process.stdout.aclose()
        await phone.receive_message(ASHA, SMS, None, ["two"])
        assert await tail.ends() == (141, "")


async def test_checks_end_quietly_when_nobody_reads_on() -> None:
    """This SDK: nor is ``elarian-trio doctor | head -1``."""
    async with (
        Sandbox(tcp="127.0.0.1:0") as sandbox,
        running("doctor", **environment_of(sandbox)) as doctor,
    ):
        assert doctor.process.stdout is not None
        await doctor.process.stdout.aclose()
        assert await doctor.ends() == (141, "")


async def test_phone_stops_by_ctrl_c_while_somebody_may_type() -> None:
    """This SDK: a thread that waits for the keyboard keeps nothing from ending; the phone hangs up first."""
    async with (
        Sandbox(tcp="127.0.0.1:0") as sandbox,
        Elarian(**sandbox.credentials) as app,
        app.notifications(VoiceCallNotification) as inbox,
        running("phone", "call", ASHA, **environment_of(sandbox)) as phone,
    ):
        with anyio.fail_after(PATIENCE):
            ringing = await inbox.receive()
            await ringing.reply((GetDigits(),))
            await phone.says("wants digits")
            phone.process.send_signal(signal.SIGINT)
            async with await inbox.receive() as over:
                assert over.notification.voice.status == "completed"
        assert await phone.ends() == (130, "")


async def test_exit_status_is_the_commands() -> None:
    """The issue: documented exit codes, of the process itself; no tracebacks."""
    ran = await anyio.run_process(
        [*COMMAND, "doctor", "--json", "--endpoint", "tcp://127.0.0.1:1"], env=surroundings(), check=False
    )
    assert ran.returncode == 2
    assert b'"failed"' in ran.stdout
    assert b"Traceback" not in ran.stderr
