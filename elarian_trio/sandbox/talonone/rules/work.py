"""What each operation of the stand-in is handed, and how it refuses. Without I/O.

:mod:`.operations` makes a :class:`Work` for each request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from elarian_trio.sandbox.exchange import WebReply, json_reply
from elarian_trio.sandbox.talonone.rules.records import (
    TalonOneCouponKey,
    TalonOneEventRecord,
    TalonOneNumbersKey,
    TalonOneNumbersRecord,
    TalonOneProfileKey,
    TalonOneProfileRecord,
    TalonOneReferralKey,
    TalonOneSessionKey,
    events_in,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from elarian_trio.sandbox.books import Books
    from elarian_trio.sandbox.talonone.rules.deployment import Deployment
    from elarian_trio.sandbox.talonone.rules.records import TalonOneSessionRecord
    from elarian_trio.sandbox.world.work import Dice

INVALID = "The submitted data was invalid"  # the live service's words
_CHALLENGES: Mapping[int, Mapping[str, str]] = {401: {"www-authenticate": "ApiKey-v1"}}  # RFC 9110 §15.5.2 wants one
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MANY = 1_000  # codes that are tried before a pattern counts as used up


class Problem(NamedTuple):
    """Something wrong with a body.

    Attributes:
        pointer: where, as a JSON pointer.
        title: what kind of wrong.
        details: in more words.
    """

    pointer: str
    title: str
    details: str = ""


class Refused(Exception):
    """A request is refused; what it changed is forgotten.

    Attributes:
        status: the HTTP status.
        message: the words.
        problems: what is wrong with the body.
    """

    def __init__(self, status: int, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems: tuple[Problem, ...] = tuple(problems)

    @classmethod
    def invalid(cls, *problems: Problem) -> Refused:
        """Refuse a body."""
        return cls(400, INVALID, problems)

    def reply(self) -> WebReply:
        """Give the answer."""
        errors = [
            {"title": title, **({"details": details} if details else {}), "source": {"pointer": pointer}}
            for pointer, title, details in self.problems
        ]
        said = {"message": self.message, **({"errors": errors} if errors else {})}
        return json_reply(said, self.status, _CHALLENGES.get(self.status))


@dataclass(slots=True, kw_only=True)
class Work:
    """What an operation reads, and what it changes.

    Attributes:
        deployment: what the user says of it.
        account: under which name its records are.
        application_id: who asks.
        books: the records.
        now: the present.
        dice: where codes come from.
    """

    deployment: Deployment
    account: str
    application_id: int
    books: Books
    now: datetime
    dice: Dice

    def number(self) -> int:
        """Give a number that was not given out before."""
        found = self.books.find(TalonOneNumbersKey(self.account))
        last = self.deployment.first_id - 1 if found is None else found.last
        return self.books.put(TalonOneNumbersRecord(org_id=self.account, last=last + 1)).last

    def code(self, pattern: str) -> str:
        """Make a code that is no coupon's and no referral's yet.

        Raises:
            Refused: none is left.
        """
        make = self.deployment.codes or self._drawn
        for _ in range(_MANY):
            code = make(pattern)
            if not self.is_taken(code):
                return code
        raise Refused(500, f"no code is left that looks like {pattern}")

    def _drawn(self, pattern: str) -> str:
        return "".join(_LETTERS[int(self.dice.hex(8), 16) % 36] if each == "#" else each for each in pattern)

    def is_taken(self, code: str) -> bool:
        """Say whether a code is a coupon's or a referral's."""
        found = (TalonOneCouponKey(self.account, code), TalonOneReferralKey(self.account, code))
        return code in self.deployment.coupons or any(self.books.find(key) is not None for key in found)

    def session(self, session_id: str) -> TalonOneSessionRecord | None:
        """Find a session of the application that asks."""
        return self.books.find(TalonOneSessionKey(self.account, self.application_id, session_id))

    def profile(self, profile_id: str) -> TalonOneProfileRecord:
        """Find a profile, or begin it; it is not kept by this alone."""
        found = self.books.find(TalonOneProfileKey(self.account, profile_id))
        return found or TalonOneProfileRecord(
            org_id=self.account, integration_id=profile_id, created=self.now, last_activity=self.now
        )

    def has_profile(self, profile_id: str) -> bool:
        """Say whether there is such a profile."""
        return self.books.find(TalonOneProfileKey(self.account, profile_id)) is not None

    def begin_event(self, type_: str, profile_id: str, session_id: str, attributes: object) -> TalonOneEventRecord:
        """Make the one event that each update has; its effects are not known yet."""
        return TalonOneEventRecord(
            org_id=self.account,
            id=self.number(),
            created=self.now,
            application_id=self.application_id,
            profile_id=profile_id,
            session_id=session_id,
            type=type_,
            attributes=dumped(attributes),
        )

    def keep_event(self, event: TalonOneEventRecord, effects: list[Any]) -> TalonOneEventRecord:
        """Keep an event with what came of it, where it is found again."""
        member = str(event.id)
        if event.profile_id:
            self.books.enlist(events_of(self.account, event.profile_id), member)
        if event.session_id:
            self.books.enlist(events_in(self.account, event.application_id, event.session_id), member)
        return self.books.put(replace(event, effects=dumped(effects)))


def dumped(value: object) -> str:
    """Write JSON down."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def merged(kept: str, given: dict[str, Any]) -> str:
    """Put attributes over those that are there: a null removes one, and what is not given stays."""
    both: dict[str, Any] = {**json.loads(kept), **given}
    return dumped({name: value for name, value in both.items() if value is not None})
