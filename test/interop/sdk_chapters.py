"""What an app and a phone written with Elarian's own Python SDK do with the sandbox, one chapter a run.

``sdk_chapters.py CHAPTER HOST PORT``, credentials in the environment; run by the interpreter that has the SDK. Prints
READY once connected and listening, DONE when the chapter's last assertion held. Where the SDK itself is broken, the
chapter says how. What its phone cannot do, and it hears nothing at all, is done by the test beside it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from elarian import Customer, Elarian, Simulator

if TYPE_CHECKING:
    from collections.abc import Awaitable

Notice = dict[str, Any]
Told = tuple[Notice, Any, Any]
Answer = Any  # a function, of two arguments by name

PATIENCE = 15.0  # seconds for a notification
NUMBER = "+254709759881"
PHONE = "+254711621711"
SMS = {"number": "83044", "channel": "SMS"}
WHATSAPP = {"number": PHONE, "channel": "WHATSAPP"}
VOICE = {"number": PHONE, "channel": "VOICE"}
PAYBILL = {"number": "83044", "channel": "CELLULAR"}
PURSE = {"purse": {"purse_id": os.environ["PURSE_ID"]}}
PLACE = {"latitude": 1.5, "longitude": 36.8, "label": "here", "address": "there"}
PICTURE = {"url": "https://x.example/p", "type": "VIDEO"}
TAG = {"key": "segment", "value": "premium"}

connect_with_loop = asyncio.open_connection


async def open_connection(*, loop: object, **arguments: Any) -> Any:  # noqa: ANN401 - as asyncio's
    """Open a connection without the argument that asyncio took until Python 3.9: all that is patched."""
    del loop
    return await connect_with_loop(**arguments)


def say(*words: object) -> None:
    """Tell the test something, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def seconds() -> int:
    """The time of day, as the SDK counts it."""
    return int(time.time())


class Inbox:
    """The notifications that came, each answered at once.

    A callback without app data answers with what came in, and raises where nothing did: the reply would then be sent
    15 seconds later. So every answer brings app data; where none came, the SDK makes an empty mapping of it.
    """

    def __init__(self) -> None:
        self._queues: dict[str, asyncio.Queue[Told]] = {}

    def on(self, app: Any, *events: str, answers: tuple[Any, ...] = ()) -> None:  # noqa: ANN401 - has no types
        """Listen to *events*, and give *answers* to the first notifications, then no message."""
        left = list(answers)
        for event in events:
            queue = self._queues[event] = asyncio.Queue()

            async def handler(
                notice: Notice, customer: object, data: object, answer: Answer, queue: asyncio.Queue[Told] = queue
            ) -> None:
                answer(response=left.pop(0) if left else None, data_update=data)
                queue.put_nowait((notice, customer, data))

            getattr(app, f"set_on_{event}")(handler)

    async def next(self, event: str) -> Told:
        """Give the next one of *event*."""
        return await asyncio.wait_for(self._queues[event].get(), PATIENCE)


inbox = Inbox()


async def fails(kind: type[BaseException], what: Awaitable[Any]) -> None:
    """See that *what* fails, as the SDK has it."""
    try:
        await what
    except kind:
        return
    raise AssertionError(f"no {kind.__name__} came")


async def a_customer(app: Elarian, number: str = NUMBER) -> Customer:
    """Make a customer, whose id the SDK asks for in a task of its own, and has once the next question is answered."""
    customer = Customer(client=app, number=number)
    await asyncio.sleep(0)  # that task goes first
    await customer.get_state()
    assert customer.get_id() is not None
    return customer


# --- chapters ---


async def identity(app: Elarian, _phone: Simulator) -> None:
    """Customers: state, tags, secondary ids, metadata, adoption."""
    asha = await a_customer(app)
    state = await asha.get_state()
    number = {"provider": "CUSTOMER_NUMBER_PROVIDER_CELLULAR", "number": NUMBER}
    assert state == {
        "customer_id": asha.get_id(),
        **{f"{part}_state": {} for part in ("identity", "messaging", "payment")},
        "activity_state": {"customer_numbers": [number]},
    }
    await fails(KeyError, asha.get_tags())  # the SDK misses the list that JSON leaves out when it is empty
    await fails(KeyError, asha.get_secondary_ids())

    expires = seconds() + 3600
    reply = await asha.update_tags([TAG, {"key": "level", "value": "one", "expires_at": expires}])
    assert reply["customer_id"] == asha.get_id()
    tags = {tag["mapping"]["key"]: tag for tag in await asha.get_tags()}
    assert tags["level"]["mapping"]["value"] == "one"
    await asha.delete_tags(["level"])
    assert [tag["mapping"]["key"] for tag in await asha.get_tags()] == ["segment"]

    passport, card = ({"key": "passport", "value": "A1"}, {"key": "card", "value": "B2"})
    await asha.update_secondary_ids([{**passport, "expires_at": None}, {**card, "expires_at": expires}])
    await asha.delete_secondary_ids([card])
    assert [each["mapping"] for each in await asha.get_secondary_ids()] == [passport]

    await asha.update_metadata({"name": "Asha", "nested": {"list": [1, None, True]}, "gone": 1})
    await asha.update_metadata({"raw": b"x"})  # alone: the SDK forgets what stands behind bytes, and reads their base64
    await asha.delete_metadata(["gone"])
    assert await asha.get_metadata() == {"name": "Asha", "nested": {"list": [1, None, True]}, "raw": "eA=="}

    by_id = Customer(client=app, id=asha.get_id())
    assert (await by_id.get_state())["customer_id"] == asha.get_id()
    other = await a_customer(app, "+254700000009")
    await other.update_metadata({"other": "kept"})
    # By the other's id the SDK names the other twice and nobody to adopt; of a refusal it misses the status.
    await fails(KeyError, asha.adopt_state({"customer_id": other.get_id()}))
    await by_id.adopt_state({"number": "+254700000009", "provider": "CELLULAR"})
    assert (await asha.get_metadata())["other"] == "kept"
    assert (await Customer(client=app, number="+254700000009").get_state())["customer_id"] == asha.get_id()


async def app_data(app: Elarian, _phone: Simulator) -> None:
    """App data, its lease, and tokens."""
    asha = await a_customer(app)
    assert await asha.lease_app_data() == b""  # nothing is bytes
    await asha.update_app_data({"step": 1})
    await fails(AttributeError, asha.lease_app_data())  # the SDK looks for what is no bytes in the wrong place
    waiting = asyncio.ensure_future(asha.lease_app_data())
    await asha.get_state()
    assert not waiting.done()
    await asha.update_app_data(b"two")
    assert await waiting == b"two"
    await asha.delete_app_data()
    assert await asha.lease_app_data() == b""
    reply = await app.generate_auth_token()
    assert reply["token"].startswith("el_tkn_")
    assert reply["lifetime"] > 0


async def reminders(app: Elarian, _phone: Simulator) -> None:
    """Reminders, by customer and by tag."""
    inbox.on(app, "reminder")
    asha = await a_customer(app)
    await asha.update_tags([TAG])
    await asha.update_app_data({"waits": True})
    await asha.add_reminder({"key": "far", "remind_at": seconds() + 1000, "payload": "never", "interval": 60})
    await asha.cancel_reminder("far")
    await asha.add_reminder({"key": "soon", "remind_at": time.time() + 1, "payload": "wake up"})
    notice, customer, data = await inbox.next("reminder")
    assert (notice["reminder"]["key"], notice["reminder"]["payload"]) == ("soon", "wake up")
    assert (customer.get_id(), data) == (asha.get_id(), {"waits": True})
    reply = await app.add_customer_reminder_by_tag(TAG, {"key": "all", "remind_at": seconds(), "payload": "up"})
    notice, _, _ = await inbox.next("reminder")
    assert notice["work_id"] == reply["work_id"]
    assert notice["tag"]["mapping"] == TAG
    assert (await app.cancel_customer_reminder_by_tag(TAG, "all"))["status"] is True


async def messaging(app: Elarian, phone: Simulator) -> None:
    """Messages out and in, consent and activity; the phone is the SDK's own, which can write but hears nothing."""
    inbox.on(app, "message_status", "messaging_consent_update", "customer_activity", "messaging_session_started")
    inbox.on(app, "received_sms", "received_whatsapp")
    asha = await a_customer(app)
    await asha.update_tags([TAG])
    for body in (
        {"text": "Hello!"},
        {"url": "https://x.example"},
        {"media": PICTURE},
        {"location": PLACE},
        {"template": {"id": "welcome", "params": {"name": "Asha"}}},
    ):
        reply = await asha.send_message(SMS, {"body": body, "labels": ["one"], "provider_tag": "two"})
        assert (reply["status"], reply["customer_id"]) == ("SENT", asha.get_id())
        notice, _, _ = await inbox.next("message_status")
        assert (notice["message_id"], notice["status"]) == (reply["message_id"], "DELIVERED")
    prompt = {"action": "TEXT", "menu": [{"text": "Yes"}, {"media": PICTURE}]}
    assert (await asha.send_message(SMS, {"body": {"text": "?"}, "reply_prompt": prompt}))["status"] == "SENT"
    await fails(AttributeError, asha.send_message(SMS, {"body": {"email": {"subject": "", "plain": "", "html": ""}}}))

    parts: list[dict[str, Any]] = [{"text": "Hi there"}, {"media": PICTURE}, {"location": PLACE}]
    for channel, event in ((SMS, "received_sms"), (WHATSAPP, "received_whatsapp")):
        assert (await phone.receive_message(NUMBER, channel, "any", parts))["status"] is True
        notice, customer, _ = await inbox.next(event)
        assert (notice["text"], notice["location"]["longitude"]) == ("Hi there", 36.8)
        assert customer.get_number() == {"number": NUMBER, "provider": "CELLULAR"}
        reply = await customer.reply_to_message(notice["message_id"], {"body": {"text": "Thanks"}})
        assert reply["status"] == "SENT"
    notice, _, _ = await inbox.next("messaging_session_started")
    assert notice["session_id"].startswith("el_ses_")
    unknown = await phone.receive_message(NUMBER, {**SMS, "number": "1"}, "any", parts)
    assert list(unknown) == ["description"]  # a false status is left out, in JSON

    for action, status in (("BLOCK", "NO_CONSENT"), ("ALLOW", "SENT")):
        reply = await asha.update_messaging_consent(SMS, action)
        assert reply["status"] == "MESSAGING_CONSENT_UPDATE_STATUS_COMPLETED"
        notice, _, _ = await inbox.next("messaging_consent_update")
        assert notice["update"] == f"MESSAGING_CONSENT_UPDATE_{action}"
        assert (await asha.send_message(SMS, {"body": {"text": "x"}}))["status"] == status

    channel = {**SMS, "channel": SimpleNamespace(value=1)}  # here alone the SDK wants an enum of its own, and has none
    work = await app.send_message_by_tag(TAG, channel, {"body": {"text": "To all"}})
    assert work["work_id"].startswith("el_wrk_")
    activity = {"key": "look", "session_id": "S1", "properties": {"page": "one"}}
    assert (await asha.update_activity("shop.example", activity))["customer_id"] == asha.get_id()
    notice, _, _ = await inbox.next("customer_activity")
    assert (notice["source"], notice["activity"]["key"]) == ("shop.example", "look")
    assert notice["activity"]["properties"] == {"property": "{'page': 'one'}"}  # the SDK makes one of them all


async def payments(app: Elarian, phone: Simulator) -> None:
    """Payments that settle by themselves, since the SDK's phone hears of none."""
    inbox.on(app, "payment_status", "received_payment")
    asha = await a_customer(app)
    party = {"customer_number": {"number": NUMBER, "provider": "CELLULAR"}, "channel_number": PAYBILL}
    customer = {"customer": party}
    wallet = {"wallet": {"wallet_id": "savings", "customer_id": asha.get_id()}}
    value = {"amount": 50.25, "currency_code": "KES"}
    for debit, credit, status in (
        (PURSE, wallet, "SUCCESS"),
        (wallet, PURSE, "SUCCESS"),
        (PURSE, customer, "PENDING_CONFIRMATION"),
        (customer, wallet, "PENDING_CONFIRMATION"),
    ):
        reply = await app.initiate_payment(debit, credit, value, "test")
        assert reply["status"] == status
        notice, told, _ = await inbox.next("payment_status")
        assert (notice["transaction_id"], notice["status"]) == (reply["transaction_id"], "SUCCESS")
        assert told.get_id() == asha.get_id()
    await fails(AttributeError, app.initiate_payment(PURSE, {"channel": {"channel_number": PAYBILL}}, value, "test"))

    got = await phone.receive_payment(NUMBER, PAYBILL, "outside", value, "PENDING_CONFIRMATION")
    assert got["status"] is True
    notice, _, _ = await inbox.next("received_payment")
    assert (notice["status"], notice["value"]) == ("PENDING_CONFIRMATION", {"currency_code": "KES", "amount": 50.25})
    assert (await phone.update_payment_status("outside", "SUCCESS"))["status"] is True
    notice, _, _ = await inbox.next("payment_status")
    assert notice["status"] == "SUCCESS"
    assert "status" not in await phone.update_payment_status("nobody-knows", "SUCCESS")

    # Where no customer took part the SDK fails on the notification, the sandbox tells it again, and all else goes on.
    other = {"purse": {"purse_id": "el_prs_other"}}
    assert (await app.initiate_payment(PURSE, other, value, "between purses"))["status"] == "SUCCESS"
    await app.initiate_payment(PURSE, wallet, value, "after that")
    assert (await inbox.next("payment_status"))[0]["status"] == "SUCCESS"


async def everything(app: Elarian, phone: Simulator) -> None:
    """What comes in by every channel; the test's own phone writes."""
    del phone
    channels = ("received_telegram", "received_fb_messenger", "received_email")
    sessions = ("messaging_session_started", "messaging_session_renewed")
    inbox.on(app, *channels, *sessions)
    say("LISTENING")
    for event, provider in zip(channels, ("TELEGRAM", "FACEBOOK", "EMAIL"), strict=True):
        notice, customer, _ = await inbox.next(event)
        assert customer.get_number()["provider"] == provider
        if event == "received_email":
            assert notice["email"] == {"subject": "Hi", "body_plain": "plain", "cc_list": ["c@x.example"]}
        else:
            assert notice["text"] == "look"
    for event in sessions:
        notice, _, _ = await inbox.next(event)
        assert notice["session_id"].startswith("el_ses_")
        assert notice["channel_number"]["channel"] == "TELEGRAM"


async def ussd(app: Elarian, phone: Simulator) -> None:
    """Menus; the test's own phone dials, since the SDK's cannot."""
    await fails(AttributeError, phone.receive_message(NUMBER, SMS, "any", [{"ussd": {"text": "", "status": "ACTIVE"}}]))
    hops = asyncio.Queue[str]()

    async def hop(notice: Notice, customer: Customer, data: Notice, answer: Answer) -> None:
        number = data.get("hop", 0)
        await customer.update_metadata({f"hop{number}": notice["input"].get("text", "")})  # while it is being answered
        menu = {"text": f"hop {number}", "is_terminal": number == 2}
        answer(response={"body": {"ussd": menu}}, data_update={"hop": number + 1})
        hops.put_nowait(notice["input"]["status"])

    inbox.on(app, "messaging_session_ended")
    app.set_on_ussd_session(hop)
    say("LISTENING")
    statuses = [await asyncio.wait_for(hops.get(), PATIENCE) for _ in range(3)]
    assert statuses == [f"USSD_SESSION_STATUS_{status}" for status in ("ACTIVE", "ACTIVE", "COMPLETED")]
    notice, _, data = await inbox.next("messaging_session_ended")
    assert (notice["reason"], data) == ("NORMAL_CLEARING", {"hop": 3})
    # The customer of what is no message has a provider that the SDK itself does not understand.
    metadata = await Customer(client=app, id=notice["customer_id"]).get_metadata()
    assert metadata == {"hop0": "", "hop1": "1", "hop2": "42"}


async def calls(app: Elarian, phone: Simulator) -> None:
    """Calls in and out; the SDK's own phone calls, the test's hears it ring."""
    actions: list[dict[str, Any]] = [
        {"say": {"text": "welcome", "voice": "MALE"}},
        {"play": {"url": "https://x.example/a.mp3"}},
        {"enqueue": {"hold_music": "https://x.example/d.mp3", "queue_name": "sales"}},
        {"dequeue": {"queue_name": "sales", "channel": VOICE, "record": True}},
        {"record_session": True},
        {"redirect": {"url": "https://x.example/next"}},
        {"reject": True},
    ]
    for broken, error in (
        ({"get_digits": {"num_digits": 1, "say": {"text": "x"}}}, AttributeError),  # it looks for attributes of a dict
        ({"get_recording": {"say": {"text": "x"}}}, AttributeError),
        ({"dial": {"caller_id": PHONE, "ringback_tone": "", "customer_numbers": [{"number": "1"}]}}, KeyError),
    ):
        await fails(error, (await a_customer(app)).send_message(VOICE, {"body": {"voice": [broken]}}))

    inbox.on(app, "voice_call", answers=({"body": {"voice": actions}},))
    status, inbound, cause = (SimpleNamespace(value=number) for number in (201, 1, 0))
    voice = {
        "direction": inbound,
        "status": status,
        "started_at": seconds(),
        "hangup_cause": cause,
        "dtmf_digits": "",
        "recording_url": "",
        "dial_data": {"destination_number": "", "started_at": 0, "duration": 0},
        "queue_data": dict.fromkeys(("enqueued_at", "dequeued_at", "queue_duration"), 0)
        | dict.fromkeys(("dequeued_to_number", "dequeued_to_sessionId"), ""),
    }
    said = await phone.receive_message(NUMBER, VOICE, "call", [{"voice": voice}])
    heard = [next(iter(action)) for action in said["message"]["body"]["voice"]["actions"]]
    assert heard == [next(iter(action)) for action in actions]
    notice, customer, _ = await inbox.next("voice_call")
    assert (notice["voice"]["status"], customer.get_id()) == ("VOICE_CALL_STATUS_DIALING", notice["customer_id"])
    reply = await customer.send_message(VOICE, {"body": {"voice": [{"say": {"text": "hello"}}]}})
    assert reply["status"] == "SESSION_INITIATED"
    say("CALLED", reply["session_id"])
    notice, _, _ = await inbox.next("voice_call")
    assert notice["session_id"] == reply["session_id"]


async def large(app: Elarian, phone: Simulator) -> None:
    """Payloads of many kilobytes: the SDK joins no fragments, neither of answers nor of what it is told."""
    inbox.on(app, "received_sms")
    asha = await a_customer(app)
    text = "x" * 1_000_000
    await asha.update_metadata({"text": text})
    assert (await asha.get_metadata())["text"] == text
    await phone.receive_message(NUMBER, SMS, "any", [{"text": text}])
    notice, _, _ = await inbox.next("received_sms")
    assert notice["text"] == text


async def told(app: Elarian, _phone: Simulator) -> None:
    """What each handler is given, said aloud for whoever tells it."""
    count = itertools.count(1)
    for event in app._expected_events[:-5]:  # before those of the connection
        words = event.title().replace("_", "")

        async def handler(notice: Notice, _: object, data: object, answer: Answer, words: str = words) -> None:
            say("TOLD", next(count), words[0].lower() + words[1:], json.dumps(notice))
            answer(data_update=data)

        getattr(app, f"set_on_{event}")(handler)
    say("LISTENING")
    await asyncio.sleep(60)  # until the test ends the process


async def refused(app: Elarian, _phone: Simulator) -> None:
    """A wrong key."""
    error = asyncio.Queue[Exception]()
    wrong = Elarian(app._org_id, f"{app._api_key}x", app._app_id)
    wrong.set_on_connection_error(error.put_nowait)
    await wrong.connect(*address())
    assert "unknown organisation" in str(await asyncio.wait_for(error.get(), PATIENCE))


CHAPTERS = {
    each.__name__: each
    for each in (identity, app_data, reminders, messaging, payments, everything, ussd, calls, large, told, refused)
}


def address() -> tuple[str, int]:
    """Where the sandbox listens."""
    return sys.argv[2], int(sys.argv[3])


async def main() -> None:
    """Run the chapter that is named."""
    asyncio.open_connection = open_connection  # type: ignore[assignment]
    who = [os.environ[name] for name in ("ORG_ID", "API_KEY", "APP_ID")]
    app = await Elarian(*who).connect(*address())
    phone = await Simulator(*who).connect(*address())
    say("READY")
    await CHAPTERS[sys.argv[1]](app, phone)
    say("DONE")
    await app.disconnect()
    await phone.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
