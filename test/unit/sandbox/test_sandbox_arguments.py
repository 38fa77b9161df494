"""The sandbox's arguments: what goes together, what arrives later, and what can be read before and after."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from elarian_trio import Cash, MessagingChannel, PaymentChannelNumber
from elarian_trio.sandbox import ManualClock, Sandbox, SandboxApp
from elarian_trio.sandbox.dice import SeededDice

APPS = [SandboxApp("org", "app", "key")]


@pytest.mark.parametrize(
    "given",
    [
        {"tcp": "127.0.0.1:0"},
        {"tls": "127.0.0.1:0"},
        {"ws": "127.0.0.1:0"},
        {"wss": "127.0.0.1:0"},
        {"data": "x.sqlite3"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_virtual_time_needs_memory_and_the_error_names_the_manual_clock(given: dict[str, Any]) -> None:
    """The design: any other combination is a ValueError that names the manual clock."""
    with pytest.raises(ValueError, match="clock='manual'"):
        Sandbox(clock="virtual", **given)


@pytest.mark.anyio
async def test_virtual_time_without_a_mock_clock_is_refused_on_entering() -> None:
    """The design: virtual time needs Trio and its MockClock; the error names the manual clock."""
    with pytest.raises(ValueError, match="clock='manual'"):
        async with Sandbox(clock="virtual"):
            pytest.fail("entered")


@pytest.mark.parametrize(
    "wrong",
    [
        {"clock": "sundial"},
        {"settle": "never"},
        {"tcp": "nowhere"},
        {"tcp": "127.0.0.1"},
        {"tcp": "127.0.0.1:65536"},
        {"tcp": f"127.0.0.1:{'9' * 5000}"},
        {"tcp": ":1"},
        {"tcp": "[::1"},
        {"tcp": "tcp://127.0.0.1:0"},
        {"data": ""},
        {"resume_window": -1},
        {"resume_window": float("nan")},
        {"resume_window": 10**5000},
        {"tls_dir": "", "tls": "127.0.0.1:0"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_arguments_are_value_errors(wrong: dict[str, Any]) -> None:
    """The design: bad arguments are ValueError or TypeError, before anything is sent."""
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("tcp", "host:port")):
        Sandbox(**wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"strict": "no"}, "strict must be a bool, got str"),
        ({"settings": {}}, "settings must be one of Settings, None, got dict"),
        ({"faults": []}, "faults must be one of Faults, None, got list"),
        ({"data": 5}, "data must be the path of a file, got int"),
        ({"tls": "127.0.0.1:0", "tls_dir": 5}, "tls_dir must be the path of a folder, got int"),
        ({"seed": 1.5}, "seed must be one of int, str, None, got float"),
        ({"seed": True}, "seed must be one of int, str, None, got bool"),
        ({"resume_window": True}, "resume_window must be a number of seconds, got bool"),
        ({"resume_window": "2"}, "resume_window must be a number of seconds, got str"),
        ({"apps": 5}, "apps must be a sequence of apps, got int"),
        ({"channels": 5}, "channels must be a sequence of channel numbers, or a mapping, got int"),
        ({"purses": {"p": 5}}, "the balance of purse 'p' must be a Cash, or several"),
        ({"purses": 5}, "purses must be a mapping, got int"),
    ],
    ids=str,
)
def test_arguments_of_the_wrong_type_are_type_errors(wrong: dict[str, Any], words: str) -> None:
    """errors.py: a TypeError that says what would be right, where the sandbox is made."""
    with pytest.raises(TypeError, match=words):
        Sandbox(**wrong)


@pytest.mark.anyio
async def test_a_sandbox_says_whom_it_lets_in_and_where_but_no_key() -> None:
    """style.md: credentials are in no repr; of the rest it tells what somebody at a prompt would ask."""
    assert repr(Sandbox.__new__(Sandbox)) == "<Sandbox, not made>"
    assert repr(Sandbox(apps=APPS)) == "<Sandbox of app of org, within the process, in memory>"
    async with Sandbox(tcp="127.0.0.1:0", clock="real") as sandbox:
        assert sandbox.endpoints["tcp"] in repr(sandbox)
        assert sandbox.credentials["api_key"] not in repr(sandbox)


def test_a_port_alone_is_no_address() -> None:
    """The design: an address is host:port, and the error shows one."""
    wrong: Any = 8080
    with pytest.raises(TypeError, match=r"127\.0\.0\.1:0"):
        Sandbox(tcp=wrong)
    with pytest.raises(TypeError, match="wss"):
        Sandbox(wss=wrong)


def test_without_the_package_for_certificates_the_error_says_what_to_install() -> None:
    """The design: trustme is an extra, and nothing but TLS in the sandbox needs it."""
    program = """
import sys
sys.modules["trustme"] = None
from elarian_trio.sandbox import Sandbox
Sandbox(tcp="127.0.0.1:0", ws="127.0.0.1:0")
for way in ("tls", "wss"):
    try:
        Sandbox(**{way: "127.0.0.1:0"})
    except ModuleNotFoundError as error:
        assert "pip install 'elarian-trio[sandbox]'" in str(error), error
        assert error.name == "trustme"
    else:
        raise AssertionError(way)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("way", ["tcp", "tls", "ws", "wss"])
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "example.org:1"])
def test_listening_to_the_network_demands_keys_of_the_users(address: str, way: str) -> None:
    """This SDK: loopback unless told otherwise, and no server for everybody by accident."""
    given: dict[str, Any] = {way: address}
    with pytest.raises(ValueError, match="keys"):
        Sandbox(**given)
    with pytest.raises(ValueError, match="strict"):
        Sandbox(**given, apps=APPS, strict=False)
    Sandbox(**given, apps=APPS)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "[::1]:0"])
def test_loopback_is_free(address: str) -> None:
    """The design: loopback unless told otherwise."""
    Sandbox(tcp=address)


@pytest.mark.anyio
async def test_the_clock_is_there_once_entered() -> None:
    """This SDK: which clock "auto" is depends on the loop."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="entered"):
        _ = sandbox.clock
    assert sandbox.endpoints == {}
    async with sandbox:
        assert sandbox.clock.now().tzinfo is UTC


def test_a_manual_clock_may_be_handed_in() -> None:
    """This SDK: with a start of one's own, two runs are alike to the stamp."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert Sandbox(clock=clock).clock is clock


def test_purses_and_channels_can_be_read() -> None:
    """This SDK: the books of a program balance only if it can read the purse."""
    sandbox = Sandbox(purses={"a": Cash("KES", 5), "b": [Cash("KES", 7), Cash("UGX", 9)], "empty": []})
    assert sandbox.purse_id == "a"
    assert sandbox.purse_balance() == Decimal(5)
    assert sandbox.purse_balance("b", "UGX") == Decimal(9)
    assert set(sandbox.purses) == {"a", "b", "empty"}
    assert set(sandbox.purses["b"]) == {"KES", "UGX"}
    assert sandbox.channels["sms"] == MessagingChannel.sms("83044")
    assert sandbox.paybill == PaymentChannelNumber("83044")


@pytest.mark.parametrize("asked", [("unknown", None), ("b", None), ("b", "USD"), ("empty", None)], ids=str)
def test_a_balance_that_is_not_there_is_a_lookup_error(asked: tuple[str, str | None]) -> None:
    """This SDK: zero would be believed."""
    sandbox = Sandbox(purses={"b": [Cash("KES", 7), Cash("UGX", 9)], "empty": []})
    with pytest.raises(LookupError):
        sandbox.purse_balance(*asked)


def test_a_sandbox_without_purse_or_paybill_says_so() -> None:
    """This SDK: a LookupError that says what is missing, not None that fails elsewhere."""
    sandbox = Sandbox(channels=[], purses={})
    with pytest.raises(LookupError, match="purse"):
        _ = sandbox.purse_id
    with pytest.raises(LookupError, match="payment channel"):
        _ = sandbox.paybill


def test_seeded_ids_come_again_and_secrets_never() -> None:
    """The design: ids are drawn from ``seed`` where given; a token that a seed tells is no secret."""
    one, two, other = SeededDice(7), SeededDice(7), SeededDice(8)
    assert [one.hex(32) for _ in range(3)] == [two.hex(32) for _ in range(3)]
    assert one.hex(32) != other.hex(32)
    assert len(one.hex(32)) == 32
    assert SeededDice(7).ascending() == SeededDice(7).ascending() != SeededDice(8).ascending()
    assert one.secret(64) != two.secret(64)
    assert len(one.secret(63)) == 63


def test_ids_sort_in_the_order_in_which_they_were_drawn_over_all_runs_with_a_file() -> None:
    """This SDK: what came together lies together in the file, so that one write changes few of its pages."""
    drawn = [dice.ascending() for run in range(3) for dice in [SeededDice(7, run=run)] for _ in range(100)]
    assert drawn == sorted(set(drawn))
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in drawn)
