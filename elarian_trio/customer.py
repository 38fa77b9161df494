"""A customer: the commands that concern one, bound to its address.

The client stands above and hands a customer its ``call``; models are below. A customer keeps only its own id and
numbers, so as many may be made as there are people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from elarian_trio._arguments import require, wrong_type
from elarian_trio.errors import CommandFailed
from elarian_trio.models.activity import Activity
from elarian_trio.models.channels import CUSTOMER_PROVIDERS
from elarian_trio.models.checks import check_str, to_enum
from elarian_trio.models.commands import (
    AddCustomerReminder,
    AdoptCustomerState,
    CancelCustomerReminder,
    CreateCustomer,
    CustomerActivity,
    DeleteCustomer,
    DeleteCustomerAppData,
    DeleteCustomerMetadata,
    DeleteCustomerSecondaryId,
    DeleteCustomerTag,
    GetCustomerState,
    LeaseCustomerAppData,
    ReplyToMessage,
    SendMessage,
    UpdateCustomerAppData,
    UpdateCustomerMetadata,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
    UpdateMessagingConsent,
)
from elarian_trio.models.identity import CustomerNumber, IdentityState, SecondaryId, Tag
from elarian_trio.models.messaging import ConsentAction, Message
from elarian_trio.models.model import Model, altering
from elarian_trio.models.state import CustomerState
from elarian_trio.options import JsonSerializer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.commands import Command
    from elarian_trio.models.identity import CustomerAddress, CustomerNumberProvider, Reminder
    from elarian_trio.models.messaging import ConsentActionName, MessageBody
    from elarian_trio.models.replies import (
        ConsentUpdateReply,
        CustomerStateUpdateReply,
        DeleteCustomerReply,
        MessageReply,
    )
    from elarian_trio.models.voice import VoiceAction
    from elarian_trio.options import Serializer

__all__ = ["Call", "Customer"]

R = TypeVar("R", bound=Model)

_to_action = to_enum(ConsentAction, optional=False)

_STATES, _IDENTITIES = altering(CustomerState), altering(IdentityState)


class Call(Protocol):
    """How a customer has a command carried out: sent, answered, and raised about where the answer is a refusal."""

    def __call__(self, command: Command[R]) -> Awaitable[R]:
        """Give what waits for the reply to *command*: what an async function does."""
        ...


class Customer:
    """Somebody whom the organisation engages, under one or more addresses. Made by ``Elarian.customer()``.

    Making one sends nothing. Where several addresses are given, the number is the one that is sent. Where a command
    needs an address that this customer lacks, its state is fetched, once, and that address is remembered.

    Args:
        call: carries commands out; anything with its signature will do in a unit test.
        number: the customer's number; a ``str`` is a cellular one.
        customer_id: Elarian's id of the customer.
        secondary_id: an id of the organisation's own, such as a passport number.
        serializer: how metadata and app data are stored.

    Raises:
        ValueError: no address was given.
        TypeError: an address is of the wrong type.
    """

    __slots__ = (
        "__weakref__",
        "_call",
        "_given_id",
        "_id",
        "_looked_up",
        "_number",
        "_numbers",
        "_secondary_id",
        "_serializer",
    )

    def __init__(
        self,
        call: Call,
        number: CustomerNumber | str | None = None,
        customer_id: str | None = None,
        secondary_id: SecondaryId | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        if not number:
            number = None
            if not (customer_id or secondary_id):
                msg = "a customer needs at least one address: a number, a customer_id or a secondary_id"
                raise ValueError(msg)
        elif not isinstance(number, CustomerNumber):
            number = CustomerNumber(number)
        if customer_id.__class__ is not str and customer_id:
            require("customer_id", str, customer_id)
        if secondary_id:
            require("secondary_id", SecondaryId, secondary_id)
        self._call = call
        self._serializer = serializer or JsonSerializer()
        self._number = number
        self._given_id = self._id = customer_id or None
        self._secondary_id = secondary_id or None
        self._numbers = () if number is None else (number,)
        self._looked_up = False

    def __repr__(self) -> str:
        """Give the address; no log of this package holds it."""
        return f"<Customer {self.address!r}>"

    @property
    def number(self) -> CustomerNumber | None:
        """The number it was made with."""
        return self._number

    @property
    def customer_id(self) -> str | None:
        """Elarian's id: the one it was made with, or the one that the latest reply told: numbers follow adoptions."""
        return self._id

    @property
    def secondary_id(self) -> SecondaryId | None:
        """The secondary id it was made with."""
        return self._secondary_id

    @property
    def address(self) -> CustomerAddress:
        """What commands name the customer by: the number if there is one, else the id, else the secondary id."""
        address = self._number or self._given_id or self._secondary_id
        assert address is not None
        return address

    # Who it is.

    async def create(self) -> CustomerStateUpdateReply:
        """Make the customer known to the server, or find that it is.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the customer has no number; one cannot be made by id.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        if self._number is None:
            msg = "a customer is created by number, and this one has none"
            raise ValueError(msg)
        return self._learn(await self._call(CreateCustomer(customer_number=self._number)))

    async def delete(self) -> DeleteCustomerReply:
        """Remove the customer: state, numbers, reminders, and the app data of every app.

        An extension of this package's sandbox; a server that does not know it fails the command, described as "not
        supported by this server".

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
        reply = await self._call(DeleteCustomer(customer=self.address))
        self._id = self._given_id  # whoever comes back under the number is somebody else
        self._numbers = (self._number,) if self._number else ()
        self._looked_up = False
        return reply

    async def get_state(self) -> CustomerState:
        """Fetch what the server knows of the customer; metadata as values.

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
        command = GetCustomerState(customer=self.address)
        reply = await self._call(command)
        state = reply.data
        if state is None:
            raise CommandFailed(command, "the server gave no state", reply=reply)
        self._looked_up = True
        self._learn(state)
        for number in _numbers_in(state):
            if number not in self._numbers:
                self._numbers = (*self._numbers, number)
        identity = state.identity_state
        if not identity.metadata:
            return state
        loads = self._serializer.loads
        metadata = {key: loads(value) for key, value in identity.metadata.items()}
        read: CustomerState = _STATES.call(state, identity_state=_IDENTITIES.call(identity, metadata=metadata))
        return read

    async def adopt_state(self, other: Customer | CustomerAddress) -> CustomerStateUpdateReply:
        """Merge *other* into this customer; *other* is gone afterwards, its numbers lead here.

        Fetches this customer's state first where its id is not known yet.

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
        address = other.address if isinstance(other, Customer) else other
        require("other", (Customer, CustomerNumber, SecondaryId, str), address)
        customer_id = self._id or await self._find_id()
        reply = self._learn(await self._call(AdoptCustomerState(customer_id=customer_id, other_customer=address)))
        if isinstance(other, Customer) and other.number is not None:
            other._learn(reply)
        return reply

    async def get_secondary_ids(self) -> tuple[SecondaryId, ...]:
        """Fetch the secondary ids in force.

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
        return (await self.get_state()).identity_state.secondary_ids

    async def update_secondary_ids(self, *ids: SecondaryId) -> CustomerStateUpdateReply:
        """Set secondary ids; others stay.

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
        _require_each("ids", SecondaryId, ids)
        return self._learn(await self._call(UpdateCustomerSecondaryId(customer=self.address, updates=ids)))

    async def delete_secondary_ids(self, *ids: SecondaryId) -> CustomerStateUpdateReply:
        """Remove secondary ids, each by key and value.

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
        _require_each("ids", SecondaryId, ids)
        return self._learn(await self._call(DeleteCustomerSecondaryId(customer=self.address, deletions=ids)))

    async def get_tags(self) -> tuple[Tag, ...]:
        """Fetch the tags in force.

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
        return (await self.get_state()).identity_state.tags

    async def update_tags(self, *tags: Tag) -> CustomerStateUpdateReply:
        """Set tags; others stay.

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
        _require_each("tags", Tag, tags)
        return self._learn(await self._call(UpdateCustomerTag(customer=self.address, updates=tags)))

    async def delete_tags(self, *keys: str) -> CustomerStateUpdateReply:
        """Remove tags by key; one that is not there does no harm.

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
        _require_each("keys", str, keys)
        return self._learn(await self._call(DeleteCustomerTag(customer=self.address, deletions=keys)))

    # What is kept with it.

    async def get_metadata(self) -> dict[str, Any]:
        """Fetch the metadata, as values; all apps of the organisation share it.

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
        return dict((await self.get_state()).identity_state.metadata)

    async def update_metadata(self, data: Mapping[str, Any]) -> CustomerStateUpdateReply:
        """Set metadata by key; other keys stay.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: a value cannot be stored (JSON cannot hold it, unless the serializer is another).

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        try:
            items = data.items()
        except AttributeError:
            wrong_type("data", "a mapping", data)
        updates = {key: self._serializer.dumps(value) for key, value in items}
        return self._learn(await self._call(UpdateCustomerMetadata(customer=self.address, updates=updates)))

    async def delete_metadata(self, *keys: str) -> CustomerStateUpdateReply:
        """Remove metadata by key; one that is not there does no harm.

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
        _require_each("keys", str, keys)
        return self._learn(await self._call(DeleteCustomerMetadata(customer=self.address, deletions=keys)))

    async def lease_metadata(self, key: str) -> Any:  # noqa: ANN401 - the user's own value
        """Read one key of the metadata under a lock; ``None`` if it is not there.

        Elarian has no lease on metadata any more, so the lease on app data serves as the lock: it ends when app data is
        next updated or deleted, or after 90 seconds.

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
        await self.lease_app_data()
        return (await self.get_metadata()).get(key)

    async def lease_app_data(self) -> Any:  # noqa: ANN401 - the user's own value
        """Read this app's data on the customer and hold the lease on it.

        The server keeps other readers out until the data is next updated or deleted, or for 90 seconds. Waits while
        somebody else holds the lease, 95 seconds at most, whatever ``command_timeout`` says.

        Returns:
            The stored value, or ``None`` if nothing was stored.

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
        reply = await self._call(LeaseCustomerAppData(customer=self.address))
        self._learn(reply)
        return None if reply.value is None else self._serializer.loads(reply.value)

    async def update_app_data(self, data: Any) -> CustomerStateUpdateReply:  # noqa: ANN401 - the user's own value
        """Replace this app's data on the customer; ends a lease.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the value cannot be stored (JSON cannot hold it, unless the serializer is another).

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        update = self._serializer.dumps(data)
        return self._learn(await self._call(UpdateCustomerAppData(customer=self.address, update=update)))

    async def delete_app_data(self) -> CustomerStateUpdateReply:
        """Remove this app's data on the customer; ends a lease.

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
        return self._learn(await self._call(DeleteCustomerAppData(customer=self.address)))

    # What is said to it.

    async def send_message(self, channel: MessagingChannel, message: Message | MessageBody) -> MessageReply:
        """Send a message to the customer's number that suits *channel*; the reply's status says what became of it.

        Fetches the customer's state first where no such number is known yet.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message cannot be sent.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        provider = _provider_of(channel)
        command = SendMessage(
            message=Message.of(message),  # first: what is wrong with it is said before anything is sent
            customer_number=self._known_number(provider) or await self._find_number(provider),
            channel_number=channel,
        )
        return self._learn(await self._call(command))

    async def reply_to_message(self, message_id: str, message: Message | MessageBody) -> MessageReply:
        """Answer a message of the customer's; the reply's status says what became of it.

        Fetches the customer's state first where its id is not known yet.

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
        answer = Message.of(message)
        customer_id = self._id or await self._find_id()
        command = ReplyToMessage(customer_id=customer_id, message_id=message_id, message=answer)
        return self._learn(await self._call(command))

    async def make_voice_call(self, channel: MessagingChannel, actions: Sequence[VoiceAction] = ()) -> MessageReply:
        """Call the customer from the voice number *channel*; the reply's status says what became of it.

        Args:
            channel: a voice channel.
            actions: what the call does once it is answered; without any, the app is asked by a voice notification.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the actions cannot be sent.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("actions", Iterable, actions, wanted="a sequence of voice actions")
        return await self.send_message(channel, tuple(actions))

    async def update_messaging_consent(
        self, channel: MessagingChannel, action: ConsentAction | ConsentActionName
    ) -> ConsentUpdateReply:
        """Allow or block writing to the customer's number that suits *channel*.

        Fetches the customer's state first where no such number is known yet.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after the command was sent.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the action is not known.
            LookupError: the customer has no number at all.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        provider = _provider_of(channel)
        command = UpdateMessagingConsent(
            update=_to_action("action", action),  # first: what is wrong with it is said before anything is sent
            customer_number=self._known_number(provider) or await self._find_number(provider),
            channel_number=channel,
        )
        return self._learn(await self._call(command))

    # What it does, and what the app wants to be reminded of.

    async def update_activity(self, source: str, activity: Activity) -> CustomerStateUpdateReply:
        """Report what the customer did in *source*, such as a web site; the server stamps the time.

        Fetches the customer's state first where no number is known yet.

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
        require("activity", Activity, activity)
        command = CustomerActivity(
            source=check_str("source", source),  # first, as above
            customer_number=self._known_number(None) or await self._find_number(None),
            session_id=activity.session_id,
            key=activity.key,
            properties=activity.properties,
        )
        return self._learn(await self._call(command))

    async def add_reminder(self, reminder: Reminder) -> CustomerStateUpdateReply:
        """Set a reminder for this app; one with the same key is replaced.

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
        return self._learn(await self._call(AddCustomerReminder(customer=self.address, reminder=reminder)))

    async def cancel_reminder(self, key: str) -> CustomerStateUpdateReply:
        """Cancel this app's reminder *key*.

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
        return self._learn(await self._call(CancelCustomerReminder(customer=self.address, key=key)))

    # Addresses.

    def _learn(self, reply: R) -> R:
        """Remember the id that a reply or state tells: a customer may have been adopted, or deleted, since the last."""
        customer_id: object = getattr(reply, "customer_id", None)
        if isinstance(customer_id, str) and customer_id:
            self._id = customer_id
        return reply

    def _known_number(self, provider: str | None) -> CustomerNumber | None:
        """Give the first number that suits; once the state was looked up, rather the given one than none."""
        for number in self._numbers:
            if provider is None or number.provider == provider:
                return number
        return self._number if self._looked_up else None

    async def _find_number(self, provider: str | None) -> CustomerNumber:
        await self.get_state()
        number = self._known_number(provider)
        if number is None:
            msg = f"no {provider or 'customer'} number is known of this customer"
            raise LookupError(msg)
        return number

    async def _find_id(self) -> str:
        return (await self.get_state()).customer_id


def _require_each(name: str, kind: type, given: tuple[object, ...]) -> None:
    """See that all that was *given* is of a class, in the words of the method and not of its command."""
    for place, each in enumerate(given):
        if each.__class__ is not kind:
            require(f"{name}[{place}]", kind, each)


def _provider_of(channel: MessagingChannel) -> CustomerNumberProvider | None:
    """Give whose numbers a channel reaches."""
    try:
        return CUSTOMER_PROVIDERS.get(channel.channel)
    except AttributeError:
        wrong_type("channel", "a MessagingChannel", channel)


def _numbers_in(state: CustomerState) -> tuple[CustomerNumber, ...]:
    """Give every number under which a customer ever engaged, in the order in which the other SDKs look."""
    written_from = [channel.customer_number for channel in state.messaging_state.channels if channel is not None]
    return (*written_from, *state.payment_state.customer_numbers, *state.activity_state.customer_numbers)
