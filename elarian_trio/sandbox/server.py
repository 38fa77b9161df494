"""The sandbox: a server in a block, reached within the process or over a network.

Users stand above. It opens the ways in and hands each connection to a :class:`~.connections.Client`; the
:class:`~.engine.Engine` behind says what commands mean.
"""

from __future__ import annotations

import logging
import os
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio import AsyncContextManagerMixin

from elarian_trio._arguments import is_finite, require, require_choice, shown
from elarian_trio._session import Reception
from elarian_trio._transport import open_memory_pair
from elarian_trio.client.outcome import Outcome
from elarian_trio.errors import ConnectionFailed, StoreError
from elarian_trio.sandbox.arguments import check_folder, check_memory
from elarian_trio.sandbox.clock import NAMES, Clock, mock_clock, open_clock, reopen_clock
from elarian_trio.sandbox.connections import Client
from elarian_trio.sandbox.credentials import Credentials
from elarian_trio.sandbox.engine import Engine
from elarian_trio.sandbox.faults import Faults
from elarian_trio.sandbox.organisation import Organisations
from elarian_trio.sandbox.ports import Ports
from elarian_trio.sandbox.standins import StandIns
from elarian_trio.sandbox.world.entities import PurseKey
from elarian_trio.sandbox.world.work import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from decimal import Decimal
    from typing import Self

    from anyio.abc import TaskGroup

    from elarian_trio._transport import FrameTransport, MemoryTransport
    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.payments import PaymentBalance, PaymentChannelNumber
    from elarian_trio.sandbox.clock import ClockName
    from elarian_trio.sandbox.opening import Opened
    from elarian_trio.sandbox.organisation import Apps, Channels, Purses
    from elarian_trio.sandbox.planship import PlanshipServer
    from elarian_trio.sandbox.talonone import TalonOneServer

__all__ = ["Sandbox"]

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")

SETTLE_TIMEOUT = 35.0  # seconds, real ones, that advance() waits for answers: a little more than an app has for one
SETTLE_PATIENCE = 0.5  # seconds, real ones, that it waits for the next one: the program may be waiting for it
SETTLE_ROUNDS = 20  # turns of the loop after which a program that got an answer has said what it has to say
RESUME_WINDOW = 120.0  # seconds, the loop's, that a session whose connection was cut waits for its client

_MANUAL = "clock='manual' with sandbox.clock.advance() works there"


class Sandbox(AsyncContextManagerMixin):
    """A local Elarian: ``async with Sandbox() as sandbox:``.

    Without arguments it is one organisation with one app, the channels, purse and paybill of the SDK specification's
    public test values, and a key made at random. Leaving the block ends every connection, task and socket. It may be
    entered again: then it goes on with what it remembers, on the same ports, as a server that was restarted does; it
    has forgotten sessions, so that clients begin new ones.

    Args:
        tcp: where to listen for plain TCP, as ``"127.0.0.1:0"``; port 0 takes one that is free.
        tls: where to listen for TLS, as above; clients trust :attr:`ca_file`.
        ws: where to listen for WebSockets.
        wss: where to listen for WebSockets over TLS.
        planship: where a local Planship shall listen, as above; or a :class:`.planship.PlanshipServer`, for a catalogue
            or credentials of your own. It shares the sandbox's clock, ids and file. Needs the extra ``standins``.
        talon_one: the same for a local Talon.One, or a :class:`.talonone.TalonOneServer`, for campaigns of your own.
        data: the file that keeps everything, made if there is none (with mode 0600); in memory if left out. What a
            client was told is in it, whatever happens to the process or the machine. It is open while the block is
            entered, and in one sandbox only. It keeps the key that the sandbox makes up, and what is in purses.
        apps: who is let in: :class:`SandboxApp` values or mappings with ``org_id``, ``app_id`` and ``api_key``.
        channels: the organisation's channel and payment channel numbers, for the first app; or a mapping that says
            which app each belongs to.
        purses: what is in each purse at the beginning, by the purse's id.
        clock: "auto" follows Trio's MockClock where one runs, else real time; "real", "virtual" (the MockClock, or an
            error), "manual" (stands still but for ``await sandbox.clock.advance(timedelta)``); or a
            :class:`ManualClock`. One that is entered again under another MockClock goes on by that.
        seed: makes ids the same in every run. Keys and tokens stay secrets.
        settle: "auto" lets payments succeed by themselves, "manual" leaves that to a simulator.
        strict: ``False`` lets anybody in and registers unknown channel numbers as they are used.
        resume_window: seconds that a session whose connection was cut is kept, for its client to resume it. They
            pass on the loop's clock, like keepalives, not on *clock*. Customers at the phone wait with it, though not
            beyond the usual 20 seconds; what else the app was told, and has not answered when its session ends, is
            told to another connection of it. With 0 no session is kept, and clients that ask for it are rejected.
        settings: how the rules behave beyond *strict* and *settle*, which are said here and not there: delays of
            deliveries and payments, how long sessions and tokens last, what becomes of messages to a number.
        faults: what goes wrong on purpose, as :func:`load_faults` reads it from a file; see :attr:`faults`.
        tls_dir: the folder where the certificate authority and its key are kept, to be used again by the next sandbox,
            so that clients need to trust it once. Made if it is not there; without one :attr:`ca_file` is the
            sandbox's own.

    Raises:
        ValueError: arguments are wrong, or do not go together.
        TypeError: an argument is of the wrong type.
        ModuleNotFoundError: it needs a package that is not installed; the words say how to install it.
    """

    def __init__(
        self,
        *,
        tcp: str | None = None,
        tls: str | None = None,
        ws: str | None = None,
        wss: str | None = None,
        planship: str | PlanshipServer | None = None,
        talon_one: str | TalonOneServer | None = None,
        data: str | os.PathLike[str] | None = None,
        apps: Apps | None = None,
        channels: Channels | None = None,
        purses: Purses | None = None,
        clock: ClockName | Clock = "auto",
        seed: int | str | None = None,
        settle: Literal["auto", "manual"] = "auto",
        strict: bool = True,
        resume_window: float = RESUME_WINDOW,
        settings: Settings | None = None,
        faults: Faults | None = None,
        tls_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        addresses = {"tcp": tcp, "tls": tls, "ws": ws, "wss": wss}
        check_folder("tls_dir", tls_dir)
        self._ports = Ports(addresses, is_guarded=apps is not None and strict, tls_dir=tls_dir)
        standins = {"planship": planship, "talon_one": talon_one}
        self._needs_real_time = next(
            (name for name, given in {**addresses, **standins, "data": data}.items() if given is not None), None
        )
        require_choice("clock", "manual" if isinstance(clock, Clock) else clock, NAMES)
        require_choice("settle", settle, ("auto", "manual"))
        self._clock_name: ClockName = "manual" if isinstance(clock, Clock) else clock
        self._check_clock()
        check_memory(data, seed)
        require("strict", bool, strict)
        require("settings", (Settings, NoneType), settings)
        settings = settings or Settings()
        _check_agreement(settings, strict=strict, settle=settle)
        require("faults", (Faults, NoneType), faults)
        _check_window(resume_window)
        self._is_resumable = resume_window > 0
        self._reception = Reception(resume_window=resume_window)  # its sessions end with their tasks, in the block
        self._organisations = Organisations.of(apps, channels, purses)
        self._clock = clock if isinstance(clock, Clock) else None
        self._faults = Faults() if faults is None else faults
        self._faults.seed_with(seed)
        self._standins = StandIns(standins, seed)
        self._settings = replace(settings, strict=strict, settle=settle)
        self._data = None if data is None else os.fspath(data)
        self._open_store = partial(
            _load_opening().open_store, self._data, self._organisations, seed, keeps_key=apps is None
        )
        self._opened: Opened | None = self._open_store() if data is None else None
        self._engine: Engine | None = None
        self._tasks: TaskGroup | None = None
        self._connections = 0

    def __repr__(self) -> str:
        """Say who is let in, where, and what keeps it; no key. Tracebacks ask even when making it failed half-way."""
        if not hasattr(self, "_data"):
            return "<Sandbox, not made>"
        main, where = self._organisations.main, ", ".join(self.endpoints.values()) or "within the process"
        return f"<Sandbox of {main.app_id} of {main.org_id}, {where}, in {self._data or 'memory'}>"

    # What users read.

    @property
    def credentials(self) -> Credentials:
        """What ``Elarian(**sandbox.credentials)`` and ``Simulator(**sandbox.credentials)`` take to come in.

        For the main app: ``org_id``, ``app_id``, ``api_key`` and a ``dial`` that stays within this process. A client
        that shall come over the network takes ``sandbox.credentials.at(sandbox.endpoints["tcp"])``.

        Raises:
            RuntimeError: what the sandbox keeps is in a file, and the block is not entered.
        """
        return self.credentials_of(self._organisations.main.app_id)

    def credentials_of(self, app_id: str) -> Credentials:
        """Give the credentials of one of several apps; see :attr:`credentials`.

        Raises:
            LookupError: there is no such app.
            RuntimeError: what the sandbox keeps is in a file, and the block is not entered.
        """
        for app in self._remembered.organisations.apps:
            if app.app_id == app_id:
                return Credentials(org_id=app.org_id, app_id=app.app_id, api_key=app.api_key, dial=self._dial)
        msg = f"the sandbox has no app {app_id!r}"
        raise LookupError(msg)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where it listens, by transport: ``{"tcp": "tcp://127.0.0.1:40123"}``. Empty until entered.

        A stand-in's is under its name: ``{"planship": "http://127.0.0.1:40124"}``. Once the block is left nobody
        listens: the stand-ins' are gone then, and the others say where the sandbox will be when it is entered again.
        """
        return {**self._ports.endpoints, **self._standins.endpoints}

    @property
    def ca_file(self) -> str:
        """The certificate authority that clients over ``tls`` and ``wss`` are to trust: the path of a PEM file.

        It is made for this sandbox, stays the same when the block is entered again, and is removed with the sandbox;
        with ``tls_dir`` it is that folder's, and stays. A client takes
        ``ConnectionOptions(ssl_context=ssl.create_default_context(cafile=sandbox.ca_file))``, or finds it in
        ``ELARIAN_CA_FILE``.

        Raises:
            LookupError: the sandbox has neither ``tls`` nor ``wss``.
            ValueError: what ``tls_dir`` holds is no authority, or others may read its key.
            OSError: that folder cannot be made, read or written.
        """
        return self._ports.ca_file

    @property
    def planship(self) -> PlanshipServer:
        """The local Planship.

        Raises:
            LookupError: the sandbox was set up without one.
        """
        server: PlanshipServer = self._standins.get("planship")
        return server

    @property
    def talon_one(self) -> TalonOneServer:
        """The local Talon.One.

        Raises:
            LookupError: the sandbox was set up without one.
        """
        server: TalonOneServer = self._standins.get("talon_one")
        return server

    @property
    def clock(self) -> Clock:
        """Its clock: ``now()`` and ``await advance(timedelta)``.

        Raises:
            RuntimeError: the block was not entered yet, and which clock it is depends on the loop that runs then.
        """
        if self._clock is None:
            msg = "the sandbox has its clock once its block is entered"
            raise RuntimeError(msg)
        return self._clock

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose: ``sandbox.faults.add(Fault.drop(), on="SendMessage", times=1)``."""
        return self._faults

    @property
    def channels(self) -> Mapping[str, MessagingChannel]:
        """The organisation's first number on each channel, by the channel's name: ``sandbox.channels["sms"]``."""
        return self._organisations.messaging_channels

    @property
    def paybill(self) -> PaymentChannelNumber:
        """The number through which customers pay and are paid.

        Raises:
            LookupError: the sandbox was set up without one.
        """
        return _require("payment channel number", self._organisations.paybill)

    @property
    def purse_id(self) -> str:
        """The organisation's purse, the first if there are several.

        Raises:
            LookupError: the sandbox was set up without one.
        """
        return _require("purse", self._organisations.purse_id)

    @property
    def purses(self) -> Mapping[str, Mapping[str, PaymentBalance]]:
        """What is in each purse at this moment: its balances by currency, by the purse's id.

        Raises:
            RuntimeError: they are in a file, and the block is not entered.
            StoreError: the file cannot be read.
        """
        return {purse_id: self._balances(purse_id) for purse_id in self._organisations.purses}

    def purse_balance(self, purse_id: str | None = None, currency_code: str | None = None) -> Decimal:
        """Give what is in a purse: money on its way out is still in it, money on its way in is not yet.

        Synchronous: the books as they are between two commands.

        Args:
            purse_id: the purse; the sandbox's first if left out.
            currency_code: the currency; may be left out where the purse holds one only.

        Raises:
            LookupError: there is no such purse, or no such currency in it.
            RuntimeError: it is in a file, and the block is not entered.
            StoreError: the file cannot be read.
        """
        name = self.purse_id if purse_id is None else purse_id
        balances = self._balances(name)
        if currency_code is None and len(balances) == 1:
            currency_code = next(iter(balances))
        found = balances.get(currency_code or "")
        if found is None or found.actual is None:
            known = ", ".join(balances) or "none"
            msg = f"name a currency that purse {name} holds ({known}), got {currency_code!r}"
            raise LookupError(msg)
        return found.actual.amount

    def _balances(self, purse_id: str) -> Mapping[str, PaymentBalance]:
        purse = self._remembered.store.load(PurseKey(self._organisations.main.org_id, purse_id))
        if purse is None:
            msg = f"the sandbox has no purse {purse_id!r}"
            raise LookupError(msg)
        return purse.balances

    @property
    def _remembered(self) -> Opened:
        """What is open."""
        if self._opened is None:
            msg = f"what the sandbox keeps in {self._data} is known while its block is entered"
            raise RuntimeError(msg)
        return self._opened

    # The block.

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Listen, hand the sandbox to the block, and end everything when it is left.

        Raises:
            ValueError: virtual time was asked for where it cannot be had; or it is entered again, and either before or
                now, but not both times, under a MockClock that it follows; or what ``tls_dir`` holds is no authority.
            OSError: an address to listen on cannot be had, or ``tls_dir`` cannot be used.
            StoreError: the file is in use, damaged, somebody else's or a later version's; it was left as it is.
            RuntimeError: it is entered already.
        """
        self._check_clock()
        if self._clock is None:
            self._clock = open_clock(self._clock_name)
        else:
            reopen_clock(self._clock, self._clock_name)
        outcome = Outcome()
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    await self._begin(tasks, self._clock)
                    yield self
                    await self._standins.say_goodbye()
                except BaseException as error:
                    outcome.keep(error)
                    if isinstance(error, anyio.get_cancelled_exc_class()):
                        raise
                finally:
                    self._tasks = None
                    self._standins.close()
                    tasks.cancel_scope.cancel()
        except BaseException as error:
            outcome.escaped = error
        self._leave_file(self._clock)
        await outcome.settle(None)

    async def _begin(self, tasks: TaskGroup, clock: Clock) -> None:
        await anyio.lowlevel.checkpoint()
        if self._opened is None:
            self._opened = await anyio.to_thread.run_sync(self._open_store)
        if self._engine is None:
            opened = self._remembered
            self._engine = Engine(opened.store, clock, opened.dice, self._settings, opened.organisations.apps)
            self._engine.open()
        clock.settle_with(self._settle)
        if self._data is not None:
            tasks.start_soon(self._engine.run)
        tasks.start_soon(clock.run)
        self._tasks = tasks
        await self._ports.open(tasks, partial(self._serve, self._engine))
        await self._standins.open(tasks, self._remembered, clock)

    def _leave_file(self, clock: Clock) -> None:
        """Close the file, if there is one. It takes no longer than a write, and nothing runs that it could hold up."""
        if self._data is None or self._opened is None:
            return
        opened, self._opened = self._opened, None
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        clock.forget()
        try:
            opened.close()
        except StoreError as error:
            logger.error("what nobody had been told of was not kept: %s", error)

    async def _serve(self, engine: Engine, transport: FrameTransport) -> None:
        self._connections += 1
        name = f"connection {self._connections}"
        client = Client(
            name,
            engine,
            timed=transport.timed,
            is_resumable=self._is_resumable,
            faults=self._faults,
            clock=self.clock,
        )
        await client.serve(self._reception, transport)

    async def _dial(self) -> MemoryTransport:
        """Open a connection within this process.

        Raises:
            ConnectionFailed: the sandbox's block is not entered, or was left.

        Cancellation:
            A checkpoint; cancelled, there is no connection.
        """
        await anyio.lowlevel.checkpoint()
        if self._tasks is None or self._engine is None:
            msg = "the sandbox is not running: its block is not entered, or was left"
            raise ConnectionFailed(msg)
        ours, theirs = open_memory_pair()
        self._tasks.start_soon(self._serve, self._engine, ours)
        return theirs

    async def _settle(self) -> None:
        """Wait, within a bound, until no notification waits for its answer and programs have had their turn."""
        engine = self._engine
        if engine is not None:
            with anyio.move_on_after(SETTLE_TIMEOUT):
                await engine.wait_quiet(SETTLE_ROUNDS, SETTLE_PATIENCE)
        await self._standins.settle()

    def _check_clock(self) -> None:
        """Virtual time and the world outside do not go together: time would pass while a packet is on its way."""
        name = self._clock_name
        is_virtual = name == "virtual" or (name == "auto" and mock_clock() is not None)
        if is_virtual and self._needs_real_time is not None:
            msg = f"virtual time needs the memory transport and in-memory store, not {self._needs_real_time}; {_MANUAL}"
            raise ValueError(msg)


def _load_opening() -> Any:  # noqa: ANN401 - a module
    """Load what an extra brings, where it is needed."""
    from elarian_trio.sandbox import opening

    return opening


def _check_window(seconds: float) -> None:
    require("resume_window", (int, float), seconds, wanted="a number of seconds")
    if not is_finite(seconds) or seconds < 0:
        msg = f"resume_window must be a number of seconds, got {shown(seconds)}"
        raise ValueError(msg)


def _check_agreement(settings: Settings, **given: object) -> None:
    """Refuse settings that say otherwise than the sandbox's own arguments; a default says nothing."""
    default = Settings()
    for name, value in given.items():
        said = getattr(settings, name)
        if said not in (value, getattr(default, name)):
            msg = f"settings say {name}={said!r}, which the sandbox is told itself: Sandbox({name}={said!r})"
            raise ValueError(msg)


def _require(what: str, found: T | None) -> T:
    if found is None:
        msg = f"the sandbox was set up without a {what}"
        raise LookupError(msg)
    return found
