"""The client: one connection, owned by an ``async with`` block.

``Elarian`` and ``Simulator`` stand above and say what their notifications and answers look like; the supervisor, below,
keeps the connection, the inbox takes what comes by it.

In the block's task group run one task that keeps the connection, one that keeps the time of notifications and commands
while any wait, and the user's handlers.
None of ours raises: a failure is recorded, the block's own scope is cancelled, and the failure comes out of the block.
"""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast, overload

import anyio
import anyio.lowlevel
from anyio import AsyncContextManagerMixin

from elarian_trio import _rsocket, _wire
from elarian_trio._arguments import is_finite, require, require_function, shown
from elarian_trio._inbox import Claim, Handlers, Inbox, Observation, Timer
from elarian_trio._rsocket import Setup
from elarian_trio._session import Flag, GivenUp, Handover, StreamFailed, Supervisor, WhenStarted
from elarian_trio.client.credentials import Identity, wrap
from elarian_trio.client.endpoint import DEFAULT, parse_endpoint
from elarian_trio.client.environment import read_environment
from elarian_trio.client.events import EventTable
from elarian_trio.client.outcome import Outcome
from elarian_trio.client.refusals import checked, refusal
from elarian_trio.client.states import ConnectionState, ConnectionStates, StateBoard, Statistics
from elarian_trio.errors import CommandTimedOut, ConnectionClosed, ElarianError, InternalError
from elarian_trio.models.commands import DeleteCustomerAppData, LeaseCustomerAppData, UpdateCustomerAppData
from elarian_trio.models.model import Model
from elarian_trio.options import ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import Self

    from anyio.abc import ByteStream, ObjectStream, TaskGroup

    from elarian_trio._inbox import Deadlines, Handler, Subscription
    from elarian_trio._inbox.inbox import Decode, Encode
    from elarian_trio._session import StateName
    from elarian_trio.client.credentials import TokenSource
    from elarian_trio.customer import Customer
    from elarian_trio.models.commands import Command
    from elarian_trio.models.notifications import AnyNotification

    Dial: TypeAlias = Callable[[], Awaitable[ObjectStream[bytes] | ByteStream]]

    N = TypeVar("N", bound=AnyNotification)
    # Only the notification is held against what a handler says that it takes: who knows that there is a customer says
    # so, and of the callback each says what it does with it.
    Result: TypeAlias = Awaitable[Any] | None
    HandlerOf: TypeAlias = Callable[[N, Any, Any, Any], Result]
    HandlerOrListener: TypeAlias = HandlerOf[Any] | Callable[[Any], Result] | Callable[[], Result]

__all__ = ["Client"]

R = TypeVar("R", bound=Model)

LEASE_TIMEOUT = 95.0  # seconds: a lease ends after 90, so whoever waits for one has it by then
LISTENER_TIMEOUT = 2.0  # seconds that listeners to the last state may take
DEFAULTS = ConnectionOptions()

_CHANGES_APP_DATA = frozenset[type]({UpdateCustomerAppData, DeleteCustomerAppData})


class Client(AsyncContextManagerMixin):
    """What both sockets share: connect, supervise, call, notifications, leave.

    It is entered once, with ``async with``; entering returns when the server has answered the setup, and leaving in
    order lets what is in hand be answered. Whatever ends the connection for good comes out of the block. It is used in
    the thread of its block: from another one, a RuntimeError says so.

    A connection that is cut is opened again, and where the server has kept the session (RSocket Resume), everything
    goes on where it was: commands in flight get their replies, deliveries in hand are answered, nothing is done twice.
    Where it has not, another session begins: commands in flight raise ConnectionLost, whose ``sent`` tells whether the
    server may have acted, but for those that only read, which are sent again; what was not sent yet goes out then;
    deliveries in hand are void, and the server delivers them again.

    Args:
        org_id: the organisation.
        app_id: the app.
        api_key: the app's key; or
        auth_token: a token, or an async function that gives one and is asked before each setup; resuming a session
            takes none.
        endpoint: where to connect: ``tcp://``, ``tls://``, ``ws://`` or ``wss://`` and host:port; the latter two need
            the extra ``websocket``.
        options: how to connect, wait and buffer.
        dial: replaces ``endpoint``: an async function that opens a transport, an anyio ``ObjectStream[bytes]`` of whole
            frames or a ``ByteStream``.

    Raises:
        ValueError: there is not exactly one credential, or the endpoint is not one.
        TypeError: an argument is of the wrong type.
        ModuleNotFoundError: the endpoint needs the extra.
    """

    _simulator: ClassVar[bool] = False
    _kinds: ClassVar[Sequence[type[AnyNotification]]] = ()
    _block: anyio.CancelScope  # the user's part of the block; made on entering, since it needs a running loop
    _thread: int  # whose loop it is of
    _service: anyio.CancelScope | None = None  # around our own tasks, once they run

    def __init__(
        self,
        *,
        org_id: str,
        app_id: str,
        api_key: str | None = None,
        auth_token: TokenSource | None = None,
        endpoint: str = DEFAULT,
        options: ConnectionOptions = DEFAULTS,
        dial: Dial | None = None,
    ) -> None:
        key, token = wrap(api_key), wrap(auth_token)
        del api_key, auth_token  # before anything can fail: a traceback may print its frames' variables
        _wire.load()
        _rsocket.load()
        self._identity = Identity(org_id, app_id, key, token)
        require("options", ConnectionOptions, options)
        require_function("dial", dial, optional=True)
        require("endpoint", str, endpoint)
        self._endpoint = endpoint if dial is None else ""
        self._options = options
        self._dial: Dial = dial or partial(parse_endpoint(endpoint).open, options.ssl_context)
        self._entered = self._left = False
        self._failure: Exception | None = None
        self._commands = self._commands_failed = 0
        usual = math.inf if options.command_timeout is None else options.command_timeout
        self._timer = Timer()
        self._deadlines = self._timer.deadlines(usual, Handover.give_up)
        self._deadlines_of: Mapping[type, Deadlines[Handover]] = {
            LeaseCustomerAppData: self._timer.deadlines(LEASE_TIMEOUT, Handover.give_up)
        }
        self._supervisor: Supervisor | None = None
        self._inbox = Inbox(
            kinds=self._kinds,
            decode=self._decode,
            encode=self._encode,
            customer_of=self._customer_of,
            options=options,
            timer=self._timer,
        )
        self._handlers = Handlers(self._inbox)
        self._events = EventTable(self._kinds, self._handlers)
        self._connected = Flag()
        self._service_ended = Flag()
        self._board = StateBoard()

    @classmethod
    def from_env(cls, *, options: ConnectionOptions = DEFAULTS, dial: Dial | None = None) -> Self:
        """Make a client of what the environment says. No I/O but reading ``ELARIAN_CA_FILE``.

        Reads ``ELARIAN_ORG_ID``, ``ELARIAN_APP_ID``, one of ``ELARIAN_API_KEY`` and ``ELARIAN_AUTH_TOKEN``,
        ``ELARIAN_ENDPOINT`` if set, and ``ELARIAN_CA_FILE`` for a private authority; a variable that is set to nothing
        counts as not set.

        Raises:
            ValueError: a variable is missing, or holds what it cannot hold; the words name it.
            OSError: the file of the authority cannot be read.
            ModuleNotFoundError: the endpoint needs the extra ``websocket``.
        """
        return cls(**read_environment(options, is_dialed=dial is not None), dial=dial)

    def __repr__(self) -> str:
        """Say who, where and in what state; no credential. Tracebacks ask even when making it failed half-way."""
        if not hasattr(self, "_board"):
            return f"<{type(self).__name__}, not made>"
        where = f"at {self._endpoint}" if self._endpoint else "by dial"
        who = f"org_id={self._identity.org_id!r} app_id={self._identity.app_id!r}"
        return f"<{type(self).__name__} {who} {where}, {self._board.present}>"

    # What a kind of socket says about itself.

    @property
    def _decode(self) -> Decode:
        """What reads a notification and the app data beside it."""
        raise NotImplementedError

    @property
    def _encode(self) -> Encode:
        """What writes the answer to a notification."""
        raise NotImplementedError

    def _customer_of(self, notification: AnyNotification) -> Customer | None:
        """Make the customer a notification is about, if it is about one."""
        raise NotImplementedError

    # The block.

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Connect, hand the client to the block, and leave as the block does; see the class.

        Raises:
            SetupRejected: the server refused the setup.
            ConnectionFailed: no connection came about within ``give_up_after``.
            RemoteProtocolError: the server broke the protocol, at first or three times within a minute.
            ConnectionClosed: ``disconnect()`` was called before the server had answered.
            RuntimeError: it was entered before.
            Exception: what ``auth_token`` or ``dial`` raised, but for failures to reach somebody; later those are such.
        """
        if self._entered:
            msg = f"this {type(self).__name__} was entered before; make another"
            raise RuntimeError(msg)
        self._entered = True
        self._thread = self._inbox.loop.thread
        self._block = anyio.CancelScope()
        outcome = Outcome()
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    with self._block:
                        await self._begin(tasks)
                        yield self
                        await self._leave_in_order()
                    with anyio.move_on_after(LISTENER_TIMEOUT):
                        await self._handlers.wait_told()
                except BaseException as error:
                    outcome.keep(error)
                    if isinstance(error, anyio.get_cancelled_exc_class()):
                        raise
                finally:
                    self._end(tasks)
        except BaseException as error:
            outcome.escaped = error
        await outcome.settle(self._failure)

    async def _begin(self, tasks: TaskGroup) -> None:
        """Connect; a failure to do so cancels this very call."""
        self._handlers.run_in(tasks)
        self._supervisor = Supervisor(
            dial=self._dial,
            setup=self._setup,
            options=self._options,
            handler=self._inbox.handle,
            on_state=self._show,
            redact=self._identity.redact,
        )
        tasks.start_soon(self._serve, self._supervisor, name=f"elarian_trio {type(self).__name__}")
        await self._connected.wait()

    async def _setup(self) -> Setup:
        """Make the SETUP, but for its resume token; for the supervisor, before each session."""
        credentials = await self._identity.credentials(
            simplex_mode=not self._options.receive_notifications, simulator_mode=self._simulator
        )
        return Setup(
            _wire.encode_setup(credentials),
            _wire.agent_metadata(),
            keepalive_interval=self._options.keepalive_interval,
            keepalive_lifetime=self._options.keepalive_lifetime,
        )

    async def _leave_in_order(self) -> None:
        deadline = anyio.current_time() + self._options.drain_timeout
        await self.disconnect()
        with anyio.CancelScope(deadline=deadline):
            await self._handlers.wait_idle()

    def _end(self, tasks: TaskGroup) -> None:
        """Nothing of the block goes on: whoever still waits is woken, every task is cancelled."""
        self._left = True
        self._inbox.abandon()
        if self._service is not None:
            self._service.shield = False
        tasks.cancel_scope.cancel()  # first: who waits in there is cancelled, and hears of no lost connection
        if self._supervisor is not None:
            self._supervisor.close()  # a return to the server that is cancelled keeps the session, for another

    async def _serve(self, supervisor: Supervisor) -> None:
        """Keep the connection, and the time of notifications and commands, until the one ends or the block does."""
        try:
            async with anyio.create_task_group() as service:
                self._service = service.cancel_scope
                # Cancellation reaches the block first: its cleanup can still send, and a return to the server ends in a
                # goodbye. So it is from the beginning: the block waits for the connection, and is cancelled there.
                self._service.shield = not self._left
                await self._supervise(supervisor, service)
                service.cancel_scope.cancel()
        finally:
            self._service_ended.set()

    async def _supervise(self, supervisor: Supervisor, service: TaskGroup) -> None:
        self._timer.run_in(service)
        try:
            await supervisor.run(task_status=WhenStarted(self._connected.set))
        except Exception as error:
            self._fail(error)
        finally:
            self._timer.run_in(None)
        await anyio.lowlevel.checkpoint()

    def _fail(self, error: Exception) -> None:
        """Record why the block ends, and end it."""
        if self._connected.is_set() and not isinstance(error, ElarianError):
            self._failure = InternalError("a defect ended the connection; please report it")
            self._failure.__cause__ = error
        else:
            self._failure = error
        self._block.cancel()

    async def disconnect(self) -> None:
        """Leave in order, ahead of the block's end: nothing new is sent or taken, what is in hand may be finished.

        New commands raise ConnectionClosed and notifications are answered REJECTED at once; loops over subscriptions
        end. Waits until deliveries in hand are answered and commands under way have ended, ``drain_timeout`` at most,
        but for what the calling task itself has in hand: that gets the default answer. Then the connection is closed.
        Called again, or outside the block, it only waits for that end. Raises nothing by itself.

        Where the work on deliveries in hand still sends commands, close their subscription (``await inbox.aclose()``)
        and wait for the tasks that read it, before this or the block's end.

        Cancellation:
            Always a checkpoint. The connection is closed all the same, without more waiting.
        """
        self._require_thread()
        supervisor = self._supervisor
        if supervisor is None:
            await anyio.lowlevel.checkpoint()
            return
        if self._left:
            self._inbox.answer_own()
            await self._service_ended.wait()
            return
        self._left = True
        self._inbox.close()
        try:
            with anyio.move_on_after(self._options.drain_timeout):
                self._inbox.answer_own()  # first: others may need all the time there is
                await self._inbox.wait_answered()
                await supervisor.drain()
        finally:
            supervisor.close()
        await self._service_ended.wait()

    async def reconnect_now(self) -> None:
        """Skip the present pause between two attempts to connect; without one, do nothing.

        Raises:
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint, no wait.
        """
        await self._require_open().reconnect_now()

    async def ping(self) -> float:
        """Have a KEEPALIVE answered; give the round trip's seconds.

        Waits for the answer, and first for the connection while it is being re-established.

        Raises:
            ConnectionLost: the connection ended for good.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. The answer is dropped when it comes.
        """
        try:
            return await self._require_open().ping()
        except ElarianError:
            if self._failure is not None:  # as with commands: it comes out of the block, once
                await anyio.lowlevel.checkpoint_if_cancelled()
            raise

    # Notifications.

    @overload
    def on(self, event: type[N], handler: HandlerOf[N]) -> Self: ...
    @overload
    def on(self, event: str, handler: HandlerOrListener) -> Self: ...
    def on(self, event: str | type[AnyNotification], handler: Handler) -> Self:
        """Have *handler* called for each *event*, in place of an earlier handler.

        Handlers run in the client's task group, 64 at most at once; 64 more notifications wait, and then they are
        answered REJECTED. One that raises is logged, with where but, above DEBUG, without the error's words, and its
        notification answered APPLICATION_ERROR; one that ends without having answered gets the default answer. What is
        no ``Exception``, as ``pytest.fail()`` raises it, ends the block and comes out of it.

        Args:
            event: a name of the specification's (``"ussdSession"``, also ``"ussd_session"``), the notification's class,
                or an event of the connection: ``"error"`` (called with the exception), ``"closed"``, ``"pending"``,
                ``"connecting"``, ``"connected"`` (called with nothing).
            handler: ``async def handler(notification, customer, app_data, callback)``. *customer* is ``None`` where
                there is none. ``callback(message=None, app_data=...)`` answers at once, and can be awaited or not.
                A thread that the handler has work done in calls it by ``anyio.from_thread.run_sync()``.

        Returns:
            The client itself.

        Raises:
            ValueError: the event is not known, or a subscription takes it.
            TypeError: the handler is no function, or cannot be called so.
        """
        self._require_thread()
        self._events.on(event, handler)
        return self

    def off(self, event: str | type[AnyNotification]) -> Self:
        """Have nothing called for *event* any more; what waited for its handler is answered REJECTED.

        Returns:
            The client itself.

        Raises:
            ValueError: the event is not known.
        """
        self._require_thread()
        self._events.off(event)
        return self

    def _subscribe(
        self, types: Iterable[type[AnyNotification]], max_buffer_size: int, *, observe: bool
    ) -> Subscription[Any]:
        """Make a subscription; it is opened by its own block."""
        self._require_thread()
        require("max_buffer_size", (int, float), max_buffer_size, wanted="a whole number")
        if not (is_finite(max_buffer_size) and float(max_buffer_size).is_integer() and max_buffer_size >= 1):
            msg = f"max_buffer_size must be a whole number from 1 on, got {shown(max_buffer_size)}"
            raise ValueError(msg)
        kinds = self._inbox.kinds_of(types)
        if observe:
            return Observation(self._inbox, kinds, max_buffer_size)
        self._inbox.require_free(kinds)
        return Claim(self._inbox, kinds, max_buffer_size)

    # State.

    @property
    def connection_state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._board.present

    def connection_states(self) -> ConnectionStates:
        """Give a stream of states: ``async with client.connection_states() as states:``, then ``async for``.

        The present state comes first, then each change; the loop ends after a final state. A listener that is more than
        1,024 changes behind gets ``anyio.BrokenResourceError``.
        """
        self._require_thread()
        return ConnectionStates(self._board)

    def statistics(self) -> Statistics:
        """Give what was counted so far."""
        inbox, supervisor = self._inbox, self._supervisor
        counted = Statistics(
            commands=self._commands,
            commands_failed=self._commands_failed,
            notifications=inbox.notifications,
            unclaimed=inbox.unclaimed,
            rejected=inbox.rejected,
            answers_late=inbox.answers_late,
            observed_dropped=inbox.observed_dropped,
        )
        if supervisor is None:
            return counted
        return replace(
            counted,
            reconnects=supervisor.reconnects,
            resumptions=supervisor.resumptions,
            sessions_lost=supervisor.sessions_lost,
            frames_ignored=supervisor.frames_ignored,
            bytes_sent=supervisor.bytes_sent,
            bytes_received=supervisor.bytes_received,
        )

    def _show(self, name: StateName, error: BaseException | None) -> None:
        """For the supervisor: the state changed."""
        if self._board.show(ConnectionState(name)):
            self._events.tell(name, *([error] if name == "error" else []))

    # Commands.

    def _call(self, command: Command[R]) -> Awaitable[R]:
        """Have *command* carried out; see :class:`~elarian_trio.customer.Call`."""
        if type(command) in _CHANGES_APP_DATA:
            return self._change_app_data(command)
        return self._ask(command, Handover())

    async def _change_app_data(self, command: Command[R]) -> R:
        """Have unanswered notifications of the customer know that their app data is being changed."""
        customer, handover = cast("UpdateCustomerAppData | DeleteCustomerAppData", command).customer, Handover()
        with self._inbox.watch.changing(customer, handover) as concerns:
            return await self._ask(command, handover, concerns)

    async def _ask(
        self, command: Command[R], handover: Handover, concerns: Callable[[object], None] | None = None
    ) -> R:
        """Send *command* and give the reply; *concerns* is told the customer that it names, even where it says no."""
        self._commands += 1
        deadlines = self._deadlines_of.get(type(command), self._deadlines)
        try:
            data = _wire.encode_command(command)
            supervisor = self._require_open()
            loop = self._inbox.loop
            await loop.checkpoint_if_cancelled()  # who was cancelled before they asked has nothing sent
            handover.deadline = deadlines.add(handover, loop.current_time())
            answer = await supervisor.request(data, retry=command.is_read, handover=handover)
            reply = _wire.decode_reply(command, answer)
            if concerns is not None:
                concerns(getattr(reply, "customer_id", None))
            return checked(command, reply)
        except BaseException as error:
            self._commands_failed += 1
            if self._failure is not None:  # it comes out of the block, once: whoever is inside is being cancelled
                await anyio.lowlevel.checkpoint_if_cancelled()
            if isinstance(error, StreamFailed):
                raise refusal(command, error) from error
            if isinstance(error, GivenUp):
                msg = f"no answer to {type(command).__name__} came within {deadlines.limit:g} s"
                raise CommandTimedOut(msg, sent=handover.sent) from None
            raise
        finally:
            deadlines.discard(handover)

    def _require_open(self) -> Supervisor:
        if self._supervisor is None or self._left:
            state = "left, or disconnect() was called" if self._left else "not entered yet"
            msg = f"the block of this {type(self).__name__} was {state}"
            raise ConnectionClosed(msg)
        self._require_thread()
        return self._supervisor

    def _require_thread(self) -> None:
        """See that this is the thread of the block, if that is entered: what is woken from others stands still."""
        if self._supervisor is not None and not self._left and get_ident() != self._thread:
            msg = f"this {type(self).__name__} is used in the thread of its block; anyio.from_thread.run() leads there"
            raise RuntimeError(msg)
