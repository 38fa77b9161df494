"""A Connection on a transport, kept alive: carries bytes both ways and never hears of Elarian.

The client and the sandbox stand above, :mod:`elarian_trio._rsocket` and :mod:`elarian_trio._transport` below.
"""

from __future__ import annotations

from elarian_trio._session.backoff import Schedule
from elarian_trio._session.endings import ResumptionRefused
from elarian_trio._session.incoming import IncomingRequest, StreamFailed
from elarian_trio._session.parking import Bell, Flag
from elarian_trio._session.pending import GivenUp, Handover, Pending, Question, Waiter
from elarian_trio._session.reception import Reception
from elarian_trio._session.session import Session
from elarian_trio._session.supervisor import StateName, Supervisor, WhenStarted

__all__ = [
    "Bell",
    "Flag",
    "GivenUp",
    "Handover",
    "IncomingRequest",
    "Pending",
    "Question",
    "Reception",
    "ResumptionRefused",
    "Schedule",
    "Session",
    "StateName",
    "StreamFailed",
    "Supervisor",
    "Waiter",
    "WhenStarted",
]
