"""The rules' entrance: every command has a rule, refusals leave nothing behind, and needs names what is needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from world_support import APP, ASHA, BEN, ORG, START, Shelf, World

from elarian_trio.models import commands as command_models
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import (
    AppCommand,
    Command,
    CreateCustomer,
    DeleteCustomer,
    GetCustomerState,
    InitiatePayment,
    LeaseCustomerAppData,
    ReplayPayment,
    SendMessage,
    SimulatorCommand,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
    UpdateMessagingConsent,
    UpdatePaymentStatus,
)
from elarian_trio.models.identity import SecondaryId, Tag
from elarian_trio.models.messaging import Message, MessageDeliveryStatus, MessagingConsentUpdateStatus
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply, ReceivedSmsNotification
from elarian_trio.models.payments import Cash, PaymentStatus, Purse, Wallet
from elarian_trio.models.simulator import MakeVoiceCallSimulatorNotification
from elarian_trio.sandbox.world import rules
from elarian_trio.sandbox.world.effects import (
    Delivered,
    Hop,
    NotifySimulators,
    ReleaseLease,
    ReminderDue,
    Schedule,
    Unschedule,
)
from elarian_trio.sandbox.world.entities import ActivityRecord, AppKey, CustomerKey, EntryRecord, IndexKey
from elarian_trio.sandbox.world.families import joined
from elarian_trio.sandbox.world.work import Reason, Refusal, Work

SMS = MessagingChannel.sms("83044")
PAYMENT = {"debit_party": Purse("p"), "credit_party": Wallet("c", "w"), "value": Cash("KES", 1)}
KINDS = [
    kind
    for kind in vars(command_models).values()
    if isinstance(kind, type) and issubclass(kind, Command) and kind not in (Command, AppCommand, SimulatorCommand)
]


def fresh(world: World | None = None) -> Work:
    """Make a unit of work on an empty world, or the one given."""
    world = world or World()
    shelf = Shelf(world, ORG)
    return Work(now=START, dice=world.dice, org_id=ORG, app_id=APP, settings=world.settings, records=shelf)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_command_has_a_rule(kind: type[Command[Any]]) -> None:
    """The specification: the server knows each of the wire's commands."""
    assert kind in rules.RULES


GREETING = SendMessage(customer_number=ASHA, channel_number=SMS, message=Message("x"))
CONSENT = UpdateMessagingConsent(customer_number=ASHA, channel_number=SMS, update="allow")
PAYOUT = InitiatePayment(**PAYMENT)

REFUSED: list[tuple[Command[Any], str, object]] = [
    (GetCustomerState(customer=ASHA), "invalid", False),
    (UpdateCustomerTag(customer=ASHA, updates=()), "unknown_customer", False),
    (DeleteCustomer(customer=ASHA), "decommissioned", False),
    (LeaseCustomerAppData(customer=ASHA), "invalid", False),
    (command_models.SendMessageTag(tag=Tag("a", "b"), channel_number=SMS, message=Message("x")), "invalid", False),
    (GREETING, "invalid", MessageDeliveryStatus.INVALID_REQUEST),
    (GREETING, "unknown_customer", MessageDeliveryStatus.INVALID_CUSTOMER_ID),
    (GREETING, "decommissioned", MessageDeliveryStatus.DECOMMISSIONED_CUSTOMERID),
    (CONSENT, "invalid", MessagingConsentUpdateStatus.APPLICATION_ERROR),
    (CONSENT, "decommissioned", MessagingConsentUpdateStatus.DECOMMISSIONED_CUSTOMER_ID),
    (PAYOUT, "invalid", PaymentStatus.INVALID_REQUEST),
    (PAYOUT, "unknown_customer", PaymentStatus.INVALID_COUNTER_PARTY),
    (PAYOUT, "decommissioned", PaymentStatus.DECOMMISSIONED_CUSTOMER_ID),
    (ReplayPayment(provider_transaction_id="1", status="success", created_at=START, **PAYMENT), "invalid", False),
    (UpdatePaymentStatus(transaction_id="1", status="success"), "invalid", False),
]


@pytest.mark.parametrize(("command", "reason", "status"), REFUSED)
def test_a_refusal_becomes_the_commands_own_kind_of_reply(
    command: Command[Any], reason: Reason, status: object
) -> None:
    """The wire: some replies have a boolean, some a status; all have words."""
    reply: Any = rules.refused(command, Refusal("because", reason, "el_cst_1"))
    assert type(reply) is command.reply_type
    assert reply.status == status
    assert reply.description == "because"


def test_a_refused_command_changes_nothing() -> None:
    """This SDK: nothing is half-written, not even the customer whom the command would have made."""
    world = World()
    passport = (SecondaryId("passport", "A1"),)
    assert world.run(UpdateCustomerSecondaryId(customer=ASHA, updates=passport)).status
    before = dict(world.records)
    assert not world.run(UpdateCustomerSecondaryId(customer=BEN, updates=passport)).status
    assert world.records == before


def test_a_refusal_names_a_customer_only_if_there_is_one() -> None:
    """A past bug: replies named customers that the refused command had made, and that nobody could find."""
    world = World()
    passport = (SecondaryId("passport", "A1"),)
    assert world.run(UpdateCustomerSecondaryId(customer=ASHA, updates=passport)).status
    update = UpdateCustomerSecondaryId(customer=BEN, updates=passport)
    assert world.run(update).customer_id is None
    made = world.run(CreateCustomer(customer_number=BEN)).customer_id
    assert world.run(update).customer_id == made


def test_a_job_that_cannot_be_done_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: nobody waits for its answer."""

    def half(work: Work, job: ReminderDue) -> None:
        work.unschedule(job.job_key)
        msg = "no"
        raise Refusal(msg)

    monkeypatch.setitem(rules.JOBS, ReminderDue, half)  # type: ignore[arg-type]
    work = fresh()
    rules.run_job(work, ReminderDue(org_id=ORG, customer_id="c", reminder_key="r"))
    assert work.effects == []


def test_a_refused_hop_tells_the_phone_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: the customer at the phone always gets an answer."""
    hop = Hop(
        org_id=ORG,
        app_id=APP,
        customer_id="c",
        customer_number=ASHA,
        channel_number=MessagingChannel.ussd("*1#"),
        session_id="s",
        message_id="m",
    )
    monkeypatch.setattr(rules.hops, "answer_hop", refuse)
    reply = rules.answer_hop(fresh(), hop, Message("x"))
    assert not reply.status
    assert reply.description == "no"


def refuse(*_: object, **__: object) -> None:
    """Say no."""
    msg = "no"
    raise Refusal(msg)


def test_a_refused_message_in_an_answer_does_not_keep_its_app_data_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: the two parts of an answer stand by themselves."""
    world = World()
    customer_id = world.run(CreateCustomer(customer_number=ASHA)).customer_id
    monkeypatch.setattr(rules.messaging, "answer_message", refuse)
    told = ReceivedSmsNotification(customer_id=customer_id, customer_number=ASHA, channel_number=SMS, text="hi")
    key = AppKey(ORG, APP, customer_id)
    reply = NotificationReply(data_update=AppDataUpdate("home"), message=Message("x"))
    world.answer(Delivered(told, key), reply)
    assert world.records[key].data == "home"  # type: ignore[attr-defined]


# --- the unit of work ---


def test_what_a_unit_changed_hides_what_is_kept() -> None:
    """This SDK: a rule sees what it put and deleted itself, and else what the store has."""
    world = World()
    kept = ActivityRecord(org_id=ORG, customer_id="el_cst_1")
    world.put(kept)
    work = fresh(world)
    assert work.get(kept.key) is kept
    work.delete(kept.key)
    assert work.get(kept.key) is None
    changed = ActivityRecord(org_id=ORG, customer_id="el_cst_1")
    work.put(changed)
    assert work.get(kept.key) is changed
    work.discard()
    assert work.get(kept.key) is kept


def test_members_are_as_the_unit_has_left_them() -> None:
    """This SDK: a rule sees what it changed itself, in order of ids, and nothing that has expired."""
    index = IndexKey(ORG, "tag", ("a", "b"))

    def entry(member: str, index: IndexKey = index, seconds: int | None = None) -> EntryRecord:
        expires_at = None if seconds is None else START + timedelta(seconds=seconds)
        return EntryRecord(org_id=ORG, kind=index.kind, parts=index.parts, member=member, expires_at=expires_at)

    world = World()
    world.put(entry("d"), entry("b"), entry("c", seconds=0), entry("e", seconds=1))
    work = fresh(world)
    work.put(entry("a"))
    work.put(entry("other", IndexKey(ORG, "tag", ("a", "c"))))
    work.delete(entry("d").key)
    work.delete(CustomerKey(ORG, "b"))
    assert work.members(index) == ("a", "b", "e")


def test_effects_keep_their_order() -> None:
    """This SDK: a server carries them out as they come."""
    work = fresh()
    told = MakeVoiceCallSimulatorNotification(customer_number=ASHA, channel_number=SMS)
    job = ReminderDue(org_id=ORG, customer_id="c", reminder_key="r")
    work.notify_simulators(told)
    work.schedule(START, job)
    work.unschedule(job.job_key)
    work.release(AppKey(ORG, APP, "c"))
    assert work.effects == [
        NotifySimulators(ORG, told),
        Schedule(START, job),
        Unschedule(ORG, job.job_key),
        ReleaseLease(AppKey(ORG, APP, "c")),
    ]


def test_two_families_cannot_claim_one_command() -> None:
    """This SDK: which of them answered would be chance."""
    assert joined([{"a": 1}, {"b": 2}]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="two families"):
        joined([{"a": 1}, {"a": 2}])
