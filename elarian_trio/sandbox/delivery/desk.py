"""What a route asks of whoever knows the rules.

The route stands above; a server's is :class:`elarian_trio.sandbox.desk.RulesDesk`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.delivery.parcel import Parcel

__all__ = ["Desk"]


class Desk(Protocol):
    """What a route asks of the server: the rules' side of a delivery. All of it is synchronous."""

    def take_lease(self, parcel: Parcel, then: Callable[[], None]) -> None:
        """Take the app data's lease for *parcel*, and call *then*: at once if it is free, else when it was granted."""
        ...

    def content(self, parcel: Parcel) -> bytes | None:
        """Give what is sent, with the app data as it is now; ``None`` where that is impossible: it cannot be read."""
        ...

    def answered(self, parcel: Parcel, data: bytes | None) -> bool:
        """Act on an answer, ``None`` for one that never came or was not asked for; release the lease.

        ``False``: it cannot be read.
        """
        ...

    def put_back(self, parcel: Parcel) -> None:
        """Release the lease, or leave its queue: *parcel* is not under way any more."""
        ...

    def unheard(self, parcel: Parcel) -> None:
        """Tell a customer at the phone that nobody answered; called for parcels with a hop only."""
        ...

    def once_kept(self, call: Callable[[bool], None]) -> None:
        """Make *call* once everything is kept that a content may tell of (at once where that is so), or is lost."""
        ...

    def forget(self, parcel: Parcel) -> None:
        """Keep *parcel* no longer: it is given up, without an answer."""
        ...
