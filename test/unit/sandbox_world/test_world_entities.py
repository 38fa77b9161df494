"""Records, keys and jobs: found again under what they are stored by, and carried through JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from world_support import APP, ASHA, ORG, START

from elarian_trio.models.activity import Activity, ActivitySessionState
from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.identity import CustomerNumberProvider, Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import (
    CompleteMessagingSession,
    ConsentAction,
    Message,
    MessageDeliveryStatus,
    MessageReplyToken,
    ReceivedMessage,
    SentMessage,
    UssdMenu,
)
from elarian_trio.models.payments import (
    Cash,
    CustomerPayment,
    PaymentBalance,
    PaymentChannel,
    PaymentChannelNumber,
    PaymentTransaction,
    PendingPaymentTransaction,
    Purse,
)
from elarian_trio.models.voice import Say
from elarian_trio.sandbox.world.effects import (
    JOBS_BY_NAME,
    ConsentCompletes,
    Job,
    MessageProgresses,
    PaymentExpires,
    PaymentSettles,
    ReminderDue,
    SessionExpires,
    TagMessageDue,
    TokenExpires,
)
from elarian_trio.sandbox.world.entities import (
    KEPT,
    RECORDS,
    ActivityRecord,
    AppRecord,
    ChannelRecord,
    ChannelState,
    CustomerKey,
    CustomerRecord,
    EntryRecord,
    MessageRecord,
    MessagingKey,
    MessagingRecord,
    NumberRecord,
    PaymentChannelRecord,
    PaymentsRecord,
    PurseRecord,
    Record,
    ReminderState,
    SecondaryIdRecord,
    Session,
    TokenRecord,
    TransactionAliasRecord,
    TransactionRecord,
    latest,
)

SMS = MessagingChannel.sms("83044")
KES = Cash("KES", "12.5")
BALANCE = PaymentBalance(
    currency_code="KES",
    available=KES,
    actual=KES,
    pending={"el_txn_1": PendingPaymentTransaction(created_at=START, value=KES)},
    sequence_nr=3,
)
TAG = Tag("level", "starter", START)
IDS = {"org_id": ORG, "customer_id": "el_cst_1"}

EXAMPLES: list[Record] = [
    CustomerRecord(
        **IDS,
        created_at=START,
        numbers=(ASHA,),
        tags=(TAG,),
        secondary_ids=(SecondaryId("passport", "A1"),),
        metadata={"text": '{"base64": "no"}', "bytes": b"\x00\xff"},
        app_ids=(APP,),
        decommissioned_to="el_cst_2",
    ),
    NumberRecord(**IDS, provider=CustomerNumberProvider.CELLULAR, number="+254", partition=None),
    SecondaryIdRecord(**IDS, id_key="passport", value="A1", expires_at=START),
    AppRecord(
        **IDS,
        app_id=APP,
        data=b"\x00",
        reminders={
            "r": ReminderState(reminder=Reminder("r", START, timedelta(minutes=1)), due_at=START, tag=TAG, work_id="w")
        },
    ),
    EntryRecord(org_id=ORG, kind="tag", parts=("level", "starter"), member="el_cst_1", expires_at=START),
    MessagingRecord(
        **IDS,
        channels=(
            ChannelState(
                customer_number=ASHA,
                channel_number=SMS,
                allowed_at=START,
                blocked_at=START,
                reply_token=MessageReplyToken(token="t", expires_at=START),
                session=Session(
                    session_id="el_ses_1",
                    started_at=START,
                    expires_at=START,
                    app_ids=(APP,),
                    plan=Message((Say("hello"),)),
                    cost=KES,
                    duration=timedelta(seconds=1.5),
                    reply_tokens=("el_rpt_1",),
                ),
            ),
        ),
        log=("m1", "m2"),
        last_at=START,
        sessions=(CompleteMessagingSession(customer_number=ASHA, channel_number=SMS, session_id="s"),),
    ),
    MessageRecord(org_id=ORG, message=ReceivedMessage(message_id="m1", received_at=START, parts=("hi", None))),
    MessageRecord(
        org_id=ORG,
        message=SentMessage(
            message_id="m2", sent_at=START, message=Message(UssdMenu("menu")), status=MessageDeliveryStatus.SENT
        ),
    ),
    ChannelRecord(org_id=ORG, channel=Channel.SMS, number="83044", app_id=APP),
    PaymentsRecord(**IDS, customer_numbers=(ASHA,), log=("a",), pending=("b",), wallets={"w": BALANCE}),
    TransactionRecord(
        org_id=ORG,
        transaction=PaymentTransaction(
            transaction_id="el_txn_1",
            debit_party=Purse("p"),
            credit_party=CustomerPayment(ASHA, PaymentChannelNumber("83044")),
            value=KES,
            created_at=START,
        ),
    ),
    TransactionAliasRecord(org_id=ORG, provider_transaction_id="p", transaction_id="el_txn_1"),
    PurseRecord(org_id=ORG, purse_id="el_prs_1", balances={"KES": BALANCE}),
    PaymentChannelRecord(org_id=ORG, channel=PaymentChannel.CELLULAR, number="83044", app_id=APP, purse_id="p"),
    ActivityRecord(
        **IDS,
        sessions=(
            ActivitySessionState(
                customer_number=ASHA, source="web", session_id="1", activities=(Activity("a", "1", {}, START),)
            ),
        ),
    ),
    TokenRecord(org_id=ORG, digest="d", expires_at=START),
]

JOB = {"org_id": ORG, "app_id": APP}
JOBS: list[Job] = [
    ReminderDue(**JOB, customer_id="c", reminder_key="r"),
    TagMessageDue(**JOB, customer_id="c", work_id="w", tag=TAG, channel_number=SMS, message=Message("hi")),
    MessageProgresses(**JOB, customer_id="c", message_id="m", status=MessageDeliveryStatus.DELIVERED),
    ConsentCompletes(**JOB, customer_id="c", customer_number=ASHA, channel_number=SMS, update=ConsentAction.ALLOW),
    SessionExpires(**JOB, customer_id="c", session_id="s"),
    PaymentSettles(**JOB, transaction_id="t"),
    TokenExpires(**JOB, digest="d"),
]


def test_every_kind_of_record_and_job_has_an_example_here() -> None:
    """This file's own: what is added is to be tried below."""
    assert {type(each) for each in EXAMPLES} == set(RECORDS.values())
    assert {type(each) for each in JOBS} | {PaymentExpires} == set(JOBS_BY_NAME.values())


@pytest.mark.parametrize("value", [*EXAMPLES, *JOBS], ids=lambda value: type(value).__name__)
def test_records_and_jobs_survive_json(value: Record | Job) -> None:
    """This SDK: a store on disk keeps them so."""
    known: dict[str, Any] = {**RECORDS, **JOBS_BY_NAME}
    assert known[type(value).__name__].from_json(json.loads(json.dumps(value.to_json()))) == value


def test_keys_name_the_organisation_first_and_differ_between_records() -> None:
    """This SDK: nothing ever crosses organisations, and no two kinds of record collide."""
    keys = [each.key for each in EXAMPLES]
    assert all(key.org_id == ORG for key in keys)
    assert len(set(keys)) == len(keys)
    assert CustomerKey(ORG, "x") != MessagingKey(ORG, "x")


def test_jobs_are_told_apart_by_name_except_the_two_ends_of_a_payment() -> None:
    """This SDK: a payment settles or expires; scheduling the one replaces the other."""
    names = [job.job_key for job in JOBS]
    assert len(set(names)) == len(names)
    assert PaymentExpires(**JOB, transaction_id="t").job_key == PaymentSettles(**JOB, transaction_id="t").job_key


@pytest.mark.parametrize(("kind", "name"), [(Record, "key"), (Job, "job_key")])
def test_the_bases_have_no_name_of_their_own(kind: type[Any], name: str) -> None:
    """This SDK: a subclass that forgets it is found out at once."""
    value = kind() if kind is Record else kind(org_id=ORG)
    with pytest.raises(NotImplementedError):
        getattr(value, name)


def test_a_message_is_on_its_way_from_us_until_its_end_is_known() -> None:
    """This SDK: what more is to come of is had at hand."""
    sent: dict[str, Any] = {"message_id": "m", "sent_at": START, "message": Message("hi")}
    messages = (
        SentMessage(**sent, status="queued"),
        SentMessage(**sent, status="sent"),
        SentMessage(**sent, status="delivered"),
        ReceivedMessage(message_id="m", received_at=START, parts=("hi",)),
    )
    on_their_way = [MessageRecord(org_id=ORG, message=each).is_on_its_way for each in messages]
    assert on_their_way == [True, True, False, False]


def test_the_latest_are_kept() -> None:
    """This SDK: a hundred, the oldest dropped."""
    assert latest((1, 2), 3) == (1, 2, 3)
    many = tuple(range(KEPT))
    assert latest(many, KEPT) == (*many[1:], KEPT)
