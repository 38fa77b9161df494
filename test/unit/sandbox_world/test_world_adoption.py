"""Adoption: two customers become one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from world_support import APP, ASHA, BEN, ORG, START, World

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import (
    AddCustomerReminder,
    AddCustomerReminderTag,
    AdoptCustomerState,
    CancelCustomerReminderTag,
    CreateCustomer,
    CustomerActivity,
    GetCustomerState,
    UpdateCustomerAppData,
    UpdateCustomerMetadata,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import CompleteMessagingSession, MessageDeliveryStatus, ReceivedMessage, SentMessage
from elarian_trio.models.notifications import ReminderNotification
from elarian_trio.models.payments import (
    Cash,
    CustomerPayment,
    PaymentBalance,
    PaymentChannelNumber,
    PaymentTransaction,
    PendingPaymentTransaction,
    Wallet,
)
from elarian_trio.sandbox.world.entities import (
    KEPT,
    ActivityKey,
    AppRecord,
    ChannelState,
    CustomerKey,
    CustomerRecord,
    MessageRecord,
    MessagingRecord,
    PaymentsRecord,
    TransactionKey,
    TransactionRecord,
)

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.state import CustomerState

SMS = MessagingChannel.sms("83044")
PAYBILL = PaymentChannelNumber("83044")


def two(world: World) -> tuple[str, str]:
    """Make Asha and Ben, and give their ids."""
    return tuple(world.run(CreateCustomer(customer_number=each)).customer_id for each in (ASHA, BEN))  # type: ignore[return-value]


def adopt(world: World, survivor: str, other: CustomerAddress) -> str:
    """Have one adopt the other, and give the server's words."""
    reply = world.run(AdoptCustomerState(customer_id=survivor, other_customer=other))
    assert reply.status
    assert reply.customer_id == survivor
    return str(reply.description)


def state_of(world: World, address: CustomerAddress) -> CustomerState:
    """Ask for a state."""
    state: CustomerState = world.run(GetCustomerState(customer=address)).data
    return state


def test_the_other_becomes_a_pointer_and_its_numbers_the_survivors() -> None:
    """Elarian: the other is decommissioned, with a pointer to the new id."""
    world = World()
    asha, ben = two(world)
    adopt(world, asha, ben)
    record = world.records[CustomerKey(ORG, ben)]
    assert isinstance(record, CustomerRecord)
    assert (record.decommissioned_to, record.numbers) == (asha, ())
    assert state_of(world, BEN).customer_id == asha
    assert state_of(world, BEN).activity_state.customer_numbers == (ASHA, BEN)


def test_adopting_again_by_any_address_changes_nothing() -> None:
    """Older SDKs' tests adopt the same pair twice and expect status true."""
    world = World()
    asha, ben = two(world)
    world.run(UpdateCustomerSecondaryId(customer=BEN, updates=(SecondaryId("passport", "B1"),)))
    adopt(world, asha, BEN)
    before = dict(world.records)
    for address in (ben, BEN, asha, ASHA, SecondaryId("passport", "B1")):
        assert "already" in adopt(world, asha, address)
    assert world.records == before


def test_adopting_a_number_that_nobody_has_gives_the_survivor_the_number() -> None:
    """This SDK: by number a customer is made, as everywhere."""
    world = World()
    asha = world.run(CreateCustomer(customer_number=ASHA)).customer_id
    adopt(world, asha, BEN)
    assert state_of(world, BEN).customer_id == asha


def test_the_adopted_cannot_adopt_and_strangers_cannot_be_adopted() -> None:
    """This SDK: a decommissioned id is refused, and so is one that nobody has."""
    world = World()
    asha, ben = two(world)
    assert not world.run(AdoptCustomerState(customer_id=asha, other_customer="el_cst_nobody")).status
    assert not world.run(AdoptCustomerState(customer_id="el_cst_nobody", other_customer=asha)).status
    adopt(world, asha, ben)
    reply = world.run(AdoptCustomerState(customer_id=ben, other_customer=asha))
    assert not reply.status
    assert asha in reply.description


def test_identity_is_joined_and_the_survivor_wins() -> None:
    """This SDK: on equal tag, metadata and secondary-id keys."""
    world = World()
    asha, ben = two(world)
    for customer, suffix in ((asha, "a"), (ben, "b")):
        tags = (Tag("Level" if suffix == "a" else "level", suffix), Tag(f"tag-{suffix}", suffix))
        ids = (SecondaryId("passport", suffix), SecondaryId(f"id-{suffix}", suffix))
        world.run(UpdateCustomerTag(customer=customer, updates=tags))
        world.run(UpdateCustomerSecondaryId(customer=customer, updates=ids))
        world.run(UpdateCustomerMetadata(customer=customer, updates={"name": suffix, f"key-{suffix}": suffix}))
    adopt(world, asha, ben)
    identity = state_of(world, asha).identity_state
    assert {(tag.key, tag.value) for tag in identity.tags} == {("Level", "a"), ("tag-a", "a"), ("tag-b", "b")}
    assert {(each.key, each.value) for each in identity.secondary_ids} == {
        ("passport", "a"),
        ("id-a", "a"),
        ("id-b", "b"),
    }
    assert identity.metadata == {"name": "a", "key-a": "a", "key-b": "b"}
    assert state_of(world, SecondaryId("id-b", "b")).customer_id == asha
    assert not world.run(GetCustomerState(customer=SecondaryId("passport", "b"))).status
    world.run(AddCustomerReminderTag(tag=Tag("tag-b", "b"), reminder=Reminder("r", START)))
    world.advance(0)
    assert [told.customer_id for told in world.told(ReminderNotification)] == [asha]


def test_what_expired_on_the_survivor_does_not_win() -> None:
    """This SDK: an expired tag is no tag."""
    world = World()
    asha, ben = two(world)
    world.run(UpdateCustomerTag(customer=asha, updates=(Tag("level", "old", START + timedelta(seconds=1)),)))
    world.run(UpdateCustomerTag(customer=ben, updates=(Tag("level", "new"),)))
    world.advance(1)
    adopt(world, asha, ben)
    assert state_of(world, asha).identity_state.tags == (Tag("level", "new"),)


def test_app_data_is_the_survivors_if_it_has_any() -> None:
    """This SDK: for each app by itself."""
    world = World()
    asha, ben = two(world)
    world.run(UpdateCustomerAppData(customer=asha, update="mine"))
    world.run(UpdateCustomerAppData(customer=ben, update="theirs"))
    world.run(UpdateCustomerAppData(customer=ben, update="other"), app_id="el_app_other")
    world.released.clear()
    adopt(world, asha, ben)
    data = {each.app_id: each.data for each in world.records.values() if isinstance(each, AppRecord)}
    assert data == {APP: "mine", "el_app_other": "other"}
    assert ben in world.gone, "every app's lease on it ends"


def test_reminders_are_joined_and_the_survivors_key_wins() -> None:
    """This SDK: what moves fires for the survivor, and cancelling by tag finds it there."""
    world = World()
    asha, ben = two(world)
    minute = timedelta(minutes=1)
    tag = Tag("level", "starter")
    world.run(UpdateCustomerTag(customer=ben, updates=(tag,)))
    world.run(AddCustomerReminder(customer=asha, reminder=Reminder("both", START + minute, payload="a")))
    world.run(AddCustomerReminder(customer=ben, reminder=Reminder("both", START + minute, payload="b")))
    world.run(AddCustomerReminder(customer=ben, reminder=Reminder("own", START + minute, payload="b")))
    world.run(AddCustomerReminderTag(tag=tag, reminder=Reminder("tagged", START + minute)))
    adopt(world, asha, ben)
    assert world.run(CancelCustomerReminderTag(tag=tag, key="tagged")).status
    world.advance(minute)
    told = world.told(ReminderNotification)
    assert {(each.customer_id, each.reminder.key, each.reminder.payload) for each in told} == {
        (asha, "both", "a"),
        (asha, "own", "b"),
    }
    assert not world.jobs


def test_messages_sessions_and_visits_are_joined_by_time_and_bounded() -> None:
    """This SDK: the last hundred of both."""
    world = World()
    asha, ben = two(world)

    def message(number: int) -> ReceivedMessage | SentMessage:
        at = START + timedelta(seconds=number)
        if number % 3:
            return SentMessage(message_id=f"{number}", sent_at=at, message=None, status=MessageDeliveryStatus.SENT)
        return ReceivedMessage(message_id=f"{number}", received_at=at)

    def session(number: int, started_at: datetime | None) -> CompleteMessagingSession:
        return CompleteMessagingSession(
            customer_number=BEN, channel_number=SMS, session_id=f"{number}", started_at=started_at
        )

    ashas, bens = range(0, 180, 2), range(31, 121, 2)
    world.put(*(MessageRecord(org_id=ORG, message=message(number)) for number in (*ashas, *bens)))
    world.put(
        MessagingRecord(
            org_id=ORG,
            customer_id=asha,
            channels=(ChannelState(customer_number=ASHA, channel_number=SMS),),
            log=tuple(map(str, ashas)),
            last_at=START + timedelta(seconds=178),
            sessions=(session(1, START),),
        ),
        MessagingRecord(
            org_id=ORG,
            customer_id=ben,
            channels=(ChannelState(customer_number=BEN, channel_number=SMS),),
            log=tuple(map(str, bens)),
            last_at=START + timedelta(seconds=119),
            sessions=(session(2, START + timedelta(1)), session(3, None)),
        ),
    )
    world.run(CustomerActivity(customer_number=BEN, source="web", session_id="1", key="first"))
    world.advance(1)
    world.run(CustomerActivity(customer_number=ASHA, source="web", session_id="1", key="second"))
    adopt(world, asha, ben)
    state = state_of(world, asha)
    numbers = [int(each.message_id) for each in state.messaging_state.messages if each is not None]
    assert numbers == sorted(numbers)
    assert len(numbers) == KEPT
    assert numbers[-1] == 178
    assert len([each for each in world.records.values() if isinstance(each, MessageRecord)]) == KEPT
    assert [each.session_id for each in state.messaging_state.sessions] == ["3", "1", "2"]
    assert [each.customer_number for each in state.messaging_state.channels if each is not None] == [ASHA, BEN]
    assert [each.activities[0].key for each in state.activity_state.sessions] == ["first", "second"]
    assert ActivityKey(ORG, ben) not in world.records


def wallet(amount: int, currency: str = "KES", **pending: int) -> PaymentBalance:
    """Make a balance."""
    cash = Cash(currency, amount)
    waiting = {name: PendingPaymentTransaction(value=Cash(currency, value)) for name, value in pending.items()}
    return PaymentBalance(currency_code=currency, available=cash, actual=cash, pending=waiting, sequence_nr=amount)


def test_wallets_of_one_name_and_currency_are_added_up() -> None:
    """This SDK: no money is lost; a wallet of another currency goes on under its name with the currency."""
    world = World()
    asha, ben = two(world)
    world.put(
        PaymentsRecord(
            org_id=ORG,
            customer_id=asha,
            wallets={
                "both": wallet(10, el_txn_1=1),
                "mixed": wallet(1),
                "mixed:USD": wallet(5, "EUR"),
                "mine": wallet(2),
            },
        ),
        PaymentsRecord(
            org_id=ORG,
            customer_id=ben,
            wallets={
                "both": wallet(7, el_txn_2=2),
                "mixed": wallet(3, "USD"),
                "theirs": wallet(4),
                "empty": PaymentBalance(currency_code="KES"),
            },
        ),
    )
    adopt(world, asha, ben)
    wallets = state_of(world, asha).payment_state.wallets
    both = wallets["both"]
    assert both.available == both.actual == Cash("KES", 17)
    assert set(both.pending) == {"el_txn_1", "el_txn_2"}
    assert both.sequence_nr == 11
    assert wallets["mixed:USD:USD"] == wallet(3, "USD")
    assert wallets["mixed"] == wallet(1)
    assert wallets["theirs"] == wallet(4)
    total = sum((each.actual.amount for each in wallets.values() if each.actual), Decimal(0))
    assert total == 10 + 1 + 5 + 2 + 7 + 3 + 4


@pytest.mark.parametrize(("ours", "others"), [(2, 7), (7, 2)])
def test_a_sum_of_two_wallets_is_later_than_both(ours: int, others: int) -> None:
    """Facts: a balance's sequence number grows by each change; who saw the one or the other takes this for newer."""
    world = World()
    asha, ben = two(world)
    for customer_id, number in ((asha, ours), (ben, others)):
        balance = PaymentBalance(currency_code="KES", sequence_nr=number)
        world.put(PaymentsRecord(org_id=ORG, customer_id=customer_id, wallets={"w": balance}))
    adopt(world, asha, ben)
    assert state_of(world, asha).payment_state.wallets["w"].sequence_nr == 8


def test_a_wallet_whose_balance_was_never_written_takes_the_others() -> None:
    """This SDK: nothing and something are something."""
    world = World()
    asha, ben = two(world)
    world.put(
        PaymentsRecord(org_id=ORG, customer_id=asha, wallets={"w": PaymentBalance(currency_code="KES")}),
        PaymentsRecord(org_id=ORG, customer_id=ben, wallets={"w": wallet(7)}),
    )
    adopt(world, asha, ben)
    assert state_of(world, asha).payment_state.wallets["w"].actual == Cash("KES", 7)


def test_transactions_are_joined_by_time_and_name_the_survivor() -> None:
    """This SDK: a payment on its way must find its wallet when it is settled."""
    world = World()
    asha, ben = two(world)

    def transaction(number: int, debit: Wallet, credit: Wallet | CustomerPayment) -> TransactionRecord:
        return TransactionRecord(
            org_id=ORG,
            transaction=PaymentTransaction(
                transaction_id=f"el_txn_{number}",
                debit_party=debit,
                credit_party=credit,
                created_at=START + timedelta(seconds=number),
            ),
            debit_customer_id=debit.customer_id,
            credit_customer_id=credit.customer_id if isinstance(credit, Wallet) else None,
        )

    mpesa = CustomerPayment(BEN, PAYBILL)
    world.put(
        transaction(1, Wallet(ben, "w"), mpesa),
        transaction(2, Wallet(asha, "w"), Wallet(ben, "w")),
        transaction(3, Wallet(ben, "w"), mpesa),
        transaction(4, Wallet(asha, "w"), mpesa),
        PaymentsRecord(
            org_id=ORG,
            customer_id=asha,
            customer_numbers=(ASHA,),
            log=("el_txn_2", "el_txn_4"),
            wallets={"w": wallet(1, "USD")},
        ),
        PaymentsRecord(
            org_id=ORG,
            customer_id=ben,
            customer_numbers=(BEN,),
            channel_numbers=(PAYBILL,),
            log=("el_txn_1", "el_txn_2", "el_txn_lost"),
            pending=("el_txn_3",),
            wallets={"w": wallet(2)},
        ),
    )
    adopt(world, asha, ben)
    payments = state_of(world, asha).payment_state
    assert [each.transaction_id for each in payments.transaction_log] == ["el_txn_1", "el_txn_2", "el_txn_4"]
    assert [each.transaction_id for each in payments.pending_transactions] == ["el_txn_3"]
    assert (payments.customer_numbers, payments.channel_numbers) == ((ASHA, BEN), (PAYBILL,))
    pending = world.records[TransactionKey(ORG, "el_txn_3")]
    assert isinstance(pending, TransactionRecord)
    assert pending.debit_customer_id == asha
    assert pending.transaction.debit_party == Wallet(asha, "w:KES")
    both = world.records[TransactionKey(ORG, "el_txn_2")]
    assert isinstance(both, TransactionRecord)
    assert (both.transaction.debit_party, both.transaction.credit_party) == (Wallet(asha, "w"), Wallet(asha, "w:KES"))
    assert both.credit_customer_id == asha


def test_wallets_too_large_to_be_added_up_refuse_the_adoption() -> None:
    """The wire: money travels as a double, and no sum may lose a part of it."""
    world = World()
    asha, ben = two(world)
    for customer_id, amount in ((asha, "90000000000000"), (ben, "0.0001")):
        balance = PaymentBalance(currency_code="KES", available=Cash("KES", amount))
        world.put(PaymentsRecord(org_id=ORG, customer_id=customer_id, wallets={"w": balance}))
    before = dict(world.records)
    reply = world.run(AdoptCustomerState(customer_id=asha, other_customer=ben))
    assert not reply.status
    assert "digits" in reply.description
    assert world.records == before
