"""What is kept with a customer: metadata, which the organisation's apps share, and each app's own data and reminders.

:class:`.Customer` is made of this; its addresses are below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elarian_trio._arguments import wrong_type
from elarian_trio.customer.addresses import Addressed
from elarian_trio.customer.arguments import require_each
from elarian_trio.models.checks import check_str
from elarian_trio.models.commands import (
    AddCustomerReminder,
    CancelCustomerReminder,
    DeleteCustomerAppData,
    DeleteCustomerMetadata,
    LeaseCustomerAppData,
    UpdateCustomerAppData,
    UpdateCustomerMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.models.identity import Reminder
    from elarian_trio.models.replies import CustomerStateUpdateReply

__all__ = ["Storage"]


class Storage(Addressed):
    """The commands on metadata, app data and reminders. Made as part of :class:`.Customer`."""

    __slots__ = ()

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
        updates = {check_str("a key of data", key): self._serializer.dumps(value) for key, value in items}
        return self._learn(await self._call(UpdateCustomerMetadata(customer=self.address, updates=updates)))

    async def delete_metadata(self, *keys: str) -> CustomerStateUpdateReply:
        """Remove metadata by key; one that is not there does no harm.

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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        check_str("key", key)
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
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
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        return self._learn(await self._call(DeleteCustomerAppData(customer=self.address)))

    async def add_reminder(self, reminder: Reminder) -> CustomerStateUpdateReply:
        """Set a reminder for this app; one with the same key is replaced.

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
        return self._learn(await self._call(AddCustomerReminder(customer=self.address, reminder=reminder)))

    async def cancel_reminder(self, key: str) -> CustomerStateUpdateReply:
        """Cancel this app's reminder *key*.

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
        return self._learn(await self._call(CancelCustomerReminder(customer=self.address, key=key)))
