"""Customers' states, and their deletion."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from world_support import APP, ASHA, BEN, ORG, START, World

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import (
    AddCustomerReminder,
    AddCustomerReminderTag,
    CreateCustomer,
    CustomerActivity,
    DeleteCustomer,
    GetCustomerState,
    UpdateCustomerAppData,
    UpdateCustomerMetadata,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import (
    ActiveMessagingChannelState,
    BlockedMessagingChannelState,
    InSessionMessagingChannelState,
    ReceivedMessage,
)
from elarian_trio.models.payments import PaymentBalance, PaymentTransaction
from elarian_trio.sandbox.world.effects import SessionExpires
from elarian_trio.sandbox.world.entities import (
    ChannelState,
    CustomerKey,
    MessageRecord,
    MessagingRecord,
    PaymentsRecord,
    Session,
    TransactionRecord,
)

if TYPE_CHECKING:
    from elarian_trio.models.state import CustomerState

SMS = MessagingChannel.sms("83044")


def state_of(world: World) -> CustomerState:
    """Ask for the state of Asha."""
    state: CustomerState = world.run(GetCustomerState(customer=ASHA)).data
    return state


def test_a_fresh_customers_state_has_every_part() -> None:
    """Other SDKs' tests look for all of them."""
    world = World()
    reply = world.run(GetCustomerState(customer=ASHA))
    assert reply.status
    assert reply.description
    state = reply.data
    assert state.messaging_state.messages == ()
    assert state.payment_state.wallets == {}
    assert state.identity_state.metadata == {}
    assert state.activity_state.sessions == ()


def test_the_state_lists_every_number_that_ever_engaged() -> None:
    """Other SDKs take from it the number of a customer of whom they only know the id."""
    assert ASHA in state_of(World()).activity_state.customer_numbers


def test_the_state_shows_each_channel_in_its_form() -> None:
    """The wire has three: blocked, active and in session."""
    world = World()
    customer_id = world.run(CreateCustomer(customer_number=ASHA)).customer_id
    blank = ChannelState(customer_number=ASHA, channel_number=SMS, allowed_at=START)
    ussd = MessagingChannel.ussd("*384#")
    session = Session(session_id="el_ses_1", started_at=START, app_ids=(APP,), provider_session_id="p")
    channels = (
        blank,
        replace(blank, channel_number=MessagingChannel.whatsapp("1"), blocked_at=START),
        replace(blank, channel_number=ussd, session=session),
    )
    message = ReceivedMessage(message_id="el_msg_1", received_at=START, parts=("hi",))
    world.put(
        MessagingRecord(org_id=ORG, customer_id=customer_id, channels=channels, log=("el_msg_1",)),
        MessageRecord(org_id=ORG, message=message),
    )
    messaging = state_of(world).messaging_state
    active, blocked, in_session = messaging.channels
    assert isinstance(active, ActiveMessagingChannelState)
    assert active.allowed_at == START
    assert isinstance(blocked, BlockedMessagingChannelState)
    assert blocked.blocked_at == START
    assert isinstance(in_session, InSessionMessagingChannelState)
    assert (in_session.session_id, in_session.app_ids) == ("el_ses_1", (APP,))
    assert in_session.channel_number == ussd
    assert messaging.messages == (message,)


def test_the_state_shows_transactions_and_wallets() -> None:
    """Elarian: done and pending ones stand apart."""
    world = World()
    customer_id = world.run(CreateCustomer(customer_number=ASHA)).customer_id
    done, pending = PaymentTransaction(transaction_id="el_txn_1"), PaymentTransaction(transaction_id="el_txn_2")
    wallet = PaymentBalance(currency_code="KES")
    world.put(
        PaymentsRecord(
            org_id=ORG,
            customer_id=customer_id,
            log=("el_txn_1",),
            pending=("el_txn_2",),
            wallets={"loyal": wallet},
        ),
        TransactionRecord(org_id=ORG, transaction=done),
        TransactionRecord(org_id=ORG, transaction=pending),
    )
    payments = state_of(world).payment_state
    assert payments.transaction_log == (done,)
    assert payments.pending_transactions == (pending,)
    assert payments.wallets == {"loyal": wallet}


def full_customer(world: World) -> str:
    """Make a customer with something of everything."""
    customer_id = str(world.run(CreateCustomer(customer_number=ASHA)).customer_id)
    tag = Tag("segment", "premium")
    for command in (
        UpdateCustomerTag(customer=ASHA, updates=(tag,)),
        UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("passport", "A1"),)),
        UpdateCustomerMetadata(customer=ASHA, updates={"name": "Asha"}),
        UpdateCustomerAppData(customer=ASHA, update="home"),
        AddCustomerReminder(customer=ASHA, reminder=Reminder("own", START + timedelta(days=1))),
        AddCustomerReminderTag(tag=tag, reminder=Reminder("tagged", START + timedelta(days=1))),
        CustomerActivity(customer_number=ASHA, source="web", session_id="1", key="join"),
    ):
        assert world.run(command).status
    assert world.run(UpdateCustomerAppData(customer=ASHA, update="x"), app_id="el_app_other").status
    session = Session(session_id="el_ses_1", started_at=START)
    channels = (
        ChannelState(customer_number=ASHA, channel_number=SMS),
        ChannelState(customer_number=ASHA, channel_number=MessagingChannel.ussd("*384#"), session=session),
    )
    world.put(
        MessagingRecord(org_id=ORG, customer_id=customer_id, channels=channels, log=("el_msg_1",), last_at=START),
        MessageRecord(org_id=ORG, message=ReceivedMessage(message_id="el_msg_1", received_at=START, parts=("hi",))),
        PaymentsRecord(org_id=ORG, customer_id=customer_id),
    )
    ending = SessionExpires(org_id=ORG, customer_id=customer_id, session_id="el_ses_1")
    world.jobs[ending.job_key] = (START + timedelta(days=1), 0, ending)
    return customer_id


def test_deleting_a_customer_leaves_nothing_of_it() -> None:
    """This project's extension: state, numbers, reminders and the app data of every app."""
    world = World()
    customer_id = full_customer(world)
    world.released.clear()
    reply = world.run(DeleteCustomer(customer=ASHA))
    assert reply.status
    assert reply.description
    assert reply.customer_id == customer_id
    assert world.records == {}
    assert world.jobs == {}
    assert world.gone == [customer_id], "every app's lease on it ends"


def test_a_deleted_customers_number_makes_a_new_customer() -> None:
    """This project's extension: a later lookup starts afresh."""
    world = World()
    customer_id = full_customer(world)
    assert world.run(DeleteCustomer(customer=customer_id)).status
    assert not world.run(GetCustomerState(customer=customer_id)).status
    state = state_of(world)
    assert state.customer_id != customer_id
    assert state.identity_state.metadata == {}


def test_deleting_a_number_that_is_nobodys_is_fine_and_makes_nobody() -> None:
    """This SDK: as with lookups by number, which never fail; deleting twice is deleting once."""
    world = World()
    reply = world.run(DeleteCustomer(customer=BEN))
    assert reply.status
    assert reply.customer_id is None
    assert BEN.number in reply.description
    assert not world.records


def test_deleting_an_unknown_id_is_refused() -> None:
    """This SDK: an id that nobody has is a mistake."""
    reply = World().run(DeleteCustomer(customer="el_cst_nobody"))
    assert not reply.status
    assert reply.description


def test_deleting_a_customer_leaves_others_alone() -> None:
    """Nothing but the customer's own goes."""
    world = World()
    ben = world.run(UpdateCustomerTag(customer=BEN, updates=(Tag("segment", "premium"),))).customer_id
    full_customer(world)
    world.run(DeleteCustomer(customer=ASHA))
    assert CustomerKey(ORG, ben) in world.records
    assert world.run(GetCustomerState(customer=BEN)).data.identity_state.tags == (Tag("segment", "premium"),)
    assert all(job.customer_id == ben for _, _, job in world.jobs.values())  # type: ignore[attr-defined]
