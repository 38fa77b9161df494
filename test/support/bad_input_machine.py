"""Commands and answers of any bytes that are messages at all: each has an answer, and none is half-written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machines import WorldMachine, numbers, picks
from wire_strategies import wire_messages
from world_support import APP

from elarian_trio._wire import envelopes
from elarian_trio._wire._pb import app_socket_pb2, simulator_socket_pb2
from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models.commands import GetCustomerState
from elarian_trio.models.messaging import MessageDeliveryStatus, MessagingConsentUpdateStatus
from elarian_trio.models.payments import PaymentStatus
from elarian_trio.sandbox.world.effects import WaitForHop, WaitForLease
from elarian_trio.sandbox.world.entities import ChannelRecord, CustomerRecord, NumberRecord
from elarian_trio.sandbox.world.transactions import ON_ITS_WAY

if TYPE_CHECKING:
    from elarian_trio.models.commands import Command
    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.model import Model
    from elarian_trio.models.notifications import NotificationReply
    from elarian_trio.sandbox.world.effects import Hop

APP_BYTES = wire_messages(app_socket_pb2.AppToServerCommand)
PHONE_BYTES = wire_messages(simulator_socket_pb2.SimulatorToServerCommand)
ANSWER_BYTES = wire_messages(app_socket_pb2.ServerToAppNotificationReply)
GOOD: frozenset[Any] = frozenset(
    {
        True,
        MessageDeliveryStatus.QUEUED,
        MessageDeliveryStatus.SENT,
        MessageDeliveryStatus.SESSION_INITIATED,
        MessagingConsentUpdateStatus.QUEUED,
        MessagingConsentUpdateStatus.COMPLETED,
        PaymentStatus.SUCCESS,
    }
    | ON_ITS_WAY
)
MET = (CustomerRecord, NumberRecord, ChannelRecord)
"""What a refusal may leave behind: that somebody is known from now on, or, where all are let in, a channel."""


class BadInputMachine(WorldMachine):
    """A world that is sent nonsense, and a little sense, as bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.hops: list[Hop] = []

    @initialize(strict=st.booleans(), number=numbers)
    def begin(self, strict: bool, number: CustomerNumber) -> None:
        """Choose how strict the server is."""
        self.world.change_settings(strict=strict)
        self.meet(number)

    @rule(data=APP_BYTES)
    def app_asks(self, data: bytes) -> None:
        """An app sends a command."""
        try:
            command = envelopes.decode_app_command(data)
        except RemoteProtocolError:
            return  # an ERROR on its stream, and the connection goes on
        self.run(command)

    @rule(data=PHONE_BYTES)
    def phone_asks(self, data: bytes) -> None:
        """A phone sends a command."""
        try:
            command = envelopes.decode_simulator_command(data)
        except RemoteProtocolError:
            return
        self.run(command)

    def run(self, command: Command[Any]) -> None:
        """Run a command: its reply can be sent, and one that says no has changed nothing."""
        before, jobs = dict(self.world.records), dict(self.world.jobs)
        reply = self.world.run(command)
        if isinstance(reply, WaitForLease):
            reply = self.world.run(command, lease=reply.lease)
        if isinstance(reply, WaitForHop):
            self.hops.append(reply.hop)
            return
        self.check(command, reply)
        if getattr(reply, "status", True) not in GOOD:
            assert self.world.jobs == jobs
            assert not self.world.notified
            assert not self.world.simulated
            changed = {key for key, record in self.world.records.items() if before.get(key) != record}
            assert not before.keys() - self.world.records.keys()
            assert all(isinstance(self.world.records[key], MET) for key in changed)
            assert not any(key in before for key in changed), "something that was there is half-written"

    def check(self, command: Command[Any], reply: Model) -> None:
        """See that a reply says something, and that it travels."""
        assert getattr(reply, "description", "token")
        assert envelopes.decode_reply(command, envelopes.encode_reply(command, reply)) is not None
        made = getattr(reply, "customer_id", None)
        if made and made not in self.ids:
            self.ids.append(made)
        named = self.world.run(GetCustomerState(customer=made)) if made else None
        is_gone = type(command).__name__ == "DeleteCustomer" or (named and "decommissioned" in named.description)
        assert named is None or named.status or is_gone, "the reply names a customer that is not there"

    @rule(data=ANSWER_BYTES)
    def app_answers(self, data: bytes) -> None:
        """The app answers all that it was told, with the same nonsense."""
        reply = self.decoded(data)
        told, self.world.notified[:] = list(self.world.notified), []
        for effect in told:
            delivered = self.world.deliver(effect)
            assert envelopes.encode_notification(delivered.notification, delivered.app_data)
            if reply is not None:
                self.world.answer(delivered, reply, app_id=effect.app_id)
        self.hear()

    def hear(self) -> None:
        """See that whatever is told can be sent, and forget it."""
        for effect in self.world.notified:
            assert envelopes.encode_notification(effect.notification)
        for told in self.world.phones():
            assert envelopes.encode_notification(told)
        self.world.notified.clear()

    def decoded(self, data: bytes) -> NotificationReply | None:
        """Give an answer, if it is one."""
        try:
            return envelopes.decode_notification_reply(data)
        except RemoteProtocolError:
            return None

    @precondition(lambda self: self.hops)
    @rule(pick=picks, data=ANSWER_BYTES)
    def app_answers_a_phone(self, pick: int, data: bytes) -> None:
        """The app answers somebody at the phone."""
        reply, hop = self.decoded(data), self.hops.pop(pick % len(self.hops))
        said = self.world.answer_hop(hop, None if reply is None else reply.message)
        assert said.description

    @rule(seconds=st.sampled_from((1, 100, 10_000)))
    def pass_time(self, seconds: float) -> None:
        """What was asked for falls due."""
        self.world.advance(seconds)

    @invariant()
    def everybody_can_be_shown(self) -> None:
        """No nonsense that was taken keeps a state from being sent."""
        self.hear()
        for customer_id in self.ids:
            command = GetCustomerState(customer=customer_id)
            reply = self.world.run(command, app_id=APP)
            assert envelopes.encode_reply(command, reply)
