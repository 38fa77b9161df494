"""Entitlement updates: the newest state of a customer's entitlements, over a WebSocket that is opened again and again.

The client stands above, and says how a socket is opened and how the state is read.

What the socket brings are whole states, in order, but nothing says how they stand to a state that was read beside it.
So each connection is first settled: open the socket; read the state; ping; and take in what the socket brings until the
pong. By then it has brought every state older than the one that was read. If it brought any, its last one is as new as
the one that was read, or newer, and is delivered; if it brought none, the one that was read is. From there on what the
socket brings is newer than all that was delivered.
"""

from __future__ import annotations

import json
import logging
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias, cast

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream

from elarian_trio._transport.texts import Message
from elarian_trio.client.outcome import Outcome
from elarian_trio.errors import CommandTimedOut, ConnectionFailed, ConnectionLost, PlanshipError, RemoteProtocolError
from elarian_trio.planship.models import Entitlements

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from elarian_trio._transport.texts import Listening
    from elarian_trio.options import Reconnects
    from elarian_trio.planship.tokens import Token

    FetchToken: TypeAlias = Callable[[], Awaitable[Token]]
    Open: TypeAlias = Callable[[Token], AbstractAsyncContextManager[Listening]]
    ReadState: TypeAlias = Callable[[], Awaitable[Entitlements]]

__all__ = ["EntitlementUpdates", "Feed", "json_of"]

logger: logging.Logger = logging.getLogger("elarian_trio.planship")

POLICY_VIOLATION = 1008  # the code with which a service closes whose token has expired
_REFUSALS = frozenset({401, 403})  # of a token: another one may do
_PASSING = frozenset({408, 425, 429})  # of a client's errors, those that time may heal
_LOSSES = (ConnectionFailed, ConnectionLost, CommandTimedOut, RemoteProtocolError)
_MARK = b"settle"  # what the ping says that ends the settling of a connection


class EntitlementUpdates(ObjectReceiveStream[Entitlements]):
    """The newest state of a customer's entitlements, each time it changes. Made by the client.

    Only the newest state is kept: a reader that is slow misses those between, and never sees an older one after a newer
    one. Several tasks may read; a state goes to one. An item is a dict of the reader's own.
    """

    def __init__(self) -> None:
        self._state: str | None = None  # what was delivered last, as JSON, whether it was read yet or not
        self._is_unread = False
        self._changed = anyio.Event()
        self._failure: Exception | None = None

    def __repr__(self) -> str:
        """Say whether a state waits to be read, and whether more may come; states are the customer's own affair."""
        news = "a state unread" if self._is_unread else "all read"
        return f"<EntitlementUpdates, {news}, {'open' if self._failure is None else 'closed'}>"

    async def receive(self) -> Entitlements:
        """Wait for a state newer than those that were read.

        Raises:
            PlanshipError: the service wants no more of these updates; see the client.
            ConnectionClosed: the client's block was left.
            ClosedResourceError: this stream's block was left.
            Exception: what the client's ``get_access_token`` raised.

        Cancellation:
            Always a checkpoint. No state is lost.
        """
        await anyio.lowlevel.checkpoint()
        while not self._is_unread:
            if self._failure is not None:
                raise self._failure
            await self._changed.wait()
        self._is_unread = False
        return cast("Entitlements", json.loads(cast("str", self._state)))

    async def aclose(self) -> None:
        """Have every reader leave, and take no state any more; the block does that by itself."""
        self.fail(anyio.ClosedResourceError())
        await anyio.lowlevel.checkpoint()

    def put(self, state: str) -> None:
        """Deliver a state, in place of one that was not read yet; where readers are to leave, it comes too late."""
        if self._failure is None:
            self._state, self._is_unread = state, True
            self._wake()

    def put_if_new(self, state: str) -> None:
        """Deliver a state unless it is the one that was delivered last."""
        if state != self._state:
            self.put(state)

    def assume(self, state: str) -> None:
        """Take a state as delivered: its reader has it from elsewhere."""
        self._state = state

    def fail(self, error: Exception) -> None:
        """Have every reader raise *error*, once what is there was read. The first one counts."""
        if self._failure is None:
            self._failure = error
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(slots=True)
class _Row:
    """What has gone wrong in a row.

    Attributes:
        attempts: that came to nothing, or to little.
        refusals: of tokens that were fetched for the purpose.
    """

    attempts: int = 0
    refusals: int = 0


class Feed:
    """Keeps one stream of updates supplied, as long as its block lasts.

    Args:
        fetch_token: gives a fresh token.
        open_socket: opens the WebSocket by a token, and closes it with its block.
        read_state: reads the state.
        reconnects: when to connect again.

    Attributes:
        updates: the stream.
    """

    def __init__(
        self, *, fetch_token: FetchToken, open_socket: Open, read_state: ReadState, reconnects: Reconnects
    ) -> None:
        self.updates: EntitlementUpdates = EntitlementUpdates()
        self._fetch_token = fetch_token
        self._open_socket = open_socket
        self._read_state = read_state
        self._reconnects = reconnects
        self._scope = anyio.CancelScope()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[EntitlementUpdates]:
        """Supply the stream while the block lasts; what leaves the block comes out as it is, in no group."""
        outcome = Outcome()
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    tasks.start_soon(self._supply, name="elarian_trio entitlement updates")
                    yield self.updates
                except BaseException as error:
                    outcome.keep(error)
                    if isinstance(error, anyio.get_cancelled_exc_class()):
                        raise
                finally:
                    self.updates.fail(anyio.ClosedResourceError())
                    tasks.cancel_scope.cancel()
        except BaseException as error:
            outcome.escaped = error
        await outcome.settle(None)

    def stop(self, error: Exception) -> None:
        """End the supply; readers raise *error*."""
        self.updates.fail(error)
        self._scope.cancel()

    async def _supply(self) -> None:
        await anyio.lowlevel.checkpoint()
        try:
            with self._scope:
                await self._connect_again_and_again()
        except Exception as error:
            self.updates.fail(error)

    async def _connect_again_and_again(self) -> NoReturn:
        row = _Row()
        while True:
            error = await self._connect_once(row)
            row.attempts += 1
            delay = random.uniform(0, self._reconnects.delay(row.attempts))
            logger.warning("entitlement updates: %s; connecting again in %.1f s", _in_words(error), delay)
            await anyio.sleep(delay)

    async def _connect_once(self, row: _Row) -> Exception:
        """Connect, deliver while the connection lasts, and give why it does not any more.

        Raises:
            PlanshipError: connecting again would be of no use.
            Exception: what the user's function for tokens raised.
        """
        await anyio.lowlevel.checkpoint()
        token = None
        began = anyio.current_time()
        try:
            token = await self._fetch_token()
            async with self._open_socket(token) as socket:
                began = anyio.current_time()
                await self._deliver(socket)
        except (*_LOSSES, PlanshipError) as error:
            if anyio.current_time() - began >= self._reconnects.steady_after:
                row.attempts = row.refusals = 0
            is_refusal = token is not None and _status_of(error) in _REFUSALS
            row.refusals = row.refusals + 1 if is_refusal else 0
            if row.refusals >= self._reconnects.refusals or not (is_refusal or _may_pass(error)):
                raise
            return error

    async def _deliver(self, socket: Listening) -> NoReturn:
        """Deliver the state as it is now, and then what the socket brings until it ends.

        Raises:
            ConnectionLost: it has ended.
            PlanshipError: because the token has expired.
        """
        try:
            answers = await self._settle(socket, json_of(await self._read_in_time()))
            await self._listen(socket, answers=answers)
        except anyio.BrokenResourceError as error:
            msg = "the connection broke"
            raise ConnectionLost(msg, sent=True) from error
        except anyio.EndOfStream as error:
            code = socket.close_code
            msg = "the service " + ("just left" if code is None else f"closed the WebSocket with code {code}")
            if code == POLICY_VIOLATION:
                raise PlanshipError(msg, status=401) from error
            raise ConnectionLost(msg, sent=True) from error

    async def _read_in_time(self) -> Entitlements:
        """Read the state while nobody reads the socket, so not for long."""
        with anyio.move_on_after(self._reconnects.connect_timeout):
            return await self._read_state()
        msg = f"the entitlements could not be read within {self._reconnects.connect_timeout:g} s"
        raise ConnectionLost(msg, sent=True)

    async def _settle(self, socket: Listening, state: str) -> bool:
        """Deliver the state that was read, or what the socket brings until the pong; say whether there was one.

        What a socket brings that is lost at this point is newer, too, than what was delivered before.
        """
        try:
            with anyio.move_on_after(self._reconnects.connect_timeout):
                await socket.ping(_MARK)
                while isinstance(heard := await socket.receive(), Message):
                    state = _state_in(heard) or state
                return True
        finally:
            self.updates.put_if_new(state)
        return False  # a service that answers no pings is put up with

    async def _listen(self, socket: Listening, *, answers: bool) -> NoReturn:
        """Deliver what the socket brings; one that is silent is asked, and dropped if it has ever *answered* before."""
        is_asked = False
        while True:
            with anyio.move_on_after(self._reconnects.ping_after) as hearing:
                heard = await socket.receive()
                state = _state_in(heard) if isinstance(heard, Message) else None
                if state is not None:
                    self.updates.put(state)
            if hearing.cancelled_caught:
                await self._ask(socket, is_last=is_asked and answers)
            is_asked = hearing.cancelled_caught

    async def _ask(self, socket: Listening, *, is_last: bool) -> None:
        """Ask whether the service is there, unless it was asked before."""
        await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(0.0 if is_last else self._reconnects.ping_after):
            await socket.ping(b"")
            return
        msg = "the service is silent and answers no ping"
        raise ConnectionLost(msg, sent=True)


def _state_in(message: Message) -> str | None:
    """Give the state that a message holds, as JSON of one kind; one that holds none is skipped."""
    try:
        state = json.loads(message.data) if message.is_text else None
        if isinstance(state, dict):
            return json_of(cast("Entitlements", state))
    except (ValueError, RecursionError):
        pass
    logger.warning("entitlement updates: skipped a message that is no JSON object")
    return None


def _in_words(error: Exception) -> str:
    """Say what went wrong in words of our own: the service's may name customers."""
    if isinstance(error, PlanshipError):
        return f"refused with status {error.status}"
    return "the answer is not HTTP" if isinstance(error, RemoteProtocolError) else str(error)


def _status_of(error: Exception) -> int:
    return error.status if isinstance(error, PlanshipError) else 0


def _may_pass(error: Exception) -> bool:
    """Whether time may heal an error: all but those that say that the request is at fault."""
    status = _status_of(error)
    return status in _PASSING or not 400 <= status < 500


def json_of(entitlements: Entitlements) -> str:
    """Give a state as JSON, in which two states are the same that mean the same."""
    return json.dumps(entitlements, sort_keys=True)
