"""What the user may set: defaults, refusals, and the serializer that stores JSON."""

from __future__ import annotations

import math
import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio.options import Backoff, ConnectionOptions, JsonSerializer

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
    [math.nan, math.inf, -math.inf, "\ud800", {"a": object()}, {1, 2}, CIRCULAR, nested(100_000)],
    ids=["nan", "inf", "-inf", "surrogate", "object", "set", "circular", "deep"],
)
def test_value_json_cannot_hold_is_refused(value: object) -> None:
    """This SDK: ValueError before anything is sent."""
    with pytest.raises(ValueError, match="JSON cannot hold"):
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


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[-Infinity]"])
def test_words_that_only_python_takes_for_json_come_back_as_text(text: str) -> None:
    """This SDK: text that is not JSON comes back as the str it is, and JSON knows no NaN."""
    assert JsonSerializer().loads(text) == text


def test_size_in_fractions_of_bytes_is_refused() -> None:
    """This SDK: bad arguments are refused with what would be right."""
    with pytest.raises(TypeError, match="fragment_size must be an int"):
        ConnectionOptions(fragment_size=64.5)  # type: ignore[arg-type]
