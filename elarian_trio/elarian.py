"""The app's socket and its commands.

Users stand above; the block it shares with the simulator is :mod:`elarian_trio.client`, commands on one customer are
:mod:`elarian_trio.customer`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from elarian_trio._wire.envelopes import decode_app_notification, encode_notification_reply
from elarian_trio.client import Client
from elarian_trio.customer import Customer
from elarian_trio.models.commands import (
    AddCustomerReminderTag,
    CancelCustomerReminderTag,
    DeleteCustomer,
    GenerateAuthToken,
    InitiatePayment,
    ReplayMessageReactionUpdate,
    ReplayMessageStatusUpdate,
    ReplayMessagingConsentUpdate,
    ReplayMessagingSession,
    ReplayPayment,
    ReplayPaymentStatusUpdate,
    ReplayReceivedMessage,
    ReplaySentMessage,
    SendMessageTag,
)
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, SecondaryId
from elarian_trio.models.messaging import Message
from elarian_trio.models.notifications import APP_NOTIFICATIONS, AnyNotification, Notification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from elarian_trio._inbox import Subscription
    from elarian_trio.models.activity import Activity
    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.identity import AuthToken, CustomerAddress, CustomerNumberProviderName, Reminder, Tag
    from elarian_trio.models.messaging import (
        ConsentAction,
        ConsentActionName,
        MessageBody,
        MessageReaction,
        MessageReactionName,
        MessageSessionUpdate,
        MessageStatusUpdate,
        ReceivedMessage,
        SentMessage,
    )
    from elarian_trio.models.notifications import NotificationReply
    from elarian_trio.models.payments import Cash, PaymentParty, PaymentStatus, PaymentStatusName
    from elarian_trio.models.replies import (
        ConsentUpdateReply,
        CustomerStateUpdateReply,
        DeleteCustomerReply,
        InitiatePaymentReply,
        MessageReply,
        ReplayPaymentReply,
        TagUpdateReply,
    )
    from elarian_trio.models.state import CustomerState
    from elarian_trio.models.voice import VoiceAction

    Whom: TypeAlias = Customer | CustomerAddress
    WhoseNumber: TypeAlias = CustomerNumber | Customer | str

__all__ = ["Elarian"]

N = TypeVar("N", bound=Notification)
N2 = TypeVar("N2", bound=Notification)
N3 = TypeVar("N3", bound=Notification)

_ID_PREFIX = "el_cst_"  # every customer id that Elarian ever gave begins so


class Elarian(Client):
    """An app's connection to Elarian: commands out, notifications in.

    ::

        async with Elarian(org_id="...", app_id="...", api_key="...") as app:
            await app.customer("+254709759881").send_message(MessagingChannel.sms("83044"), "Hello!")

    It is entered once. Entering returns when the server has answered the setup; leaving in order lets what is in hand
    be answered, as :meth:`disconnect` does; leaving by an exception or cancellation answers nothing more and closes.

    Args:
        org_id: the organisation.
        app_id: the app.
        api_key: the app's key; or
        auth_token: a token, or an async function that gives one and is asked before each setup.
        endpoint: where to connect: ``tcp://host:port`` or ``tls://host:port``.
        options: how to connect, wait and buffer.
        dial: replaces ``endpoint``: an async function that opens a transport, an anyio ``ObjectStream[bytes]`` of whole
            frames or a ``ByteStream``.

    Raises:
        ValueError: there is not exactly one credential, or the endpoint is not one.
        TypeError: an argument is of the wrong type.
    """

    _kinds: ClassVar[Sequence[type[AnyNotification]]] = APP_NOTIFICATIONS

    def _decode(self, data: bytes) -> tuple[AnyNotification, str | bytes | None]:
        return decode_app_notification(data)

    def _encode(self, reply: NotificationReply) -> bytes:
        return encode_notification_reply(reply)

    def _customer_of(self, notification: AnyNotification) -> Customer | None:
        customer_id: object = getattr(notification, "customer_id", None)
        number: object = getattr(notification, "customer_number", None)
        if not customer_id and not isinstance(number, CustomerNumber):
            return None
        return Customer(
            self._call,
            number=number if isinstance(number, CustomerNumber) else None,
            customer_id=customer_id if isinstance(customer_id, str) else None,
            serializer=self._options.serializer,
        )

    def customer(
        self,
        number: CustomerNumber | str | None = None,
        *,
        provider: CustomerNumberProvider | CustomerNumberProviderName = CustomerNumberProvider.CELLULAR,
        partition: str | None = None,
        customer_id: str | None = None,
        secondary_id: SecondaryId | tuple[str, str] | None = None,
    ) -> Customer:
        """Name a customer by one or more addresses; the number wins on the wire. No I/O.

        Args:
            number: the customer's number.
            provider: whose number it is.
            partition: a subdivision of the provider's numbers, where it has any.
            customer_id: Elarian's id.
            secondary_id: an id of the organisation's own: key and value.

        Raises:
            ValueError: no address was given, or the provider is not known.
        """
        if isinstance(number, str) and number:
            number = CustomerNumber(number, provider, partition)
        if isinstance(secondary_id, tuple):
            secondary_id = SecondaryId(*secondary_id)
        return Customer(
            self._call,
            number=number,
            customer_id=customer_id,
            secondary_id=secondary_id,
            serializer=self._options.serializer,
        )

    @overload
    def notifications(self, /, *, max_buffer_size: int = ..., observe: bool = ...) -> Subscription[Notification]: ...
    @overload
    def notifications(self, one: type[N], /, *, max_buffer_size: int = ..., observe: bool = ...) -> Subscription[N]: ...
    @overload
    def notifications(
        self, one: type[N], two: type[N2], /, *, max_buffer_size: int = ..., observe: bool = ...
    ) -> Subscription[N | N2]: ...
    @overload
    def notifications(
        self, one: type[N], two: type[N2], three: type[N3], /, *, max_buffer_size: int = ..., observe: bool = ...
    ) -> Subscription[N | N2 | N3]: ...
    @overload
    def notifications(self, *types: type[N], max_buffer_size: int = ..., observe: bool = ...) -> Subscription[N]: ...
    def notifications(
        self, *types: type[Notification], max_buffer_size: int = 64, observe: bool = False
    ) -> Subscription[Any]:
        """Subscribe to notifications: ``async with app.notifications(X) as inbox:``, ``async for delivery in inbox:``.

        It may be opened before the client's block is entered. Several tasks may read one subscription; a delivery goes
        to one. Notifications of one customer reach the app one at a time and in order, over all its subscriptions and
        handlers; different customers' side by side. Each type has one taker at most.

        Until the client's first taker exists notifications wait, 64 at most and up to ``notification_timeout``;
        afterwards what nobody takes gets the default answer.

        Args:
            types: the classes wanted, or base classes of them; none means all.
            max_buffer_size: how many may wait for a task to take them; surplus is answered REJECTED, which promises the
                server that nothing was done, and counted.
            observe: only listen: the copies answer nothing, and are dropped and counted when there is no room.

        Raises:
            ValueError: a type never comes here, is taken already (also raised on opening), or the size is not positive.
        """
        return self._subscribe(types, max_buffer_size, observe=observe)

    # The organisation's own.

    async def generate_auth_token(self) -> AuthToken:
        """Ask for a short-lived token that can replace the API key, for a browser or a phone.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the request; asking again is safe.
            CommandFailed: it refused the request; its words are in ``description``.
            CommandTimedOut: no answer came in time.
            ConnectionLost: the connection ended for good.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Nothing was changed; a request that was sent is followed by a CANCEL.
        """
        return await self._call(GenerateAuthToken())

    async def delete_customer_by_customer_number(self, number: CustomerNumber | str) -> DeleteCustomerReply:
        """Remove the customer with *number*; a ``str`` is a cellular one. See :meth:`Customer.delete`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(DeleteCustomer(customer=_number(number)))

    async def delete_customer_by_customer_id(self, customer_id: str) -> DeleteCustomerReply:
        """Remove the customer with the id *customer_id*. See :meth:`Customer.delete`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(DeleteCustomer(customer=customer_id))

    # All customers with a tag.

    async def add_customer_reminder_by_tag(self, tag: Tag, reminder: Reminder) -> TagUpdateReply:
        """Set a reminder on every customer with *tag*; its notifications carry the reply's ``work_id``.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(AddCustomerReminderTag(tag=tag, reminder=reminder))

    async def cancel_customer_reminder_by_tag(self, tag: Tag, key: str) -> TagUpdateReply:
        """Cancel the reminder *key* of every customer with *tag*.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(CancelCustomerReminderTag(tag=tag, key=key))

    async def send_message_by_tag(
        self, tag: Tag, channel: MessagingChannel, message: Message | MessageBody
    ) -> TagUpdateReply:
        """Send a message to every customer with *tag*.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message cannot be sent.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(SendMessageTag(tag=tag, channel_number=channel, message=Message.of(message)))

    # Money.

    async def initiate_payment(
        self, debit_party: PaymentParty, credit_party: PaymentParty, value: Cash, narration: str = ""
    ) -> InitiatePaymentReply:
        """Move money from *debit_party* to *credit_party*; the reply's status says what became of it so far.

        What is pending then comes to its end in a ``paymentStatus`` notification with the same transaction id. Never
        sent again by itself: after an error with ``sent`` true, look at the customer's state before paying once more.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = InitiatePayment(debit_party=debit_party, credit_party=credit_party, value=value, narration=narration)
        return await self._call(command)

    # Loading the past. Ids are the provider's own.

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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the action is not known, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayMessagingConsentUpdate(
            customer_number=_number(customer), channel_number=channel, update=consent, updated_at=updated_at
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message lacks its time, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayReceivedMessage(
            provider_message_id=message.message_id,
            customer_number=_number(customer),
            channel_number=channel,
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message lacks its time or content, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        if message.message is None:
            msg = "a sent message is replayed with what it said"
            raise ValueError(msg)
        command = ReplaySentMessage(
            provider_message_id=message.message_id,
            customer_number=_number(customer),
            channel_number=channel,
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayMessageStatusUpdate(
            provider_message_id=update.message_id,
            customer_number=_number(customer),
            channel_number=channel,
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the reaction is not known, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayMessageReactionUpdate(
            provider_message_id=message_id,
            customer_number=_number(customer),
            channel_number=channel,
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayMessagingSession(
            provider_session_id=update.session_id,
            customer_number=_number(customer),
            channel_number=channel,
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the status is not known.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayPayment(
            provider_transaction_id=transaction_id,
            debit_party=debit_party,
            credit_party=credit_party,
            status=status,
            value=value,
            narration=narration,
            created_at=updated_at,
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
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the status is not known, or the customer has no number.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = ReplayPaymentStatusUpdate(
            customer_number=_number(customer),
            provider_transaction_id=transaction_id,
            status=status,
            updated_at=updated_at,
        )
        return await self._call(command)

    # The older references' names. Each is the same command of Customer, whose name its docstring tells; the customer
    # is a Customer, a CustomerNumber, a SecondaryId, an id ("el_cst_…"), or a str that is a cellular number.

    async def get_customer_state(self, customer: Whom) -> CustomerState:
        """Fetch what the server knows of a customer; metadata as values. See :meth:`Customer.get_state`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the request; asking again is safe.
            CommandFailed: it refused the request; its words are in ``description``.
            CommandTimedOut: no answer came in time.
            ConnectionLost: the connection ended for good.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Nothing was changed; a request that was sent is followed by a CANCEL.
        """
        return await self._whom(customer).get_state()

    async def adopt_customer_state(self, customer: Whom, other: Whom) -> CustomerStateUpdateReply:
        """Merge *other* into the customer; *other* is gone afterwards. See :meth:`Customer.adopt_state`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).adopt_state(self._whom(other))

    async def update_customer_tag(self, customer: Whom, *tags: Tag) -> CustomerStateUpdateReply:
        """Set tags on a customer; others stay. See :meth:`Customer.update_tags`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_tags(*tags)

    async def delete_customer_tag(self, customer: Whom, *keys: str) -> CustomerStateUpdateReply:
        """Remove a customer's tags by key. See :meth:`Customer.delete_tags`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).delete_tags(*keys)

    async def update_customer_secondary_id(self, customer: Whom, *ids: SecondaryId) -> CustomerStateUpdateReply:
        """Set secondary ids on a customer; others stay. See :meth:`Customer.update_secondary_ids`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_secondary_ids(*ids)

    async def delete_customer_secondary_id(self, customer: Whom, *ids: SecondaryId) -> CustomerStateUpdateReply:
        """Remove a customer's secondary ids, each by key and value. See :meth:`Customer.delete_secondary_ids`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).delete_secondary_ids(*ids)

    async def add_customer_reminder(self, customer: Whom, reminder: Reminder) -> CustomerStateUpdateReply:
        """Set a reminder on a customer for this app; one with the same key is replaced.

        See :meth:`Customer.add_reminder`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).add_reminder(reminder)

    async def cancel_customer_reminder(self, customer: Whom, key: str) -> CustomerStateUpdateReply:
        """Cancel this app's reminder *key* on a customer. See :meth:`Customer.cancel_reminder`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).cancel_reminder(key)

    async def update_customer_metadata(self, customer: Whom, data: Mapping[str, Any]) -> CustomerStateUpdateReply:
        """Set a customer's metadata by key; other keys stay. See :meth:`Customer.update_metadata`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: a value cannot be stored.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_metadata(data)

    async def delete_customer_metadata(self, customer: Whom, *keys: str) -> CustomerStateUpdateReply:
        """Remove a customer's metadata by key. See :meth:`Customer.delete_metadata`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).delete_metadata(*keys)

    async def lease_customer_metadata(self, customer: Whom, key: str) -> Any:  # noqa: ANN401 - the user's own value
        """Read one key of a customer's metadata under the app data's lease; ``None`` if it is not there.

        See :meth:`Customer.lease_metadata`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).lease_metadata(key)

    async def update_customer_app_data(
        self,
        customer: Whom,
        data: Any,  # noqa: ANN401 - the user's own value
    ) -> CustomerStateUpdateReply:
        """Replace this app's data on a customer; ends a lease. See :meth:`Customer.update_app_data`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the value cannot be stored.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_app_data(data)

    async def lease_customer_app_data(self, customer: Whom) -> Any:  # noqa: ANN401 - the user's own value
        """Read this app's data on a customer and hold the lease on it; waits 95 seconds for it at most.

        See :meth:`Customer.lease_app_data`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).lease_app_data()

    async def delete_customer_app_data(self, customer: Whom) -> CustomerStateUpdateReply:
        """Remove this app's data on a customer; ends a lease. See :meth:`Customer.delete_app_data`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).delete_app_data()

    async def update_customer_activity(
        self, customer: Whom, source: str, activity: Activity
    ) -> CustomerStateUpdateReply:
        """Report what a customer did in *source*. See :meth:`Customer.update_activity`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_activity(source, activity)

    async def send_message(
        self, customer: Whom, channel: MessagingChannel, message: Message | MessageBody
    ) -> MessageReply:
        """Send a message to a customer; the reply's status says what became of it. See :meth:`Customer.send_message`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).send_message(channel, message)

    async def reply_to_message(self, customer: Whom, message_id: str, message: Message | MessageBody) -> MessageReply:
        """Answer a message of a customer's; the reply's status says what became of it.

        See :meth:`Customer.reply_to_message`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).reply_to_message(message_id, message)

    async def messaging_consent(
        self, customer: Whom, channel: MessagingChannel, action: ConsentAction | ConsentActionName
    ) -> ConsentUpdateReply:
        """Allow or block writing to a customer on a channel. See :meth:`Customer.update_messaging_consent`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_messaging_consent(channel, action)

    async def make_voice_call(
        self, customer: Whom, channel: MessagingChannel, actions: Sequence[VoiceAction] = ()
    ) -> MessageReply:
        """Call a customer; the reply's status says what became of it. See :meth:`Customer.make_voice_call`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).make_voice_call(channel, actions)

    def _whom(self, customer: Whom) -> Customer:
        """Make a customer of whatever names one."""
        if isinstance(customer, Customer):
            return customer
        if isinstance(customer, SecondaryId):
            return self.customer(secondary_id=customer)
        if isinstance(customer, str) and customer.startswith(_ID_PREFIX):
            return self.customer(customer_id=customer)
        return self.customer(customer)


def _number(customer: WhoseNumber) -> CustomerNumber:
    """Give the number that names a customer."""
    number = customer.number if isinstance(customer, Customer) else customer
    if not number:
        msg = "this command names a customer by number, and there is none"
        raise ValueError(msg)
    return CustomerNumber(number) if isinstance(number, str) else number


def _time(moment: datetime | None) -> datetime:
    if moment is None:
        msg = "what is replayed needs the time at which it happened"
        raise ValueError(msg)
    return moment
