"""What the server does with what it hears: units of work, one after another, on the rules of :mod:`.world`.

The sandbox's server stands above, connections hand their commands in here, and delivery asks here what to send and
what an answer means. Below are the rules, the store, the leases, and the wire's envelopes.

Everything is synchronous. A unit of work is run and committed without a checkpoint, so none sees half of another; what
it has to read from a file takes less than a turn of the loop. What it wants done, its answer first, is done in order
once the store has kept it: in memory at once, before the next unit that somebody outside asks for; with a file after
the write that it shares with others. Jobs and notifications are kept with the unit that asks for them, so that no crash
comes between.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from elarian_trio._rsocket import ErrorCode
from elarian_trio._wire.envelopes import (
    decode_app_command,
    decode_notification_reply,
    decode_simulator_command,
    encode_notification,
    encode_reply,
)
from elarian_trio.errors import RemoteProtocolError, StoreError
from elarian_trio.models.notifications import Notification, NotificationReply
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.sandbox.agenda import Agenda
from elarian_trio.sandbox.credentials import Door
from elarian_trio.sandbox.delivery import Activity, Parcel, Route
from elarian_trio.sandbox.holds import Holds
from elarian_trio.sandbox.pending import JobKey, JobRecord, ParcelKey, ParcelRecord
from elarian_trio.sandbox.store import UNHEARD, Unit
from elarian_trio.sandbox.world.addresses import search_key, secondary_id_owner, survivor
from elarian_trio.sandbox.world.app_data import deliver
from elarian_trio.sandbox.world.effects import (
    Delivered,
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
from elarian_trio.sandbox.world.entities import CustomerKey, Key, PurseKey, PurseRecord, Record, TokenKey, token_digest
from elarian_trio.sandbox.world.rules import answer_hop, answer_notification, refused, run_command, run_job
from elarian_trio.sandbox.world.work import Refusal, Settings, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from elarian_trio._session import IncomingRequest
    from elarian_trio._wire.setup import Credentials as SetupCredentials
    from elarian_trio.models.commands import Command
    from elarian_trio.models.identity import CustomerNumber, SecondaryId
    from elarian_trio.models.model import Model
    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.connections import Client
    from elarian_trio.sandbox.credentials import SandboxApp
    from elarian_trio.sandbox.store import Store
    from elarian_trio.sandbox.world.effects import Hop, Waiting
    from elarian_trio.sandbox.world.entities import AppKey
    from elarian_trio.sandbox.world.leases import Ticket
    from elarian_trio.sandbox.world.work import Dice

__all__ = ["Engine"]

T = TypeVar("T")
_Changes: TypeAlias = "dict[Key[Any], Record | None]"

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Answer(NamedTuple):
    """What a command is answered with, and as it travels."""

    reply: Model
    data: bytes


class Call:
    """A command that is to be answered."""

    __slots__ = ("client", "command", "request")

    def __init__(self, client: Client, request: IncomingRequest, command: Command[Any]) -> None:
        self.client: Client = client
        self.request: IncomingRequest = request
        self.command: Command[Any] = command

    def run(self, work: Work) -> Answer | Waiting:
        """Run the command's rule; what cannot be told is not done, either."""
        result = run_command(work, self.command)
        return result if isinstance(result, WaitForHop | WaitForLease) else Answer(result, self._encode(result))

    def answer(self, reply: Model) -> bool:
        """Send *reply*; ``False`` if nobody waits for it any more."""
        return self.request.respond(self._encode(reply))

    def _encode(self, reply: Model) -> bytes:
        return encode_reply(self.command, reply)


class Note:
    """What the desk must know of a parcel.

    Attributes:
        key: under which it is kept.
        delivered: what goes to the app, or went.
        as_of: after how many commits that was so.
        ticket: its place at the lease.
    """

    __slots__ = ("as_of", "delivered", "key", "ticket")

    def __init__(self, key: ParcelKey | None = None) -> None:
        self.key: ParcelKey | None = key
        self.delivered: Delivered | None = None
        self.as_of: int = -1
        self.ticket: Ticket | None = None


class Engine:
    """The server's one mind: a connection's host and a route's desk. Made by the sandbox.

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
        self._dice = dice
        self._settings = settings
        self._door = Door(apps, is_open=not settings.strict, is_valid_token=self._is_valid_token)
        self._holds = Holds(clock, self._do_later, self._drain)
        self._apps: dict[tuple[str, str], Route] = {}
        self._phones: dict[Client, Route] = {}
        self._agenda = Agenda(store, clock, self._run_job)
        self._hops: dict[Hop, Call] = {}
        self._later: deque[Callable[[], Any]] = deque()
        self._is_draining = False
        self._effects: Mapping[type[Effect], Callable[[Any, _Changes], Callable[[], None]]] = {
            NotifyApp: self._notify_app,
            NotifySimulators: lambda effect, _: partial(self._notify_simulators, effect),
            Schedule: self._schedule,
            Unschedule: self._unschedule,
            ReleaseLease: lambda effect, _: partial(self._holds.release, effect.lease),
            ReleaseLeases: lambda effect, _: partial(self._holds.release_all, effect.org_id, effect.customer_id),
            Warn: lambda effect, _: partial(logger.warning, "%s", effect.words),
        }

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
        self._drain()
        self._agenda.go_on()

    async def wait_quiet(self, rounds: int, patience: float) -> None:
        """Wait until nothing is under way, see :meth:`.delivery.Activity.wait_quiet`, and everything is kept."""
        while True:
            await self.activity.wait_quiet(rounds, patience)
            if self._store.is_settled:
                return
            await self._store.wait_settled()

    # Units of work.

    def _work(self, org_id: str, app_id: str, lease: AppKey | None = None, *, due: datetime | None = None) -> Work:
        now = self._clock.now()
        return Work(
            now=now if due is None else max(now, due),  # a clock that rounds may call a moment early
            dice=self._dice,
            org_id=org_id,
            app_id=app_id,
            settings=self._settings,
            records=self._store,
            lease=lease,
        )

    def _perform(
        self,
        work: Work,
        rule: Callable[[Work], T],
        then: Callable[[T], object],
        lost: Callable[[StoreError], None],
        done: ParcelKey | JobKey | None = None,
    ) -> bool:
        """Run *rule* on *work*; once what it changed is kept, call *then*, and see to what it wants done.

        What asked for the unit, and is *done* with it, is kept no longer. Where the store cannot keep the unit, or
        read what it needs, *lost* is called instead, and nothing has changed.
        """
        try:
            result = rule(work)
        except StoreError as error:
            lost(error)
            return True
        changes: _Changes = work.changes
        if done is not None:
            changes[done] = None
        steps: list[Callable[[], Any]] = [partial(then, result)]
        steps += [self._effects[type(effect)](effect, changes) for effect in work.effects]
        self._store.commit(changes, Unit(partial(self._later.extend, steps), lost))
        return True

    def _forget(self, key: ParcelKey | JobKey) -> None:
        """Keep no longer what is under *key*; if that fails, it comes again after a restart."""
        self._store.commit({key: None}, UNHEARD)

    def _do_later(self, call: Callable[[], None]) -> None:
        self._later.append(call)

    def _drain(self) -> None:
        """Do what the last unit wanted done, and what comes of that."""
        if self._is_draining:
            return
        self._is_draining = True
        try:
            while self._later:
                _guarded(self._later.popleft())
        finally:
            self._is_draining = False

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
            self._drain()

    def _tell(self, client: Client, step: Callable[[Route, Client], None]) -> None:
        """Take *step* on the way to *client*, if it hears at all, and see to what comes of it."""
        if client.is_simulator:
            step(self._phones[client], client)
        elif client.hears:
            step(self._app_route(client.org_id, client.app_id), client)
        self._drain()

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
            self._drain()

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
        work = self._work(org_id, "")
        try:
            found = survivor(work, customer) if isinstance(customer, str) else secondary_id_owner(work, customer)
        except StoreError:
            return ()
        return () if found is None else found.numbers

    def _execute(self, call: Call, ticket: Ticket | None = None) -> None:
        """Run the rule of *call*, under the lease that *ticket* holds, if it holds one."""
        client = call.client
        work = self._work(client.org_id, client.app_id, None if ticket is None else ticket.key)
        self._perform(work, call.run, partial(self._conclude, call, ticket), partial(self._refuse, call, ticket))

    def _conclude(self, call: Call, ticket: Ticket | None, result: Answer | Waiting) -> None:
        """Answer *call*, or have it wait."""
        if isinstance(result, WaitForHop):
            self._hops[result.hop] = call
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
        call.request.fail(ErrorCode.APPLICATION_ERROR, str(error))
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
        self._drain()

    # What rules want done.

    def _notify_app(self, effect: NotifyApp, changes: _Changes) -> Callable[[], None]:
        route = self._app_route(effect.org_id, effect.app_id)
        key: ParcelKey | None = None
        if effect.hop is None:  # a customer at the phone does not wait for a restart
            if not route.has_room:
                return route.note_dropped
            record = ParcelRecord(number=self._store.number(), notification=effect.notification)
            key = record.key
            changes[key] = record
        return partial(route.put, Parcel(effect.notification, effect.customer_id, effect.hop, note=Note(key)))

    def _notify_simulators(self, effect: NotifySimulators) -> None:
        customer_id = getattr(effect.notification, "customer_id", None)
        for client, route in list(self._phones.items()):
            if client.org_id == effect.org_id:
                route.put(Parcel(effect.notification, customer_id, note=Note()))

    def _schedule(self, effect: Schedule, changes: _Changes) -> Callable[[], None]:
        record = JobRecord(due=effect.at, number=self._store.number(), job=effect.job)
        key = record.key
        changes[key] = record
        return partial(self._agenda.note, key, record)

    def _unschedule(self, effect: Unschedule, changes: _Changes) -> Callable[[], None]:
        key = JobKey(effect.org_id, effect.job_key)
        changes[key] = None
        return partial(self._agenda.forget, key)

    def _run_job(self, key: JobKey, record: JobRecord) -> None:
        job = record.job
        work = self._work(job.org_id, job.app_id, due=record.due)
        rule = partial(run_job, job=job)
        if not _guarded(partial(self._perform, work, rule, _ignore, lambda _error: self._agenda.pause(), key)):
            self._forget(key)
        self._drain()

    def _app_route(self, org_id: str, app_id: str) -> Route:
        route = self._apps.get((org_id, app_id))
        if route is None:
            route = self._apps[org_id, app_id] = self._route(f"app {app_id}")
        return route

    def _route(self, name: str) -> Route:
        return Route(name, self, self._clock, self.activity)

    # A route's desk.

    def take_lease(self, parcel: Parcel, then: Callable[[], None]) -> None:
        """Take the lease on the app data that goes with *parcel*; where none does, there is nothing to wait for."""
        delivered = self._delivered(parcel)
        if delivered is None or delivered.lease is None or parcel.listener is None:
            then()
            return
        parcel.note.ticket = self._holds.ask(
            delivered.lease,
            parcel.listener.connection_id,
            lambda _granted: then(),  # also without: whoever waited 90 s is told what is there
            is_notification=True,
        )
        self._drain()

    def content(self, parcel: Parcel) -> bytes | None:
        """Give what is sent, with the app data as it is now."""
        return _guarded(partial(self._encode, parcel))

    def _encode(self, parcel: Parcel) -> bytes:
        delivered = self._delivered(parcel)
        if delivered is None:
            return encode_notification(parcel.notification)
        return encode_notification(delivered.notification, delivered.app_data)

    def _delivered(self, parcel: Parcel) -> Delivered | None:
        """Give a notification as an app is told it now; ``None`` where it is a phone's."""
        told, note = parcel.notification, parcel.note
        if isinstance(told, Notification) and note.as_of != self._store.commits:
            note.delivered = deliver(self._work(told.org_id, told.app_id), told.app_id, told)
            note.as_of = self._store.commits
        return cast("Delivered | None", note.delivered)

    def answered(self, parcel: Parcel, data: bytes | None) -> bool:
        """Act on an app's answer, on ``None`` as on an empty one; a phone's says nothing."""
        delivered = parcel.note.delivered
        if delivered is None:
            if parcel.hop is not None:
                self.unheard(parcel)
            else:
                self.put_back(parcel)
                self.forget(parcel)
            return True
        try:
            reply = NotificationReply() if data is None else decode_notification_reply(data)
        except RemoteProtocolError:
            return False
        told = delivered.notification
        work = self._work(told.org_id, told.app_id)
        rule = partial(answer_notification, delivered=delivered, reply=reply)
        if not _guarded(
            partial(self._perform, work, rule, _ignore, partial(self._tell_again, parcel), parcel.note.key)
        ):
            self.forget(parcel)
        # Behind the release that a change of the data asks for, which would else end the next one's lease as well.
        self._store.commit({}, _either_way(partial(self._do_later, partial(self._give_back, parcel))))
        if parcel.hop is not None:
            self._end_hop(parcel.hop, reply)
        self._drain()
        return True

    def _tell_again(self, parcel: Parcel, _: StoreError) -> None:
        """Have a notification answered once more: its answer could not be kept."""
        told = parcel.note.delivered.notification
        if parcel.hop is None:
            again = Parcel(told, parcel.customer_id, note=Note(parcel.note.key))
            self._app_route(told.org_id, told.app_id).put(again)

    def once_kept(self, call: Callable[[bool], None]) -> None:
        """Make *call* once everything is kept, or lost, that was committed before: at once where that is so."""
        if self._store.is_settled:
            call(True)
        else:
            self._store.commit({}, Unit(partial(self._do_later, partial(call, True)), partial(self._call_lost, call)))

    def _call_lost(self, call: Callable[[bool], None], _: StoreError) -> None:
        self._do_later(partial(call, False))

    def forget(self, parcel: Parcel) -> None:
        """Keep *parcel* no longer."""
        if parcel.note.key is not None:
            self._forget(parcel.note.key)

    def put_back(self, parcel: Parcel) -> None:
        """Release the lease, or leave its queue: *parcel* is not under way any more."""
        self._give_back(parcel)
        self._drain()

    def unheard(self, parcel: Parcel) -> None:
        """Tell a customer at the phone that nobody answered."""
        self._give_back(parcel)
        self._end_hop(parcel.hop, NotificationReply(), is_heard=False)
        self._drain()

    def _give_back(self, parcel: Parcel) -> None:
        ticket, parcel.note.ticket = parcel.note.ticket, None
        if ticket is not None:
            self._holds.leave(ticket)

    def _end_hop(self, hop: Hop, reply: NotificationReply, *, is_heard: bool = True) -> None:
        call = self._hops.pop(hop, None)
        rule = partial(answer_hop, hop=hop, message=reply.message, is_heard=is_heard)
        then = _ignore if call is None else call.answer
        lost = _ignore if call is None else partial(self._refuse, call, None)
        work = self._work(hop.org_id, hop.app_id)
        if not _guarded(partial(self._perform, work, rule, then, lost)):
            then(SimulatorReply(status=False, description="the sandbox failed"))

    @staticmethod
    def purse_in(store: Store, org_id: str, purse_id: str) -> PurseRecord:
        """Give a purse as it is between two units of work.

        Raises:
            LookupError: there is none with that id.
        """
        found = store.load(PurseKey(org_id, purse_id))
        if found is None:
            msg = f"the sandbox has no purse {purse_id!r}"
            raise LookupError(msg)
        return found


def _ignore(_: object) -> None:
    """Do nothing with what became of a unit."""


def _either_way(call: Callable[[], None]) -> Unit:
    """Have *call* made whether the unit is kept or lost."""

    def lost(_: StoreError) -> None:
        call()

    return Unit(call, lost)


def _guarded(call: Callable[[], T]) -> T | None:
    """Make *call*; if it raises, that is a defect, and no reason to take down what the server can still do."""
    try:
        return call()
    except Exception as error:
        logger.error("a unit of work raised %s", type(error).__name__)
        logger.debug("it was raised here", exc_info=True)
        return None
