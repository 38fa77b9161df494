"""What ``elarian-trio sandbox`` holds: its channels, its purses, and the file that keeps everything.

:mod:`.sandbox` stands above, :mod:`elarian_trio.sandbox` below.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import Parameter

from elarian_trio.cli.notation import as_channel_of_app, as_purse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elarian_trio.cli.admission import Admission
    from elarian_trio.models.payments import Cash

__all__ = ["Holding"]


@Parameter(name="*", group="What it holds", show_default=False)
@dataclass(frozen=True, kw_only=True)
class Holding:
    """The options that say what it holds. Made of the command line.

    Attributes:
        channel: A channel number, and the app it belongs to unless that is the first: sms:83044=APP, ussd:*384#,
            cellular:83044 for a paybill; again for each. Replaces the specification's.
        purse: A purse and what is in it: ID=KES:1000000; again for each, and for each currency. Replaces the
            specification's.
        data: The file that keeps everything; without one all is gone when this ends.
    """

    channel: list[str] | None = None
    purse: list[str] | None = None
    data: Path | None = None

    def arguments(self, admission: Admission) -> Mapping[str, Any]:
        """Give what a sandbox takes of it, ``None`` where that is its own.

        Raises:
            ValueError: what is written means nothing, or two things.
        """
        return {
            "channels": None if self.channel is None else _channels(self.channel, admission),
            "purses": None if self.purse is None else _purses(self.purse),
            "data": self.data,
        }


def _channels(texts: Sequence[str], admission: Admission) -> Mapping[Any, str]:
    """Give each channel's app: the main one, where none is named."""
    from elarian_trio.sandbox.organisation import APP_ID

    main = APP_ID if admission.apps is None else admission.apps[0].app_id
    owners = [as_channel_of_app(text) for text in texts]
    if len({channel for channel, _ in owners}) < len(owners):
        msg = "name each channel number once"
        raise ValueError(msg)
    return {channel: app_id or main for channel, app_id in owners}


def _purses(texts: Sequence[str]) -> Mapping[str, Sequence[Cash]]:
    purses: dict[str, list[Cash]] = {}
    for purse_id, cash in map(as_purse, texts):
        purses.setdefault(purse_id, []).append(cash)
    return purses
