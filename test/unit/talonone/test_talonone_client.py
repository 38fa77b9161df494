"""The client: what goes over the wire for each operation, when it is sent again, and what its block promises."""

from __future__ import annotations

import gc
import traceback
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from talon_one_service import Answering, answer

from elarian_trio import CommandTimedOut, ConnectionClosed, ConnectionFailed, ConnectionLost
from elarian_trio.talonone import (
    RETRIES,
    ApiKeyAuth,
    HttpOptions,
    IntegrationApi,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    Retries,
    SignatureAuth,
    TalonOneConflict,
    TalonOneError,
    TalonOneUnauthorized,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Use = Callable[[IntegrationApi], Awaitable[object]]

pytestmark = pytest.mark.anyio

STATE = answer(200, {"event": {"id": 1}})
REFERRAL = answer(201, {"code": "ABCDEFGH"})
BASE = "https://mine.talon.one"
ODD = "a/b c+é@x.y%"
ENCODED = b"a%2Fb%20c%2B%C3%A9%40x.y%25"


async def create(api: IntegrationApi) -> object:
    """Ask for a referral code."""
    return await api.create_referral(NewReferral(campaign_id=3, advocate_profile_integration_id="u1"))


async def track(api: IntegrationApi) -> object:
    """Record an event."""
    return await api.track_event(NewEvent(session_id="s", type="seen", attributes={"Name": "é"}, profile_id="u1"))


async def track_dry(api: IntegrationApi) -> object:
    """Ask what an event would earn."""
    return await api.track_event(NewEvent(session_id="s", type="seen"), dry=True)


async def profile(api: IntegrationApi) -> object:
    """Update a profile."""
    return await api.update_customer_profile(ODD, NewCustomerProfile(attributes={"Name": None}), dry=True)


async def blank_profile(api: IntegrationApi) -> object:
    """Make a profile without anything to say of it."""
    return await api.update_customer_profile("u1")


async def session(api: IntegrationApi) -> object:
    """Update a session."""
    return await api.update_customer_session(ODD, NewCustomerSession(profile_id="u1", total=9), dry=True)


async def blank_session(api: IntegrationApi) -> object:
    """Make a session without anything to say of it."""
    return await api.update_customer_session("s")


async def delete(api: IntegrationApi) -> object:
    """Delete a customer's data."""
    return await api.delete_customer_data(ODD)


OPERATIONS: list[tuple[Use, str, bytes, bytes]] = [
    (create, "POST", b"/v1/referrals", b'{"campaignId":3,"advocateProfileIntegrationId":"u1"}'),
    (
        track,
        "POST",
        b"/v1/events",
        '{"sessionId":"s","type":"seen","attributes":{"Name":"é"},"profileId":"u1"}'.encode(),
    ),
    (track_dry, "POST", b"/v1/events?dry=true", b'{"sessionId":"s","type":"seen","attributes":{}}'),
    (profile, "PUT", b"/v1/customer_profiles/" + ENCODED + b"?dry=true", b'{"attributes":{"Name":null}}'),
    (blank_profile, "PUT", b"/v1/customer_profiles/u1", b"{}"),
    (session, "PUT", b"/v1/customer_sessions/" + ENCODED + b"?dry=true", b'{"profileId":"u1","total":9}'),
    (blank_session, "PUT", b"/v1/customer_sessions/s", b"{}"),
    (delete, "DELETE", b"/v1/customer_data/" + ENCODED, b""),
]


@pytest.mark.parametrize(("use", "method", "target", "content"), OPERATIONS)
async def test_operation_goes_out_as_the_facts_say(use: Use, method: str, target: bytes, content: bytes) -> None:
    """The facts, sections 1 to 3: method, path, query, headers and body, byte for byte."""
    service = Answering(REFERRAL if use is create else answer(204) if use is delete else STATE)
    async with IntegrationApi(f"{BASE}//", api_key="k1", transport=service) as api:
        await use(api)
    sent = service.last
    assert (sent.method, sent.url.raw_path, sent.content) == (method, target, content)
    assert sent.url.host == "mine.talon.one"
    headers = dict(sent.headers.multi_items())
    assert headers.pop("authorization") == "ApiKey-v1 k1"
    assert headers.pop("accept") == "application/json"
    assert headers.pop("content-type", None) == (None if use is delete else "application/json")
    assert headers.pop("content-length", None) == (str(len(content)) if content else None)
    assert set(headers) == {"host", "user-agent"}


@pytest.mark.parametrize(("use", "method", "target", "content"), OPERATIONS)
async def test_signed_operation_carries_the_signature_of_what_is_sent(
    use: Use, method: str, target: bytes, content: bytes
) -> None:
    """The facts, section 2: serialised once, signed, and those bytes sent; a DELETE signs an empty object."""
    service = Answering(REFERRAL if use is create else answer(204) if use is delete else STATE)
    auth = SignatureAuth(7, "fefecafedeadbeef")
    async with IntegrationApi(BASE, auth=auth, transport=service) as api:
        await use(api)
    sent = service.last
    assert (sent.method, sent.url.raw_path, sent.content) == (method, target, content or b"{}")
    assert sent.headers["content-signature"] == auth.headers(sent.content)["content-signature"]
    assert sent.headers["content-type"] == "application/json"
    assert "authorization" not in sent.headers
    if use is delete:
        assert sent.headers["content-signature"] == "signer=7; signature=0ab22833fdd54e7d6f6a95dffd158d9e"


async def test_answers_come_back_as_models() -> None:
    """The seed: what each operation returns."""
    service = Answering(REFERRAL, STATE, STATE, STATE, answer(204))
    async with IntegrationApi(BASE, auth=ApiKeyAuth("k"), transport=service) as api:
        assert (await api.create_referral(NewReferral(campaign_id=1, advocate_profile_integration_id="u"))).code
        assert (await api.track_event(NewEvent(session_id="s", type="t"))).event.id == 1
        assert (await api.update_customer_profile("u")).event.id == 1
        assert (await api.update_customer_session("s")).event.id == 1
        await api.delete_customer_data("u")


@pytest.mark.parametrize("status", [429, 503, 409, 500])
async def test_nothing_is_tried_again_unless_asked(status: int) -> None:
    """The facts, section 10: every call adds an event, so that retries are asked for."""
    for use in (create, track, profile, session, delete):
        service = Answering(answer(status, {"message": "later"}))
        async with IntegrationApi(BASE, api_key="k", transport=service) as api:
            with pytest.raises(TalonOneError, match=f"{status}: later"):
                await use(api)
        assert len(service.asked) == 1


HASTY = Retries(methods=RETRIES.methods, statuses=RETRIES.statuses, first=0)


@pytest.mark.parametrize(
    "trouble",
    [
        answer(409, {"message": "busy"}),
        answer(429),
        answer(503, b"<html>", headers=[("retry-after", "0")]),
        httpx2.ConnectError("refused"),
        httpx2.ReadError("reset"),
    ],
    ids=["409", "429", "503", "refused", "reset"],
)
async def test_updates_are_tried_again_when_asked_and_posts_never(trouble: httpx2.Response | Exception) -> None:
    """The facts, section 10: PUT and DELETE after 409, 429, 503 or a connection that failed; POST never."""
    for use in (blank_profile, blank_session, delete):
        service = Answering(trouble, trouble, answer(200, {"event": {}}))
        async with IntegrationApi(BASE, api_key="k", options=HttpOptions(retries=HASTY), transport=service) as api:
            await use(api)
        assert len(service.asked) == 3
        assert len({(each.method, each.url, each.content) for each in service.asked}) == 1
    for use in (create, track):
        service = Answering(trouble, STATE)
        async with IntegrationApi(BASE, api_key="k", options=HttpOptions(retries=HASTY), transport=service) as api:
            with pytest.raises((TalonOneError, ConnectionFailed, ConnectionLost)):
                await use(api)
        assert len(service.asked) == 1


def test_what_may_be_tried_again_is_what_the_facts_say() -> None:
    """The facts, section 10."""
    assert (RETRIES.methods, RETRIES.statuses) == ({"PUT", "DELETE"}, {409, 429, 503})


async def test_bad_gateway_that_is_no_json_is_an_error_with_its_page() -> None:
    """The facts, section 10: it may not be JSON, and the client copes."""
    service = Answering(answer(502, b"<html>deadbeef is not known</html>"))
    async with IntegrationApi(BASE, api_key="deadbeef", transport=service) as api:
        with pytest.raises(TalonOneError, match="502: Bad Gateway") as caught:
            await session(api)
    assert caught.value.body == b"<html><secret> is not known</html>"


TROUBLES = [httpx2.ConnectError("refused"), httpx2.ReadError("reset")]


@pytest.mark.parametrize("trouble", TROUBLES, ids=["refused", "reset"])
async def test_key_is_in_no_frame_of_a_connection_that_fails(trouble: Exception) -> None:
    """The design, promise 4: a traceback may print its frames' variables."""
    async with IntegrationApi(BASE, api_key="deadbeef", transport=Answering(trouble)) as api:
        with pytest.raises((ConnectionFailed, ConnectionLost)) as caught:
            await session(api)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert len(told.stack) > 2
    assert "deadbeef" not in "".join(told.format())


@pytest.mark.parametrize("key", ["cart", "a-very-long-cart-7"])
async def test_what_a_service_says_is_left_as_it_is_though_the_key_may_stand_in_it(key: str) -> None:
    """A past bug: of a session ``cart-7`` with the key ``cart`` the app was told as ``<secret>-7``."""
    said = {"session": {"integrationId": "a-very-long-cart-7"}, "event": {}}
    async with IntegrationApi(BASE, api_key=key, transport=Answering(answer(200, said))) as api:
        assert (await blank_session(api)).session.integration_id == "a-very-long-cart-7"
    refusal = answer(400, {"message": "cart-7"})
    async with IntegrationApi(BASE, api_key="cart", transport=Answering(refusal)) as api:
        with pytest.raises(TalonOneError, match="400: cart-7"):
            await blank_session(api)


@pytest.mark.parametrize("body", [b"deadbeef", b'["deadbeef"]', b'{"event": "deadbeef"}'])
async def test_key_is_not_in_an_answer_that_cannot_be_read(body: bytes) -> None:
    """The design, promise 4: an error holds such a body."""
    async with IntegrationApi(BASE, api_key="deadbeef", transport=Answering(answer(200, body))) as api:
        with pytest.raises(TalonOneError, match="the answer is not") as caught:
            await blank_session(api)
    assert caught.value.body == body.replace(b"deadbeef", b"<secret>")
    assert caught.value.__context__ is None


async def test_key_that_a_service_repeats_is_in_no_error() -> None:
    """The design, promise 4: credentials in no error and no traceback of ours."""
    service = Answering(answer(401, {"message": "unknown key deadbeef"}))
    async with IntegrationApi(BASE, api_key="deadbeef", transport=service) as api:
        assert "deadbeef" not in repr(api)
        with pytest.raises(TalonOneUnauthorized, match="unknown key <secret>") as caught:
            await session(api)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in told.stack if frame.filename.endswith(("client.py", "endpoints.py"))]
    assert ours
    assert not [frame for frame in ours if "deadbeef" in str(frame.locals)]


# The block.


async def test_client_is_used_within_its_block_and_entered_once() -> None:
    """The house: used outside its block it says so, and nothing is sent."""
    service = Answering(STATE)
    api = IntegrationApi(BASE, api_key="k", transport=service)
    with pytest.raises(ConnectionClosed, match="outside its block"):
        await blank_session(api)
    async with api as entered:
        assert entered is api
        await blank_session(api)
    assert service.is_closed
    with pytest.raises(ConnectionClosed, match="outside its block"):
        await blank_session(api)
    with pytest.raises(RuntimeError, match="entered once"):
        async with api:
            pass
    assert len(service.asked) == 1


async def test_error_of_the_block_comes_out_as_it_is() -> None:
    """The house: no exception group that the user did not raise."""
    with pytest.raises(KeyError, match="mine"):
        async with IntegrationApi(BASE, api_key="k", transport=Answering(STATE)):
            raise KeyError("mine")


async def test_bad_value_is_refused_before_anything_is_sent() -> None:
    """The house: ValueError before anything is sent."""
    service = Answering(STATE)
    async with IntegrationApi(BASE, api_key="k", transport=service) as api:
        with pytest.raises(ValueError, match="must not be ''"):
            await api.update_customer_session("")
        with pytest.raises(TypeError, match="str, got int"):
            await api.delete_customer_data(7)  # type: ignore[arg-type]
    assert service.asked == []


@pytest.mark.parametrize("credentials", [{}, {"api_key": "k", "auth": ApiKeyAuth("k")}])
def test_credential_is_exactly_one(credentials: dict[str, Any]) -> None:
    """This SDK: both, or neither, is a mistake."""
    with pytest.raises(ValueError, match="exactly one credential"):
        IntegrationApi(BASE, **credentials)


def test_credential_of_another_kind_is_refused() -> None:
    """This SDK: a key given as the wrong argument says so."""
    with pytest.raises(TypeError, match="auth must be an ApiKeyAuth or a SignatureAuth, got str"):
        IntegrationApi(BASE, auth="k")  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["mine.talon.one", "ftp://x", "", "https://a:b@x"])
def test_base_url_is_required_and_must_be_one(url: str) -> None:
    """The facts, section 1: required, no default."""
    with pytest.raises(ValueError, match="base URL"):
        IntegrationApi(url, api_key="k")


@pytest.mark.parametrize("options", [5, None])
def test_options_are_http_options(options: Any) -> None:  # noqa: ANN401 - bad on purpose
    """errors.py: a TypeError at once, not when the block is entered."""
    with pytest.raises(TypeError, match="options must be a HttpOptions, got"):
        IntegrationApi("http://localhost", api_key="k", options=options)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"one_at_a_time": "no"}, "one_at_a_time must be a bool, got str"),
        ({"transport": 5}, "transport must be an httpx2.AsyncBaseTransport, got int"),
        ({"transport": httpx2.MockTransport}, "transport must be an httpx2.AsyncBaseTransport, got type"),
    ],
)
def test_what_is_of_the_wrong_type_is_told_of_where_it_is_given(given: dict[str, Any], words: str) -> None:
    """A past bug: "no" was taken for yes, and a transport that is none failed in words of the library's."""
    with pytest.raises(TypeError, match=words):
        IntegrationApi("http://localhost", api_key="k", **given)


def test_client_that_was_not_made_can_be_shown() -> None:
    """This SDK: a traceback that prints its frames' variables asks for that, too."""
    assert repr(IntegrationApi.__new__(IntegrationApi)) == "<IntegrationApi, not made>"


# One at a time.


async def use_at_once(api: IntegrationApi, service: Answering, uses: list[Use]) -> None:
    """Have all uses in hand at once where nothing holds them back."""
    service.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        for use in uses:
            tasks.start_soon(use, api)
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        service.gate.set()


async def test_updates_of_one_session_wait_for_each_other_when_asked() -> None:
    """The facts, section 10: send updates of one session one after the other; others are not held back."""
    service = Answering(STATE)
    async with IntegrationApi(BASE, api_key="k", one_at_a_time=True, transport=service) as api:
        await use_at_once(api, service, [blank_session, track, blank_session])
        assert (service.most, len(service.asked)) == (1, 3)
        await use_at_once(api, service, [blank_session, session, blank_profile, blank_profile])
        assert service.most == 4
        gc.collect()
        assert not api._turns._locks  # type: ignore[union-attr] - a lock that outlived its session would be a leak


async def test_updates_of_one_session_go_out_at_once_unless_asked() -> None:
    """This SDK: nothing waits that was not asked to."""
    service = Answering(STATE)
    async with IntegrationApi(BASE, api_key="k", transport=service) as api:
        await use_at_once(api, service, [blank_session, track, blank_session])
    assert service.most == 3


async def test_cancelled_update_lets_the_next_one_go() -> None:
    """The house: cancellation leaves nothing held."""
    service = Answering(STATE)
    service.gate = anyio.Event()
    async with IntegrationApi(BASE, api_key="k", one_at_a_time=True, transport=service) as api:
        with anyio.move_on_after(0.01) as scope:
            await blank_session(api)
        assert scope.cancelled_caught
        service.gate = None
        await blank_session(api)


async def test_time_out_holds_for_the_wait_for_ones_turn() -> None:
    """A past bug: behind updates that were not answered, each had the whole time-out after the one before it."""
    service, options = Answering(STATE), HttpOptions(timeout=0.01)
    async with (
        IntegrationApi(BASE, api_key="k", options=options, one_at_a_time=True, transport=service) as api,
        anyio.create_task_group() as tasks,
    ):

        async def hold() -> None:
            async with api._turns.turn_of("s"):  # type: ignore[union-attr] - as an update does that is under way
                await anyio.sleep_forever()

        tasks.start_soon(hold)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(5), pytest.raises(CommandTimedOut) as caught:
            await blank_session(api)
        tasks.cancel_scope.cancel()
    assert caught.value.sent is False
    assert service.asked == []


async def test_turn_that_comes_when_the_block_is_left_is_not_taken() -> None:
    """This SDK: the client works in its block and nowhere else."""
    service = Answering(STATE)
    async with anyio.create_task_group() as tasks:
        async with IntegrationApi(BASE, api_key="k", one_at_a_time=True, transport=service) as api:
            turn = api._turns.turn_of("s")  # type: ignore[union-attr] - as above
            await turn.acquire()

            async def update() -> None:
                with pytest.raises(ConnectionClosed):
                    await blank_session(api)

            tasks.start_soon(update)
            await anyio.wait_all_tasks_blocked()
        turn.release()
    assert service.asked == []


async def test_conflict_may_be_asked_again() -> None:
    """The facts, section 10: too many updates at the same time is no refusal for good."""
    service = Answering(answer(409, {"message": "Too many requests are updating this session at the same time"}))
    async with IntegrationApi(BASE, api_key="k", transport=service) as api:
        with pytest.raises(TalonOneConflict, match="at the same time") as caught:
            await blank_session(api)
    assert caught.value.retryable
