"""The simulator's socket: a customer's phone, and the payment gateway behind it.

Users stand above; the block it shares with the app's socket is :mod:`elarian_trio.client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from elarian_trio import _wire
from elarian_trio._arguments import require
from elarian_trio.client import Client
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.checks import check_str
from elarian_trio.models.commands import ReceiveMessage, ReceivePayment, UpdatePaymentStatus
from elarian_trio.models.notifications import AnyNotification, UnknownNotification
from elarian_trio.models.payments import PaymentChannelNumber
from elarian_trio.models.simulator import SIMULATOR_NOTIFICATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elarian_trio._inbox import Subscription
    from elarian_trio._inbox.inbox import Decode, Encode
    from elarian_trio.customer import Customer
    from elarian_trio.models.messaging import InboundMessageBody
    from elarian_trio.models.payments import Cash, PaymentStatus, PaymentStatusName
    from elarian_trio.models.replies import SimulatorReply

__all__ = ["Simulator"]

N = TypeVar("N", bound=AnyNotification)
N2 = TypeVar("N2", bound=AnyNotification)
N3 = TypeVar("N3", bound=AnyNotification)


class Simulator(Client):
    """Plays customers' phones and the payment gateway, against the sandbox or a test organisation.

    It takes what :class:`~elarian_trio.Elarian` takes, and is entered the same way. Its notifications have no
    customer, and are answered without a message: they tell what reached the phone.

    What is wrong with an argument is a ValueError or TypeError, raised before anything is sent. A reply that cannot be
    read is a RemoteProtocolError of its command alone: the connection stays, and the server may have acted.
    """

    _simulator: ClassVar[bool] = True
    _kinds: ClassVar[Sequence[type[AnyNotification]]] = (*SIMULATOR_NOTIFICATIONS, UnknownNotification)

    @property
    def _decode(self) -> Decode:
        return lambda data: (_wire.decode_simulator_notification(data), None)

    @property
    def _encode(self) -> Encode:
        return lambda _: b""

    def _customer_of(self, notification: AnyNotification) -> Customer | None:
        del notification
        return None

    @overload
    def notifications(self, /, *, max_buffer_size: int = ..., observe: bool = ...) -> Subscription[AnyNotification]: ...
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
        self, *types: type[AnyNotification], max_buffer_size: int = 64, observe: bool = False
    ) -> Subscription[Any]:
        """Subscribe to what reaches the phone or the gateway; see :meth:`Elarian.notifications`.

        Args:
            types: the classes wanted; none means all.
            max_buffer_size: how many may wait for a task to take them; surplus is answered REJECTED.
            observe: only listen: the copies answer nothing, and are dropped when there is no room.

        Raises:
            ValueError: a type never comes here, is taken already, or the size is not positive.
        """
        return self._subscribe(types, max_buffer_size, observe=observe)

    async def receive_message(
        self,
        phone_number: str,
        channel: MessagingChannel,
        session_id: str | None,
        parts: Iterable[InboundMessageBody],
        cost: Cash | None = None,
    ) -> SimulatorReply:
        """Have a customer send a message, dial a USSD code, enter something or be in a call.

        On USSD and in calls the app's answer comes back in the reply's ``message``.

        Args:
            phone_number: the customer's.
            channel: the organisation's number.
            session_id: the telco's id of the session; ``None`` where there is none.
            parts: what the message says.
            cost: what it cost.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the parts cannot be sent.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("channel", MessagingChannel, channel)
        command = ReceiveMessage(
            customer_number=check_str("phone_number", phone_number),
            channel_number=channel,
            session_id=session_id,
            parts=parts,  # type: ignore[arg-type]  # made a tuple there, where a str is refused
            cost=cost,
        )
        return await self._call(command)

    async def receive_payment(
        self,
        phone_number: str,
        channel: PaymentChannelNumber,
        transaction_id: str,
        value: Cash,
        status: PaymentStatus | PaymentStatusName,
    ) -> SimulatorReply:
        """Have a customer pay, unasked.

        Args:
            phone_number: the customer's.
            channel: the organisation's number that is paid.
            transaction_id: the gateway's id, chosen by the caller.
            value: how much.
            status: where the payment stands; see :meth:`update_payment_status` for what comes after a pending one.

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
        require("channel", PaymentChannelNumber, channel)
        command = ReceivePayment(
            customer_number=check_str("phone_number", phone_number),
            channel_number=channel,
            transaction_id=transaction_id,
            value=value,
            status=status,
        )
        return await self._call(command)

    async def update_payment_status(
        self, transaction_id: str, status: PaymentStatus | PaymentStatusName
    ) -> SimulatorReply:
        """Have the gateway decide about a payment.

        Args:
            transaction_id: Elarian's id of the payment, or one given to :meth:`receive_payment`.
            status: where it stands from now on.

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
        return await self._call(UpdatePaymentStatus(transaction_id=transaction_id, status=status))
