"""Programs as people and init systems end them: by SIGINT and SIGTERM, at any moment, and twice.

The examples run as processes of their own. Whatever happens, each ends within its ``drain_timeout`` and a little, says
by its exit status which signal it was, shows no traceback, and leaves no process behind.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.abc
import anyio.lowlevel
import figures
import pytest
from acceptance import ASHA, GONE, SMS, USSD, answering, unused_port

from elarian_trio import SendMessageSimulatorNotification, Simulator, UssdInput, UssdMenu
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from anyio.abc import ByteReceiveStream, ByteStream, Process

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for another process"),
]

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 60.0  # seconds; imports alone take half of one, and machines are slow
PROMPT = 8.0  # seconds, for what has nothing to wait for
SIGNALS = figures.sized(
    smoke=(signal.SIGTERM,), ci=(signal.SIGINT, signal.SIGTERM), soak=(signal.SIGINT, signal.SIGTERM)
)
BACKENDS = figures.sized(smoke=("trio",), ci=("trio", "asyncio"), soak=("trio", "asyncio"))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Only the programs' own backends matter."""
    return "trio"


@dataclass
class Program:
    """A process, and what it has printed so far."""

    process: Process
    printed: str = ""
    complained: str = ""
    changed: anyio.Event = field(default_factory=anyio.Event)
    readers: int = 2

    async def until(self, words: str) -> None:
        """Wait until it has printed *words*."""
        with anyio.fail_after(PATIENCE):
            while words not in self.printed:
                assert self.process.returncode is None, self.printed + self.complained
                await self.changed.wait()

    async def end(self, bound: float) -> int:
        """Wait for its end and its last words, for so many seconds; give its exit status."""
        with anyio.fail_after(bound):
            status = await self.process.wait()
            while self.readers:
                await self.changed.wait()
        return status

    async def read(self, stream: ByteReceiveStream | None, name: str) -> None:
        """Read one of its streams to the end, into the field of that name."""
        assert stream is not None
        async for chunk in stream:
            setattr(self, name, getattr(self, name) + chunk.decode())
            self._note()
        self.readers -= 1
        self._note()

    def _note(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


@asynccontextmanager
async def running(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Program]:
    """Run a program for a block, in a process group of its own, which must be empty in the end."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("ELARIAN_")}
    known |= {"PYTHONPATH": os.pathsep.join([str(EXAMPLES.parent), str(EXAMPLES)]), "PYTHONUNBUFFERED": "1"}
    async with (
        await anyio.open_process(
            [sys.executable, *command], env=known | dict(environment), start_new_session=True
        ) as process,
        anyio.create_task_group() as tasks,
    ):
        program = Program(process)
        tasks.start_soon(program.read, process.stdout, "printed")
        tasks.start_soon(program.read, process.stderr, "complained")
        try:
            yield program
            assert process.returncode is not None
        finally:
            if process.returncode is None:
                process.kill()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def an_example(name: str, *arguments: str) -> list[str]:
    """Give the command line of an example."""
    return [str(EXAMPLES / name), *arguments]


class Gate:
    """Stands before a port, and closes when somebody says certain words."""

    def __init__(self, target: str) -> None:
        self._target = target.rpartition("/")[2].rpartition(":")
        self._open = anyio.Event()
        self._open.set()
        self._words: bytes | None = None
        self.closed = anyio.Event()
        self.port = 0

    def close_at(self, words: bytes) -> None:
        """Let in neither *words* nor anything behind them."""
        self._words = words

    def release(self) -> None:
        """Let everything in."""
        self._open.set()

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Take connections, until cancelled."""
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            self.port = listener.extra(anyio.abc.SocketAttribute.local_port)
            task_status.started()
            await listener.serve(self._carry)

    async def _carry(self, client: ByteStream) -> None:
        host, _, port = self._target
        async with client, await anyio.connect_tcp(host, int(port)) as server, anyio.create_task_group() as tasks:
            tasks.start_soon(self._let_in, client, server, tasks.cancel_scope)
            tasks.start_soon(self._let_out, server, client, tasks.cancel_scope)

    async def _let_in(self, source: ByteStream, sink: ByteStream, both: anyio.CancelScope) -> None:
        with suppress(*GONE):
            while True:
                data = await source.receive()
                if self._words is not None and self._words in data:
                    self._words, self._open = None, anyio.Event()
                    self.closed.set()
                await self._open.wait()
                await sink.send(data)
        both.cancel()

    async def _let_out(self, source: ByteStream, sink: ByteStream, both: anyio.CancelScope) -> None:
        with suppress(*GONE):
            while True:
                await sink.send(await source.receive())
        both.cancel()


@dataclass
class Place:
    """A sandbox behind a gate, and a phone that is inside."""

    sandbox: Sandbox
    phone: Simulator
    gate: Gate

    async def closed_gate(self) -> None:
        """Wait until the gate has closed."""
        with anyio.fail_after(PATIENCE):
            await self.gate.closed.wait()

    def environment(self) -> dict[str, str]:
        """Give what tells a program where to go and who it is."""
        return environment_of(self.sandbox, self.gate.port)


def environment_of(sandbox: Sandbox, port: int) -> dict[str, str]:
    """Tell a program to come to *port* as the sandbox's app."""
    known = sandbox.credentials
    names = {"ELARIAN_ORG_ID": "org_id", "ELARIAN_APP_ID": "app_id", "ELARIAN_API_KEY": "api_key"}
    return {variable: known[name] for variable, name in names.items()} | {"ELARIAN_ENDPOINT": f"tcp://127.0.0.1:{port}"}


@asynccontextmanager
async def a_place() -> AsyncIterator[Place]:
    """Open a sandbox, a gate before its port, and a phone."""
    async with (
        Sandbox(tcp="127.0.0.1:0") as sandbox,
        Simulator(**sandbox.credentials) as phone,
        anyio.create_task_group() as tasks,
    ):
        gate = Gate(sandbox.endpoints["tcp"])
        await tasks.start(gate.serve)
        yield Place(sandbox, phone, gate)
        tasks.cancel_scope.cancel()


async def expect(program: Program, number: signal.Signals, bound: float = PROMPT) -> None:
    """See a program end by *number*, in time and without a traceback."""
    assert await program.end(bound) == 128 + number, program.printed + program.complained
    assert "Traceback" not in program.complained, program.complained
    assert "stopped" in program.printed


# --- the service ---


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_service_that_has_nothing_in_hand_ends_at_once(backend: str, number: signal.Signals) -> None:
    """The issue: the examples stop cleanly on SIGINT and SIGTERM."""
    async with (
        a_place() as place,
        answering(place.phone, SendMessageSimulatorNotification, bound=PATIENCE) as handset,
        running(an_example("service.py", "--backend", backend), place.environment()) as program,
    ):
        await program.until("connected")
        await place.phone.receive_message(ASHA, SMS, "", ["1"])
        assert "8 to 17" in str((await handset.next()).message.body)
        program.process.send_signal(number)
        await expect(program, number)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_service_finishes_what_is_in_hand_with_its_commands(backend: str, number: signal.Signals) -> None:
    """The design: deliveries in hand may still be answered for ``drain_timeout``; this example: and their commands too.

    When the signal comes, the answer to a USSD hop and the command behind it wait before the gate.
    """
    async with (
        a_place() as place,
        answering(place.phone, SendMessageSimulatorNotification, bound=PATIENCE) as handset,
        running(an_example("service.py", "--backend", backend), place.environment()) as program,
        anyio.create_task_group() as tasks,
    ):
        screens: list[str] = []
        await program.until("connected")
        place.gate.close_at(b"call you")
        tasks.start_soon(dial, place.phone, "2", screens)
        await place.closed_gate()
        program.process.send_signal(number)
        await program.until("stopping")
        assert program.process.returncode is None
        place.gate.release()
        assert str((await handset.next()).message.body) == "We will call you today."
        await expect(program, number)
    assert screens == ["We will call you today."]


async def dial(phone: Simulator, text: str, screens: list[str]) -> None:
    """Enter something into a USSD session, and keep what is shown."""
    reply = await phone.receive_message(ASHA, USSD, "hop", [UssdInput(text, "active")])
    assert reply.message is not None
    assert isinstance(reply.message.body, UssdMenu)
    screens.append(reply.message.body.text)


STINGY = """
import sys
import service
from elarian_trio import ConnectionOptions
service.OPTIONS = ConnectionOptions(drain_timeout=1.0)
sys.argv[1:] = ["--backend", sys.argv[1]]
sys.exit(service.main())
"""


@pytest.mark.parametrize("backend", BACKENDS)
async def test_service_waits_no_longer_than_the_drain_timeout(backend: str) -> None:
    """The issue: within ``drain_timeout``, be the server deaf or not."""
    async with (
        a_place() as place,
        running(["-c", STINGY, backend], place.environment()) as program,
        anyio.create_task_group() as tasks,
    ):
        await program.until("connected")
        place.gate.close_at(b"8 to 17")
        tasks.start_soon(place.phone.receive_message, ASHA, SMS, "", ["1"])
        await place.closed_gate()
        program.process.send_signal(signal.SIGTERM)
        await expect(program, signal.SIGTERM, bound=1.0 + PROMPT)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("second", SIGNALS)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_second_signal_ends_the_service_at_once(backend: str, second: signal.Signals) -> None:
    """This example: who asks twice does not want to wait; the status tells of the first."""
    async with (
        a_place() as place,
        running(an_example("service.py", "--backend", backend), place.environment()) as program,
        anyio.create_task_group() as tasks,
    ):
        await program.until("connected")
        place.gate.close_at(b"8 to 17")
        tasks.start_soon(place.phone.receive_message, ASHA, SMS, "", ["1"])
        await place.closed_gate()
        program.process.send_signal(signal.SIGINT)
        await program.until("stopping: SIGINT")
        program.process.send_signal(second)
        await expect(program, signal.SIGINT)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("nobody", ["refuses", "says nothing"])
async def test_service_that_is_still_connecting_ends_at_once(nobody: str, backend: str, number: signal.Signals) -> None:
    """The issue: while connecting there is nothing to drain, however long it would take."""
    async with a_place() as place:
        place.gate.close_at(place.sandbox.credentials["app_id"].encode())
        port = place.gate.port if nobody == "says nothing" else unused_port()
        environment = environment_of(place.sandbox, port)
        async with running(an_example("service.py", "--backend", backend), environment) as program:
            await (place.closed_gate() if nobody == "says nothing" else program.until("connecting"))
            program.process.send_signal(number)
            await expect(program, number)


@pytest.mark.parametrize("backend", BACKENDS)
async def test_service_that_is_refused_says_so_in_a_line(backend: str) -> None:
    """This example: a wrong key is no reason for a traceback, and is not shown."""
    async with a_place() as place:
        environment = place.environment() | {"ELARIAN_API_KEY": "el_k_wrong_0123456789"}
        async with running(an_example("service.py", "--backend", backend), environment) as program:
            assert await program.end(PATIENCE) == 1
    assert "SetupRejected" in program.printed
    assert "Traceback" not in program.printed + program.complained
    assert "el_k_wrong" not in program.printed + program.complained


WINDOWS = """
import asyncio, runpy, sys

def no_signals(self, *_):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = no_signals
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("name", ["service.py", "loan_collection.py"])
async def test_where_signals_cannot_be_watched_ctrl_c_ends_a_program_all_the_same(name: str) -> None:
    """This example: asyncio on Windows has no signal handlers; what it has cancels the program."""
    arguments = ["--real-time", "--day", "600"] if name == "loan_collection.py" else []
    command = ["-c", WINDOWS, *an_example(name, "--backend", "asyncio", *arguments)]
    async with a_place() as place, running(command, place.environment()) as program:
        if name == "service.py":
            await program.until("connected")
        else:
            with anyio.move_on_after(2.0):  # it says nothing until a day has passed
                await program.process.wait()
        program.process.send_signal(signal.SIGINT)
        assert await program.end(PROMPT) == 130, program.complained
    assert "Traceback" not in program.complained


# --- the stories ---

ENDLESS = """
import sys
import anyio
import ussd_bank

async def think_for_ever(*_):
    await anyio.sleep_forever()

ussd_bank.Bank.home = think_for_ever
sys.exit(ussd_bank.main())
"""

LONG_STORIES: dict[str, tuple[list[str], str]] = {
    "loan_collection.py": ([str(EXAMPLES / "loan_collection.py"), "--real-time", "--day", "2"], "day  1"),
    "ussd_bank.py": (["-c", ENDLESS], "phone "),
}
"""How stories run for long enough, and what they print once they are under way."""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LONG_STORIES)
async def test_story_ends_early(name: str, backend: str, number: signal.Signals) -> None:
    """The issue: the examples stop cleanly on SIGINT and SIGTERM."""
    command, words = LONG_STORIES[name]
    async with running([*command, "--backend", backend], {}) as program:
        await program.until(words)
        program.process.send_signal(number)
        await expect(program, number)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", LONG_STORIES)
async def test_story_ends_at_once_when_asked_twice(name: str, backend: str) -> None:
    """The issue: a second Ctrl-C ends it at once."""
    command, words = LONG_STORIES[name]
    async with running([*command, "--backend", backend], {}) as program:
        await program.until(words)
        program.process.send_signal(signal.SIGTERM)
        program.process.send_signal(signal.SIGINT)
        assert await program.end(PROMPT) in (130, 143)
    assert "Traceback" not in program.complained


# --- the quickstart ---


@pytest.mark.parametrize("moment", ["connecting", "connected"])
async def test_quickstart_ends_by_ctrl_c_and_closes_its_connection(moment: str) -> None:
    """This SDK: the README's program handles no signals; Ctrl-C comes out of it plainly, in one traceback."""
    async with (
        a_place() as place,
        answering(place.phone, SendMessageSimulatorNotification, bound=PATIENCE) as handset,
    ):
        if moment == "connecting":
            place.gate.close_at(place.sandbox.credentials["app_id"].encode())
        async with running([str(EXAMPLES / "quickstart.py")], place.environment()) as program:
            if moment == "connecting":
                await place.closed_gate()
            else:
                await handset.next()
            program.process.send_signal(signal.SIGINT)
            assert await program.end(PROMPT) in (-signal.SIGINT, 130)
    assert program.complained.rstrip().endswith("KeyboardInterrupt")
    assert program.complained.count("Traceback") == 1
    assert "ExceptionGroup" not in program.complained
    assert place.sandbox.credentials["api_key"] not in program.complained


async def test_quickstart_is_ended_by_sigterm_where_it_stands() -> None:
    """This SDK: as any program that says nothing about it; the examples beside it show what to say."""
    async with (
        a_place() as place,
        answering(place.phone, SendMessageSimulatorNotification, bound=PATIENCE) as handset,
        running([str(EXAMPLES / "quickstart.py")], place.environment()) as program,
    ):
        await handset.next()
        program.process.send_signal(signal.SIGTERM)
        assert await program.end(PROMPT) == -signal.SIGTERM
    assert program.complained == ""
