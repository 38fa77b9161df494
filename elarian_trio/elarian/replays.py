"""Loading the past: what happened outside Elarian, into the state of customers.

:class:`~elarian_trio.Elarian` stands above and is made of this; the block is :mod:`elarian_trio.client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from elarian_trio._arguments import require
from elarian_trio.client import Client
from elarian_trio.customer import Customer, is_id
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.checks import check_datetime, check_str, to_enum
from elarian_trio.models.commands import (
    ReplayMessageReactionUpdate,
    ReplayMessageStatusUpdate,
    ReplayMessagingConsentUpdate,
    ReplayMessagingSession,
    ReplayPayment,
    ReplayPaymentStatusUpdate,
    ReplayReceivedMessage,
    ReplaySentMessage,
)
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import (
    ConsentAction,
    MessageSessionUpdate,
    MessageStatusUpdate,
    ReceivedMessage,
    SentMessage,
)

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.models.messaging import ConsentActionName, MessageReaction, MessageReactionName
    from elarian_trio.models.payments import Cash, PaymentParty, PaymentStatus, PaymentStatusName
    from elarian_trio.models.replies import CustomerStateUpdateReply, ReplayPaymentReply


WhoseNumber: TypeAlias = "CustomerNumber | Customer | str"
"""What names a customer by number: a number, a customer with one, or a cellular number as a str."""

__all__ = ["Replays", "WhoseNumber", "checked_channel", "number_of"]

_to_action = to_enum(ConsentAction, optional=False)


class Replays(Client):
    """The commands that load the past. Ids are the provider's own; nothing is sent to anybody and no money moves."""

    async def replay_messaging_consent_update(
        self,
        customer: WhoseNumber,
        channel: MessagingChannel,
        consent: ConsentAction | ConsentActionName,
        updated_at: datetime,
    ) -> CustomerStateUpdateReply:
        """Load a past change of consent into the customer's state.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the action is not known, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayMessagingConsentUpdate(
            customer_number=number_of(customer),
            channel_number=checked_channel(channel),
            update=_to_action("consent", consent),
            updated_at=updated_at,
        )
        return await self._call(command)

    async def replay_received_message(
        self, customer: WhoseNumber, channel: MessagingChannel, message: ReceivedMessage
    ) -> CustomerStateUpdateReply:
        """Load a message that the customer sent in the past; its ids are the provider's.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message lacks its time, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("message", ReceivedMessage, message)
        command = ReplayReceivedMessage(
            provider_message_id=message.message_id,
            customer_number=number_of(customer),
            channel_number=checked_channel(channel),
            received_at=_time(message.received_at),
            parts=message.parts,
            provider_session_id=message.session_id,
            in_reply_to=message.in_reply_to,
            provider=message.provider,
            cost=message.cost,
        )
        return await self._call(command)

    async def replay_sent_message(
        self, customer: WhoseNumber, channel: MessagingChannel, message: SentMessage
    ) -> CustomerStateUpdateReply:
        """Load a message that was sent to the customer in the past; its ids are the provider's.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message lacks its time or content, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("message", SentMessage, message)
        if message.message is None:
            msg = "a sent message is replayed with what it said"
            raise ValueError(msg)
        command = ReplaySentMessage(
            provider_message_id=message.message_id,
            customer_number=number_of(customer),
            channel_number=checked_channel(channel),
            sent_at=_time(message.sent_at),
            message=message.message,
            status=message.status,
            provider_session_id=message.session_id,
            in_reply_to=message.in_reply_to,
            provider=message.provider,
            cost=message.cost,
        )
        return await self._call(command)

    async def replay_message_status_update(
        self, customer: WhoseNumber, channel: MessagingChannel, update: MessageStatusUpdate
    ) -> CustomerStateUpdateReply:
        """Load a past change of a sent message's status.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("update", MessageStatusUpdate, update)
        command = ReplayMessageStatusUpdate(
            provider_message_id=update.message_id,
            customer_number=number_of(customer),
            channel_number=checked_channel(channel),
            updated_at=update.updated_at,
            status=update.status,
            cost=update.cost,
        )
        return await self._call(command)

    async def replay_message_reaction_update(
        self,
        customer: WhoseNumber,
        channel: MessagingChannel,
        message_id: str,
        reaction: MessageReaction | MessageReactionName,
        updated_at: datetime,
    ) -> CustomerStateUpdateReply:
        """Load a past reaction of the customer's to a sent message.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the reaction is not known, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayMessageReactionUpdate(
            provider_message_id=check_str("message_id", message_id),
            customer_number=number_of(customer),
            channel_number=checked_channel(channel),
            updated_at=updated_at,
            reaction=reaction,
        )
        return await self._call(command)

    async def replay_messaging_session(
        self, customer: WhoseNumber, channel: MessagingChannel, update: MessageSessionUpdate
    ) -> CustomerStateUpdateReply:
        """Load a past session.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("update", MessageSessionUpdate, update)
        command = ReplayMessagingSession(
            provider_session_id=update.session_id,
            customer_number=number_of(customer),
            channel_number=checked_channel(channel),
            started_at=update.started_at,
            duration=update.duration,
            end_reason=update.reason,
            cost=update.cost,
        )
        return await self._call(command)

    async def replay_payment(
        self,
        transaction_id: str,
        debit_party: PaymentParty,
        credit_party: PaymentParty,
        status: PaymentStatus | PaymentStatusName,
        value: Cash,
        narration: str,
        updated_at: datetime,
    ) -> ReplayPaymentReply:
        """Load a past payment; no money moves. *transaction_id* is the provider's, the reply's is Elarian's.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the status is not known.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayPayment(
            provider_transaction_id=check_str("transaction_id", transaction_id),
            debit_party=debit_party,
            credit_party=credit_party,
            status=status,
            value=value,
            narration=narration,
            created_at=check_datetime("updated_at", updated_at),
        )
        return await self._call(command)

    async def replay_payment_status_update(
        self,
        customer: WhoseNumber,
        transaction_id: str,
        status: PaymentStatus | PaymentStatusName,
        updated_at: datetime,
    ) -> ReplayPaymentReply:
        """Load a past change of a payment's status; *transaction_id* is the provider's.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the status is not known, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayPaymentStatusUpdate(
            customer_number=number_of(customer),
            provider_transaction_id=check_str("transaction_id", transaction_id),
            status=status,
            updated_at=updated_at,
        )
        return await self._call(command)


def checked_channel(channel: MessagingChannel) -> MessagingChannel:
    """Give *channel*, of which what is wrong is said in the words of the method and not of its command."""
    require("channel", MessagingChannel, channel)
    return channel


def number_of(customer: WhoseNumber, *, name: str = "customer") -> CustomerNumber:
    """Give the number that names a customer; *name* is the argument's."""
    require(name, (CustomerNumber, Customer, str), customer)
    number = customer.number if isinstance(customer, Customer) else customer
    if not number:
        msg = "this command names a customer by number, and there is none"
        raise ValueError(msg)
    if is_id(number):
        msg = f"this command names a customer by number, and {number!r} is an id"
        raise ValueError(msg)
    return CustomerNumber(number) if isinstance(number, str) else number


def _time(moment: datetime | None) -> datetime:
    if moment is None:
        msg = "what is replayed needs the time at which it happened"
        raise ValueError(msg)
    return moment
