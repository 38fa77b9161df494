"""Customers: made, shown and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.models.activity import ActivityState
from elarian_trio.models.commands import CreateCustomer, DeleteCustomer, GetCustomerState
from elarian_trio.models.identity import CustomerNumber, IdentityState
from elarian_trio.models.messaging import (
    ActiveMessagingChannelState,
    BlockedMessagingChannelState,
    InSessionMessagingChannelState,
    MessagingState,
)
from elarian_trio.models.model import altering
from elarian_trio.models.payments import PaymentState
from elarian_trio.models.replies import CustomerStateUpdateReply, DeleteCustomerReply, GetCustomerStateReply
from elarian_trio.models.state import CustomerState
from elarian_trio.sandbox.world.addresses import (
    customer_at,
    customer_with_number,
    messaging_of,
    normal,
    number_key,
    number_owner,
)
from elarian_trio.sandbox.world.conversations import messages_of
from elarian_trio.sandbox.world.effects import SessionExpires
from elarian_trio.sandbox.world.entities import (
    ActivityKey,
    AppKey,
    MessageKey,
    MessagingKey,
    PaymentsKey,
    TransactionKey,
)
from elarian_trio.sandbox.world.identity import in_force, set_secondary_ids, set_tags
from elarian_trio.sandbox.world.reminders import drop_app_record

if TYPE_CHECKING:
    from elarian_trio.models.messaging import MessagingChannelState
    from elarian_trio.models.payments import PaymentTransaction
    from elarian_trio.sandbox.world.entities import ChannelState, CustomerRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work


def create(work: Work, command: CreateCustomer) -> CustomerStateUpdateReply:
    """Get or make the customer with a number; clients ask each time they meet a number, so asking again is fine."""
    is_known = number_owner(work, command.customer_number) is not None
    customer = customer_with_number(work, command.customer_number)
    return CustomerStateUpdateReply(
        status=True,
        description="the customer is known already" if is_known else "customer created",
        customer_id=customer.customer_id,
    )


# --- state ---


def get_state(work: Work, command: GetCustomerState) -> GetCustomerStateReply:
    """Show everything that is known of a customer, each part of it even if it is empty: clients look for all."""
    customer = customer_at(work, command.customer)
    return GetCustomerStateReply(status=True, description="state found", data=state_of(work, customer))


def state_of(work: Work, customer: CustomerRecord) -> CustomerState:
    """Give a customer's state.

    Every number that ever engaged stands among the activity's: a client that was only told an id takes from the
    state the first number that it finds.
    """
    customer_id = customer.customer_id
    state: CustomerState = _STATES.call(
        _NOBODY,
        customer_id=customer_id,
        identity_state=_IDENTITIES.call(
            _NOBODY.identity_state,
            tags=in_force(work, customer.tags),
            metadata=customer.metadata,
            secondary_ids=in_force(work, customer.secondary_ids),
        ),
        messaging_state=_messaging_state(work, customer_id),
        payment_state=_payment_state(work, customer_id),
        activity_state=_activity_state(work, customer),
    )
    return state


# Most customers have no more than a number: what is empty is not made anew for each, and what is not was checked when
# it was remembered.
_NOTHING_SAID = MessagingState()
_NOTHING_PAID = PaymentState()
_NOBODY = CustomerState(
    customer_id="",
    identity_state=IdentityState(),
    messaging_state=_NOTHING_SAID,
    payment_state=_NOTHING_PAID,
    activity_state=ActivityState(),
)
_STATES, _IDENTITIES, _ACTIVITIES = altering(CustomerState), altering(IdentityState), altering(ActivityState)


def _messaging_state(work: Work, customer_id: str) -> MessagingState:
    record = work.get(MessagingKey(work.org_id, customer_id))
    if record is None:
        return _NOTHING_SAID
    return MessagingState(
        channels=tuple(_shown(channel) for channel in record.channels),
        messages=messages_of(work, record),
        sessions=record.sessions,
    )


def _activity_state(work: Work, customer: CustomerRecord) -> ActivityState:
    record = work.get(ActivityKey(work.org_id, customer.customer_id))
    sessions = () if record is None else record.sessions
    shown: ActivityState = _ACTIVITIES.call(
        _NOBODY.activity_state, sessions=sessions, customer_numbers=customer.numbers
    )
    return shown


def _shown(channel: ChannelState) -> MessagingChannelState:
    """Give a channel's state in one of its three forms; a block shows, though a session may go on under it."""
    number, channel_number, token = channel.customer_number, channel.channel_number, channel.reply_token
    session = channel.session
    if channel.blocked_at is not None:
        return BlockedMessagingChannelState(
            customer_number=number,
            channel_number=channel_number,
            reply_token=token,
            blocked_at=channel.blocked_at,
        )
    if session is not None:
        return InSessionMessagingChannelState(
            customer_number=number,
            channel_number=channel_number,
            reply_token=token,
            allowed_at=channel.allowed_at,
            session_id=session.session_id,
            started_at=session.started_at,
            expires_at=session.expires_at,
            app_ids=session.app_ids,
            provider_session_id=session.provider_session_id,
        )
    return ActiveMessagingChannelState(
        customer_number=number,
        channel_number=channel_number,
        reply_token=token,
        allowed_at=channel.allowed_at,
    )


def _payment_state(work: Work, customer_id: str) -> PaymentState:
    record = work.get(PaymentsKey(work.org_id, customer_id))
    if record is None:
        return _NOTHING_PAID
    return PaymentState(
        customer_numbers=record.customer_numbers,
        channel_numbers=record.channel_numbers,
        transaction_log=_transactions(work, record.log),
        pending_transactions=_transactions(work, record.pending),
        wallets=record.wallets,
    )


def _transactions(work: Work, ids: tuple[str, ...]) -> tuple[PaymentTransaction, ...]:
    found = [work.get(TransactionKey(work.org_id, each)) for each in ids]
    return tuple(each.transaction for each in found if each is not None)


# --- deletion ---


def delete(work: Work, command: DeleteCustomer) -> DeleteCustomerReply:
    """Remove a customer with everything known of it; its numbers are nobody's until they engage again.

    A number that is nobody's is fine: the next lookup would make a customer of it, and there is nothing to remove.
    """
    address = command.customer
    if isinstance(address, CustomerNumber) and number_owner(work, address) is None:
        return DeleteCustomerReply(
            status=True,
            description=f"nobody has the number {normal(address).number}; nothing to delete",
        )
    customer = customer_at(work, address)
    _forget(work, customer)
    return DeleteCustomerReply(status=True, description="customer deleted", customer_id=customer.customer_id)


def _forget(work: Work, customer: CustomerRecord) -> None:
    org_id, customer_id = customer.org_id, customer.customer_id
    set_tags(work, customer, ())
    set_secondary_ids(work, customer, ())
    for number in customer.numbers:
        work.delete(number_key(org_id, number))
    for app_id in customer.app_ids:
        drop_app_record(work, AppKey(org_id, app_id, customer_id))
    work.release_all(customer_id)
    messaging = messaging_of(work, customer_id)
    for message_id in messaging.log:
        work.delete(MessageKey(org_id, message_id))
    for channel in messaging.channels:
        if channel.session is not None:
            ending = SessionExpires(org_id=org_id, customer_id=customer_id, session_id=channel.session.session_id)
            work.unschedule(ending.job_key)
    for key in (MessagingKey, PaymentsKey, ActivityKey):
        work.delete(key(org_id, customer_id))
    work.delete(customer.key)


RULES: Rules = {
    CreateCustomer: create,
    GetCustomerState: get_state,
    DeleteCustomer: delete,
}
JOBS: JobRules = {}
