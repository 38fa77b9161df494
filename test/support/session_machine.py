"""Sessions under anything that phones and apps do: one for each number on a channel, begun once and ended once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machines import WorldMachine, numbers, picked, picks
from seeded_world import SMS, USSD, VOICE, WHATSAPP, phone, send
from world_support import APP, ORG

from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.commands import UpdateMessagingConsent
from elarian_trio.models.messaging import (
    ConsentAction,
    Message,
    MessageDeliveryStatus,
    MessagingSessionEndReason,
    UssdInput,
    UssdMenu,
    UssdSessionStatus,
)
from elarian_trio.models.notifications import (
    MessageStatusNotification,
    MessagingSessionEndedNotification,
    MessagingSessionRenewedNotification,
    MessagingSessionStartedNotification,
    NotificationReply,
    ReceivedMessageNotification,
)
from elarian_trio.models.voice import Reject, Say, VoiceCallDirection, VoiceCallInput, VoiceCallStatus
from elarian_trio.sandbox.world.conversations import said_at
from elarian_trio.sandbox.world.effects import SessionExpires, WaitForHop
from elarian_trio.sandbox.world.entities import CustomerKey, CustomerRecord, MessageKey, MessageRecord, MessagingRecord

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.messaging import InboundMessageBody, MessageBody
    from elarian_trio.models.notifications import Notification
    from elarian_trio.sandbox.world.effects import Hop, NotifyApp

Status = MessageDeliveryStatus
OTHER_APP = "el_app_others"
APPS = st.sampled_from((APP, OTHER_APP))
CHANNELS = st.sampled_from((SMS, USSD, VOICE, WHATSAPP))
SESSION_IDS = st.sampled_from(("", "s1", "s2", "own"))
INPUTS = st.builds(
    UssdInput, st.sampled_from(("", "1", "2")), st.sampled_from([*UssdSessionStatus][1:]) | st.just("active")
)
CALLS = st.builds(
    VoiceCallInput,
    direction=st.sampled_from([*VoiceCallDirection][1:]),
    status=st.sampled_from([*VoiceCallStatus]) | st.just("active"),
    dtmf_digits=st.sampled_from((None, None, "5")),
)
BODIES: dict[str, MessageBody] = {
    Channel.SMS: "hello",
    Channel.WHATSAPP: "hello",
    Channel.USSD: UssdMenu("1. apply"),
    Channel.VOICE: (Say("hello"),),
}
ANSWERS = st.sampled_from(("menu", "last menu", "long menu", "text", "actions", "reject", "nothing", "unheard"))
MESSAGES: dict[str, Message | None] = {
    "menu": Message.of(UssdMenu("1. apply")),
    "last menu": Message.of(UssdMenu("bye", is_terminal=True)),
    "long menu": Message.of(UssdMenu("x" * 183)),
    "text": Message.of("hello"),
    "actions": Message.of((Say("hello"),)),
    "reject": Message.of((Reject(),)),
    "nothing": None,
    "unheard": None,
}


@dataclass
class Lasting:
    """A session in progress, by what apps were told of it."""

    number: CustomerNumber
    channel: str
    expires_at: datetime
    apps: list[str] = field(default_factory=list)


class SessionMachine(WorldMachine):
    """Phones write, dial and call; apps answer, write, call and block; customers are joined and deleted meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.lasting: dict[str, Lasting] = {}
        self.ended: dict[str, list[str]] = defaultdict(list)
        self.hops: list[Hop] = []
        self.received: list[NotifyApp] = []
        self.delivered: set[str] = set()
        self.blocked: set[tuple[CustomerNumber, str]] = set()
        self.last_told = self.world.now

    @initialize(strict=st.booleans())
    def begin(self, strict: bool) -> None:
        """Choose how strict the server is."""
        self.world.change_settings(strict=strict)

    # The books: what apps are told, in the order in which it is told.

    def hear(self) -> None:
        """Book what apps were told."""
        told, self.world.notified[:] = list(self.world.notified), []
        for effect in told:
            assert effect.notification.created_at is not None
            assert effect.notification.created_at >= self.last_told, "it is told out of order"
            self.last_told = effect.notification.created_at
            self.book(effect, effect.notification)

    def book(self, effect: NotifyApp, told: Notification) -> None:
        """Book one thing that an app was told."""
        if isinstance(told, MessagingSessionStartedNotification):
            assert told.session_id not in self.lasting | self.ended, "it begins twice"
            assert told.session_id not in self.ended
            assert not self.of(told.customer_number, told.channel_number), "another is in progress there"
            self.lasting[told.session_id] = self.as_told(told)
        elif isinstance(told, MessagingSessionRenewedNotification):
            assert self.lasting[told.session_id].channel == told.channel_number.channel
            self.lasting[told.session_id] = self.as_told(told)
        elif isinstance(told, MessagingSessionEndedNotification):
            assert effect.app_id not in self.ended[told.session_id], "an app is told of the end twice"
            self.ended[told.session_id].append(effect.app_id)
            session = self.lasting.pop(told.session_id, None)
            if session is not None and told.reason is MessagingSessionEndReason.INACTIVITY:
                assert told.created_at == session.expires_at
        elif isinstance(told, ReceivedMessageNotification):
            assert told.session_id is None or told.session_id in self.lasting, "a message of no session"
            self.received.append(effect)
        elif isinstance(told, MessageStatusNotification):
            assert told.message_id not in self.delivered, "it is delivered twice"
            self.delivered.add(told.message_id)

    def as_told(self, told: Any) -> Lasting:  # noqa: ANN401 - started or renewed
        """Give a session as it is told."""
        assert told.expires_at > told.created_at
        return Lasting(told.customer_number, str(told.channel_number.channel), told.expires_at)

    def of(self, number: CustomerNumber, channel: MessagingChannel) -> list[str]:
        """Give the ids of the sessions in progress between a number and a channel."""
        return [
            session_id
            for session_id, each in self.lasting.items()
            if (each.number, each.channel) == (number, channel.channel)
        ]

    # The moves.

    @rule(number=numbers, given=SESSION_IDS, text=st.booleans())
    def write(self, number: CustomerNumber, given: str, text: bool) -> None:
        """A phone sends a message."""
        channel = WHATSAPP if text else SMS
        self.report(number, channel, given, "hello")
        assert len(self.of(number, channel)) == (channel is WHATSAPP)

    @rule(number=numbers, given=SESSION_IDS, part=INPUTS)
    def dial(self, number: CustomerNumber, given: str, part: UssdInput) -> None:
        """A phone dials, or answers a menu."""
        self.report(number, USSD, given, part)
        assert len(self.of(number, USSD)) == (part.status == "active")

    @rule(number=numbers, given=SESSION_IDS, part=CALLS)
    def call(self, number: CustomerNumber, given: str, part: VoiceCallInput) -> None:
        """A phone is in a call."""
        self.report(number, VOICE, given, part)

    def report(self, number: CustomerNumber, channel: MessagingChannel, given: str, part: InboundMessageBody) -> None:
        """Have a phone report something; "own" is the session id that the server made."""
        own = self.of(number, channel)
        session_id = (own[0] if own else "") if given == "own" else given
        reply = phone(self.world, part, channel=channel, session_id=session_id, number=number.number)
        self.hear()
        told = self.received[-1]
        if isinstance(reply, WaitForHop):
            assert told.hop == reply.hop
            self.hops.append(reply.hop)
        else:
            assert reply.status
            assert told.hop is None

    @precondition(lambda self: self.hops)
    @rule(pick=picks, answer=ANSWERS)
    def answer_hop(self, pick: int, answer: str) -> None:
        """The app answers whoever waits at a phone, perhaps too late."""
        hop = self.hops.pop(pick % len(self.hops))
        reply = self.world.answer_hop(hop, MESSAGES[answer], is_heard=answer != "unheard")
        self.hear()
        assert reply.description
        assert reply.status or reply.message is None
        assert reply.status or hop.session_id not in self.lasting

    @precondition(lambda self: self.received)
    @rule(pick=picks)
    def answer_message(self, pick: int) -> None:
        """The app answers a notification with a message: what was not a hop is a reply."""
        told = self.received.pop(pick % len(self.received))
        reply = NotificationReply(message=Message.of("thank you"))
        self.world.answer(self.world.deliver(told), reply, app_id=told.app_id)
        self.hear()

    @rule(number=numbers, channel=CHANNELS, app_id=APPS)
    def send(self, number: CustomerNumber, channel: MessagingChannel, app_id: str) -> None:
        """An app sends a message, or calls."""
        self.send_to(number, channel, app_id)

    def send_to(self, number: CustomerNumber, channel: MessagingChannel, app_id: str) -> None:
        """Have an app send a message, and see what it is answered with."""
        self.meet(number)
        reply = send(self.world, BODIES[channel.channel], channel, number, app_id)
        assert reply.status is self.expected(number, channel), reply
        self.hear()
        if reply.session_id is not None:
            assert self.of(number, channel) == [reply.session_id]

    @precondition(lambda self: self.lasting)
    @rule(pick=picks)
    def join_in(self, pick: int) -> None:
        """Another app writes into a session in progress, and so takes part."""
        session = self.lasting[picked(list(self.lasting), pick)]
        if session.channel in (Channel.WHATSAPP, Channel.USSD):
            channel = WHATSAPP if session.channel == Channel.WHATSAPP else USSD
            self.send_to(session.number, channel, OTHER_APP)

    def expected(self, number: CustomerNumber, channel: MessagingChannel) -> Status:
        """Give the status that a message would be answered with."""
        if (number, channel.channel) in self.blocked:
            return Status.NO_CONSENT
        is_open = bool(self.of(number, channel))
        if channel is VOICE:
            return Status.OTHER_SESSION_IN_PROGRESS if is_open else Status.SESSION_INITIATED
        return Status.NO_SESSION_IN_PROGRESS if channel is USSD and not is_open else Status.SENT

    @rule(number=numbers, channel=CHANNELS, update=st.sampled_from((ConsentAction.ALLOW, ConsentAction.BLOCK)))
    def consent(self, number: CustomerNumber, channel: MessagingChannel, update: ConsentAction) -> None:
        """An app allows or blocks."""
        command = UpdateMessagingConsent(customer_number=number, channel_number=channel, update=update)
        assert self.world.run(command).status == "completed"
        change = self.blocked.add if update is ConsentAction.BLOCK else self.blocked.discard
        change((number, channel.channel))

    @rule(seconds=st.sampled_from((0.1, 59, 61, 150, 4_000, 90_000)))
    def pass_time(self, seconds: float) -> None:
        """Sessions end by themselves."""
        self.world.advance(seconds)
        self.hear()

    @rule(one=numbers, other=numbers, joins=st.booleans())
    def change_who_is_who(self, one: CustomerNumber, other: CustomerNumber, joins: bool) -> None:
        """Two are one, with the sessions of both; or somebody is deleted, and their sessions are over unheard."""
        heir, gone = self.meet(one), self.meet(other)
        if joins:
            self.adopt(heir, gone)
            return
        record = self.world.records[CustomerKey(ORG, gone)]
        assert isinstance(record, CustomerRecord)
        assert self.delete(gone)
        self.lasting = {key: each for key, each in self.lasting.items() if each.number not in record.numbers}
        self.blocked = {each for each in self.blocked if each[0] not in record.numbers}

    # What must hold.

    def messaging(self) -> list[MessagingRecord]:
        """Give what was said with everybody."""
        return [each for each in self.world.records.values() if isinstance(each, MessagingRecord)]

    @invariant()
    def sessions_are_as_apps_were_told(self) -> None:
        """What is in progress is what was said to have begun and not to have ended, until when it was said."""
        kept = [
            (each.session, each.customer_number, str(each.channel_number.channel))
            for record in self.messaging()
            for each in record.channels
        ]
        assert len({each[1:] for each in kept}) == len(kept), "a number stands on a channel twice"
        found = {each.session_id: (number, channel, each.expires_at) for each, number, channel in kept if each}
        assert found == {key: (each.number, each.channel, each.expires_at) for key, each in self.lasting.items()}

    @invariant()
    def every_session_will_end(self) -> None:
        """One job waits for each session, at its end."""
        jobs = self.world.jobs.values()
        waiting = {job.session_id: at for at, _, job in jobs if isinstance(job, SessionExpires)}
        assert waiting == {key: each.expires_at for key, each in self.lasting.items()}

    @invariant()
    def every_end_is_told_to_all_who_took_part(self) -> None:
        """Once to each, and it is kept once."""
        done = [each for record in self.messaging() for each in record.sessions]
        assert len({each.session_id for each in done}) == len(done)
        for each in done:
            assert sorted(self.ended[each.session_id]) == sorted(each.app_ids)
            assert each.session_id not in self.lasting

    @invariant()
    def messages_are_kept_in_order_and_bounded(self) -> None:
        """By time, the last hundred, each under an id of its own."""
        for record in self.messaging():
            kept = [self.world.records[MessageKey(ORG, each)] for each in record.log]
            times = [said_at(each.message) for each in kept if isinstance(each, MessageRecord)]
            assert times == sorted(times)
            assert record.last_at == (times[-1] if times else None)
            assert len(set(record.log)) == len(times) == len(record.log) <= 100

    @invariant()
    def blocks_show(self) -> None:
        """Who may not be written to is as it was said."""
        blocked = {
            (each.customer_number, str(each.channel_number.channel))
            for record in self.messaging()
            for each in record.channels
            if each.blocked_at is not None
        }
        assert blocked == {(number, str(channel)) for number, channel in self.blocked}
