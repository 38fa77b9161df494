"""What customers do in the organisation's own web sites and apps.

Stands on :mod:`.identity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any, ClassVar, cast

from elarian_trio.options import JsonSerializer

from .identity import CustomerNumber
from .model import Model, dataclass

_TEXT = frozenset({str})


@dataclass(frozen=True, slots=True)
class Activity(Model):
    """One thing that a customer did.

    Attributes:
        key: what it was.
        session_id: the visit it belongs to.
        properties: particulars, text by name; a number or truth value becomes text as JSON writes it.
        created_at: when; the server stamps it, so it is not sent.
    """

    _settle: ClassVar[None] = None  # where it comes off the wire, there is only text

    key: str
    session_id: str
    properties: Mapping[str, str] = field(default_factory=dict[str, str])
    created_at: datetime | None = None

    def __post_init__(self) -> None:
        """Make text of what the wire holds only as text, and check the fields."""
        given = self.properties
        is_text = given.__class__ is dict and _TEXT.issuperset(map(type, given.values()))
        if not is_text and isinstance(cast("object", given), Mapping):
            object.__setattr__(self, "properties", {key: _text(part) for key, part in given.items()})
        Model.__post_init__(self)


def _text(value: Any) -> Any:  # noqa: ANN401 - what is neither is refused, as any wrong type is
    return JsonSerializer().dumps(value) if isinstance(value, bool | int | float) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySessionState(Model):
    """A visit, and what the customer did in it.

    Attributes:
        customer_number: whose visit.
        source: where, such as a host name.
        session_id: the visit's id, chosen by the app.
        app_id: the app that reported it.
        activities: what was done, in order.
        created_at: when the visit began.
        updated_at: when the last thing was done.
    """

    customer_number: CustomerNumber
    source: str
    session_id: str
    app_id: str = ""
    activities: tuple[Activity, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the fields and give each activity the visit's id, which travels only once."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        object.__setattr__(self, "activities", tuple(in_session(each, self.session_id) for each in self.activities))


def in_session(activity: Activity, session_id: str) -> Activity:
    """Give *activity* as part of the visit *session_id*."""
    return activity if activity.session_id == session_id else replace(activity, session_id=session_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityState(Model):
    """What a customer did, most recent visits only.

    Attributes:
        sessions: the visits, oldest first.
        customer_numbers: the numbers under which the customer was seen.
    """

    sessions: tuple[ActivitySessionState, ...] = ()
    customer_numbers: tuple[CustomerNumber, ...] = ()
