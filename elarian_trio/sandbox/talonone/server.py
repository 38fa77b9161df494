"""The stand-in for Talon.One as a server: the five operations over HTTP, alone or as part of a sandbox.

Users and the sandbox stand above; below are :mod:`elarian_trio.sandbox.web`, which carries, and the rules beside this
file, which have no I/O.
"""

from __future__ import annotations

import json
from dataclasses import replace
from types import NoneType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from weakref import WeakValueDictionary

import anyio
import anyio.lowlevel

from elarian_trio._arguments import all_of, require
from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.credentials import Credentials
from elarian_trio.sandbox.exchange import json_reply
from elarian_trio.sandbox.rows import know
from elarian_trio.sandbox.talonone.rules import answers
from elarian_trio.sandbox.talonone.rules.deployment import Application, Campaign, Coupon, Deployment, Rule
from elarian_trio.sandbox.talonone.rules.operations import account_of, forget, operations
from elarian_trio.sandbox.talonone.rules.records import (
    RECORDS,
    TalonOneCouponKey,
    TalonOneEventKey,
    TalonOneProfileKey,
    TalonOneReferralKey,
    TalonOneSessionKey,
    events_in,
)
from elarian_trio.sandbox.web import WebServer

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from elarian_trio.sandbox.clock import Clock, ClockName
    from elarian_trio.sandbox.exchange import Operation, WebReply, WebRequest
    from elarian_trio.sandbox.ground import Ground
    from elarian_trio.sandbox.talonone.rules.deployment import Catalogue, Effects

__all__ = ["TalonOneServer"]

KEY_DIGITS = 64  # of an API key, as in the vendor's samples
SIGNING_DIGITS = 16  # of a key that signs

know(*RECORDS)


class TalonOneServer(WebServer):
    """A Talon.One of your own: sessions, profiles, events, referrals and coupons, and campaigns that are functions.

    ::

        def spring(state, event):
            return [("setDiscount", "Spring", 2)] if state.coupon == "SPRING" else []

        async with TalonOneServer(rules=[spring], coupons=[Coupon(code="SPRING")]) as talon_one:
            async with IntegrationApi(**talon_one.credentials) as api: ...

    Times are its clock's, codes are drawn from its seed, and numbers are counted, so that a run can be had again.
    Requests that concern one session or profile are taken one after the other.

    Args:
        address: where to listen; port 0 takes one that is free.
        rules: the campaigns' rules, in order: functions of a :class:`RuleState` and the event, which give effects as
            ``(name, argument, …)``; or :class:`Rule` values, which say also whose they are and when they apply. They
            must neither wait nor raise: one that raises is answered with 500, and nothing has changed.
        campaigns: the campaigns, each number once; where none is given, any number is one that runs.
        coupons: the coupons that there are from the beginning.
        catalogue: the attributes and types of events that there are; where none is given, any.
        api_key: the key of the one application; made at random if left out. Or
        applications: who may ask, where it is more than one, or its number and keys are to be chosen.
        loyalty: points, by profile and loyalty program; nothing changes them.
        account_id: the account's number.
        first_id: the first of the numbers that events, coupons and referrals are given.
        referral_usage_limit: how often a referral code may be used where no campaigns are given; 0 for without limit.
        lenient: have a referral's advocate and friend made if they are not known, instead of refusing them.
        strict: refuse fields that sessions and events do not have, which later clients may send.
        refuse_overlap: answer 409 to a request about a session or profile of which another is in hand; otherwise it
            waits for that.
        codes: makes a code after a pattern, in which each ``#`` is to become a letter or digit.
        clock: "auto" and "real" are real time; "manual"; or a :class:`.Clock`.
        seed: of codes, and of what goes wrong on purpose.
        data: the file that keeps everything; in memory if left out.

    Raises:
        ValueError: an argument is not what it should be, or others could reach the address with keys made at random.
        TypeError: an argument is of the wrong type.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:0",
        *,
        rules: Iterable[Rule | Effects] = (),
        campaigns: Iterable[Campaign] = (),
        coupons: Iterable[Coupon] = (),
        catalogue: Catalogue | None = None,
        api_key: str | None = None,
        applications: Iterable[Application] = (),
        loyalty: Mapping[str, Mapping[int, float]] | None = None,
        account_id: int = 1,
        first_id: int = 1,
        referral_usage_limit: int = 1,
        lenient: bool = False,
        strict: bool = False,
        refuse_overlap: bool = False,
        codes: Callable[[str], str] | None = None,
        clock: ClockName | Clock = "auto",
        seed: int | str | None = None,
        data: str | os.PathLike[str] | None = None,
    ) -> None:
        require("api_key", (str, NoneType), api_key)
        require("refuse_overlap", bool, refuse_overlap)
        self._applications = _applications_of(api_key, all_of("applications", Application, applications))
        is_guarded = all(each.api_key for each in self._applications)
        needs = "keys of your own, as api_key='…'"
        super().__init__("talon_one", address, is_guarded=is_guarded, needs=needs, clock=clock, seed=seed, data=data)
        given = all_of("coupons", Coupon, coupons)
        _require_different("coupon", (each.code for each in given))
        running = all_of("campaigns", Campaign, campaigns)
        _require_different("campaign", (str(each.campaign_id) for each in running))
        self._deployment = Deployment(
            rules=tuple(rule if isinstance(rule, Rule) else Rule(rule) for rule in rules),
            campaigns={each.campaign_id: each for each in running},
            coupons={each.code: each for each in given},
            catalogue=catalogue,
            loyalty={} if loyalty is None else loyalty,
            account_id=account_id,
            first_id=first_id,
            referral_usage_limit=referral_usage_limit,
            lenient=lenient,
            strict=strict,
            codes=codes,
        )
        self._refuses_overlap = refuse_overlap
        self._turns: WeakValueDictionary[tuple[str, str], anyio.Lock] = WeakValueDictionary()

    # What users read.

    @property
    def applications(self) -> tuple[Application, ...]:
        """Who may ask, with the keys; those that are made at random are there once the block is entered."""
        return self._applications

    @property
    def credentials(self) -> Credentials:
        """What ``IntegrationApi(**credentials)`` takes: the URL and the first application's key; its repr hides that.

        Raises:
            RuntimeError: its block is not entered.
        """
        return Credentials(base_url=self.base_url, api_key=self._applications[0].api_key)

    def profile(self, integration_id: str) -> dict[str, Any] | None:
        """Give a profile as an answer has it; ``None`` where there is none.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be read.
        """
        books = Books(self._standing.store)
        found = books.find(TalonOneProfileKey(account_of(books), integration_id))
        return None if found is None else answers.profile(found, self._deployment)

    def session(self, integration_id: str, application_id: int | None = None) -> dict[str, Any] | None:
        """Give a session, of the first application if none is named, as an answer has it.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be read.
        """
        books = Books(self._standing.store)
        found = books.find(TalonOneSessionKey(account_of(books), self._number_of(application_id), integration_id))
        return None if found is None else answers.session(found)

    def events(self, session_id: str, application_id: int | None = None) -> tuple[dict[str, Any], ...]:
        """Give the events in a session, in the order in which they happened, as answers have them, with ``meta`` empty.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be read.
        """
        books = Books(self._standing.store)
        account = account_of(books)
        numbers = map(int, books.members(events_in(account, self._number_of(application_id), session_id)))
        found = (books.find(TalonOneEventKey(account, number)) for number in sorted(numbers))
        return tuple(answers.event(event, {}) for event in found if event is not None)

    def referral(self, code: str) -> dict[str, Any] | None:
        """Give a referral code as an answer has it; ``None`` where there is none.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be read.
        """
        books = Books(self._standing.store)
        found = books.find(TalonOneReferralKey(account_of(books), code))
        return None if found is None else answers.referral(found)

    def coupon_uses(self, code: str) -> int:
        """Say how often a coupon was used in sessions that were closed, and not cancelled later.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be read.
        """
        books = Books(self._standing.store)
        found = books.find(TalonOneCouponKey(account_of(books), code))
        return 0 if found is None else found.usage_counter

    async def reset(self) -> None:
        """Forget every session, profile, event, code and request, and let nothing go wrong any more.

        Keys stay, and numbers begin anew. What a file keeps of it takes its room on. Waits for the file, if any.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be read or written; nothing is forgotten.

        Cancellation:
            Always a checkpoint. What there was may be forgotten all the same.
        """
        await self._do(forget)
        self.forget_requests()
        self.faults.clear()

    def _number_of(self, application_id: int | None) -> int:
        return self._applications[0].application_id if application_id is None else application_id

    # What the base asks for.

    def _begin(self, ground: Ground) -> None:
        """Make up the keys that the user did not give; the file keeps them."""
        self._applications = tuple(
            replace(
                each,
                api_key=each.api_key or ground.secret(f"talon_one key {each.application_id}", KEY_DIGITS),
                application_key=each.application_key
                or ground.secret(f"talon_one signing key {each.application_id}", SIGNING_DIGITS),
            )
            for each in self._applications
        )

    def _operations(self) -> Sequence[Operation]:
        return operations(self._deployment, self._applications)

    def _failure(self, status: int, words: str) -> WebReply:
        return json_reply({"message": words}, status)

    async def _provoke(self, request: WebRequest, act: Callable[[], Awaitable[WebReply]]) -> WebReply:
        """Take what concerns one session or profile one after the other, with what goes wrong in between."""
        subject = subject_of(request)
        lock = self._turns.get(subject)
        if lock is None:
            lock = self._turns[subject] = anyio.Lock()
        if self._refuses_overlap and lock.locked():
            await anyio.lowlevel.checkpoint()
            return self._failure(409, f"Too many requests are updating this {subject[0]} at the same time")
        async with lock:
            return await super()._provoke(request, act)


_SUBJECTS: Mapping[str, str] = {
    "customer_sessions": "session",
    "customer_profiles": "profile",
    "customer_data": "profile",
}


def subject_of(request: WebRequest) -> tuple[str, str]:
    """Give what a request concerns: a session or profile and its id; for a referral code each request its own."""
    *_, kind, last = ("", *request.path.split("/"))
    if kind in _SUBJECTS:
        return _SUBJECTS[kind], unquote(last)
    if last == "events":
        return "session", _session_of(request.body)
    return "", str(id(request))


def _session_of(body: bytes) -> str:
    """Give the session that an event says it is in; what cannot be read is refused later."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(cast("dict[str, Any]", said).get("sessionId")) if isinstance(said, dict) else ""


def _applications_of(api_key: str | None, given: tuple[Application, ...]) -> tuple[Application, ...]:
    """Give those who may ask."""
    if api_key == "" or (api_key is not None and given):
        msg = "give either an api_key, which must not be empty, or applications"
        raise ValueError(msg)
    _require_different("application", (str(each.application_id) for each in given))
    return given or (Application(api_key=api_key or ""),)


def _require_different(kind: str, names: Iterable[str]) -> None:
    known: set[str] = set()
    for name in names:
        if name in known:
            msg = f"{kind} {name!r} is given twice"
            raise ValueError(msg)
        known.add(name)
