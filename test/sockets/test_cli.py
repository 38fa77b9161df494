"""The commands against a server, over a socket as their users have it, and with their people played by the test."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from acceptance import ASHA, PAYBILL, SMS, USSD, WAYS, answering, at_port, listening
from anyio.abc import SocketAttribute
from command_line import BOUND, Screen, environment_of, run

from elarian_trio import (
    Cash,
    Elarian,
    GetDigits,
    GetRecording,
    Play,
    ReceivedPaymentNotification,
    ReceivedSmsNotification,
    Reject,
    Say,
    SendMessageSimulatorNotification,
    Simulator,
    Tag,
    UssdMenu,
    UssdSessionNotification,
    VoiceCallNotification,
)
from elarian_trio.cli.terminal import MAX_LINE, READ_SIZE, StandardInput
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from anyio.abc import SocketStream

    from elarian_trio import Delivery

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """Run a sandbox on TCP, to which the environment leads."""
    async with Sandbox(tcp="127.0.0.1:0") as server:
        for name, value in environment_of(server).items():
            monkeypatch.setenv(name, value)
        yield server


@asynccontextmanager
async def app_that(
    sandbox: Sandbox, kind: type[Any], answer: Callable[[Delivery[Any]], Any]
) -> AsyncIterator[list[Delivery[Any]]]:
    """Run an app that replies to one kind of notification with what *answer* gives; give what it was told."""
    told: list[Delivery[Any]] = []

    async def work() -> None:
        async for delivery in inbox:
            told.append(delivery)
            await delivery.reply(answer(delivery))

    async with (
        Elarian(**sandbox.credentials) as app,
        app.notifications(kind) as inbox,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(work)
        yield told
        tasks.cancel_scope.cancel()


# --- state and send ---


async def test_state_shows_what_is_known_without_what_is_secret(sandbox: Sandbox) -> None:
    """The issue: ``state NUMBER``; a permission to reply is a credential, and stays where it is."""
    async with Elarian(**sandbox.credentials) as app, Simulator(**sandbox.credentials) as phone:
        await app.customer(ASHA).update_tags(Tag("segment", "premium"))
        await app.customer(ASHA).update_metadata({"note": "a\x1b[2Jb"})
        await phone.receive_message(ASHA, sandbox.channels["whatsapp"], None, ["Hi"])
        known = await app.customer(ASHA).get_state()
    ran = await run("state", ASHA)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"customer {known.customer_id}\n")
    assert "value: premium" in ran.out
    assert f"cellular:{ASHA}" in ran.out
    assert "\\x1b[2J" in ran.out
    assert "\x1b" not in ran.out
    machine = await run("state", ASHA, "--json")
    (value,) = machine.json
    assert value["identity_state"]["tags"][0]["value"] == "premium"
    (channel,) = known.messaging_state.channels
    assert channel.reply_token is not None
    for out in (ran.out, machine.out):
        assert channel.reply_token.token not in out
        assert "class: " not in out


async def test_message_is_sent_and_its_status_told(sandbox: Sandbox) -> None:
    """The issue: ``send NUMBER TEXT --channel sms:83044``."""
    async with Simulator(**sandbox.credentials) as phone, answering(phone, SendMessageSimulatorNotification) as handset:
        ran = await run("send", ASHA, "Hello!", "--channel", "sms:83044")
        assert (await handset.next()).message.body == "Hello!"
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.startswith("sent: ")
        ran = await run("send", "--json", ASHA, "--", "-1 and *bold*")
        assert (await handset.next()).message.body == "-1 and *bold*"
    assert ran.json[0]["status"] == "sent"


async def test_customer_may_be_named_by_id(sandbox: Sandbox) -> None:
    """A past bug: an id, which is what ``tail`` shows, was taken for a number, and a new customer made for it."""
    async with Elarian(**sandbox.credentials) as app:
        known = await app.customer(ASHA).get_state()
    ran = await run("state", known.customer_id)
    assert ran.out.startswith(f"customer {known.customer_id}\n")
    assert (await run("send", known.customer_id, "Hello!")).out.startswith("sent: ")
    ran = await run("state", "el_cst_unheard_of")
    assert (ran.status, ran.out) == (1, "")
    assert "no customer has the id 'el_cst_unheard_of'" in ran.err


async def test_message_that_will_not_arrive_is_status_1(sandbox: Sandbox) -> None:
    """The issue: 1 where the server refused; scripts need not read the words."""
    ran = await run("send", ASHA, "Hello!", "--channel", "sms:1")
    assert ran.status == 1
    assert ran.out.startswith("invalid_channel_number: ")


async def test_call_reads_the_text_out(sandbox: Sandbox) -> None:
    """This SDK: what suits the channel is made of the text."""
    ran = await run("send", ASHA, "Hello!", "--channel", "voice:+254711621711", "--json")
    assert ran.json[0]["status"] == "session_initiated"
    assert (await run("send", ASHA, "Menu", "--channel", "ussd:*83044#")).out.startswith("no_session_in_progress: ")


# --- who does not come in ---


@pytest.mark.parametrize("words", [["state", ASHA], ["send", ASHA, "Hi"], ["tail"], ["phone", "sms", ASHA, "Hi"]])
async def test_wrong_credential_is_status_1_and_not_repeated(
    sandbox: Sandbox, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue: 1 where the server refused, no credential printed."""
    monkeypatch.setenv("ELARIAN_API_KEY", "5ec2e7")
    ran = await run(*words)
    assert (ran.status, ran.out) == (1, "")
    assert "the server refused the connection" in ran.err
    assert "5ec2e7" not in ran.err


@pytest.mark.parametrize("words", [["state", ASHA], ["send", ASHA, "Hi"], ["tail"], ["phone", "dial", ASHA]])
async def test_nobody_there_is_status_3_at_once(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: 3 without a connection; one try, since somebody waits for the answer."""
    async with Sandbox(tcp="127.0.0.1:0") as gone:
        variables = environment_of(gone)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ran = await run(*words)
    assert (ran.status, ran.out) == (3, "")
    assert "could not connect to 127.0.0.1:" in ran.err
    assert ran.err.count("\n") == 1


# --- doctor ---

CHECKS = ["credentials", "name", "tcp", "setup", "ping", "command"]


@WAYS
async def test_doctor_finds_nothing_wrong(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: connect step by step, over each way in."""
    async with listening(way) as server:
        for name, value in environment_of(server, way).items():
            monkeypatch.setenv(name, value)
        if way in ("tls", "wss"):
            monkeypatch.setenv("ELARIAN_CA_FILE", server.ca_file)
        ran = await run("doctor", "--json")
        assert (ran.status, ran.err) == (0, "")
        more = {"tcp": [], "tls": ["tls"], "ws": ["websocket"], "wss": ["tls", "websocket"]}[way]
        assert [each["check"] for each in ran.json] == [*CHECKS[:3], *more, *CHECKS[3:]]
        assert {each["result"] for each in ran.json} == {"ok"}
        for_people = await run("doctor")
        assert for_people.status == 0
        assert "a keepalive came back after" in for_people.out
        assert server.credentials["api_key"] not in ran.out + for_people.out
        assert "el_tkn_" not in ran.out + for_people.out


def results(ran: Any) -> dict[str, str]:  # noqa: ANN401
    """Give what each check came to."""
    return {each["check"]: each["result"] for each in ran.json}


async def test_doctor_says_what_is_wrong_with_the_credentials_and_looks_at_the_rest(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue: why not what does not; what needs it is not tried."""
    monkeypatch.delenv("ELARIAN_API_KEY")
    ran = await run("doctor", "--json")
    assert ran.status == 2
    assert results(ran) == dict(zip(CHECKS, ["failed", "ok", "ok", "skipped", "skipped", "skipped"], strict=True))
    assert "ELARIAN_API_KEY" in ran.json[0]["detail"]
    monkeypatch.setenv("ELARIAN_API_KEY", "5ec2e7")
    ran = await run("doctor", "--json")
    assert ran.status == 1
    assert results(ran)["setup"] == "failed"
    assert "the server refused" in ran.json[3]["detail"]
    assert "5ec2e7" not in ran.out


async def test_doctor_says_where_the_connection_ends(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: each step by itself, with what may help."""
    port = sandbox.endpoints["tcp"].rpartition(":")[2]
    ran = await run("doctor", "--json", "--endpoint", f"tls://127.0.0.1:{port}", "--timeout", "0.3")
    assert ran.status == 3
    assert results(ran)["tls"] == "failed"
    assert "no TLS" in next(each["detail"] for each in ran.json if each["check"] == "tls")
    ran = await run("doctor", "--json", "--endpoint", "tcp://nowhere.invalid:1")
    assert ran.status == 3
    assert results(ran)["name"] == "failed"
    assert results(ran)["tcp"] == "skipped"
    async with listening("tls") as secure:
        ran = await run("doctor", "--json", "--endpoint", secure.endpoints["tls"])
    assert ran.status == 3
    assert "--ca-file or ELARIAN_CA_FILE" in ran.json[3]["detail"]
    ran = await run("doctor", "--json", "--ca-file", os.devnull)
    assert "no certificate authority can be read" in ran.json[0]["detail"]
    assert "no TLS" not in ran.json[0]["detail"]  # nobody was asked


def failure(ran: Any) -> tuple[str, str]:  # noqa: ANN401
    """Give the first check that failed, and what was said of it."""
    return next((each["check"], each["detail"]) for each in ran.json if each["result"] == "failed")


@pytest.mark.parametrize(
    ("scheme", "way", "check", "hint"),
    [
        ("tcp", "tls", "setup", "meant for tls://, ws:// or wss://"),
        ("tcp", "ws", "setup", "meant for tls://, ws:// or wss://"),
        ("tls", "ws", "tls", "meant for tcp:// or ws://"),
        ("tls", "wss", "setup", "meant for wss://"),
        ("ws", "tls", "websocket", "meant for wss:// or tls://"),
    ],
)
async def test_doctor_hints_at_what_a_port_is_meant_for(
    monkeypatch: pytest.MonkeyPatch, scheme: str, way: str, check: str, hint: str
) -> None:
    """A past bug: of a port for TLS that was taken for a plain one it said only that the connection closed."""
    async with listening(way) as server:
        for name, value in environment_of(server, way).items():
            monkeypatch.setenv(name, value)
        if way in ("tls", "wss"):
            monkeypatch.setenv("ELARIAN_CA_FILE", server.ca_file)
        ran = await run("doctor", "--json", "--endpoint", f"{scheme}://{server.endpoints[way].partition('://')[2]}")
    assert ran.status == 3
    name, words = failure(ran)
    assert name == check
    assert words.endswith(hint)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [(b"", "perhaps that port speaks no TLS"), (bytes.fromhex("15030300020228"), "alert")],
    ids=["hangs up", "alert"],
)
async def test_doctor_takes_a_port_that_refuses_tls_in_its_words_for_one_that_speaks_it(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, hint: str
) -> None:
    """RFC 8446: an alert is part of TLS; a plain port hangs up, or says what is none."""

    async def refuse(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                await stream.receive()
                await stream.send(answer)

    monkeypatch.setenv("ELARIAN_API_KEY", "k")
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, refuse)
        port = listener.extra(SocketAttribute.local_port)
        words = ("--endpoint", f"tls://127.0.0.1:{port}", "--org-id", "o", "--app-id", "a")
        name, said = failure(await run("doctor", "--json", *words))
        tasks.cancel_scope.cancel()
    assert name == "tls"
    assert hint in said
    assert ("no TLS" in said) == (not answer)


async def test_doctor_takes_no_notification_from_the_app(sandbox: Sandbox) -> None:
    """This SDK: whoever looks after a running service must not take its customers' messages."""
    async with Simulator(**sandbox.credentials) as phone:
        await phone.receive_message(ASHA, SMS, None, ["for the app"])
        assert (await run("doctor")).status == 0
        async with Elarian(**sandbox.credentials) as app, answering(app, ReceivedSmsNotification) as inbox:
            assert (await inbox.next()).text == "for the app"


# --- tail ---


async def test_tail_shows_notifications_and_answers_them(sandbox: Sandbox) -> None:
    """The issue: as they come, answered by default; ``--json`` gives a line for each."""
    async with Simulator(**sandbox.credentials) as phone, Elarian(**sandbox.credentials) as app:
        await app.customer(ASHA).update_app_data({"step": 1})
        await app.disconnect()
        for as_json in ([], ["--json"]):
            screen = Screen()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_tail, screen, ["--count", "2", *as_json])
                await phone.receive_message(ASHA, SMS, None, ["Hello \x1b[2J there"])
                await phone.receive_payment(ASHA, PAYBILL, f"txn-{as_json}", Cash("KES", "100.5"), "success")
            one, two = screen.getvalue().splitlines()
            if as_json:
                first = json.loads(one)
                assert (first["event"], first["text"]) == ("receivedSms", "Hello \x1b[2J there")
                assert first["app_data"] == {"step": 1}
                assert json.loads(two)["event"] == "receivedPayment"
            else:
                assert f"receivedSms {ASHA} " in one
                assert 'text="Hello \\u001b[2J there"' in one
                assert "parts=" not in one
                assert 'app_data={"step": 1}' in one
                assert "value=KES:100.5 status=success" in two
    async with Elarian(**sandbox.credentials) as app:
        with anyio.fail_after(BOUND):
            assert await app.customer(ASHA).lease_app_data() == {"step": 1}


async def _tail(screen: Screen, words: list[str]) -> None:
    ran = await run("tail", *words, screen=screen)
    assert (ran.status, ran.err) == (0, "")


# --- phone ---


async def test_phone_writes_and_pays(sandbox: Sandbox) -> None:
    """The issue: ``phone sms`` and ``phone pay``."""
    async with (
        Elarian(**sandbox.credentials) as app,
        answering(app, ReceivedSmsNotification) as inbox,
        answering(app, ReceivedPaymentNotification) as till,
    ):
        ran = await run("phone", "sms", ASHA, "Hi")
        assert (ran.status, ran.out, ran.err) == (0, "the app is told\n", "")
        assert (await inbox.next()).text == "Hi"
        ran = await run("phone", "sms", ASHA, "Hi", "--json")
        assert ran.json[0]["status"] is True
        await inbox.next()
        ran = await run("phone", "pay", ASHA, "KES:100", "--transaction-id", "txn", "--json")
        assert (ran.status, ran.json[0]["transaction_id"]) == (0, "txn")
        assert (await till.next()).value == Cash("KES", 100)
        ran = await run("phone", "pay", ASHA, "KES:100", "--transaction-id", "txn")
        assert ran.status == 1
        assert "elarian-trio: " in ran.err
        ran = await run("phone", "pay", ASHA, "KES:1")
        assert "(cli-" in ran.out


def menu_of(delivery: Delivery[UssdSessionNotification]) -> UssdMenu:
    """Be a small USSD app."""
    entered = delivery.notification.input.text
    return UssdMenu(f"Thank you {entered}", is_terminal=True) if entered else UssdMenu("Welcome\nYour name?")


async def test_phone_dials_and_enters_what_is_typed_until_the_last_menu(sandbox: Sandbox) -> None:
    """The issue: prints each menu, reads the next input, ends on a terminal menu; one session for all."""
    async with app_that(sandbox, UssdSessionNotification, menu_of) as told:
        ran = await run("phone", "dial", ASHA, "*83044#", types=["Asha", "too much"])
        assert (ran.status, ran.err) == (0, "")
        assert ran.out == "Welcome\nYour name?\nThank you Asha\n"
        assert len({each.notification.session_id for each in told}) == 1
        ran = await run("phone", "dial", ASHA, "--json", types=["Juma"])
        assert [each["is_terminal"] for each in ran.json] == [False, True]


async def test_phone_hangs_up_when_nothing_more_is_typed(sandbox: Sandbox) -> None:
    """This SDK: the app hears of it, as it does of a real phone."""
    async with app_that(sandbox, UssdSessionNotification, menu_of) as told:
        ran = await run("phone", "dial", ASHA)
        assert (ran.status, ran.out) == (0, "Welcome\nYour name?\n")
        with anyio.fail_after(BOUND):
            while len(told) < 2:
                await anyio.lowlevel.checkpoint()
    assert told[-1].notification.input.status == "incomplete"


def say_or_ask(delivery: Delivery[Any]) -> Any:  # noqa: ANN401
    """Be an app that always wants to hear more."""
    return UssdMenu("Your name?") if delivery.event == "ussdSession" else (GetDigits(),)


@pytest.mark.parametrize(
    ("word", "kind"), [("dial", UssdSessionNotification), ("call", VoiceCallNotification)], ids=["dial", "call"]
)
async def test_phone_hangs_up_on_a_line_without_end(sandbox: Sandbox, word: str, kind: type[Any]) -> None:
    """A past bug: the command ended, and the app's session with that customer went on."""
    reads, writes = os.pipe()
    async with app_that(sandbox, kind, say_or_ask) as told, anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, os.write, writes, b"x" * (MAX_LINE + READ_SIZE))
        ran = await run("phone", word, ASHA, keyboard=StandardInput(reads))
        assert ran.status == 2
        assert "a line of the standard input has more than" in ran.err
        with anyio.fail_after(BOUND):
            while len(told) < 2:
                await anyio.lowlevel.checkpoint()
    for end in (reads, writes):
        os.close(end)
    last = told[-1].notification
    assert (last.input if word == "dial" else last.voice).status in ("incomplete", "completed")


async def test_phone_dials_where_no_app_answers(sandbox: Sandbox) -> None:
    """The issue: 1, and the server's words."""
    ran = await run("phone", "dial", ASHA, USSD.number)
    assert (ran.status, ran.out) == (1, "")
    assert "the app was not there" in ran.err


async def test_phone_calls_and_presses_the_keys_that_are_typed(sandbox: Sandbox) -> None:
    """The issue: ``phone call``; what the call is told to do is shown, until it wants nothing more."""
    plans: list[Any] = [
        (Say("Welcome"), GetDigits(say=Say("Your PIN?"))),
        (Play("https://example.org/a.mp3"), GetRecording()),
        (Say("Good bye"),),
        None,
    ]
    async with app_that(sandbox, VoiceCallNotification, lambda _: plans.pop(0)) as told:
        ran = await run("phone", "call", ASHA, types=["1234", "https://example.org/b.mp3"])
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            "says: Welcome",
            "says: Your PIN?, and wants digits",
            "plays: https://example.org/a.mp3",
            "wants a recording",
            "says: Good bye",
        ]
        with anyio.fail_after(BOUND):
            while len(told) < 4:
                await anyio.lowlevel.checkpoint()
    voices = [each.notification.voice for each in told]
    assert [voice.status for voice in voices] == ["ringing", "active", "active", "completed"]
    assert voices[1].dtmf_digits == "1234"
    assert voices[2].recording_url == "https://example.org/b.mp3"


@pytest.mark.parametrize("plan", [(Reject(),), (GetDigits(),)], ids=["rejected", "hung up"])
async def test_call_that_is_rejected_or_hung_up_is_over(sandbox: Sandbox, plan: Any) -> None:  # noqa: ANN401
    """This SDK: nothing is pressed in a call that does not stand."""
    async with app_that(sandbox, VoiceCallNotification, lambda _: plan):
        ran = await run("phone", "call", ASHA, "--json")
        assert ran.status == 0
        assert [each["class"] for each in ran.json[0]["actions"]] == [type(plan[0]).__name__]


async def test_commands_come_by_a_token_from_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    """The issue: the secret from a file; it counts more than the environment's."""
    async with Elarian(**at_port(sandbox, "tcp")) as app:
        token = await app.generate_auth_token()
    path = tmp_path / "token"
    path.write_text(token.token)
    ran = await run("doctor", "--auth-token-file", str(path))
    assert ran.status == 0
    assert "with a token" in ran.out
    assert token.token not in ran.out
