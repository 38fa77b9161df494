"""The app's socket: notifications in, and the commands that are the organisation's own.

Users stand above; what it does for one customer is in :mod:`.customers`, loading the past in :mod:`.replays`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from elarian_trio import _wire
from elarian_trio.customer import Customer
from elarian_trio.elarian.customers import Customers
from elarian_trio.elarian.replays import Replays, checked_channel, number_of
from elarian_trio.models.checks import check_str
from elarian_trio.models.commands import (
    AddCustomerReminderTag,
    CancelCustomerReminderTag,
    DeleteCustomer,
    GenerateAuthToken,
    InitiatePayment,
    SendMessageTag,
)
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import Message
from elarian_trio.models.notifications import APP_NOTIFICATIONS, AnyNotification, Notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elarian_trio._inbox import Subscription
    from elarian_trio._inbox.inbox import Decode, Encode
    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.identity import AuthToken, Reminder, Tag
    from elarian_trio.models.messaging import Sendable
    from elarian_trio.models.payments import Cash, PaymentParty
    from elarian_trio.models.replies import DeleteCustomerReply, InitiatePaymentReply, TagUpdateReply


__all__ = ["Elarian"]

N = TypeVar("N", bound=Notification)
N2 = TypeVar("N2", bound=Notification)
N3 = TypeVar("N3", bound=Notification)


class Elarian(Customers, Replays):
    """An app's connection to Elarian: commands out, notifications in.

    ::

        async with Elarian(org_id="...", app_id="...", api_key="...") as app:
            await app.customer("+254709759881").send_message(MessagingChannel.sms("83044"), "Hello!")

    It is entered once. Entering returns when the server has answered the setup; leaving in order lets what is in hand
    be answered, as :meth:`disconnect` does; leaving by an exception or cancellation answers nothing more and closes. It
    is used in the thread of its block: from another one, a RuntimeError says so.

    What ends the connection for good comes out of the ``async with`` line, or later out of the block: SetupRejected,
    ConnectionFailed once ``give_up_after`` has passed, or RemoteProtocolError where the server breaks the protocol, at
    first or three times within a minute. What ``auth_token`` or ``dial`` raises comes out of the line, too; later it is
    a failed attempt, as are failures to reach somebody always. Where :meth:`disconnect` is called before the server has
    answered, the line raises ConnectionClosed.

    What is wrong with an argument is a ValueError or TypeError, raised before anything is sent. A reply that cannot be
    read is a RemoteProtocolError of its command alone: the connection stays, and the server may have acted.

    What a method here takes as *customer* is a :class:`.Customer`, a CustomerNumber, a SecondaryId, or a str: an id
    (``"el_cst_…"``), else a cellular number. Replays go by number: they take no ids.

    Args:
        org_id: the organisation.
        app_id: the app.
        api_key: the app's key; or
        auth_token: a token, or an async function that gives one and is asked before each setup.
        endpoint: where to connect: ``tcp://``, ``tls://``, ``ws://`` or ``wss://`` and host:port; the latter two need
            the extra ``websocket``.
        options: how to connect, wait and buffer.
        dial: replaces ``endpoint``: an async function that opens a transport, an anyio ``ObjectStream[bytes]`` of whole
            frames or a ``ByteStream``.

    Raises:
        ValueError: there is not exactly one credential, or the endpoint is not one.
        TypeError: an argument is of the wrong type.
        ModuleNotFoundError: the endpoint needs the extra.
    """

    _kinds: ClassVar[Sequence[type[AnyNotification]]] = APP_NOTIFICATIONS

    @property
    def _decode(self) -> Decode:
        return _wire.decode_app_notification

    @property
    def _encode(self) -> Encode:
        return _wire.encode_notification_reply

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: *number* is empty, or an id.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(DeleteCustomer(customer=number_of(number, name="number")))

    async def delete_customer_by_customer_id(self, customer_id: str) -> DeleteCustomerReply:
        """Remove the customer with the id *customer_id*. See :meth:`Customer.delete`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(DeleteCustomer(customer=check_str("customer_id", customer_id)))

    # All customers with a tag.

    async def add_customer_reminder_by_tag(self, tag: Tag, reminder: Reminder) -> TagUpdateReply:
        """Set a reminder on every customer with *tag*; its notifications carry the reply's ``work_id``.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._call(CancelCustomerReminderTag(tag=tag, key=key))

    async def send_message_by_tag(self, tag: Tag, channel: MessagingChannel, message: Sendable) -> TagUpdateReply:
        """Send a message to every customer with *tag*.

        Args:
            tag: the tag, key and value.
            channel: the organisation's number that it comes from.
            message: a message, or its body alone, as :meth:`Customer.send_message` takes it.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message cannot be sent.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = SendMessageTag(tag=tag, channel_number=checked_channel(channel), message=Message.of(message))
        return await self._call(command)

    # Money.

    async def initiate_payment(
        self, debit_party: PaymentParty, credit_party: PaymentParty, value: Cash, narration: str = ""
    ) -> InitiatePaymentReply:
        """Move money from *debit_party* to *credit_party*; the reply's status says what became of it so far.

        A refusal, such as ``insufficient_funds``, is a status, too, and raises nothing. What is pending comes to its
        end in a ``paymentStatus`` notification with the same transaction id. Never sent again by itself: after an error
        with ``sent`` true, look at the customer's state before paying once more.

        Args:
            debit_party: who pays: a Purse or Wallet, a CustomerPayment (their own mobile money), or a ChannelPayment.
            credit_party: who is paid: any of these.
            value: how much.
            narration: words that are kept with it.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        command = InitiatePayment(debit_party=debit_party, credit_party=credit_party, value=value, narration=narration)
        return await self._call(command)
