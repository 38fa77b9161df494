"""What the options of ``elarian-trio sandbox`` become: who is let in, what is there, and what the Sandbox is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from command_line import Ran, run

from elarian_trio import Cash, MessagingChannel, PaymentChannelNumber, sandbox
from elarian_trio.cli.admission import Admission, Letting
from elarian_trio.sandbox import SandboxApp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

KEY = "el_k_test_5ec2e7"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a Sandbox in place that notes its arguments and goes no further."""
    arguments: dict[str, Any] = {}

    def note(**given: Any) -> None:  # noqa: ANN401
        arguments.update(given)
        raise OSError("that was all")

    monkeypatch.setattr(sandbox, "Sandbox", note)
    return arguments


async def start(*words: str) -> Ran:
    """Run the command up to the Sandbox."""
    ran = await run("sandbox", *words)
    assert ran.err == "elarian-trio: that was all\n"
    return ran


async def test_without_options_it_is_the_sandbox_as_it_is_on_loopback(given: dict[str, Any]) -> None:
    """The design: loopback unless told otherwise."""
    await start()
    assert given == {"tcp": "127.0.0.1:8082", "settle": "auto", "strict": True, "resume_window": 120.0}


async def test_every_option_reaches_the_sandbox(given: dict[str, Any], tmp_path: Path) -> None:
    """The issue's list; ``--open`` is the other word for not strict."""
    words = "--tls 127.0.0.1:1 --ws [::1]:2 --wss localhost:3 --open --settle manual --resume-window 0 --seed 7"
    await start(*words.split(), "--data", str(tmp_path / "file"), "--tls-dir", str(tmp_path))
    assert given == {
        "tls": "127.0.0.1:1",
        "ws": "[::1]:2",
        "wss": "localhost:3",
        "strict": False,
        "settle": "manual",
        "resume_window": 0.0,
        "seed": 7,
        "data": tmp_path / "file",
        "tls_dir": tmp_path,
    }


@pytest.mark.parametrize(("word", "seed"), [("a word", "a word"), ("1.5", "1.5"), ("-2", -2)])
async def test_seed_that_is_no_whole_number_is_a_word(given: dict[str, Any], word: str, seed: object) -> None:
    """This SDK: ``Sandbox(seed="a word")`` and the same on the command line are alike; 1.5 was taken for 2."""
    await start("--seed", word)
    assert given["seed"] == seed


async def test_apps_channels_and_purses_are_put_together(given: dict[str, Any]) -> None:
    """The issue: repeatable apps, ``--channel sms:83044=APP``, ``--purse ID=KES:1000000``."""
    await start(
        *("--org-id", "org", "--app-id", "bank", "--api-key", "k1", "--app-id", "shop", "--api-key", "k2"),
        *("--channel", "sms:83044=shop", "--channel", "ussd:*384#", "--channel", "cellular:83044=shop"),
        *("--purse", "main=KES:1000000", "--purse", "main=UGX:5", "--purse", "other=KES:1"),
    )
    assert given["apps"] == [SandboxApp("org", "bank", "k1"), SandboxApp("org", "shop", "k2")]
    assert given["channels"] == {
        MessagingChannel.sms("83044"): "shop",
        MessagingChannel.ussd("*384#"): "bank",
        PaymentChannelNumber("83044"): "shop",
    }
    assert given["purses"] == {"main": [Cash("KES", 1_000_000), Cash("UGX", 5)], "other": [Cash("KES", 1)]}


async def test_channels_without_apps_belong_to_the_sandboxs_own(given: dict[str, Any]) -> None:
    """This SDK: as with the Sandbox in code."""
    await start("--channel", "sms:1")
    assert given["channels"] == {MessagingChannel.sms("1"): "el_app_WZFQdt"}


async def test_keys_may_come_from_files_and_from_the_environment(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue: secrets from the environment or a file, so that no list of processes shows them."""
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    await start("--org-id", "org", "--app-id", "app", "--api-key-file", str(path))
    assert given["apps"] == [SandboxApp("org", "app", KEY)]
    for name, value in {"ORG_ID": "theirs", "APP_ID": "app", "API_KEY": "k"}.items():
        monkeypatch.setenv(f"ELARIAN_{name}", value)
    await start()
    assert given["apps"] == [SandboxApp("theirs", "app", "k")]
    await start("--org-id", "ours")
    assert given["apps"] == [SandboxApp("ours", "app", "k")]


def test_keys_that_are_left_out_are_made_up_and_known_as_such() -> None:
    """This SDK: they are told, since nobody knows them otherwise; those of the user's are not."""
    admission = Admission.of(["org"], ["a", "b"], [])
    assert admission.apps is not None
    assert len({app.api_key for app in admission.apps}) == 2
    assert admission.made_up == {"a", "b"}
    assert Admission.of(["o1", "o2"], ["a", "b"], ["k1", "k2"]) == Admission(
        [SandboxApp("o1", "a", "k1"), SandboxApp("o2", "b", "k2")], frozenset()
    )


def test_keys_are_in_no_repr() -> None:
    """The design's promise 4: also not of the options as they were read, nor of who is let in."""
    letting = Letting(org_id=["org"], app_id=["app"], api_key=[KEY])
    assert "app" in repr(letting)
    for each in (letting, letting.admission()):
        assert KEY not in repr(each)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--app-id a", "--org-id"),
        ("--org-id o", "--app-id"),
        ("--api-key k", "--app-id"),
        ("--org-id o --app-id a --app-id b --api-key 5ec2e7", "each of 2, got 1"),
        ("--org-id o --org-id p --app-id a --app-id b --app-id c", "each of 3 apps, got 2"),
        ("--org-id o --app-id a --api-key 5ec2e7 --api-key-file x", "not both"),
        ("--channel sms:1 --channel sms:1", "once"),
        ("--channel sms:1=nobody", "none of the apps"),
        ("--purse KES:1", "ID=KES:1000000"),
        ("--tcp nowhere", "host:port"),
        ("--tcp=", "host:port"),
        ("--tcp tcp://127.0.0.1:0", "host:port"),
        ("--tls-dir here", "tls and wss"),
        ("--resume-window -1", "resume_window"),
    ],
)
async def test_what_does_not_go_together_is_one_line_and_status_2(words: str, said: str) -> None:
    """The issue: wrong usage is 2; no key is repeated."""
    ran = await run("sandbox", *words.split())
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert "5ec2e7" not in ran.err


@pytest.mark.parametrize("way", ["tcp", "tls", "ws", "wss"])
@pytest.mark.parametrize(
    "letting",
    ["", "--org-id o --app-id a", "--org-id o --app-id a --api-key k --open"],
    ids=["nobody named", "key made up", "open"],
)
async def test_listening_to_the_network_demands_keys_of_the_users(way: str, letting: str) -> None:
    """The issue: a non-loopback binding demands an API key given by the user; a made-up one is not."""
    ran = await run("sandbox", f"--{way}", "0.0.0.0:0", *letting.split())
    assert (ran.status, ran.out) == (2, "")
    assert "others can reach 0.0.0.0:0" in ran.err
    assert "--api-key" in ran.err


async def test_with_keys_of_the_users_it_listens_to_the_network(given: dict[str, Any]) -> None:
    """The issue: then it does."""
    await start("--tcp", "0.0.0.0:0", *["--org-id", "o", "--app-id", "a", "--api-key", "k"])
    assert given["tcp"] == "0.0.0.0:0"


async def test_rules_for_what_goes_wrong_are_read_from_a_file(given: dict[str, Any], tmp_path: Path) -> None:
    """The issue: ``--faults FILE``, as ``sandbox.faults`` in code."""
    path = tmp_path / "faults.toml"
    path.write_text('[[rule]]\nfault = "drop"\non = "SendMessage"\ntimes = 1\n')
    await start("--faults", str(path))
    assert type(given["faults"]).__name__ == "Faults"


@pytest.mark.parametrize("held", [None, "[[rule]]\nfault = 'unheard of'\n"], ids=["not there", "wrong"])
async def test_rules_that_cannot_be_read_are_one_line_and_status_2(held: str | None, tmp_path: Path) -> None:
    """The issue: wrong usage; the words name the file."""
    path = tmp_path / "faults.toml"
    if held is not None:
        path.write_text(held)
    ran = await run("sandbox", "--faults", str(path))
    assert (ran.status, ran.out) == (2, "")
    assert "faults.toml" in ran.err
    assert ran.err.count("\n") == 1
