"""What the stand-ins for HTTP services share: a server on loopback whose every request is a unit of work.

:mod:`.planship` and :mod:`.talonone` stand above: they say what can be asked, by which rule, and what becomes of it.
Below are anycorn (in :mod:`.web_connections`), which speaks HTTP and WebSocket on connections that the package's own
listener takes in, starlette, which finds the operation for a path, and the store: an answer leaves once what the rule
changed is kept.

Of anycorn only its server of one connection is used. Its ``serve`` cannot be cancelled (the lifespan task of starlette
fails over it), nor does it tell which connection a request came on, so that none could be dropped.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio import AsyncContextManagerMixin

from elarian_trio._transport.sockets import listen, shown
from elarian_trio.client.outcome import Outcome
from elarian_trio.errors import StoreError
from elarian_trio.sandbox.arguments import check_memory
from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.clock import NAMES, Clock, mock_clock, open_clock
from elarian_trio.sandbox.exchange import NO_REQUEST, Call, Exchange, Log, WebReply, WebRequest
from elarian_trio.sandbox.ground import open_ground
from elarian_trio.sandbox.ports import parse_address
from elarian_trio.sandbox.store import Unit
from elarian_trio.sandbox.web_connections import (
    Connections,
    Dropped,
    Heard,
    Routes,
    head_of,
    read_body,
    response_of,
    server_of,
    websocket_of,
)
from elarian_trio.sandbox.web_faults import WebFaults

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
    from typing import Self

    from anyio.abc import ByteStream, TaskGroup
    from starlette.types import Receive, Scope, Send

    from elarian_trio.sandbox.clock import ClockName
    from elarian_trio.sandbox.credentials import Credentials
    from elarian_trio.sandbox.exchange import Operation, Rule
    from elarian_trio.sandbox.ground import Ground
    from elarian_trio.sandbox.web_faults import WebFault

__all__ = ["WebServer"]

SETTLE_ROUNDS = 100  # turns of the loop: sending to whoever reads takes a few
SWITCHING_PROTOCOLS = 101  # what no fault answers
GOODBYE = 1.0  # seconds, the loop's, that WebSockets have for their closing words when the block is left in order

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class WebServer(AsyncContextManagerMixin):
    """The base of the stand-ins: an HTTP server in a block, alone or as part of a sandbox.

    Args:
        name: what it is called in errors: the sandbox's argument.
        address: where to listen, as ``"127.0.0.1:0"``; port 0 takes one that is free.
        is_guarded: whether those who come in need credentials of the user's choice.
        needs: which these are, for the error that asks for them.
        clock: "auto" and "real" are real time; "manual"; or a :class:`.Clock`.
        seed: of ids, and of what goes wrong.
        data: the file that keeps everything, where it stands alone; in memory if left out.

    Attributes:
        faults: what goes wrong on purpose.
    """

    _base_url: str | None = None

    def __init__(
        self,
        name: str,
        address: str,
        *,
        is_guarded: bool,
        needs: str = "credentials of your own",
        clock: ClockName | Clock = "auto",
        seed: int | str | None = None,
        data: str | os.PathLike[str] | None = None,
    ) -> None:
        check_memory(data, seed)
        self.faults: WebFaults = WebFaults(seed)
        self._name = name
        self._address = parse_address(name, address, is_guarded=is_guarded, needs=needs)
        if not isinstance(clock, Clock) and clock not in NAMES:
            msg = f"clock must be one of {', '.join(map(repr, NAMES))} or a Clock, got {clock!r}"
            raise ValueError(msg)
        self._clock: ClockName | Clock = clock
        self._seed = seed
        self._data = data
        self._log = Log()
        self._ground: Ground | None = None
        self._connections = Connections()
        self._leaving = anyio.Event()
        self._hearing: set[Heard] = set()
        self._all_gone = anyio.Event()
        self._routes = Routes((), {})

    def __repr__(self) -> str:
        """Say where it listens; no credential."""
        return f"<{type(self).__name__} {f'at {self._base_url}' if self._base_url else 'not entered'}>"

    # What users read.

    @property
    def base_url(self) -> str:
        """Where it is, as ``http://127.0.0.1:40123``.

        Raises:
            RuntimeError: its block is not entered.
        """
        if self._base_url is None:
            msg = f"{self._name} has a URL while its block is entered"
            raise RuntimeError(msg)
        return self._base_url

    @property
    def clock(self) -> Clock:
        """Its clock, the sandbox's where it is part of one.

        Raises:
            RuntimeError: its block is not entered.
        """
        return self._standing.clock

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """The last requests and what they were answered with, in the order in which they came.

        There are 1,000 at most, and no more than bodies of 8 MiB together.
        """
        return self._log.exchanges

    def forget_requests(self) -> None:
        """Begin :attr:`requests` anew."""
        self._log.clear()

    @property
    def _standing(self) -> Ground:
        if self._ground is None:
            msg = f"{self._name} is running while its block is entered"
            raise RuntimeError(msg)
        return self._ground

    # What a stand-in says.

    @property
    @abstractmethod
    def credentials(self) -> Credentials:
        """What the service's client takes to come in; its repr hides what is secret.

        Raises:
            RuntimeError: its block is not entered.
        """

    @abstractmethod
    def _operations(self) -> Sequence[Operation]:
        """Say what can be asked."""

    def _sockets(self) -> Mapping[str, Callable[[Heard], Awaitable[None]]]:
        """Say where WebSockets are, and who serves one."""
        return {}

    @abstractmethod
    def _failure(self, status: int, words: str) -> WebReply:
        """Give the service's answer where no rule answers: 404, 405, 413, 500."""

    def _begin(self, ground: Ground) -> None:
        """Be told what it stands on, before anybody is let in; it takes no longer than a write."""

    @property
    def _is_quiet(self) -> bool:
        """Whether everything is on its way that there is to tell."""
        return True

    def _kept(self, books: Books) -> None:
        """See to the effects of a unit of work that is kept. Synchronous; it must not raise."""

    # The block.

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Listen, hand the server to the block, and end everything when it is left.

        Raises:
            ValueError: virtual time runs, which does not go together with a network.
            OSError: the address to listen on cannot be had.
            StoreError: the file is in use, damaged, somebody else's or a later version's; it was left as it is.
        """
        clock = self._open_clock()
        ground = await anyio.to_thread.run_sync(open_ground, self._data, self._seed, clock)
        outcome = Outcome()
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    clock.settle_with(self.settle)
                    tasks.start_soon(clock.run)
                    if self._data is not None:
                        tasks.start_soon(ground.store.run, _nothing)
                    await self.open(tasks, ground)
                    yield self
                    await self.say_goodbye()
                except BaseException as error:
                    outcome.keep(error)
                    if isinstance(error, anyio.get_cancelled_exc_class()):
                        raise
                finally:
                    self.close()
                    tasks.cancel_scope.cancel()
        except BaseException as error:
            outcome.escaped = error
        clock.forget()
        try:
            ground.close()
        except StoreError as error:
            logger.error("what nobody had been told of was not kept: %s", error)
        await outcome.settle(None)

    def _open_clock(self) -> Clock:
        if isinstance(self._clock, Clock):
            return self._clock
        if self._clock == "virtual" or (self._clock == "auto" and mock_clock() is not None):
            msg = (
                f"virtual time needs the memory transport, and {self._name} is reached over a network; "
                "clock='manual' with clock.advance() works there"
            )
            raise ValueError(msg)
        return open_clock(self._clock)

    # For the sandbox.

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._base_url is not None

    def check_is_part(self) -> None:
        """See that nothing of its own contradicts the sandbox that it is to be part of.

        Raises:
            ValueError: it has a clock or a file of its own.
        """
        if self._clock != "auto" or self._data is not None:
            msg = f"{self._name} has the sandbox's clock and file: give it neither of its own"
            raise ValueError(msg)

    async def open(self, tasks: TaskGroup, ground: Ground) -> None:
        """Listen in *tasks*, on *ground*. A port that was free stays ours when this is called again.

        Raises:
            OSError: the address cannot be had.
            StoreError: the file cannot be read or written.
        """
        self._ground = ground
        self._leaving = anyio.Event()
        self._begin(ground)
        self._routes = Routes(self._operations(), self._sockets())
        serve = server_of(self._asgi)
        host, port = self._address
        addresses = await tasks.start(
            partial(listen, partial(self._serve, serve), host=host, port=port, ssl_context=None)
        )
        self._address = host, addresses[0][1]
        self._base_url = f"http://{shown(host)}:{addresses[0][1]}"

    async def settle(self) -> None:
        """Wait, within a bound, until everything is on its way that there is to tell."""
        await anyio.lowlevel.checkpoint()
        for _ in range(SETTLE_ROUNDS):
            if self._is_quiet:
                return
            await anyio.lowlevel.checkpoint()

    async def say_goodbye(self) -> None:
        """Have WebSockets say their closing words, within a bound."""
        self._leaving.set()
        with anyio.move_on_after(GOODBYE):
            await anyio.lowlevel.checkpoint()
            while self._hearing:
                await self._all_gone.wait()

    def close(self) -> None:
        """Close every connection. Whoever called :meth:`open` ends its tasks."""
        self._connections.drop_all()
        self._base_url = self._ground = None

    async def _serve(self, serve: Callable[[ByteStream], Awaitable[None]], stream: ByteStream) -> None:
        """Serve one connection; it is closed by whoever took it in."""
        try:
            address = self._connections.add(stream)
        except anyio.TypedAttributeLookupError:  # it was gone before it was taken in
            await anyio.lowlevel.checkpoint()
            return
        try:
            await serve(stream)
        finally:
            self._connections.remove(address)

    # Requests.

    async def _asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in what anycorn has read."""
        await anyio.lowlevel.checkpoint()
        request = head_of(scope)
        number = self._log.begin(Exchange(self._standing.clock.now(), request, None))
        try:
            if scope["type"] == "websocket":
                await self._hear(scope, receive, send, request, number)
            else:
                await self._http(scope, receive, send, request, number)
        except Dropped:
            self._connections.drop(scope["client"])

    async def _http(self, scope: Scope, receive: Receive, send: Send, request: WebRequest, number: int) -> None:
        body = await read_body(receive)
        if body is None:
            reply = self._failure(413, "Request Entity Too Large")
        else:
            request = replace(request, body=body)
            self._log.change(number, request=request)
            reply = await self._provoke(request, partial(self._answer, scope, request))
        self._note_status(number, reply.status)
        await response_of(reply)(scope, receive, send)

    async def _answer(self, scope: Scope, request: WebRequest) -> WebReply:
        """Answer as the path's rule says; a store that fails is a 500 that says why: nothing has changed."""
        rule, params, methods = self._routes.find(scope)
        await anyio.lowlevel.checkpoint()
        if rule is None:
            return self._unserved(methods)
        try:
            return await self._do(rule, replace(request, params=params))
        except StoreError as error:
            return self._failure(500, str(error))

    def _unserved(self, methods: tuple[str, ...]) -> WebReply:
        """Say that there is nothing, or by which other *methods* there is (RFC 9110 §15.5.6)."""
        if not methods:
            return self._failure(404, HTTPStatus.NOT_FOUND.phrase)
        reply = self._failure(405, HTTPStatus.METHOD_NOT_ALLOWED.phrase)
        return replace(reply, headers={**reply.headers, "allow": ", ".join(methods)})

    async def _do(self, rule: Rule, request: WebRequest = NO_REQUEST) -> WebReply:
        """Run *rule* as a unit of work, and give its answer once what it changed is kept.

        Raises:
            StoreError: what the rule needs cannot be read, or what it changed cannot be kept. Nothing has changed.
        """
        await anyio.lowlevel.checkpoint()
        ground = self._standing
        books = Books(ground.store)
        reply = rule(Call(request, books, ground.clock.now(), ground.dice))
        unit = Pending(partial(self._kept, books))
        ground.store.commit(books.changes, Unit(unit.keep, unit.lose))
        await unit.settled.wait()
        if unit.error is not None:
            raise unit.error
        return reply

    async def _hear(self, scope: Scope, receive: Receive, send: Send, request: WebRequest, number: int) -> None:
        """Serve a WebSocket, from its handshake on."""
        hear, params, methods = self._routes.find(scope)
        request = replace(request, params=params)
        note = partial(self._note_status, number)
        heard = Heard(websocket_of(scope, receive, send), request, self._leaving, note)
        self._hearing.add(heard)
        try:
            reply = await self._provoke(request, _welcome)
            if hear is None:
                await heard.refuse(self._unserved(methods))
            elif reply.status == SWITCHING_PROTOCOLS:
                await heard.serve(hear)
            else:
                await heard.refuse(reply)
        finally:
            self._hearing.discard(heard)
            if not self._hearing:
                self._all_gone.set()
                self._all_gone = anyio.Event()

    def _note_status(self, number: int, status: int) -> None:
        self._log.change(number, status=status)

    # What goes wrong on purpose.

    async def _provoke(self, request: WebRequest, act: Callable[[], Awaitable[WebReply]]) -> WebReply:
        """Do what is asked, and let the fault that bites come true before or after."""
        fault = self.faults.on_request(request)
        if fault is None:
            return await act()
        if fault.when == "after":
            reply = await act()
            return await self._suffer(fault) or reply
        return await self._suffer(fault) or await act()

    async def _suffer(self, fault: WebFault) -> WebReply | None:
        """Let *fault* come true; give what is answered instead, if anything is."""
        await anyio.lowlevel.checkpoint()
        if fault.kind == "drop":
            raise Dropped
        if fault.kind == "answer":
            return fault.reply
        await self._sleep(fault.seconds)
        return None

    async def _sleep(self, seconds: float) -> None:
        """Wait for so long by the sandbox's clock."""
        over = anyio.Event()
        timer = self._standing.clock.call_later(seconds, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()


class Pending:
    """A unit of work that is not kept yet."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.settled: anyio.Event = anyio.Event()
        self.error: StoreError | None = None
        self._then = then

    def keep(self) -> None:
        """See to its effects, also where nobody waits for the answer any more."""
        self._then()
        self.settled.set()

    def lose(self, error: StoreError) -> None:
        """Remember why it could not be kept."""
        self.error = error
        self.settled.set()


async def _welcome() -> WebReply:
    """Give the answer to a handshake with which nothing goes wrong; it is sent when that is accepted."""
    await anyio.lowlevel.checkpoint()
    return WebReply(status=SWITCHING_PROTOCOLS)


def _nothing() -> None:
    """Nobody waits for the store to have written but requests, which it tells itself."""
