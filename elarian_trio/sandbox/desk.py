"""What the routes ask of the rules: what an app is told, under which lease, and what its answer means.

The engine stands above and makes the one desk that all routes have. Below are the rules, the store, the leases, and the
wire's envelopes of notifications.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from elarian_trio._wire.envelopes import decode_notification_reply, encode_notification
from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models.notifications import Notification, NotificationReply
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.sandbox.delivery import Parcel
from elarian_trio.sandbox.store import Unit
from elarian_trio.sandbox.units import guarded, ignore
from elarian_trio.sandbox.world.app_data import deliver
from elarian_trio.sandbox.world.rules import answer_hop, answer_notification

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.errors import StoreError
    from elarian_trio.sandbox.calls import Call
    from elarian_trio.sandbox.holds import Holds
    from elarian_trio.sandbox.pending import ParcelKey
    from elarian_trio.sandbox.store import Store
    from elarian_trio.sandbox.units import Steps, Units
    from elarian_trio.sandbox.world.effects import Delivered, Hop
    from elarian_trio.sandbox.world.leases import Ticket

__all__ = ["Note", "RulesDesk"]


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


class RulesDesk:
    """The :class:`~.delivery.Desk` of a server's routes. Made by the engine.

    Args:
        store: what is committed, and whether that is kept.
        holds: the leases on app data.
        units: runs what an answer asks for.
        steps: what is to be done next.
        put_again: gives a parcel to its route once more, after a while.
    """

    def __init__(
        self, store: Store, holds: Holds, units: Units, steps: Steps, put_again: Callable[[Parcel], None]
    ) -> None:
        self._store = store
        self._holds = holds
        self._units = units
        self._steps = steps
        self._put_again = put_again
        self._hops: dict[Hop, Call] = {}

    def await_hop(self, hop: Hop, call: Call) -> None:
        """Have *call*, by which a customer is at the phone, answered when an app has answered *hop*, or nobody has."""
        self._hops[hop] = call

    def take_lease(self, parcel: Parcel, then: Callable[[], None]) -> None:
        """Take the lease on the app data that goes with *parcel*; where none does, there is nothing to wait for."""
        delivered = guarded(partial(self._delivered, parcel))  # what cannot be read now has no content, either
        if delivered is None or delivered.lease is None or parcel.listener is None:
            then()
            return
        parcel.note.ticket = self._holds.ask(
            delivered.lease,
            parcel.listener.connection_id,
            lambda _granted: then(),  # also without: whoever waited 90 s is told what is there
            is_notification=True,
        )
        self._steps.run()

    def content(self, parcel: Parcel) -> bytes | None:
        """Give what is sent, with the app data as it is now; where that fails, nothing was told."""
        made = guarded(partial(self._encode, parcel))
        if made is None:
            parcel.note.delivered = None
        return made

    def _encode(self, parcel: Parcel) -> bytes:
        delivered = self._delivered(parcel)
        if delivered is None:
            return encode_notification(parcel.notification)
        return encode_notification(delivered.notification, delivered.app_data)

    def _delivered(self, parcel: Parcel) -> Delivered | None:
        """Give a notification as an app is told it now; ``None`` where it is a phone's."""
        told, note = parcel.notification, parcel.note
        if isinstance(told, Notification) and note.as_of != self._store.commits:
            note.delivered = deliver(self._units.work(told.org_id, told.app_id), told.app_id, told)
            note.as_of = self._store.commits
        return cast("Delivered | None", note.delivered)

    def answered(self, parcel: Parcel, data: bytes | None) -> bool:
        """Act on an app's answer, on ``None`` as on an empty one; a phone's says nothing.

        What could not be told, since the file cannot be read, stays in it: after a restart it may be.
        """
        delivered = parcel.note.delivered
        if delivered is None:
            if parcel.hop is not None:
                self.unheard(parcel)
            else:
                self.put_back(parcel)
            return True
        try:
            reply = NotificationReply() if data is None else decode_notification_reply(data)
        except RemoteProtocolError:
            return False
        told = delivered.notification
        work = self._units.work(told.org_id, told.app_id)
        rule = partial(answer_notification, delivered=delivered, reply=reply)
        if not guarded(
            partial(self._units.perform, work, rule, ignore, partial(self._tell_again, parcel), parcel.note.key)
        ):
            self.forget(parcel)
        # Behind the release that a change of the data asks for, which would else end the next one's lease as well.
        self._store.commit({}, _either_way(partial(self._steps.add, partial(self._give_back, parcel))))
        if parcel.hop is not None:
            self._end_hop(parcel.hop, reply)
        self._steps.run()
        return True

    def _tell_again(self, parcel: Parcel, _: StoreError) -> None:
        """Have a notification answered once more: its answer could not be kept."""
        told = parcel.note.delivered.notification
        if parcel.hop is None:
            again = Parcel(told, parcel.customer_id, note=Note(parcel.note.key))
            self._put_again(again)

    def once_kept(self, call: Callable[[bool], None]) -> None:
        """Make *call* once everything is kept, or lost, that was committed before: at once where that is so."""
        if self._store.is_settled:
            call(True)
        else:
            self._store.commit({}, Unit(partial(self._steps.add, partial(call, True)), partial(self._call_lost, call)))

    def _call_lost(self, call: Callable[[bool], None], _: StoreError) -> None:
        self._steps.add(partial(call, False))

    def forget(self, parcel: Parcel) -> None:
        """Keep *parcel* no longer."""
        if parcel.note.key is not None:
            self._units.forget(parcel.note.key)

    def put_back(self, parcel: Parcel) -> None:
        """Release the lease, or leave its queue: *parcel* is not under way any more."""
        self._give_back(parcel)
        self._steps.run()

    def unheard(self, parcel: Parcel) -> None:
        """Tell a customer at the phone that nobody answered."""
        self._give_back(parcel)
        self._end_hop(parcel.hop, NotificationReply(), is_heard=False)
        self._steps.run()

    def _give_back(self, parcel: Parcel) -> None:
        ticket, parcel.note.ticket = parcel.note.ticket, None
        if ticket is not None:
            self._holds.leave(ticket)

    def _end_hop(self, hop: Hop, reply: NotificationReply, *, is_heard: bool = True) -> None:
        call = self._hops.pop(hop, None)
        rule = partial(answer_hop, hop=hop, message=reply.message, is_heard=is_heard)
        then = ignore if call is None else call.answer
        lost = ignore if call is None else call.refuse
        work = self._units.work(hop.org_id, hop.app_id)
        if not guarded(partial(self._units.perform, work, rule, then, lost)):
            then(SimulatorReply(status=False, description="the sandbox failed"))


def _either_way(call: Callable[[], None]) -> Unit:
    """Have *call* made whether the unit is kept or lost."""

    def lost(_: StoreError) -> None:
        call()

    return Unit(call, lost)
