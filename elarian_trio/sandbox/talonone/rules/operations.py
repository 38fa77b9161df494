"""The five operations of the stand-in, from a request to its answer. Without I/O."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from elarian_trio.sandbox.exchange import Operation, WebReply, json_reply
from elarian_trio.sandbox.talonone.rules.admission import admit
from elarian_trio.sandbox.talonone.rules.checks import parse
from elarian_trio.sandbox.talonone.rules.profiles import delete_customer_data, update_profile
from elarian_trio.sandbox.talonone.rules.records import TalonOneEpochKey, TalonOneEpochRecord
from elarian_trio.sandbox.talonone.rules.referrals import create_referral
from elarian_trio.sandbox.talonone.rules.sessions import track_event, update_session
from elarian_trio.sandbox.talonone.rules.work import Refused, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from elarian_trio.sandbox.books import Books
    from elarian_trio.sandbox.exchange import Call
    from elarian_trio.sandbox.talonone.rules.deployment import Application, Deployment

ACCOUNT = "talon_one"  # under which records are kept, beside those of organisations, whose names begin otherwise

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Act(NamedTuple):
    """What can be asked.

    Attributes:
        method: in upper case.
        path: with names in braces.
        status: of the answer.
        act: what is done: given the work, the path's parameters and the body, the answer.
        may_be_dry: whether ``?dry=true`` asks only what would come of it.
    """

    method: str
    path: str
    status: int
    act: Callable[[Work, Mapping[str, str], dict[str, Any]], dict[str, Any] | None]
    may_be_dry: bool = True


ACTS = (
    Act("POST", "/v1/referrals", 201, create_referral, may_be_dry=False),
    Act("DELETE", "/v1/customer_data/{integration_id}", 204, delete_customer_data, may_be_dry=False),
    Act("POST", "/v1/events", 201, track_event),
    Act("PUT", "/v1/customer_profiles/{integration_id}", 200, update_profile),
    Act("PUT", "/v1/customer_sessions/{session_id}", 200, update_session),
)


def operations(deployment: Deployment, applications: Sequence[Application]) -> list[Operation]:
    """Give what a server of *deployment* can be asked, and by whom."""
    return [Operation(act.method, act.path, partial(answer, act, deployment, applications)) for act in ACTS]


def answer(act: Act, deployment: Deployment, applications: Sequence[Application], call: Call) -> WebReply:
    """Do what is asked, or say why not; what is refused, or only asked for, changes nothing."""
    try:
        application_id = admit(call.request, applications)
        work = Work(
            deployment=deployment,
            account=account_of(call.books),
            application_id=application_id,
            books=call.books,
            now=call.now,
            dice=call.dice,
        )
        body = {} if act.method == "DELETE" else parse(call.request.body)
        answered = act.act(work, call.request.params, body)
    except Refused as refused:
        call.books.discard()
        if refused.status >= 500:
            logger.error("talon_one: %s", refused.message, exc_info=refused.__cause__)
        return refused.reply()
    if act.may_be_dry and ("dry", "true") in call.request.query:
        call.books.discard()
    return WebReply(status=act.status) if answered is None else json_reply(answered, act.status)


def account_of(books: Books) -> str:
    """Give the name under which everything is that was not forgotten."""
    found = books.find(TalonOneEpochKey(ACCOUNT))
    return f"{ACCOUNT}/{0 if found is None else found.number}"


def forget(call: Call) -> WebReply:
    """Forget everything: what is remembered from now on is under another name."""
    found = call.books.find(TalonOneEpochKey(ACCOUNT)) or TalonOneEpochRecord(org_id=ACCOUNT)
    call.books.put(TalonOneEpochRecord(org_id=ACCOUNT, number=found.number + 1))
    return WebReply(status=204)
