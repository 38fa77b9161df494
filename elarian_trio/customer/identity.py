"""What a customer is known by within the organisation: its secondary ids and its tags.

:class:`.Customer` is made of this; its addresses are below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.customer.addresses import Addressed
from elarian_trio.customer.arguments import require_each
from elarian_trio.models.commands import (
    DeleteCustomerSecondaryId,
    DeleteCustomerTag,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import SecondaryId, Tag

if TYPE_CHECKING:
    from elarian_trio.models.replies import CustomerStateUpdateReply

__all__ = ["Identity"]


class Identity(Addressed):
    """The commands on secondary ids and tags. Made as part of :class:`.Customer`."""

    __slots__ = ()

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require_each("ids", SecondaryId, ids)
        return self._learn(await self._call(UpdateCustomerSecondaryId(customer=self.address, updates=ids)))

    async def delete_secondary_ids(self, *ids: SecondaryId) -> CustomerStateUpdateReply:
        """Remove secondary ids, each by key and value.

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
        require_each("ids", SecondaryId, ids)
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require_each("tags", Tag, tags)
        return self._learn(await self._call(UpdateCustomerTag(customer=self.address, updates=tags)))

    async def delete_tags(self, *keys: str) -> CustomerStateUpdateReply:
        """Remove tags by key; one that is not there does no harm.

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
        require_each("keys", str, keys)
        return self._learn(await self._call(DeleteCustomerTag(customer=self.address, deletions=keys)))
