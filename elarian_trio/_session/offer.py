"""What a SETUP offers the server: to keep the session while the connection is cut, so that it can be resumed.

:mod:`elarian_trio._session.supervisor` stands above, makes the offer or leaves it out, and tells what became of the
SETUP; below are the options and the errors. A server that keeps no sessions has no plain word for it: it refuses the
whole SETUP, or is silent, and either may have another reason.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from elarian_trio._rsocket import ErrorCode
from elarian_trio.errors import SetupRejected

if TYPE_CHECKING:
    from elarian_trio.options import ConnectionOptions

__all__ = ["Offer"]

# What a server says that keeps no sessions, whichever of them is at fault (rsocket-java says the first, rsocket-js 1.0
# and ours the second), but also one that dislikes the credentials.
_MAY_MEAN_IT = frozenset({ErrorCode.UNSUPPORTED_SETUP, ErrorCode.REJECTED_SETUP})

logger = logging.getLogger("elarian_trio.session")


class Offer:
    """Whether the next SETUP asks for resumption. Made by the supervisor.

    Args:
        options: whether resumption is wanted, and whether without it is better than not at all.
    """

    __slots__ = ("_mode", "_stands", "_withheld")

    def __init__(self, options: ConnectionOptions) -> None:
        self._mode = options.resume
        self._stands = options.resume != "off" and options.resume_buffer_size > 0
        self._withheld = False  # from the next SETUP alone

    @property
    def made(self) -> bool:
        """Whether the next SETUP makes it, or the present one does."""
        return self._stands and not self._withheld

    def weigh_refusal(self, error: SetupRejected) -> None:
        """Withdraw it if a SETUP without it may fare better than the one that *error* refused: once, and for good.

        Raises:
            SetupRejected: none would: *error* itself, or what it means where resumption is required.
        """
        if not self.made or error.code not in _MAY_MEAN_IT:
            raise error
        if self._mode == "require":
            msg = f"{error} (the setup asked for resumption, as resume='require' demands)"
            raise SetupRejected(msg, code=error.code) from error
        self._stands = False  # for good: a server that learns it later is not worth a refusal each time
        logger.info("the server refused a setup that asks for resumption (%s); trying without", error)

    def weigh_silence(self) -> None:
        """Withhold it from the next SETUP, where no server has answered one yet; every other time, make it again."""
        if self._mode == "auto":
            self._withheld = self.made  # else it was withheld, which has not helped either
            if self._withheld:
                logger.info("the server is silent about a setup that asks for resumption; the next does not ask")

    def renew(self) -> None:
        """Withhold it no more: the server has answered, so it may have been silent for any reason."""
        self._withheld = False
