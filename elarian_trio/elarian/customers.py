"""One customer at a time: naming one, and the commands by their older names.

:class:`~elarian_trio.Elarian` stands above and is made of this; the commands are :mod:`elarian_trio.customer`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from elarian_trio._arguments import require
from elarian_trio.client import Client
from elarian_trio.customer import Customer, as_number, is_id
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, SecondaryId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elarian_trio.models.activity import Activity
    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.identity import CustomerAddress, CustomerNumberProviderName, Reminder, Tag
    from elarian_trio.models.messaging import ConsentAction, ConsentActionName, Sendable
    from elarian_trio.models.replies import ConsentUpdateReply, CustomerStateUpdateReply, MessageReply
    from elarian_trio.models.state import CustomerState
    from elarian_trio.models.voice import VoiceAction


Whom: TypeAlias = "Customer | CustomerAddress"
"""What names a customer for a command."""

__all__ = ["Customers", "Whom"]

_CELLULAR = CustomerNumberProvider.CELLULAR


class Customers(Client):
    """What an app's socket does for one customer. Made as part of :class:`~elarian_trio.Elarian`."""

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
            ValueError: no address was given, *number* is an id (``"el_cst_…"``), the provider is not known, or *number*
                says another one.
            TypeError: an address is of the wrong type.
        """
        if isinstance(number, CustomerNumber):
            if provider is not _CELLULAR or partition is not None:
                _require_same(number, provider, partition)
        elif number:
            number = as_number(number, provider, partition)
        if isinstance(secondary_id, tuple):
            secondary_id = SecondaryId(*secondary_id)
        return Customer(self._call, number, customer_id, secondary_id, self._options.serializer)

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).update_activity(source, activity)

    async def send_message(self, customer: Whom, channel: MessagingChannel, message: Sendable) -> MessageReply:
        """Send a message to a customer; the reply's status says what became of it. See :meth:`Customer.send_message`.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: no number of the customer's suits *channel*, and it is named by none.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return await self._whom(customer).send_message(channel, message)

    async def reply_to_message(self, customer: Whom, message_id: str, message: Sendable) -> MessageReply:
        """Answer a message of a customer's; the reply's status says what became of it.

        See :meth:`Customer.reply_to_message`.

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: no number of the customer's suits *channel*, and it is named by none.

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            LookupError: no number of the customer's suits *channel*, and it is named by none.

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
        if isinstance(customer, str) and is_id(customer):
            return self.customer(customer_id=customer)
        if not isinstance(customer, str):
            require("customer", (Customer, CustomerNumber, SecondaryId, str), customer)
        return self.customer(customer)


def _require_same(number: CustomerNumber, provider: str, partition: str | None) -> None:
    """See that what is said beside a number, which has both, is what it says; one provider has two names."""
    same_provider = CustomerNumberProvider(provider) in (_CELLULAR, number.provider)
    if not same_provider or partition not in (None, number.partition):
        msg = "a CustomerNumber says its own provider and partition; give another number, or a str beside them"
        raise ValueError(msg)
