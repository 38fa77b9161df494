"""The customer as apps hold it: whether it is there at all, whom it was merged with, and what it does.

The client stands above. What a customer is known by is in :mod:`.identity`, what is kept with it in :mod:`.storage`,
what is said to it in :mod:`.messaging`; how it is found, and its state, in :mod:`.addresses`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from elarian_trio._arguments import require
from elarian_trio.customer.identity import Identity
from elarian_trio.customer.messaging import Messaging
from elarian_trio.customer.storage import Storage
from elarian_trio.models.activity import Activity
from elarian_trio.models.checks import check_str
from elarian_trio.models.commands import AdoptCustomerState, CreateCustomer, CustomerActivity, DeleteCustomer
from elarian_trio.models.identity import CustomerNumber, SecondaryId

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerAddress
    from elarian_trio.models.replies import CustomerStateUpdateReply, DeleteCustomerReply

__all__ = ["Customer"]


class Customer(Identity, Storage, Messaging):
    """Somebody whom the organisation engages, under one or more addresses. Made by ``Elarian.customer()``.

    Making one sends nothing. Where several addresses are given, the number is the one that is sent. Where a command
    needs an address that this customer lacks, its state is fetched, once, and that address is remembered.

    What is wrong with an argument is a ValueError or TypeError, raised before anything is sent. A reply that cannot be
    read is a RemoteProtocolError of its command alone: the connection stays, and the server may have acted.

    Args:
        call: carries commands out; anything with its signature will do in a unit test.
        number: the customer's number; a ``str`` is a cellular one.
        customer_id: Elarian's id of the customer.
        secondary_id: an id of the organisation's own, such as a passport number.
        serializer: how metadata and app data are stored.

    Raises:
        ValueError: no address was given, or *number* is an id (``"el_cst_…"``).
        TypeError: an address is of the wrong type.
    """

    __slots__ = ()

    async def create(self) -> CustomerStateUpdateReply:
        """Make the customer known to the server, or find that it is.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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

    async def adopt_state(self, other: Customer | CustomerAddress) -> CustomerStateUpdateReply:
        """Merge *other* into this customer; *other* is gone afterwards, its numbers lead here.

        Fetches this customer's state first where its id is not known yet.

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
        address = other.address if isinstance(other, Customer) else other
        require("other", (Customer, CustomerNumber, SecondaryId, str), address)
        make = partial(AdoptCustomerState, other_customer=address)
        reply = self._learn(await self._call(make(customer_id=self._id or await self._find_id(make))))
        if isinstance(other, Customer) and other.number is not None:
            other._learn(reply)
        return reply

    async def update_activity(self, source: str, activity: Activity) -> CustomerStateUpdateReply:
        """Report what the customer did in *source*, such as a web site; the server stamps the time.

        Fetches the customer's state first where no number is known yet.

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
        require("activity", Activity, activity)
        make = partial(
            CustomerActivity,
            source=check_str("source", source),
            session_id=activity.session_id,
            key=activity.key,
            properties=activity.properties,
        )
        number = self._known_number(None) or await self._find_number(None, make)
        return self._learn(await self._call(make(customer_number=number)))
