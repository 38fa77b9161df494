"""A bank in a USSD menu: register, ask for the balance, withdraw, and answer a survey by SMS.

Where a customer stands in the menu is one word of app data, handed in with each notification and out with each answer,
so that any instance of the app can take the next hop. What the bank knows of the customer is metadata. A second
connection, the bank's cash machine, reports withdrawals as activities under a token of its own.

The customer's phone is played by a ``Simulator``, the server is a sandbox in the same process. The program prints the
conversation and ends with exit status 0 only when the bank knows what it should. Ctrl-C or SIGTERM ends it early; for
a program that goes on with real customers until then, see ``service.py``.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc

from elarian_trio import (
    Activity,
    ConnectionOptions,
    CustomerActivityNotification,
    CustomerNumber,
    Delivery,
    Elarian,
    MessagingChannel,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
    UssdInput,
    UssdMenu,
    UssdSessionNotification,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PHONE = "+254709759881"
CARD = CustomerNumber("12343424444432", "app")
SMS = MessagingChannel.sms("83044")
USSD = MessagingChannel.ussd("*83044#")
OPENING_BALANCE = 500

QUESTIONS = {
    "initial": "How likely are you to recommend us, 0 to 10?",
    "likelihood": "What should we do better?",
    "improvement": "Thank you for your time.",
}
AFTER = {"initial": "likelihood", "likelihood": "improvement", "improvement": "complete"}


# --- the bank ---

Screen = tuple[UssdMenu, str]
"""What to show, and the word to remember until the next hop."""


@dataclass
class Bank:
    """The app. It keeps nothing of its customers in memory."""

    app: Elarian

    async def answer_menu(self, delivery: Delivery[UssdSessionNotification]) -> None:
        """Show the screen that follows from where the customer stands and what was entered."""
        screens: dict[str, Callable[[Delivery[UssdSessionNotification], dict[str, Any]], Awaitable[Screen]]] = {
            "home": self.home,
            "menu": self.choose,
            "register-name": self.register,
            "withdraw-amount": self.withdraw,
        }
        known = await delivery.customer.get_metadata()
        menu, remembered = await screens[delivery.app_data or "home"](delivery, known)
        await delivery.reply(menu, app_data=remembered)

    async def home(self, _: Delivery[UssdSessionNotification], known: dict[str, Any]) -> Screen:
        """Greet; strangers may only register."""
        if "name" in known:
            return UssdMenu(f"Hello {known['name']}\n1. Balance\n2. Withdraw"), "menu"
        return UssdMenu("Welcome to the bank\n1. Register\n2. Quit"), "menu"

    async def choose(self, delivery: Delivery[UssdSessionNotification], known: dict[str, Any]) -> Screen:
        """Follow the choice on the first screen."""
        choice = delivery.notification.input.text
        if "name" not in known:
            if choice == "1":
                return UssdMenu("What is your name?"), "register-name"
            return UssdMenu("Good bye", is_terminal=True), "home"
        if choice == "2":
            return UssdMenu("How much?"), "withdraw-amount"
        await delivery.customer.update_activity("ussd", activity(delivery, "UserCheckedBalance"))
        await delivery.customer.update_metadata({"survey": "initial"})
        await delivery.customer.send_message(SMS, "Two questions about our service? Reply yes.")
        return UssdMenu(f"Your balance is KES {known['balance']}", is_terminal=True), "home"

    async def register(self, delivery: Delivery[UssdSessionNotification], _: dict[str, Any]) -> Screen:
        """Take the name, open the account, and say so by SMS."""
        name = delivery.notification.input.text
        await delivery.customer.update_metadata({"name": name, "balance": OPENING_BALANCE})
        await delivery.customer.update_activity("ussd", activity(delivery, "UserRegistered"))
        await delivery.customer.send_message(SMS, f"Welcome {name}, your account is open.")
        return UssdMenu(f"Thank you {name}", is_terminal=True), "home"

    async def withdraw(self, delivery: Delivery[UssdSessionNotification], known: dict[str, Any]) -> Screen:
        """Take the amount; what is no amount is asked for again."""
        text = delivery.notification.input.text
        if not text.isdigit() or not 0 < int(text) <= known["balance"]:
            return UssdMenu(f"Please enter an amount up to {known['balance']}"), "withdraw-amount"
        await delivery.customer.update_metadata({"balance": known["balance"] - int(text)})
        return UssdMenu(f"KES {text} withdrawn", is_terminal=True), "home"

    async def answer_sms(self, delivery: Delivery[ReceivedSmsNotification]) -> None:
        """Ask the next question of the survey, as an answer to the customer's own message."""
        known = await delivery.customer.get_metadata()
        step = known.get("survey", "complete")
        if step == "complete":
            return
        answers = {**known.get("answers", {}), step: delivery.notification.text}
        await delivery.customer.update_metadata({"survey": AFTER[step], "answers": answers})
        await delivery.customer.reply_to_message(delivery.notification.message_id, QUESTIONS[step])

    async def note_activity(self, delivery: Delivery[CustomerActivityNotification]) -> None:
        """Hear of what customers do; the cash machine reports here, too."""
        done = delivery.notification
        say("bank", f"activity {done.activity.key} from {done.source} {dict(done.activity.properties) or ''}".rstrip())


def activity(delivery: Delivery[UssdSessionNotification], key: str) -> Activity:
    """Give an activity of this USSD session."""
    return Activity(key, delivery.notification.session_id or "", {})


# --- the customer ---


@dataclass
class Handset:
    """The customer's phone."""

    phone: Simulator
    texts: list[str] = field(default_factory=list[str])
    text_came: anyio.Event = field(default_factory=anyio.Event)

    async def take_sms(self, delivery: Delivery[SendMessageSimulatorNotification]) -> None:
        """Keep and print an SMS."""
        self.texts.append(str(delivery.notification.message.body))
        say("SMS", self.texts[-1])
        self.text_came.set()
        self.text_came = anyio.Event()

    async def dial(self, *inputs: str) -> str:
        """Dial, enter the inputs one by one, and give the last screen."""
        screen = ""
        for text in ("", *inputs):
            say("phone", f"enters {text!r}" if text else f"dials {USSD.number}")
            reply = await self.phone.receive_message(PHONE, USSD, "dial", [UssdInput(text, "active")])
            menu = reply.message.body if reply.message is not None else None
            screen = menu.text if isinstance(menu, UssdMenu) else ""
            say("screen", screen.replace("\n", " | "))
        return screen

    async def write(self, text: str) -> str:
        """Send an SMS and wait for the next one that comes."""
        count = len(self.texts)
        say("phone", f"writes {text!r}")
        await self.phone.receive_message(PHONE, SMS, "", [text])
        with anyio.fail_after(5):
            while len(self.texts) == count:
                await self.text_came.wait()
        return self.texts[-1]


def say(who: str, what: str) -> None:
    """Print one line of the conversation."""
    print(f"{who:<8} {what}", flush=True)


# --- the program ---


async def answer(
    client: Elarian | Simulator,
    kind: type[Any],
    handler: Callable[[Delivery[Any]], Awaitable[None]],
    *,
    task_status: anyio.abc.TaskStatus[None],
) -> None:
    """Answer every notification of one kind until cancelled."""
    async with client.notifications(kind) as deliveries:
        task_status.started()
        async for delivery in deliveries:
            async with delivery:
                await handler(delivery)


@dataclass
class Ending:
    """How the conversation ends early: in order at the first SIGINT (Ctrl-C) or SIGTERM, at once at the second."""

    story: anyio.CancelScope
    signal: signal.Signals | None = None

    async def watch(self, program: anyio.CancelScope, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Cancel the story, then the whole *program*, when the operating system says so."""
        try:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                async for number in signals:
                    (self.story if self.signal is None else program).cancel()
                    self.signal = self.signal or number
        except NotImplementedError:  # asyncio on Windows: there Ctrl-C cancels everything, see main()
            task_status.started()


async def run() -> int:
    """Hold the conversation, to its end or until a signal comes; give the exit status."""
    ending, agreed = Ending(anyio.CancelScope()), False
    async with anyio.create_task_group() as tasks:
        await tasks.start(ending.watch, tasks.cancel_scope)
        agreed = await play(ending.story)
        tasks.cancel_scope.cancel()
    if ending.signal is not None:
        say("program", f"stopped by {ending.signal.name}")
        return 128 + ending.signal
    return 0 if agreed else 1


async def play(story: anyio.CancelScope) -> bool:
    """Hold the conversation and say whether the bank knows what it should."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app, Simulator(**sandbox.credentials) as phone:
        with story:  # cancelled, it still leaves the clients' blocks in order
            await converse(sandbox, app, phone)
            return await look_into_the_files(app)
    return False


async def converse(sandbox: Sandbox, app: Elarian, phone: Simulator) -> None:
    """Play the customer, with the bank answering."""
    bank, handset = Bank(app), Handset(phone)
    async with anyio.create_task_group() as tasks:
        await tasks.start(answer, app, UssdSessionNotification, bank.answer_menu)
        await tasks.start(answer, app, ReceivedSmsNotification, bank.answer_sms)
        await tasks.start(answer, app, CustomerActivityNotification, bank.note_activity)
        await tasks.start(answer, phone, SendMessageSimulatorNotification, handset.take_sms)

        await handset.dial("1", "Asha")
        await handset.dial("1")
        await handset.write("yes")
        await handset.write("9")
        await handset.write("More cash machines")
        await handset.dial("2", "plenty", "200")
        await use_cash_machine(sandbox, app)
        tasks.cancel_scope.cancel()


async def look_into_the_files(app: Elarian) -> bool:
    """Join the phone and the card, which are one customer, and see what the bank knows of her."""
    customer = app.customer(PHONE)
    await customer.adopt_state(app.customer(CARD.number, provider="app"))
    state = await customer.get_state()
    known = state.identity_state.metadata
    done = sorted({each.key for session in state.activity_state.sessions for each in session.activities})
    print(f"\nthe bank knows {known['name']}: balance KES {known['balance']}, survey {known['survey']}, did {done}")
    return (known["balance"], known["survey"], known["answers"]["likelihood"], done) == (
        OPENING_BALANCE - 200,
        "complete",
        "9",
        ["UserCheckedBalance", "UserRegistered", "UserWithdrew"],
    )


async def use_cash_machine(sandbox: Sandbox, app: Elarian) -> None:
    """Connect as the cash machine, by a token that the bank's server made, and report a withdrawal by card."""
    token = await app.generate_auth_token()
    bank = sandbox.credentials
    async with Elarian(
        org_id=bank["org_id"],
        app_id=bank["app_id"],
        auth_token=token.token,
        dial=bank["dial"],
        options=ConnectionOptions(receive_notifications=False),
    ) as machine:
        say("machine", "pays out KES 100 for a card")
        withdrawal = Activity("UserWithdrew", "card-1", {"amount": "100"})
        await machine.customer(CARD.number, provider="app").update_activity("cash machine", withdrawal)


def main() -> int:
    """Read the command line and hold the conversation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=("trio", "asyncio"), default="trio", help="what the program runs under")
    try:
        return anyio.run(run, backend=parser.parse_args().backend)
    except KeyboardInterrupt:  # where no signals can be watched
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
