"""How a customer is found: the addresses it was made with, what replies tell of others, and its state where one lacks.

The families of commands, and :class:`.Customer` out of them, stand above; models are below, and the wire, which says
whether a command can be sent before the state is fetched for it. A customer keeps only its own id and numbers, so as
many may be made as there are people.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from elarian_trio import _wire
from elarian_trio._arguments import require
from elarian_trio.errors import CommandFailed
from elarian_trio.models.commands import GetCustomerState
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, SecondaryId
from elarian_trio.models.model import Model
from elarian_trio.options import JsonSerializer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.models.commands import Command
    from elarian_trio.models.identity import CustomerAddress, CustomerNumberProviderName
    from elarian_trio.models.state import CustomerState
    from elarian_trio.options import Serializer

__all__ = ["Addressed", "Call", "as_number", "is_id"]

R = TypeVar("R", bound=Model)

_ID_PREFIX = "el_cst_"  # every customer id that Elarian ever gave begins so
_SOMEBODY = CustomerNumber("+254700000000")  # in place of a number that is still to be found


def is_id(name: object) -> bool:
    """Whether *name*, a str that names a customer, is an id of Elarian's and no number."""
    return isinstance(name, str) and name.startswith(_ID_PREFIX)


def as_number(
    number: str,
    provider: CustomerNumberProvider | CustomerNumberProviderName = CustomerNumberProvider.CELLULAR,
    partition: str | None = None,
) -> CustomerNumber:
    """Make a number of a str; an id, for which the server would make a new customer, is a ValueError."""
    if is_id(number):
        msg = f"{number!r} is an id and no number; customer(customer_id={number!r}) takes one"
        raise ValueError(msg)
    return CustomerNumber(number, provider, partition)


class Call(Protocol):
    """How a customer has a command carried out: sent, answered, and raised about where the answer is a refusal."""

    def __call__(self, command: Command[R]) -> Awaitable[R]:
        """Give what waits for the reply to *command*, made for this caller alone: what an async function does."""
        ...


class Addressed:
    """Somebody who has one address or more, and what every command on a customer stands on.

    Made as part of :class:`.Customer`, whose docstring tells the arguments.
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
            require("number", (str, NoneType), number, wanted="a str")
            number = None
            if not (customer_id or secondary_id):
                msg = "a customer needs at least one address: a number, a customer_id or a secondary_id"
                raise ValueError(msg)
        elif not isinstance(number, CustomerNumber):
            number = as_number(number)
        if customer_id.__class__ is not str and customer_id is not None:
            require("customer_id", str, customer_id)
        if secondary_id is not None:
            require("secondary_id", SecondaryId, secondary_id)
        self._call = call
        self._serializer = serializer or JsonSerializer()
        self._number = number
        self._given_id = self._id = customer_id or None
        self._secondary_id = secondary_id
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
        # In place: nobody else has this reply, and altered copies of it would take as long as three of its parts.
        metadata = cast("dict[str, Any]", state.identity_state.metadata)
        for name, stored in metadata.items():
            metadata[name] = self._serializer.loads(stored)
        return state

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

    async def _find_number(self, provider: str | None, make: Callable[..., Command[Any]]) -> CustomerNumber:
        """Fetch the number that *make*'s command lacks; what else is wrong with that is said before."""
        _wire.encode_command(make(customer_number=_SOMEBODY))
        await self.get_state()
        number = self._known_number(provider)
        if number is None:
            msg = f"no {provider or 'customer'} number is known of this customer"
            raise LookupError(msg)
        return number

    async def _find_id(self, make: Callable[..., Command[Any]]) -> str:
        """Fetch the id that *make*'s command lacks; what else is wrong with that is said before."""
        _wire.encode_command(make(customer_id=_ID_PREFIX))
        return (await self.get_state()).customer_id


def _numbers_in(state: CustomerState) -> tuple[CustomerNumber, ...]:
    """Give every number under which a customer ever engaged, in the order in which the other SDKs look."""
    written_from = [channel.customer_number for channel in state.messaging_state.channels if channel is not None]
    return (*written_from, *state.payment_state.customer_numbers, *state.activity_state.customer_numbers)
