"""What the user may set: defaults, refusals, and the serializer that stores JSON."""

from __future__ import annotations

import math
import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio.models.channels import Channel
from elarian_trio.options import Backoff, ConnectionOptions, HttpOptions, JsonSerializer, Reconnects, Retries

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)


def nested(depth: int) -> list[Any]:
    """A list in a list in a list, *depth* deep."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@given(JSON)
def test_json_comes_back_as_it_was(value: object) -> None:
    """This SDK: metadata and app data are JSON by default."""
    serializer = JsonSerializer()
    assert serializer.loads(serializer.dumps(value)) == value


@given(st.binary())
def test_bytes_stay_bytes(value: bytes) -> None:
    """This SDK: what is bytes is never interpreted."""
    serializer = JsonSerializer()
    assert serializer.dumps(value) == value
    assert serializer.loads(value) == value


@pytest.mark.parametrize("stored", ["hello", "", "{", "[" * 100_000, "9" * 5_000], ids=lambda stored: stored[:6])
def test_text_that_is_not_json_comes_back_as_it_is(stored: str) -> None:
    """A peer's behaviour: SDKs in other languages store bare strings."""
    assert JsonSerializer().loads(stored) == stored


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "\ud800", {"a": object()}, {1, 2}, CIRCULAR, nested(100_000), {1: "a", "1": "b"}],
    ids=["nan", "inf", "-inf", "surrogate", "object", "set", "circular", "deep", "number"],
)
def test_value_json_cannot_hold_is_refused(value: object) -> None:
    """This SDK: ValueError before anything is sent."""
    with pytest.raises(ValueError, match="JSON cannot hold"):
        JsonSerializer().dumps(value)


def test_text_of_another_class_is_a_key() -> None:
    """This SDK: an enum's name is text, and comes back as that."""
    value = {Channel.SMS: {"a": 1}}
    assert JsonSerializer().loads(JsonSerializer().dumps(value)) == {"sms": {"a": 1}}


@pytest.mark.parametrize("value", [{1: 3}, [{"a": {None: 3}}], ({"a": [{True: 3}]},)])
def test_key_that_is_no_text_is_refused_wherever_it_is(value: object) -> None:
    """The docstring: what JSON cannot hold is a ValueError; as text the key would come back as another."""
    with pytest.raises(ValueError, match=r"JSON cannot hold this value: a key must be a str, got (int|NoneType|bool)"):
        JsonSerializer().dumps(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, -0.1) for name in ("first", "base", "cap", "slow_cap", "give_up_after", "jitter")),
        *((name, math.inf) for name in ("first", "base", "cap", "slow_cap", "give_up_after", "factor")),
        ("first", math.nan),
        ("factor", 0.9),
        ("jitter", 1.1),
    ],
)
def test_backoff_without_a_schedule_is_refused(name: str, value: float) -> None:
    """This SDK: bad arguments are ValueError, naming what was wrong."""
    with pytest.raises(ValueError, match=name):
        Backoff(**{name: value})


def test_backoff_may_give_up_at_once() -> None:
    """This SDK: zero seconds of patience is a choice."""
    assert Backoff(give_up_after=0).give_up_after == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("keepalive_interval", "keepalive_lifetime", "notification_timeout")),
        *((name, 0) for name in ("connect_timeout", "command_timeout")),
        *((name, math.nan) for name in ("keepalive_interval", "command_timeout", "drain_timeout")),
        ("keepalive_lifetime", 10.0),
        ("drain_timeout", -1),
        ("resume", "maybe"),
        ("resume_buffer_size", -1),
        ("fragment_size", 63),
        ("fragment_size", 16_777_216),
        ("max_payload_size", 0),
    ],
)
def test_option_with_which_no_connection_works_is_refused(name: str, value: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: bad arguments are ValueError, naming what was wrong."""
    with pytest.raises(ValueError, match=name):
        ConnectionOptions(**{name: value})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConnectionOptions(connect_timeout=math.inf), "connect_timeout must be finite, got inf"),
        (lambda: ConnectionOptions(command_timeout=math.nan), "command_timeout must be finite, got nan"),
        (
            lambda: ConnectionOptions(command_timeout=10**5000),
            "command_timeout must be finite, got an int that no float holds",
        ),
        (lambda: ConnectionOptions(drain_timeout=-1), "drain_timeout must be at least 0, got -1"),
        (lambda: ConnectionOptions(fragment_size=2**24), "fragment_size must be at most 16777215, got 16777216"),
        (lambda: Backoff(jitter=1.5), "jitter must be at most 1, got 1.5"),
    ],
)
def test_words_say_which_bound_was_overstepped(make: Any, words: str) -> None:  # noqa: ANN401 - a lambda
    """This SDK: whoever reads them knows what would be right."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        make()
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("reconnect", 5, "a Backoff"),
        ("reconnect", None, "a Backoff"),
        ("receive_notifications", "no", "a bool"),
        ("ssl_context", "x", "an ssl.SSLContext"),
        ("ssl_context", ssl.SSLContext, "an ssl.SSLContext"),
        ("serializer", 5, "a Serializer, with dumps and loads"),
        ("serializer", JsonSerializer, "a Serializer, with dumps and loads"),
    ],
)
def test_option_of_the_wrong_type_is_refused(name: str, value: Any, wanted: str) -> None:  # noqa: ANN401 - bad on purpose
    """errors.py: a TypeError at once, not when it is first used."""
    with pytest.raises(TypeError, match=f"{name} must be {wanted}, got {type(value).__name__}"):
        ConnectionOptions(**{name: value})


@pytest.mark.parametrize("value", ["10", True, None])
def test_option_that_is_no_number_is_refused(value: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: a bool or a string where seconds are meant is a TypeError."""
    with pytest.raises(TypeError, match="keepalive_interval"):
        ConnectionOptions(keepalive_interval=value)


def test_resumption_that_is_required_needs_a_store() -> None:
    """This SDK: without one it could never be offered, so that no connection would do."""
    with pytest.raises(ValueError, match="resume_buffer_size"):
        ConnectionOptions(resume="require", resume_buffer_size=0)
    assert ConnectionOptions(resume="auto", resume_buffer_size=0).resume_buffer_size == 0


@pytest.mark.parametrize("name", ["drain_timeout", "resume_buffer_size"])
def test_zero_is_a_choice(name: str) -> None:
    """This SDK: no drain and no buffer are allowed."""
    assert getattr(ConnectionOptions(**{name: 0}), name) == 0


def test_command_timeout_may_be_left_to_the_caller() -> None:
    """This SDK: None leaves bounding to cancel scopes."""
    assert ConnectionOptions(command_timeout=None).command_timeout is None


def test_tls_context_is_not_shown() -> None:
    """This SDK: a repr that is logged says nothing of certificates."""
    assert "SSLContext" not in repr(ConnectionOptions(ssl_context=ssl.create_default_context()))


@pytest.mark.parametrize("options", [ConnectionOptions, HttpOptions])
def test_tls_context_of_a_server_is_refused(options: type[Any]) -> None:
    """This SDK: ``Purpose.CLIENT_AUTH`` reads as if it were for clients, and no attempt to connect would succeed."""
    with pytest.raises(ValueError, match="ssl_context must be a client's"):
        options(ssl_context=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[-Infinity]"])
def test_words_that_only_python_takes_for_json_come_back_as_text(text: str) -> None:
    """This SDK: text that is not JSON comes back as the str it is, and JSON knows no NaN."""
    assert JsonSerializer().loads(text) == text


def test_size_in_fractions_of_bytes_is_refused() -> None:
    """This SDK: bad arguments are refused with what would be right."""
    with pytest.raises(TypeError, match="fragment_size must be an int"):
        ConnectionOptions(fragment_size=64.5)  # type: ignore[arg-type]


# --- HTTP ---


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attempts", 0),
        ("first", -0.1),
        ("first", math.nan),
        ("cap", -1),
        ("cap", math.inf),
        ("methods", {"GET", "post"}),
    ],
)
def test_retries_without_a_schedule_are_refused(name: str, value: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: bad arguments are ValueError; a POST would be done twice."""
    with pytest.raises(ValueError, match=name):
        Retries(**{name: value})


def test_retries_take_any_collection_and_any_case() -> None:
    """This SDK: a list of methods is as good as a set."""
    methods: Any = ["get", "Delete"]
    statuses: Any = [500]
    retries = Retries(methods=methods, statuses=statuses)
    assert (retries.methods, retries.statuses) == (frozenset({"GET", "DELETE"}), frozenset({500}))


def test_retries_that_are_no_number_are_refused() -> None:
    """This SDK: half an attempt is none."""
    with pytest.raises(TypeError, match="attempts must be an int"):
        Retries(attempts=1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Retries(methods="GET"), "methods must be a set of str, got str"),  # type: ignore[arg-type]
        (lambda: Retries(methods=5), "methods must be a set of str, got int"),  # type: ignore[arg-type]
        (lambda: Retries(methods={5}), "each of methods must be a str, got int"),  # type: ignore[arg-type]
        (lambda: Retries(statuses={"503"}), "each of statuses must be an int, got str"),  # type: ignore[arg-type]
        (lambda: HttpOptions(retries=5), "retries must be a Retries or None, got int"),  # type: ignore[arg-type]
        (lambda: HttpOptions(proxy=b"http://h"), "proxy must be a URL or None, got bytes"),  # type: ignore[arg-type]
        (lambda: HttpOptions(trust_env="no"), "trust_env must be a bool, got str"),  # type: ignore[arg-type]
        (lambda: HttpOptions(ssl_context="x"), "ssl_context must be an ssl.SSLContext, got str"),  # type: ignore[arg-type]
    ],
)
def test_options_of_the_wrong_type_are_refused(make: Any, words: str) -> None:  # noqa: ANN401 - a lambda
    """errors.py: a TypeError at once; a str is not taken for the set of its letters."""
    with pytest.raises(TypeError, match=words):
        make()


def test_delays_of_retries_double_up_to_the_cap() -> None:
    """This SDK: after the first, second, third … attempt, however many there were."""
    retries = Retries(first=0.5, cap=3.0)
    assert [retries.delay(number) for number in (1, 2, 3, 4, 10_000)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_delays_of_reconnects_grow_up_to_the_cap() -> None:
    """D22 of the facts about Planship: 0.5 s doubling to 30 s."""
    reconnects = Reconnects()
    assert [reconnects.delay(number) for number in (1, 2, 3, 6, 7, 8, 10_000)] == [
        0.5,
        1.0,
        2.0,
        16.0,
        30.0,
        30.0,
        30.0,
    ]


@pytest.mark.parametrize("factor", [1e6, 10**6, 1e300])
def test_reconnects_that_grow_beyond_what_a_float_holds_stay_at_the_cap(factor: float) -> None:
    """A past bug: updates ended for good with an OverflowError, after some fifty attempts."""
    reconnects = Reconnects(factor=factor)
    assert [reconnects.delay(number) for number in (1, 2, 60, 10_000)] == [0.5, 30.0, 30.0, 30.0]


def test_reconnects_without_a_delay_never_have_one() -> None:
    """This SDK: nothing grows of nothing, however often."""
    reconnects = Reconnects(first=0.0)
    assert [reconnects.delay(number) for number in (1, 2, 10_000)] == [0.0, 0.0, 0.0]


def test_reconnects_that_grow_slowly_grow_on_up_to_the_cap() -> None:
    """A past bug: after the 65th attempt the delay grew no more."""
    reconnects = Reconnects(factor=1.01)
    delays = [reconnects.delay(number) for number in (1, 65, 101, 1_000_000)]
    assert [round(each, 2) for each in delays] == [0.5, 0.95, 1.35, 30.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, -0.1) for name in ("first", "cap", "steady_after")),
        *((name, math.nan) for name in ("first", "cap", "steady_after", "factor", "connect_timeout", "ping_after")),
        ("factor", 0.5),
        ("refusals", 0),
        ("connect_timeout", 0),
        ("ping_after", 0),
    ],
)
def test_reconnects_without_a_schedule_are_refused(name: str, value: float) -> None:
    """This SDK: bad arguments are ValueError, naming what was wrong."""
    with pytest.raises(ValueError, match=name):
        Reconnects(**{name: value})  # type: ignore[arg-type]


def test_reconnects_may_leave_the_silent_alone() -> None:
    """This SDK: ``None`` is for never asking."""
    assert Reconnects(ping_after=None).ping_after is None


@pytest.mark.parametrize("proxy", ["http://h", "https://h:8443", "socks5://u:p@h:1080", "socks5h://[::1]:1080", None])
def test_proxy_is_of_a_kind_that_can_be_gone_by(proxy: str | None) -> None:
    """httpx2: these four."""
    assert HttpOptions(proxy=proxy).proxy == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        *("h:8080", "gopher://me:hunter2@h", "http://", "http://[hunter2", ""),
        *("http://me:hunter2@h:99999", "http://me:hunter2@h:0", "http://me:hunter2@h:x", "http://me:hunter2@a..b"),
        *(f"http://me:hunter2@{'h' * 64}", "http://me:hunter2@h\n"),
    ],
)
def test_proxy_that_is_none_is_refused_without_repeating_it(proxy: str) -> None:
    """This SDK: bad arguments are ValueError; it may hold a password."""
    with pytest.raises(ValueError, match="proxy must be a URL with a host, one of http") as caught:
        HttpOptions(proxy=proxy)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_time_out_in_which_nothing_can_be_done_is_refused(value: float) -> None:
    """This SDK: bad arguments are ValueError, naming what was wrong."""
    with pytest.raises(ValueError, match="timeout"):
        HttpOptions(timeout=value)
    assert HttpOptions(timeout=None).timeout is None


def test_http_options_show_no_proxy() -> None:
    """This SDK: it may name credentials."""
    assert "hunter2" not in repr(HttpOptions(proxy="http://me:hunter2@h"))
