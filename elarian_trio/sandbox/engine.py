"""What the server does with what it hears: each command, and each job that falls due, is a unit of work.

The sandbox's server stands above, and connections hand their commands in here. Below are the units (:mod:`.units`) and
the rules that they run, the routes by which apps and phones hear of what rules tell them, the routes' :mod:`.desk`,
which sees to the answers, the leases, the agenda, and the store.

Everything is synchronous. A unit of work is run and committed without a checkpoint, so none sees half of another; what
it has to read from a file takes less than a turn of the loop. What it wants done, its answer first, is done in order
once the store has kept it: in memory at once, before the next unit that somebody outside asks for; with a file after
the write that it shares with others. Jobs and notifications are kept with the unit that asks for them, so that no crash
comes between.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from elarian_trio._rsocket import ErrorCode
from elarian_trio._wire.envelopes import decode_app_command, decode_simulator_command
from elarian_trio.errors import RemoteProtocolError, StoreError
from elarian_trio.sandbox.agenda import Agenda
from elarian_trio.sandbox.calls import Answer, Call
from elarian_trio.sandbox.credentials import Door
from elarian_trio.sandbox.delivery import Activity, Parcel, Route
from elarian_trio.sandbox.desk import Note, RulesDesk
from elarian_trio.sandbox.holds import Holds
from elarian_trio.sandbox.pending import JobKey, JobRecord, ParcelKey, ParcelRecord
from elarian_trio.sandbox.units import Changes, Steps, Units, guarded, ignore
from elarian_trio.sandbox.world.addresses import search_key, secondary_id_owner, survivor
from elarian_trio.sandbox.world.effects import (
    Effect,
    NotifyApp,
    NotifySimulators,
    ReleaseLease,
    ReleaseLeases,
    Schedule,
    Unschedule,
    WaitForHop,
    WaitForLease,
    Warn,
)
from elarian_trio.sandbox.world.entities import CustomerKey, TokenKey, token_digest
from elarian_trio.sandbox.world.rules import refused, run_job
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from elarian_trio._session import IncomingRequest
    from elarian_trio._wire.setup import Credentials as SetupCredentials
    from elarian_trio.models.commands import Command
    from elarian_trio.models.identity import CustomerNumber, SecondaryId
    from elarian_trio.models.notifications import Notification
    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.connections import Client
    from elarian_trio.sandbox.credentials import SandboxApp
    from elarian_trio.sandbox.store import Store
    from elarian_trio.sandbox.world.effects import Job, Waiting
    from elarian_trio.sandbox.world.entities import AppKey
    from elarian_trio.sandbox.world.leases import Ticket
    from elarian_trio.sandbox.world.work import Dice, Settings, Work

__all__ = ["Engine"]

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")

LOST_DELAY = 1.0  # seconds until an app is asked again whose answer could not be kept: a full disk stays so for a while
UNREAD_DELAY = timedelta(seconds=10)  # until a job is tried again whose records could not be read


class Engine:
    """The server's one mind, and every connection's host. Made by the sandbox.

    Args:
        store: where entities live.
        clock: where every timer comes from.
        dice: where ids come from.
        settings: how the rules behave where they may choose.
        apps: who is let in.

    Attributes:
        activity: what is under way, for those who wait until nothing is.
    """

    def __init__(self, store: Store, clock: Clock, dice: Dice, settings: Settings, apps: Iterable[SandboxApp]) -> None:
        self.activity: Activity = Activity()
        self._store = store
        self._clock = clock
        self._door = Door(apps, is_open=not settings.strict, is_valid_token=self._is_valid_token)
        self._steps = Steps()
        self._holds = Holds(clock, self._steps.add, self._steps.run)
        self._apps: dict[tuple[str, str], Route] = {}
        self._phones: dict[Client, Route] = {}
        self._agenda = Agenda(store, clock, self._run_job)
        effects: Mapping[type[Effect], Callable[[Any, Changes], Callable[[], None]]] = {
            NotifyApp: self._notify_app,
            NotifySimulators: lambda effect, _: partial(self._notify_simulators, effect),
            Schedule: self._schedule,
            Unschedule: self._unschedule,
            ReleaseLease: lambda effect, _: partial(self._holds.release, effect.lease),
            ReleaseLeases: lambda effect, _: partial(self._holds.release_all, effect.org_id, effect.customer_id),
            Warn: lambda effect, _: partial(logger.warning, "%s", effect.words),
        }
        self._units = Units(store, clock, dice, settings, self._steps, effects)
        self._desk = RulesDesk(store, self._holds, self._units, self._steps, self._put_again)

    def open(self) -> None:
        """Take up what the store has kept: notifications without an answer, and jobs.

        Raises:
            StoreError: the file cannot be read.
        """
        for record in self._store.parcels():
            told = record.notification
            parcel = Parcel(told, told.customer_id, note=Note(record.key))
            self._app_route(told.org_id, told.app_id).put(parcel, is_old=True)
        self._agenda.open()

    def close(self) -> None:
        """Begin nothing more."""
        self._agenda.close()

    async def run(self) -> None:
        """Have the store keep what is committed, until cancelled."""
        await self._store.run(self._go_on)

    def _go_on(self) -> None:
        self._steps.run()
        self._agenda.go_on()

    async def wait_quiet(self, rounds: int, patience: float) -> None:
        """Wait until nothing is under way, see :meth:`.delivery.Activity.wait_quiet`, and everything is kept."""
        while True:
            await self.activity.wait_quiet(rounds, patience)
            if self._store.is_settled:
                return
            await self._store.wait_settled()

    # A connection's host.

    def judge(self, credentials: SetupCredentials) -> None:
        """Let the bearer in, or raise SetupRejected."""
        self._door.judge(credentials)

    def _is_valid_token(self, org_id: str, token: str) -> bool:
        record = self._store.load(TokenKey(org_id, token_digest(token)))
        return record is not None and record.expires_at > self._clock.now()

    def came(self, client: Client) -> None:
        """Let *client* hear: a phone from now on, an app's connection first what was kept for the app."""
        if client.is_simulator:
            self._phones[client] = self._route("a simulator")
        self._tell(client, Route.attach)

    def away(self, client: Client) -> None:
        """Tell *client* nothing until it is back: its connection was cut."""
        self._tell(client, Route.suspend)

    def back(self, client: Client) -> None:
        """Let *client* hear again: its session was resumed."""
        self._tell(client, Route.resume)

    def left(self, client: Client) -> None:
        """Tell *client* nothing more."""
        self._tell(client, Route.detach)
        if client.is_simulator:
            self._phones.pop(client).close()
            self._steps.run()
        elif client.hears and self._app_route(client.org_id, client.app_id).is_unused:
            del self._apps[client.org_id, client.app_id]

    def _tell(self, client: Client, step: Callable[[Route, Client], None]) -> None:
        """Take *step* on the way to *client*, if it hears at all, and see to what comes of it."""
        if client.is_simulator:
            step(self._phones[client], client)
        elif client.hears:
            step(self._app_route(client.org_id, client.app_id), client)
        self._steps.run()

    def handle(self, client: Client, requests: Sequence[IncomingRequest]) -> None:
        """Act on commands that came together: answer each, now or when what it waits for has come."""
        self.activity.mark()
        decode = decode_simulator_command if client.is_simulator else decode_app_command
        calls: list[Call] = []
        for request in requests:
            try:
                calls.append(Call(client, request, decode(request.data)))
            except RemoteProtocolError as error:
                request.fail(ErrorCode.INVALID, str(error))
            except Exception as error:
                request.fail_by(error)
        if self._store.is_on_disk and len(calls) > 1:
            self._fetch(client.org_id, [call.command for call in calls])
        for call in calls:
            try:
                self._execute(call)
            except Exception as error:
                call.request.fail_by(error)
            self._steps.run()

    def _fetch(self, org_id: str, commands: Iterable[Command[Any]]) -> None:
        """Read together what *commands* will ask for one after another: whose they are, and all there is of these.

        What cannot be read is told to the command that cannot do without it.
        """
        with suppress(StoreError):
            addresses = (getattr(each, "customer", None) for each in commands)
            keys = [key for each in addresses if (key := search_key(org_id, each)) is not None]
            self._store.fetch(keys)
            found = [self._store.load(key) for key in keys]
            self._store.fetch([CustomerKey(org_id, each.customer_id) for each in found if each is not None])

    def numbers_of(self, org_id: str, customer: str | SecondaryId) -> tuple[CustomerNumber, ...]:
        """Give the numbers of the customer with that id or secondary id; none where none can be read."""
        work = self._units.work(org_id, "")
        try:
            found = survivor(work, customer) if isinstance(customer, str) else secondary_id_owner(work, customer)
        except StoreError:
            return ()
        return () if found is None else found.numbers

    def _execute(self, call: Call, ticket: Ticket | None = None) -> None:
        """Run the rule of *call*, under the lease that *ticket* holds, if it holds one."""
        client = call.client
        work = self._units.work(client.org_id, client.app_id, None if ticket is None else ticket.key)
        self._units.perform(work, call.run, partial(self._conclude, call, ticket), partial(self._refuse, call, ticket))

    def _conclude(self, call: Call, ticket: Ticket | None, result: Answer | Waiting) -> None:
        """Answer *call*, or have it wait."""
        if isinstance(result, WaitForHop):
            self._desk.await_hop(result.hop, call)
        elif isinstance(result, WaitForLease):
            if ticket is not None:  # the customer was adopted while it waited
                self._holds.leave(ticket)
            self._wait_for_lease(call, result.lease)
        else:
            undo = None if ticket is None else partial(self._leave, ticket)
            is_heard = call.request.respond(result.data, undo=undo)
            if ticket is not None and not (is_heard and getattr(result.reply, "status", False)):
                self._holds.leave(ticket)

    def _refuse(self, call: Call, ticket: Ticket | None, error: StoreError) -> None:
        """Tell that *call* was not done: it could not be kept."""
        call.refuse(error)
        if ticket is not None:
            self._holds.leave(ticket)

    def _wait_for_lease(self, call: Call, key: AppKey) -> None:
        def then(granted: bool) -> None:
            if granted:
                self._execute(call, ticket)
            else:
                call.answer(refused(call.command, Refusal("somebody else holds the lease on this app data")))

        ticket = self._holds.ask(key, call.client.connection_id, then)
        call.request.on_cancel(partial(self._leave, ticket))

    def _leave(self, ticket: Ticket) -> None:
        """Give up a place at a lease: its caller went away."""
        self._holds.leave(ticket)
        self._steps.run()

    # What rules want done.

    def _notify_app(self, effect: NotifyApp, changes: Changes) -> Callable[[], None]:
        route = self._app_route(effect.org_id, effect.app_id)
        key: ParcelKey | None = None
        if effect.hop is None:  # a customer at the phone does not wait for a restart
            if not route.has_room:
                return route.note_dropped
            record = ParcelRecord(number=self._store.number(), notification=effect.notification)
            key = record.key
            changes[key] = record
        return partial(self._put, Parcel(effect.notification, effect.customer_id, effect.hop, note=Note(key)))

    def _notify_simulators(self, effect: NotifySimulators) -> None:
        customer_id = getattr(effect.notification, "customer_id", None)
        for client, route in list(self._phones.items()):
            if client.org_id == effect.org_id:
                route.put(Parcel(effect.notification, customer_id, note=Note()))

    def _schedule(self, effect: Schedule, changes: Changes) -> Callable[[], None]:
        record = JobRecord(due=effect.at, number=self._store.number(), job=effect.job)
        key = record.key
        changes[key] = record
        return partial(self._agenda.note, key, record)

    def _unschedule(self, effect: Unschedule, changes: Changes) -> Callable[[], None]:
        key = JobKey(effect.org_id, effect.job_key)
        changes[key] = None
        return partial(self._agenda.forget, key)

    def _run_job(self, key: JobKey, record: JobRecord) -> None:
        job = record.job
        work = self._units.work(job.org_id, job.app_id)
        rule = partial(_run_or_put_off, job=job)
        if not guarded(partial(self._units.perform, work, rule, ignore, lambda _error: self._agenda.pause(), key)):
            self._units.forget(key)
        self._steps.run()

    def _app_route(self, org_id: str, app_id: str) -> Route:
        route = self._apps.get((org_id, app_id))
        if route is None:
            route = self._apps[org_id, app_id] = self._route(f"app {app_id}")
        return route

    def _put(self, parcel: Parcel) -> None:
        """Give *parcel* to the way that there is to its app by now: one that is not used is not kept."""
        told = cast("Notification", parcel.notification)
        self._app_route(told.org_id, told.app_id).put(parcel)

    def _put_again(self, parcel: Parcel) -> None:
        self._clock.call_later(LOST_DELAY, partial(self._put, parcel))

    def _route(self, name: str) -> Route:
        return Route(name, self._desk, self._clock, self.activity)


def _run_or_put_off(work: Work, job: Job) -> None:
    """Do what fell due; where what it is about cannot be read, have it tried again, and keep nobody else waiting."""
    try:
        run_job(work, job)
    except StoreError:
        logger.error("what something that is due is about cannot be read from the file: it is tried again")
        logger.debug("it was refused here", exc_info=True)
        work.discard()
        work.schedule(work.now + UNREAD_DELAY, job)
