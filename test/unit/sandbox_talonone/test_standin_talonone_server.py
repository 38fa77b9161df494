"""The stand-in for Talon.One over HTTP: our own client against it, what may go wrong, and what a file keeps."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from peers import until

from elarian_trio import CommandTimedOut, ConnectionFailed, ConnectionLost
from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.talonone import (
    Application,
    Campaign,
    Catalogue,
    Coupon,
    Rule,
    RuleState,
    TalonOneServer,
    WebFault,
)
from elarian_trio.talonone import (
    RETRIES,
    AcceptCoupon,
    AcceptReferral,
    CartItem,
    HttpOptions,
    IntegrationApi,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    RejectCoupon,
    Retries,
    SetDiscount,
    SignatureAuth,
    TalonOneConflict,
    TalonOneError,
    TalonOneInvalid,
    TalonOneNotFound,
    TalonOneUnauthorized,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.anyio

BOUND = 20.0  # seconds that anything may take
ODD = "a/b c+é@x.y%"


def spring(state: RuleState, _event: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Take two off for a coupon."""
    return [("setDiscount", "Spring", 2)] if state.coupon == "SPRING" else []


SHOP: dict[str, Any] = {"rules": [spring], "coupons": [Coupon(code="SPRING", usage_limit=1)], "seed": 1}


async def say(server: TalonOneServer, text: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send the bytes of a request, and give status, headers and body of the answer."""
    host, port = server.base_url.removeprefix("http://").split(":")
    with anyio.fail_after(BOUND):
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(text.replace(b"KEY", server.credentials["api_key"].encode()))
            heard = b""
            async for piece in stream:
                heard += piece
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {each.split(":")[0].lower(): each.split(":", 1)[1].strip() for each in lines}, body


def head(line: str, *more: str) -> bytes:
    """Write the head of a request that an application with its key sends."""
    lines = [f"{line} HTTP/1.1", "host: x", "authorization: ApiKey-v1 KEY", "connection: close", *more]
    return "\r\n".join([*lines, "", ""]).encode()


# Our own client.


@pytest.mark.parametrize("way", ["key", "signature"])
async def test_our_client_is_served_in_every_operation(way: str) -> None:
    """The issue: our client against the stand-in, by either way to say who asks, with ids of any characters."""
    async with TalonOneServer(**SHOP) as server:
        (application,) = server.applications
        signed = SignatureAuth(application.application_id, application.application_key)
        credentials = {"base_url": server.base_url, "auth": signed} if way == "signature" else server.credentials
        async with IntegrationApi(**credentials) as api:
            profile = await api.update_customer_profile(ODD, NewCustomerProfile(attributes={"Name": "é", "x": None}))
            assert (profile.profile.integration_id, profile.profile.attributes) == (ODD, {"Name": "é"})
            assert (profile.event.session_id, profile.event.type) == ("", "talon_profile_created")
            referral = await api.create_referral(NewReferral(campaign_id=1, advocate_profile_integration_id=ODD))
            assert server.referral(referral.code) == referral.raw
            item = CartItem(name="Tea", sku="t-1", quantity=2, price=4.5)
            new = NewCustomerSession(
                profile_id="u2", coupon="SPRING", referral=referral.code, cart_items=[item], total=9
            )
            state = await api.update_customer_session(ODD, new)
            assert [effect.details for effect in state.effects] == [
                AcceptCoupon("SPRING"),
                AcceptReferral(referral.code),
                SetDiscount("Spring", 2.0),
            ]
            assert state.session.discounts == {"Spring": 2.0}
            assert state.session.cart_items[0].position == 0
            event = await api.track_event(NewEvent(session_id=ODD, type="seen", attributes={"Page": 3}))
            assert (event.event.type, event.event.attributes) == ("seen", {"Page": 3})
            dry = await api.update_customer_session(ODD, NewCustomerSession(state="closed"), dry=True)
            assert (dry.profile.closed_sessions, server.coupon_uses("SPRING")) == (1, 0)
            closed = await api.update_customer_session(ODD, NewCustomerSession(state="closed"))
            assert (closed.profile.closed_sessions, closed.profile.total_sales) == (1, 9.0)
            assert server.coupon_uses("SPRING") == 1
            await api.delete_customer_data(ODD)
            with pytest.raises(TalonOneNotFound, match="404: there is no such customer"):
                await api.delete_customer_data(ODD)
    assert {each.status for each in server.requests} == {200, 201, 204, 404}


async def test_refusals_reach_our_client_as_its_errors() -> None:
    """The facts, section 10: 400 with pointers, 401, 404."""
    async with TalonOneServer(campaigns=[Campaign(campaign_id=1)]) as server:
        async with IntegrationApi(**server.credentials) as api:
            with pytest.raises(TalonOneInvalid, match="/state: Invalid state") as caught:
                await api.update_customer_session("s", NewCustomerSession(state="cancelled"))
            assert [each.pointer for each in caught.value.errors] == ["/state"]
            with pytest.raises(TalonOneNotFound, match="no campaign 2"):
                await api.create_referral(NewReferral(campaign_id=2, advocate_profile_integration_id="u1"))
        async with IntegrationApi(server.base_url, api_key="wrong") as api:
            with pytest.raises(TalonOneUnauthorized):
                await api.update_customer_session("s")
        async with IntegrationApi(server.base_url, auth=SignatureAuth(1, "00")) as api:
            with pytest.raises(TalonOneInvalid, match=r"HMAC signature mismatch\."):
                await api.delete_customer_data("u1")


ALONE = """
import sys
sys.modules["httpx2"] = None  # importing it fails, as if it were not installed
import elarian_trio.sandbox
assert not {"starlette", "anycorn", "elarian_trio.sandbox.talonone"} & set(sys.modules), "loaded where it is asked for"
from elarian_trio.sandbox.talonone import TalonOneServer
TalonOneServer()
"""


def test_stand_in_needs_no_client_and_is_loaded_where_it_is_asked_for() -> None:
    """The issue: an extra of its own."""
    subprocess.run([sys.executable, "-c", ALONE], check=True, timeout=60)


# HTTP.


async def test_chunked_bodies_and_empty_ones_are_read() -> None:
    """The facts, section 1: the seed's own release sends everything chunked, the next one an empty body."""
    async with TalonOneServer() as server:
        chunked = head("PUT /v1/customer_sessions/s", "transfer-encoding: chunked")
        status, headers, body = await say(server, chunked + b'6\r\n{"stat\r\nd\r\ne":"closed" }\r\n0\r\n\r\n')
        assert (status, headers["content-type"]) == (200, "application/json")
        assert json.loads(body)["session"]["state"] == "closed"
        status, _, body = await say(server, head("PUT /v1/customer_profiles/u1", "content-length: 0"))
        assert (status, json.loads(body)["event"]["type"]) == (200, "talon_profile_created")


async def test_deletion_is_answered_with_neither_body_nor_type() -> None:
    """The facts, section 1: 204."""
    async with TalonOneServer() as server:
        await say(server, head("PUT /v1/customer_profiles/u1", "content-length: 0"))
        status, headers, body = await say(server, head("DELETE /v1/customer_data/u1"))
        assert (status, body) == (204, b"")
        assert not {"content-type", "content-length"} & headers.keys()


@pytest.mark.parametrize(
    ("line", "status", "allowed"),
    [
        ("GET /v1/customer_sessions/s", 405, "PUT"),
        ("PUT /v1/referrals", 405, "POST"),
        ("DELETE /v1/customer_data/", 404, None),
        ("PUT /v1/customer_sessions/a/b", 404, None),
        ("PUT /v2/customer_sessions/s", 404, None),
        ("GET /", 404, None),
    ],
)
async def test_what_is_not_there_is_said_in_json(line: str, status: int, allowed: str | None) -> None:
    """The facts, sections 1 and 10: errors are JSON, too; wrong method, empty id, extra segment."""
    async with TalonOneServer() as server:
        answered, headers, body = await say(server, head(line))
        assert (answered, list(json.loads(body))) == (status, ["message"])
        assert headers.get("allow") == allowed  # RFC 9110 §15.5.6


# What goes wrong on purpose.


async def test_failures_come_true() -> None:
    """The issue: status, dropped connection, a 502 that is no JSON."""
    async with TalonOneServer() as server, IntegrationApi(**server.credentials) as api:
        server.faults.add(WebFault.status(503, headers={"retry-after": "0"}), times=1)
        with pytest.raises(TalonOneError, match="503"):
            await api.update_customer_session("s")
        server.faults.add(WebFault.not_json(status=502), times=1)
        with pytest.raises(TalonOneError, match="502: Bad Gateway") as caught:
            await api.update_customer_session("s")
        assert caught.value.body.startswith(b"<html>")
        server.faults.add(WebFault.drop(when="after"), times=1)
        with pytest.raises(ConnectionLost) as lost:
            await api.update_customer_session("s")
        assert lost.value.sent
        assert len(server.events("s")) == 2
        server.faults.add(WebFault.status(503), on="PUT *", times=2)
    hasty = HttpOptions(retries=Retries(methods=RETRIES.methods, statuses=RETRIES.statuses, first=0))
    async with TalonOneServer() as server, IntegrationApi(**server.credentials, options=hasty) as api:
        server.faults.add(WebFault.status(409), on="PUT *", times=1)
        server.faults.add(WebFault.drop(), on="PUT *", times=1)
        await api.update_customer_session("s")
        assert [each.status for each in server.requests] == [409, None, 200]


async def test_delay_is_of_the_servers_time_and_the_clients_patience_of_its_own() -> None:
    """The issue: delays; what a client that gives up leaves behind is a request that was not answered."""
    async with TalonOneServer(clock="manual") as server:
        server.faults.add(WebFault.delay(5), times=1)
        async with IntegrationApi(**server.credentials, options=HttpOptions(timeout=0.05)) as api:
            with pytest.raises(CommandTimedOut) as caught:
                await api.update_customer_session("s")
            assert caught.value.sent
    with pytest.raises(ConnectionFailed):
        async with IntegrationApi(server_gone(server), api_key="k") as api:
            await api.update_customer_session("s")


def server_gone(server: TalonOneServer) -> str:
    """Give where a server was that is left."""
    with pytest.raises(RuntimeError, match="while its block is entered"):
        assert server.base_url
    return "http://127.0.0.1:9"  # the port of "discard", where nobody is


async def use(api: IntegrationApi, errors: list[TalonOneError], update: Any) -> None:  # noqa: ANN401
    """Ask, and keep the error if there is one."""
    try:
        await update(api)
    except TalonOneError as error:
        errors.append(error)


UPDATES = {
    "session": [
        partial(IntegrationApi.update_customer_session, customer_session_id="s"),
        partial(IntegrationApi.track_event, body=NewEvent(session_id="s", type="seen")),
    ],
    "profile": [
        partial(IntegrationApi.update_customer_profile, integration_id="u1"),
        partial(IntegrationApi.delete_customer_data, integration_id="u1"),
    ],
}


@pytest.mark.parametrize("subject", UPDATES)
async def test_requests_about_one_thing_wait_for_each_other(subject: str) -> None:
    """The facts, D14: serialised by default; what concerns another thing, or none, goes on."""
    errors: list[TalonOneError] = []
    async with TalonOneServer(clock="manual") as server, IntegrationApi(**server.credentials) as api:
        server.faults.add(WebFault.delay(5), times=1)
        async with anyio.create_task_group() as tasks:
            for number, update in enumerate(UPDATES[subject]):
                tasks.start_soon(use, api, errors, update)
                await until(lambda seen=number: len(server.requests) > seen)
            await api.update_customer_session("other")
            with pytest.raises(TalonOneInvalid):
                await api.create_referral(NewReferral(campaign_id=1, advocate_profile_integration_id="u9"))
            assert [each.status for each in server.requests] == [None, None, 200, 400]
            await server.clock.advance(timedelta(seconds=5))
        assert server.requests[0].status == 200
        assert None not in [each.status for each in server.requests]
    assert errors == []


@pytest.mark.parametrize("subject", UPDATES)
async def test_requests_that_overlap_are_refused_where_that_is_wanted(subject: str) -> None:
    """The facts, D14: a switch that answers 409, in the words that are published."""
    errors: list[TalonOneError] = []
    refusing = TalonOneServer(clock="manual", refuse_overlap=True)
    async with refusing as server, IntegrationApi(**server.credentials) as api:
        server.faults.add(WebFault.delay(5), times=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use, api, errors, UPDATES[subject][0])
            await until(lambda: len(server.requests) > 0)
            await use(api, errors, UPDATES[subject][1])
            await server.clock.advance(timedelta(seconds=5))
        await UPDATES[subject][0](api)
    (error,) = errors
    assert isinstance(error, TalonOneConflict)
    assert error.message == f"Too many requests are updating this {subject} at the same time"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"sessionId":7}', b"[" * 99_999])
async def test_event_in_no_session_waits_for_none(body: bytes) -> None:
    """This SDK: what cannot be read is refused, not held."""
    async with TalonOneServer(refuse_overlap=True) as server:
        status, _, answer = await say(server, head("POST /v1/events", f"content-length: {len(body)}") + body)
        assert status == 400, answer


# What users read.


async def test_user_reads_what_there_is() -> None:
    """The issue: a stand-in in the user's process shows its state, so that a test can look at it."""
    async with TalonOneServer(**SHOP) as server, IntegrationApi(**server.credentials) as api:
        assert server.profile("u1") is server.session("s") is server.referral("R") is None
        assert (server.events("s"), server.coupon_uses("SPRING")) == ((), 0)
        state = await api.update_customer_session("s", NewCustomerSession(profile_id="u1", coupon="SPRING"))
        assert server.profile("u1") == state.profile.raw
        assert server.session("s") == server.session("s", 1) == state.session.raw
        assert server.session("s", 2) is None
        assert server.events("s") == ({**state.event.raw, "meta": {}},)
        for number in range(12):
            await api.track_event(NewEvent(session_id="s", type=str(number)))
        assert [each["type"] for each in server.events("s")][1:] == [str(number) for number in range(12)]


async def test_reset_forgets_everything_but_the_keys() -> None:
    """The facts, section 13: a reset."""
    async with TalonOneServer(**SHOP) as server, IntegrationApi(**server.credentials) as api:
        await api.update_customer_session("s", NewCustomerSession(profile_id="u1", coupon="SPRING", state="closed"))
        server.faults.add(WebFault.status(503))
        await server.reset()
        assert (server.requests, server.faults.rules) == ((), ())
        assert server.session("s") is server.profile("u1") is None
        assert server.coupon_uses("SPRING") == 0
        state = await api.update_customer_session("s")
        assert (state.event.id, state.event.type) == (1, "talon_session_created")


async def test_credentials_show_no_key() -> None:
    """The design, promise 4."""
    async with TalonOneServer() as server:
        (application,) = server.applications
        for shown in (server.credentials, server.applications, server.requests):
            assert application.api_key not in repr(shown)
            assert application.application_key not in repr(shown)
        assert (len(application.api_key), len(application.application_key)) == (64, 16)


async def test_keys_may_be_chosen() -> None:
    """The issue: on the command line and in tests that bring their own."""
    async with TalonOneServer(api_key="mine") as server, IntegrationApi(server.base_url, api_key="mine") as api:
        assert server.credentials["api_key"] == "mine"
        await api.update_customer_session("s")
    two = [Application(application_id=7, api_key="seven"), Application(application_id=8, api_key="eight")]
    async with TalonOneServer(applications=two) as server, IntegrationApi(server.base_url, api_key="eight") as api:
        assert (await api.update_customer_session("s")).session.application_id == 8
        assert server.session("s") is None
        assert server.session("s", 8) is not None
        assert len(server.events("s", 8)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"api_key": ""}, "must not be empty"),
        ({"api_key": "k", "applications": [Application()]}, "either an api_key"),
        ({"applications": [Application(), Application()]}, "application '1' is given twice"),
        ({"coupons": [Coupon(code="C"), Coupon(code="C")]}, "coupon 'C' is given twice"),
        ({"campaigns": [Campaign(campaign_id=7), Campaign(campaign_id=7)]}, "campaign '7' is given twice"),
        ({"loyalty": {"u": {1: math.nan}}}, "the points of u must be a number that can be counted to"),
        ({"address": "0.0.0.0:0"}, "takes keys of your own"),
        ({"address": "nowhere"}, "host:port"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments: dict[str, Any], words: str) -> None:
    """The house: typed errors that say what was wrong."""
    with pytest.raises(ValueError, match=words):
        TalonOneServer(**arguments)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TalonOneServer(api_key=b"key"), "api_key must be one of str, None, got bytes"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(applications=[5]), "each of applications must be an Application, got int"),  # type: ignore[list-item]
        (lambda: TalonOneServer(coupons="SPRING"), "coupons must be a sequence of Coupon, got str"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(campaigns=[1]), "each of campaigns must be a Campaign, got int"),  # type: ignore[list-item]
        (lambda: TalonOneServer(catalogue={}), "catalogue must be one of Catalogue, None, got dict"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(loyalty=[1]), "loyalty must be a Mapping, got list"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(loyalty={"u": 1}), "the loyalty of u must be a Mapping, got int"),  # type: ignore[dict-item]
        (lambda: TalonOneServer(loyalty={"u": {1: "9"}}), "the points of u must be a number, got str"),  # type: ignore[dict-item]
        (lambda: TalonOneServer(loyalty={"u": {"1": 9}}), "a loyalty program must be an int, got str"),  # type: ignore[dict-item]
        (
            lambda: Coupon(code="C", attributes={"a": object()}),
            "the attributes of coupon 'C' must be what JSON can hold",
        ),
        (lambda: TalonOneServer(first_id="5"), "first_id must be an int, got str"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(account_id=True), "account_id must be an int, got bool"),
        (lambda: TalonOneServer(strict="no"), "strict must be a bool, got str"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(refuse_overlap=1), "refuse_overlap must be a bool, got int"),  # type: ignore[arg-type]
        (lambda: TalonOneServer(codes="####"), "codes must be a function, got str"),  # type: ignore[arg-type]
        (lambda: Application(api_key=b"key"), "api_key must be a str, got bytes"),  # type: ignore[arg-type]
        (lambda: Application(application_id="7"), "application_id must be an int, got str"),  # type: ignore[arg-type]
        (lambda: Campaign(campaign_id="7"), "campaign_id must be an int, got str"),  # type: ignore[arg-type]
        (lambda: Campaign(campaign_id=7, referral_condition=True), "referral_condition must be a function"),  # type: ignore[arg-type]
        (lambda: Coupon(code=7), "code must be a str, got int"),  # type: ignore[arg-type]
        (lambda: Coupon(code="C", usage_limit="1"), "usage_limit must be an int, got str"),  # type: ignore[arg-type]
        (lambda: Coupon(code="C", condition=True), "condition must be a function"),  # type: ignore[arg-type]
        (lambda: Coupon(code="C", start_date="2019-05-20"), "start_date must be an aware datetime"),  # type: ignore[arg-type]
        (lambda: Rule(spring, campaign_id="54"), "campaign_id must be an int, got str"),  # type: ignore[arg-type]
        (lambda: Catalogue(profile=["Name"]), "profile must be a Mapping, got list"),  # type: ignore[arg-type]
        (lambda: Catalogue(events={"seen": "Page"}), "the attributes of an event must be a Mapping"),  # type: ignore[dict-item]
    ],
)
def test_what_is_of_the_wrong_type_is_told_of_where_it_is_given(make: Callable[[], object], words: str) -> None:
    """A past bug: each request was answered with 500, or the value was taken for something else."""
    with pytest.raises(TypeError, match=words):
        make()


def test_times_of_nowhere_and_kinds_that_are_none_are_refused() -> None:
    """The same, of values: nobody's session could be closed with such a coupon, or such an attribute."""
    with pytest.raises(ValueError, match="expiry_date must be an aware datetime"):
        Coupon(code="C", expiry_date=datetime(2019, 5, 20))  # noqa: DTZ001, RUF100 - on purpose
    with pytest.raises(
        ValueError, match=r"the kind of attribute 'Name' must be one of 'string', 'number', .* got 'text'"
    ):
        Catalogue(events={"seen": {"Name": "text"}})  # type: ignore[dict-item]


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize("value", [math.nan, "\ud800", ENDLESS])
def test_coupon_of_which_no_answer_can_tell_is_refused(value: Any) -> None:  # noqa: ANN401 - bad on purpose
    """A past bug: each request with such a coupon was answered with 500."""
    with pytest.raises(ValueError, match="the attributes of coupon 'C' must be what JSON can hold"):
        Coupon(code="C", attributes={"a": value})


@pytest.mark.parametrize("key", ["a b", "é", "a\n", "\ud800"])
def test_key_that_no_header_carries_is_refused_unseen(key: str) -> None:
    """A past bug: the stand-in's own credentials were none for the client."""
    with pytest.raises(ValueError, match="api_key must be ASCII, without spaces"):
        Application(api_key=key)


def test_rule_that_cannot_be_called_is_refused() -> None:
    """The house: a bad argument is told of when it is given."""
    with pytest.raises(TypeError, match="must be a function"):
        TalonOneServer(rules=[7])  # type: ignore[list-item]


async def test_rule_may_say_whose_it_is() -> None:
    """The issue: plain callables, or with the numbers of their campaign."""
    rules = [Rule(lambda _state, _event: [("mine",)], campaign_id=54, ruleset_id=22, rule_index=3), spring]
    async with TalonOneServer(rules=rules) as server, IntegrationApi(**server.credentials) as api:
        (effect,) = (await api.update_customer_session("s")).effects
    assert (effect.campaign_id, effect.ruleset_id, effect.rule_index, effect.name) == (54, 22, 3, "mine")


# What is kept.


async def test_same_seed_gives_the_same_codes() -> None:
    """The issue: clock, numbers and codes can be had again."""
    codes = []
    for _ in range(2):
        async with TalonOneServer(seed=7, lenient=True) as server, IntegrationApi(**server.credentials) as api:
            new = NewReferral(campaign_id=1, advocate_profile_integration_id="u1")
            codes.append([(await api.create_referral(new)).code for _ in range(3)])
    assert codes[0] == codes[1]


async def test_file_keeps_everything_over_a_restart(tmp_path: Path) -> None:
    """The issue: kept through the sandbox's store; keys and counters, too."""
    path = tmp_path / "talon.sqlite3"
    async with TalonOneServer(**SHOP, data=path) as server, IntegrationApi(**server.credentials) as api:
        credentials = dict(server.credentials)
        new = NewCustomerSession(profile_id="u1", coupon="SPRING", attributes={"a": [1]}, total=9, state="closed")
        before = await api.update_customer_session(ODD, new)
        referral = await api.create_referral(NewReferral(campaign_id=1, advocate_profile_integration_id="u1"))
        events = server.events(ODD)
    async with TalonOneServer(**SHOP, data=path) as server, IntegrationApi(**server.credentials) as api:
        assert server.credentials["api_key"] == credentials["api_key"]
        assert server.session(ODD) == before.session.raw
        assert (server.profile("u1"), server.events(ODD)) == (before.profile.raw, events)
        assert server.referral(referral.code) == referral.raw
        state = await api.update_customer_session("t", NewCustomerSession(profile_id="u2", coupon="SPRING"))
        assert state.effects[0].details == RejectCoupon("SPRING")
        assert state.event.id > referral.id
        await server.reset()
        assert server.session(ODD) is None
    async with TalonOneServer(**SHOP, data=path) as server:
        assert server.session(ODD) is None


async def test_it_is_part_of_a_sandbox() -> None:
    """The issue: inside the sandbox, with its clock, beside Elarian itself."""
    async with Sandbox(talon_one=TalonOneServer(**SHOP), clock="manual") as sandbox:
        assert sandbox.endpoints["talon_one"] == sandbox.talon_one.base_url
        assert sandbox.talon_one.clock is sandbox.clock
        async with IntegrationApi(**sandbox.talon_one.credentials) as api:
            await sandbox.clock.advance(timedelta(hours=1))
            state = await api.update_customer_session("s", NewCustomerSession(coupon="SPRING"))
            assert state.event.created == sandbox.clock.now()
    async with Sandbox(talon_one="127.0.0.1:0") as sandbox, IntegrationApi(**sandbox.talon_one.credentials) as api:
        await api.update_customer_session("s")
