"""``elarian-trio doctor``: connects step by step, and says what works, and why not what does not.

:mod:`.commands` stands above; below are the ways to a server that the SDK's clients take at one go.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import anyio
import anyio.lowlevel
from anyio.streams.tls import TLSAttribute
from cyclopts import Parameter
from rich.text import Text

from elarian_trio._transport.sockets import connect, shown
from elarian_trio.cli.access import Access, AsJson
from elarian_trio.cli.exits import EXPECTED, NO_CONNECTION, OK, USAGE, status_of, words_for
from elarian_trio.cli.terminal import Terminal, visible
from elarian_trio.elarian import Elarian
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

__all__ = ["doctor"]

ANYWHERE = Access()


async def doctor(
    *,
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Connect step by step; say what works, and why not what does not.

    It looks the name up, connects, encrypts, is let in, has a keepalive answered and a command carried out (it asks for
    a short-lived token, and throws that away). No notification is taken from the app meanwhile.
    """
    visit = Visit(access)
    await anyio.lowlevel.checkpoint()
    try:
        async with visit.stack:
            for check in visit.checks():
                await visit.make(check)
                _report(terminal, check, as_json=json)
    except BrokenPipeError:  # whoever read the checks has seen enough
        raise
    except EXPECTED as error:  # the connection that the checks stood on ended meanwhile
        visit.status = visit.status or status_of(error)
        terminal.complain(words_for(error))
    return visit.status


@dataclass
class Check:
    """One of the things that have to work.

    Attributes:
        name: what it is called.
        needs: the checks without which it makes no sense.
        step: does it, and says what it found.
        result: "ok", "failed" or "skipped".
        words: what was found, or what is wrong.
    """

    name: str
    needs: tuple[Check, ...]
    step: Callable[[], Awaitable[str]]
    result: str = ""
    words: str = ""


@dataclass
class Visit:
    """What is known of one server, as the checks go on.

    Attributes:
        access: where to connect, and as whom.
        status: the exit status: the first failure's.
        stack: keeps the client connected from one check to the next.
        clients: the client, once the credentials are known.
    """

    access: Access
    status: int = OK
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    clients: list[Elarian] = field(default_factory=list[Elarian])

    def __post_init__(self) -> None:
        """Read the endpoint, without which there is nothing to check."""
        self._where = self.access.where

    def checks(self) -> Sequence[Check]:
        """Give the checks in order."""
        known = Check("credentials", (), self._know)
        found = [Check("name", (), self._look_up)]
        found.append(Check("tcp", (found[-1],), self._connect))
        if self._where.scheme in ("tls", "wss"):
            found.append(Check("tls", (found[-1],), self._encrypt))
        if self._where.scheme in ("ws", "wss"):
            found.append(Check("websocket", (found[-1],), self._upgrade))
        entered = Check("setup", (known, found[-1]), self._enter)
        answered = Check("ping", (entered,), self._ping)
        return [known, *found, entered, answered, Check("command", (answered,), self._command)]

    async def make(self, check: Check) -> None:
        """Make one check, and note how it went."""
        missing = [each.name for each in check.needs if each.result != "ok"]
        await anyio.lowlevel.checkpoint()
        if missing:
            check.result, check.words = "skipped", f"needs {' and '.join(missing)}"
            return
        try:
            check.words = await check.step()
        except EXPECTED as error:
            check.result, check.words = "failed", _advice(error, _OTHERWISE.get((check.name, self._where.scheme)))
            self.status = self.status or _STATUSES.get(check.name) or status_of(error)
        else:
            check.result = "ok"

    async def _know(self) -> str:
        await anyio.lowlevel.checkpoint()
        self.clients.append(self.access.client(Elarian, takes_notifications=False))
        kind = "a key" if "api_key" in self.access.credential() else "a token"
        return f"{self.access.app_id} of {self.access.org_id}, with {kind}"

    async def _look_up(self) -> str:
        with self._bounded(f"nobody knows the name {self._where.host}"):
            found = await anyio.getaddrinfo(self._where.host, self._where.port)
        return f"{self._where.host} is at {', '.join(dict.fromkeys(str(address[0]) for *_, address in found))}"

    async def _connect(self) -> str:
        with self._bounded("nobody answers; a firewall may be in the way"):
            await (await connect(self._where.host, self._where.port)).aclose()
        return f"{shown(self._where.host)}:{self._where.port} answers"

    async def _encrypt(self) -> str:
        with self._bounded("the handshake does not end; perhaps that port speaks no TLS"):
            trust = self.access.trust()
            stream = await connect(self._where.host, self._where.port, tls=True, ssl_context=trust)
            version = stream.extra(TLSAttribute.tls_version)
            await stream.aclose()
        return f"{version}, and the certificate is good"

    async def _upgrade(self) -> str:
        with self._bounded("the handshake does not end; perhaps that port speaks no WebSocket"):
            await (await self._where.open(self.access.trust())).aclose()
        return "the server speaks WebSocket"

    async def _enter(self) -> str:
        await self.stack.enter_async_context(self.clients[0])
        return "the server let the app in"

    async def _ping(self) -> str:
        with self._bounded("the server let the app in, and then fell silent"):
            seconds = await self.clients[0].ping()
        return f"a keepalive came back after {seconds * 1000:.1f} ms"

    async def _command(self) -> str:
        token = await self.clients[0].generate_auth_token()
        return f"the server made a token for {token.lifetime.total_seconds():g} s, thrown away"

    @contextmanager
    def _bounded(self, words: str) -> Generator[None]:
        with anyio.move_on_after(self.access.timeout) as scope:
            yield
        if scope.cancelled_caught:
            msg = f"{words} (waited {self.access.timeout:g} s)"
            raise ConnectionFailed(msg)


_STATUSES = {
    "credentials": USAGE,
    "name": NO_CONNECTION,
    "tcp": NO_CONNECTION,
    "tls": NO_CONNECTION,
    "websocket": NO_CONNECTION,
}
"""What the failure of a check means for the exit status, where not the error says it."""

_NO_TLS = "speaks no TLS, and is meant for tcp:// or ws://"
_OTHERWISE = {
    ("tls", "tls"): _NO_TLS,
    ("tls", "wss"): _NO_TLS,
    ("websocket", "ws"): "speaks TLS, and is meant for wss:// or tls://",
    ("websocket", "wss"): "speaks no WebSocket, and is meant for tls://",
    ("setup", "tcp"): "speaks TLS or WebSocket, and is meant for tls://, ws:// or wss://",
    ("setup", "tls"): "speaks WebSocket, and is meant for wss://",
}
"""What a port may be that hangs up on a check, by the check and the endpoint's scheme."""

_HUNG_UP = (anyio.EndOfStream, anyio.BrokenResourceError, EOFError, ConnectionResetError, ssl.SSLError)

_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}


def _report(terminal: Terminal, check: Check, *, as_json: bool) -> None:
    if as_json:
        terminal.say_json({"check": check.name, "result": check.result, "detail": check.words})
    else:
        result = (f"{check.result:<9}", _STYLES[check.result])
        terminal.show(Text.assemble(f"{check.name:<13}", result, visible(check.words)))


def _advice(error: Exception, otherwise: str | None) -> str:
    """Say what is wrong, and what may help; *otherwise* is what the port may be, where whoever is there hung up."""
    words, cause = words_for(error), error.__cause__
    if isinstance(error, socket.gaierror):
        return f"no such name: {words}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"{words}; a private authority is named by --ca-file or ELARIAN_CA_FILE"
    if otherwise is not None and _is_misunderstanding(error):
        return f"{words}; perhaps that port {otherwise}"
    return words


def _is_misunderstanding(error: BaseException | None) -> bool:
    """Say whether the peer hung up, or its words are none of TLS; an alert is, and refuses something else."""
    if error is None or (isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")):
        return False
    return isinstance(error, _HUNG_UP) or _is_misunderstanding(error.__cause__)
