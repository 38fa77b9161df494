"""Refused SETUPs of every kind: no attempt more than the design allows, and no secret in anything that is let out.

The server is played by hand, frame by frame, in virtual time; what it lets in and takes back again is a sandbox's.
"""

from __future__ import annotations

import base64
import logging
import random
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import figures
import pytest
from acceptance import (
    CONNECTION_ERROR,
    KEEPALIVE,
    REJECTED_SETUP,
    SETUP,
    Frame,
    Line,
    ScriptedServer,
    at_port,
    error_frame,
    listening,
)
from disclosure import Disclosure
from faulty import Fault, Plan, Plans, Way, cut
from proxy import open_proxy
from trio.testing import MockClock

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    ElarianError,
    RemoteProtocolError,
    SetupRejected,
    Simulator,
    Tag,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

pytestmark = pytest.mark.anyio

SEED = figures.seed_or(20)
MODES = ("auto", "require", "off")
INVALID_SETUP, UNSUPPORTED_SETUP, REJECTED_RESUME = 0x001, 0x002, 0x004
RESUME, RESUME_FLAG = 0x0D, 0x80
HOUR = 3600.0


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


def a_secret(prefix: str) -> str:
    """Make a credential that is nowhere by chance."""
    dice = random.Random(f"{SEED}/{prefix}")
    return prefix + "".join(dice.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=40))


KEY, TOKEN = a_secret("el_k_"), a_secret("el_tkn_")


@dataclass(frozen=True)
class Refusal:
    """What a server does with a SETUP, and what must come of it.

    Attributes:
        name: of the test.
        error: the error that ends the block.
        attempts: how many there are: with resumption by "auto", where it is required, and without.
        play: what the server does once it has the SETUP.
    """

    name: str
    error: type[Exception]
    attempts: tuple[int, int, int]
    play: Callable[[Line], Awaitable[None]]


def saying(code: int, words: str = "no") -> Callable[[Line], Awaitable[None]]:
    """Refuse by ERROR on stream 0, and wait for the client to go."""

    async def play(line: Line) -> None:
        await line.send(error_frame(0, code, words))
        await line.serve()

    return play


async def hang_up(line: Line) -> None:
    """Close without a word."""
    await line.hang_up()


async def send_garbage(line: Line) -> None:
    """Answer with what is no frame."""
    await line.send(b"\xff\x00")
    await line.serve()


FINAL = [
    Refusal("invalid setup", SetupRejected, (1, 1, 1), saying(INVALID_SETUP)),
    Refusal("unsupported setup", SetupRejected, (2, 1, 1), saying(UNSUPPORTED_SETUP)),
    Refusal("rejected setup", SetupRejected, (2, 1, 1), saying(REJECTED_SETUP)),
    Refusal("garbage", RemoteProtocolError, (1, 1, 1), send_garbage),
]

PASSING = [
    Refusal("rejected resume", ConnectionFailed, (0, 0, 0), saying(REJECTED_RESUME)),
    Refusal("connection error", ConnectionFailed, (0, 0, 0), saying(CONNECTION_ERROR)),
    Refusal("connection close", ConnectionFailed, (0, 0, 0), saying(0x102)),
    Refusal("a code of its own", ConnectionFailed, (0, 0, 0), saying(0x301)),
    Refusal("the last code", ConnectionFailed, (0, 0, 0), saying(0xFFFFFFFF)),
    Refusal("a code that nobody defines", ConnectionFailed, (0, 0, 0), saying(0)),
    Refusal("a close without a word", ConnectionFailed, (0, 0, 0), hang_up),
]


def by_name(refusals: list[Refusal]) -> pytest.MarkDecorator:
    """Make a test for each."""
    return pytest.mark.parametrize("refusal", refusals, ids=[each.name.replace(" ", "-") for each in refusals])


class Openings:
    """What a server saw of every connection's first frames."""

    def __init__(self, refusal: Callable[[Line], Awaitable[None]], disclosure: Disclosure) -> None:
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self.refusing = True
        self.keeps_sessions = False
        self._refusal = refusal
        self._disclosure = disclosure

    async def play(self, line: Line) -> None:
        """Refuse a connection, or let it in, as it has to be."""
        first = await line.receive()
        self.frames.append(first)
        self.times.append(anyio.current_time())
        token = token_of(first)
        if token:
            self._disclosure.keep_secret("the resume token", token)
        if first.kind == RESUME:
            await line.send(error_frame(0, REJECTED_RESUME, "who?"))
        elif self.refusing:
            await self._refusal(line)
        else:
            keepalive = await line.receive()
            assert keepalive.kind == KEEPALIVE
            await line.send(Frame(0, KEEPALIVE, 0, keepalive.rest))
            await line.serve()

    @property
    def setups(self) -> list[Frame]:
        """The SETUPs among them."""
        return [each for each in self.frames if each.kind == SETUP]

    @property
    def flags(self) -> list[bool]:
        """Which SETUPs asked for resumption."""
        return [bool(each.flags & RESUME_FLAG) for each in self.setups]


def token_of(frame: Frame) -> str:
    """Give the resume token in a SETUP or RESUME, if there is one."""
    if frame.kind == SETUP and frame.flags & RESUME_FLAG:
        length, rest = int.from_bytes(frame.rest[12:14], "big"), frame.rest[14:]
    elif frame.kind == RESUME:
        length, rest = int.from_bytes(frame.rest[4:6], "big"), frame.rest[6:]
    else:
        return ""
    return rest[:length].decode()


@pytest.fixture
def disclosure(capfd: pytest.CaptureFixture[str]) -> Iterator[Disclosure]:
    """Watch all that is let out, and find no secret in it at the end."""
    watched = Disclosure()
    watched.keep_secret("the key", KEY)
    watched.keep_secret("the token", TOKEN)
    with watched.watch_logs():
        yield watched
    printed = capfd.readouterr()
    watched.note("standard output", printed.out)
    watched.note("standard error", printed.err)
    assert len(watched.texts) > 2
    assert watched.found() == []


def an_app(server: ScriptedServer, mode: Any, **changes: Any) -> Elarian:  # noqa: ANN401
    """Make a client that comes to *server*."""
    options = ConnectionOptions(reconnect=changes.pop("reconnect", Backoff(jitter=0.0)), resume=mode)
    credential: dict[str, Any] = changes or {"api_key": KEY}
    return Elarian(org_id="org", app_id="app", dial=server.dial, options=options, **credential)


async def enter_and_stay(app: Elarian, disclosure: Disclosure) -> ElarianError:
    """Enter a client's block for good, and give what comes out of it."""
    heard: list[BaseException] = []

    async def hear(error: BaseException) -> None:
        heard.append(error)
        await anyio.lowlevel.checkpoint()

    app.on("error", hear)
    disclosure.note("repr before", repr(app))
    try:
        async with app:
            await anyio.sleep_forever()
    except ElarianError as error:
        disclosure.note_error(error)
        for each in heard:
            disclosure.note_error(each)
        disclosure.note("repr after", f"{app!r} {vars(app)!r}")
        disclosure.note_objects()
        return error
    msg = "nothing came out of the block"
    raise AssertionError(msg)


@pytest.mark.parametrize("mode", MODES)
@by_name(FINAL)
async def test_final_refusal_is_not_tried_again(refusal: Refusal, mode: str, disclosure: Disclosure) -> None:
    """The issue: 0 further attempts where fatal, after the one without the resume flag."""
    openings = Openings(refusal.play, disclosure)
    async with ScriptedServer(openings.play) as server:
        error = await enter_and_stay(an_app(server, mode), disclosure)
        assert type(error) is refusal.error
        await anyio.sleep(HOUR)
        attempts = refusal.attempts[MODES.index(mode)]
        assert len(server.lines) == attempts
        assert openings.flags == {"auto": [True, False], "require": [True], "off": [False]}[mode][:attempts]
        assert openings.times[-1] == openings.times[0], "the one without the flag follows at once"


@pytest.mark.parametrize("mode", MODES)
@by_name(FINAL)
async def test_refusal_of_a_later_setup_is_final_too(refusal: Refusal, mode: str, disclosure: Disclosure) -> None:
    """The design: a key that was revoked stays revoked; what is malformed costs a session, and three end the block."""
    openings = Openings(refusal.play, disclosure)
    openings.refusing = False
    async with ScriptedServer(openings.play) as server, anyio.create_task_group() as tasks:
        errors: list[ElarianError] = []

        async def live() -> None:
            errors.append(await enter_and_stay(an_app(server, mode), disclosure))

        tasks.start_soon(live)
        await anyio.sleep(5)
        openings.refusing = True
        before = len(openings.setups)
        await server.line.hang_up()
        await anyio.sleep(HOUR)
        assert [type(each) for each in errors] == [refusal.error]
        tries = refusal.attempts[MODES.index(mode)]
        assert len(openings.setups) - before == (3 if refusal.error is RemoteProtocolError else tries)
        assert len(server.lines) <= before + 3 + 1, "at most one RESUME goes before"


@pytest.mark.parametrize("mode", MODES)
@by_name(PASSING)
async def test_lesser_refusal_is_tried_again_under_the_backoff(
    refusal: Refusal, mode: str, disclosure: Disclosure
) -> None:
    """The design: attempts go on under the backoff, and each is logged at WARNING."""
    openings = Openings(refusal.play, disclosure)
    backoff = Backoff(jitter=0.0, give_up_after=60.0)
    async with ScriptedServer(openings.play) as server:
        error = await enter_and_stay(an_app(server, mode, reconnect=backoff), disclosure)
        assert type(error) is refusal.error
        count = len(server.lines)
        times = sorted(set(openings.times))  # a fresh SETUP follows a refused RESUME at once
        pauses = [later - earlier for earlier, later in pairwise(times)]
        quick = 40 if refusal.play is hang_up and mode != "off" else 0  # it may have kept the session: ten seconds long
        assert 10 <= len(times) - quick <= 25
        assert count <= 2 * len(times)
        assert pauses[0] == pytest.approx(0.25, abs=0.01)
        assert pauses[-2] == pytest.approx(5.0, abs=0.01)
        assert pauses[:-1] == pytest.approx(sorted(pauses[:-1]))
        warnings = [text for where, text in disclosure.texts if where == "the log elarian_trio.session"]
        assert len([text for text in warnings if "attempt" in text]) >= len(times) - 1
        await anyio.sleep(HOUR)
        assert len(server.lines) == count


@pytest.mark.parametrize("kind", ["api_key", "auth_token", "function"])
@pytest.mark.parametrize("mode", MODES)
async def test_server_that_repeats_the_credential_gives_nothing_away(
    mode: str, kind: str, disclosure: Disclosure
) -> None:
    """Promise 4: servers say "unknown key so-and-so", and their words are in our errors and logs."""

    async def ask() -> str:
        await anyio.lowlevel.checkpoint()
        return TOKEN

    credential: dict[str, Any] = {
        "api_key": {"api_key": KEY},
        "auth_token": {"auth_token": TOKEN},
        "function": {"auth_token": ask},
    }[kind]
    secret = KEY if kind == "api_key" else TOKEN
    words = f"unknown credential {secret}"
    for code, error in ((REJECTED_SETUP, SetupRejected), (CONNECTION_ERROR, ConnectionFailed)):
        openings = Openings(saying(code, words), disclosure)
        async with ScriptedServer(openings.play) as server:
            app = an_app(server, mode, reconnect=Backoff(jitter=0.0, give_up_after=2.0), **credential)
            assert type(await enter_and_stay(app, disclosure)) is error


@pytest.mark.parametrize("mode", MODES)
async def test_nothing_is_given_away_while_all_is_well_or_the_server_is_away(mode: str, disclosure: Disclosure) -> None:
    """Promise 4: connected, cut, refused once, and back."""
    openings = Openings(hang_up, disclosure)
    openings.refusing = False
    async with ScriptedServer(openings.play) as server, an_app(server, mode) as app:
        disclosure.note_objects()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hang_up_soon, server, openings)
            with pytest.raises(ConnectionLost) as caught:
                await app.customer("+254709759881").create()
        disclosure.note_error(caught.value)
        await anyio.sleep(5)
        disclosure.note_objects()
        disclosure.note("statistics", repr(app.statistics()))
        openings.refusing = False
        await anyio.sleep(30)
        assert app.connection_state == "connected"
        disclosure.note_objects()


async def hang_up_soon(server: ScriptedServer, openings: Openings) -> None:
    """Cut the connection, and take nobody for a while."""
    await anyio.sleep(1)
    openings.refusing = True
    await server.line.hang_up()


# --- the sandbox as the one who refuses ---

WRONG: dict[str, dict[str, Any]] = {
    "key": {"api_key": KEY},
    "token": {"api_key": None, "auth_token": TOKEN},
    "organisation": {"org_id": "el_org_nobody"},
    "app": {"app_id": "el_app_nobody"},
}


@pytest.mark.parametrize("client", [Elarian, Simulator])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", WRONG)
async def test_wrong_credential_of_each_kind_is_refused_once(
    what: str,
    mode: Any,  # noqa: ANN401
    client: type[Elarian | Simulator],
    disclosure: Disclosure,
) -> None:
    """The issue: 0 further attempts where fatal, after the one without the resume flag."""
    async with Sandbox() as sandbox:
        disclosure.keep_secret("the sandbox's key", sandbox.credentials["api_key"])
        dials = 0

        async def dial() -> Any:  # noqa: ANN401
            nonlocal dials
            dials += 1
            return await sandbox.credentials["dial"]()

        arguments = {**sandbox.credentials, "dial": dial, **WRONG[what]}
        app = client(**arguments, options=ConnectionOptions(resume=mode))
        with pytest.raises(SetupRejected) as caught:
            async with app:
                pytest.fail("entered")
        disclosure.note_error(caught.value)
        disclosure.note_objects()
        await anyio.sleep(HOUR)
        assert dials == (2 if mode == "auto" else 1)


@pytest.mark.parametrize("mode", MODES)
async def test_token_that_has_run_out_is_refused_at_the_next_setup(mode: Any, disclosure: Disclosure) -> None:  # noqa: ANN401
    """The design: tokens live an hour, connections longer; at the next SETUP it is refused, and that is final."""
    async with Sandbox() as sandbox, anyio.create_task_group() as tasks:
        async with Elarian(**sandbox.credentials) as app:
            token = (await app.generate_auth_token()).token
        disclosure.keep_secret("the sandbox's token", token)
        transports: list[Any] = []
        errors: list[ElarianError] = []

        async def dial() -> Any:  # noqa: ANN401
            if away_until > anyio.current_time():
                raise ConnectionRefusedError
            transports.append(await sandbox.credentials["dial"]())
            return transports[-1]

        async def live() -> None:
            arguments = {**sandbox.credentials, "api_key": None, "auth_token": token, "dial": dial}
            client = Elarian(**arguments, options=ConnectionOptions(resume=mode))
            errors.append(await enter_and_stay(client, disclosure))

        away_until = 0.0
        tasks.start_soon(live)
        await anyio.sleep(2 * HOUR)
        assert (len(transports), errors) == (1, [])
        await transports[0].aclose()
        away_until = anyio.current_time() + 200.0  # longer than the sandbox keeps a session that was cut
        await anyio.sleep(HOUR)
        assert [type(each) for each in errors] == [SetupRejected]
        assert len(transports) == 1 + {"auto": 1 + 2, "require": 1 + 1, "off": 1}[mode]


# --- over sockets, where libraries of others see every byte ---

WAYS = figures.sized(smoke=("wss",), ci=("tcp", "tls", "ws", "wss"), soak=("tcp", "tls", "ws", "wss"))
IMPATIENT = Backoff(first=0.01, base=0.01, jitter=0.0, give_up_after=0.5)


@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_given_away_over_sockets(way: str, disclosure: Disclosure) -> None:
    """Promise 4: neither by the libraries below, nor where a connection breaks in the middle of the SETUP."""
    async with listening(way) as sandbox:
        disclosure.keep_secret("the sandbox's key", sandbox.credentials["api_key"])
        wrong = at_port(sandbox, way) | {"api_key": KEY}
        with pytest.raises(SetupRejected) as refused:
            async with Elarian(**wrong):
                pytest.fail("entered")
        disclosure.note_error(refused.value)
        for at in (10, 60, 150, 400, 2000):
            plans = constant(cut(Way.UP, at))
            async with open_proxy(sandbox.endpoints[way], plans) as proxy:
                arguments = at_port(sandbox, way, reconnect=IMPATIENT, command_timeout=0.5) | {
                    "endpoint": proxy.endpoint(way)
                }
                try:
                    async with Elarian(**arguments) as app:
                        disclosure.note_objects()
                        await app.customer("+254709759881").update_tags(Tag("n", "." * 3000))
                except ElarianError as error:
                    disclosure.note_error(error)
                disclosure.note_objects()


def constant(fault: Fault) -> Plans:
    """Have the same happen to every connection."""
    return lambda number: Plan(number, (fault,))


# --- the search itself ---


@pytest.mark.parametrize(
    "shown",
    [
        f"unknown key {KEY}",
        f"starts with {KEY[:22]}",
        repr(("SETUP", b"\x0a" + KEY.encode())),
        (b"\x0a\x28" + KEY.encode() + b"\x18\x01").hex(),
        base64.b64encode(b"a" + KEY.encode() + b"tail").decode(),
        base64.b64encode(b"ab" + KEY.encode()).decode(),
    ],
)
def test_what_is_searched_for_would_be_found(shown: str) -> None:
    """This test's own: a search that finds nothing must be one that can."""
    watched = Disclosure()
    watched.keep_secret("the key", KEY)
    with watched.watch_logs():
        logging.getLogger("elarian_trio.anything").debug("%s", shown)
    assert len(watched.found()) >= 1


def test_variables_of_a_traceback_would_be_found() -> None:
    """This test's own: as those show them who gather errors of many programs."""
    watched = Disclosure()
    watched.keep_secret("the key", KEY)
    with pytest.raises(ValueError, match="base 10") as caught:
        exec(compile("frames = [key]\nint('x')", "elsewhere.py", "exec"), {"key": KEY.encode()})
    watched.note_error(caught.value)
    assert watched.found() == ["the key, as text in traceback"]


@pytest.fixture(scope="module", autouse=True)
def say_what_was_searched() -> AsyncIterator[None] | Iterator[None]:
    """Print what this file counts."""
    yield
    figures.say(f"refused SETUPs: {len(FINAL) * 6 + len(PASSING) * 3} scripts, seed {SEED}")
