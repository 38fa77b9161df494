"""Sell airtime by USSD: Elarian carries menu and money, Planship says who may buy, Talon.One what is earned.

Whoever dials is asked for a plan first (Planship: customer, subscription). The plan says how much may be bought at
once, and how often in 24 hours (entitlements). An amount and perhaps a code open a session at Talon.One, which answers
with a discount, or why the code does not count. Whoever says yes closes it, which claims the code, and confirms the
payment on the phone; then the airtime is sent, Planship is told of the use, and a friend who recommended the shop gets
a reward into a wallet and hears of it by SMS. Where the payment is refused, or the airtime cannot be delivered and
the money goes back, the session is cancelled, which takes everything back that it had earned.

Where a customer stands in the menu is app data, an order under way is metadata (``airtime_till.py``); the shop keeps
nothing in memory. All three services are stand-ins in this process (``airtime_services.py``), and the customers
(``airtime_customers.py``) do what their story says, all in parallel. The services' clock is moved by hand, so that two
days pass in seconds. It ends with a table, and with exit status 0 only when Elarian's money, Planship's uses and
Talon.One's sessions agree. Ctrl-C or SIGTERM ends it early; for a program that goes on with real customers until then,
see ``service.py``.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import anyio.abc
from airtime_customers import PHONES, Customers, Timeline, hours
from airtime_services import DAY, FRIENDS, FRIENDS_CODE, START, Books, campaigns, plans
from airtime_till import SMS, TROUBLE, Till, money

from elarian_trio import (
    CheckoutPaymentSimulatorNotification,
    Customer,
    Delivery,
    Elarian,
    PaymentStatusNotification,
    Purse,
    Reminder,
    ReminderNotification,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
    Simulator,
    UssdMenu,
    UssdSessionNotification,
)
from elarian_trio.planship import (
    CreateCustomerParameters,
    ModifySubscriptionParameters,
    PlanshipCustomer,
    PlanshipError,
)
from elarian_trio.sandbox import ManualClock, Sandbox
from elarian_trio.sandbox.planship import PlanshipServer
from elarian_trio.sandbox.talonone import WebFault
from elarian_trio.talonone import (
    AddFreeItem,
    CartItem,
    IntegrationApi,
    IntegrationState,
    NewCustomerSession,
    NewReferral,
    SetDiscount,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from elarian_trio.planship import Entitlements

AT_ONCE = 16  # notifications of one kind in hand, each of another customer


# --- the shop ---


class Reply(NamedTuple):
    """What is shown, what is remembered until the next hop, and what is done once that is on its way."""

    menu: UssdMenu
    remembered: dict[str, Any] | None = None
    then: Callable[[], Awaitable[None]] | None = None


def ask(words: str, screen: str, **remembered: Any) -> Reply:  # noqa: ANN401 - any JSON
    """Show a menu and say which screen takes what is entered."""
    return Reply(UssdMenu(words), {"screen": screen, **remembered})


def end(words: str, then: Callable[[], Awaitable[None]] | None = None) -> Reply:
    """Show the last words."""
    return Reply(UssdMenu(words, is_terminal=True), None, then)


class Earned(NamedTuple):
    """What a session at Talon.One has come to."""

    discount: Decimal
    gifts: list[tuple[str, str]]
    complaint: str

    @classmethod
    def by(cls, state: IntegrationState) -> Earned:
        """Read the effects."""
        details = [effect.details for effect in state.effects]
        rejection = state.event.coupon_rejection or state.event.referral_rejection
        return cls(
            sum((Decimal(str(each.amount)) for each in details if isinstance(each, SetDiscount)), Decimal(0)),
            [(each.profile_id, each.sku) for each in details if isinstance(each, AddFreeItem)],
            "" if rejection is None else rejection.reason,
        )


@dataclass(frozen=True)
class Hop:
    """One hop of somebody's way through the menu."""

    customer: Customer
    customer_id: str
    phone: str
    session_id: str
    entered: str
    known: dict[str, Any]
    where: dict[str, Any]

    @classmethod
    async def of(cls, delivery: Delivery[UssdSessionNotification]) -> Hop:
        """Look up who dials."""
        notification = delivery.notification
        return cls(
            delivery.customer,
            notification.customer_id or "",
            notification.customer_number.number,
            notification.session_id or "",
            notification.input.text,
            await delivery.customer.get_metadata(),
            delivery.app_data or {"screen": "home"},
        )


@dataclass
class Shop:
    """The app. Its customers are known to Planship and Talon.One by their Elarian ids."""

    till: Till
    talon_one: IntegrationApi
    timeline: Timeline

    # The menu.

    async def answer_menu(self, delivery: Delivery[UssdSessionNotification]) -> None:
        """Show the screen that follows, and do what is to be done behind it."""
        screens: dict[str, Callable[[Hop], Awaitable[Reply]]] = {
            "home": self.greet,
            "plan": self.join,
            "choice": self.choose,
            "amount": self.take_amount,
            "code": self.quote,
            "price": self.close_sale,
        }
        hop = await Hop.of(delivery)
        try:
            reply = await screens[hop.where["screen"]](hop)
        except TROUBLE as error:
            self.timeline.tell(hop.phone, f"{type(error).__name__}: {error}")
            reply = end("We cannot serve you now. Please dial again later.")
        await delivery.reply(reply.menu, app_data=reply.remembered)
        if reply.then is not None:
            await reply.then()

    async def greet(self, hop: Hop) -> Reply:
        """Offer airtime to those whose plan has it, and plans to others."""
        async with self.till.plan_of(hop.customer_id) as planship:
            try:
                allowed = await planship.get_entitlements()
            except PlanshipError as error:
                if error.status != 404:
                    raise
                return await self.offer(planship, is_new=True)
            if not allowed["airtime"]:
                return await self.offer(planship, is_new=False)
        return self.serve(hop, allowed)

    async def offer(self, planship: PlanshipCustomer, *, is_new: bool) -> Reply:
        """Offer the plans; the trial is for new customers."""
        offered = [plan for plan in await planship.list_plans() if is_new or plan.slug != "trial"]
        lines = [f"{number}. {plan.name}" for number, plan in enumerate(offered, start=1)]
        return ask("\n".join(["Choose a plan", *lines]), "plan", is_new=is_new, slugs=[plan.slug for plan in offered])

    async def join(self, hop: Hop) -> Reply:
        """Subscribe to the plan; a subscription that has lapsed becomes one to it."""
        slugs: list[str] = hop.where["slugs"]
        if hop.entered not in map(str, range(1, len(slugs) + 1)):
            return end("There is no such plan. Good bye.")
        slug = slugs[int(hop.entered) - 1]
        self.timeline.tell(hop.phone, f"joins {slug}")
        async with self.till.plan_of(hop.customer_id) as planship:
            if hop.where["is_new"]:
                await planship.create_customer(CreateCustomerParameters(alternative_id=hop.customer_id))
            lapsed = await planship.list_subscriptions()
            if lapsed:
                terms = ModifySubscriptionParameters(
                    plan_slug=slug, renew_plan_slug=slug, is_active=True, auto_renew=True
                )
                await planship.modify_subscription(lapsed[0].subscription_id, terms)
            else:
                await planship.create_subscription(slug)
            allowed = await planship.get_entitlements()
        await self.talon_one.update_customer_profile(hop.customer_id)
        return self.serve(hop, allowed)

    def serve(self, hop: Hop, allowed: Entitlements) -> Reply:
        """Say what is left, and ask what it shall be."""
        left: int = allowed["top-ups"]
        if "order" in hop.known:
            return end("Please confirm your last top-up first.")
        if left == 0:
            return end("No top-ups left. We text you tomorrow.", partial(self.remind_tomorrow, hop))
        return ask(f"{count(left)}\n1. Buy airtime\n2. Invite a friend", "choice", largest=allowed["largest-top-up"])

    async def choose(self, hop: Hop) -> Reply:
        """Ask for the amount, or invite a friend."""
        if hop.entered == "2":
            return end("Your code comes by SMS.", partial(self.invite, hop))
        return ask(f"How much, up to KES {hop.where['largest']}?", "amount", largest=hop.where["largest"])

    async def take_amount(self, hop: Hop) -> Reply:
        """See whether the plan allows that much, and ask for a code."""
        largest = hop.where["largest"]
        if not hop.entered.isdecimal() or not 5 <= int(hop.entered) <= largest:
            return ask(f"How much? Your plan has KES 5 to {largest} at once", "amount", largest=largest)
        return ask("A coupon, or a friend's code? 0 for none", "code", amount=int(hop.entered))

    async def quote(self, hop: Hop) -> Reply:
        """Open the session at Talon.One, and name the price; a code that does not count is no reason not to sell."""
        amount: int = hop.where["amount"]
        code = hop.entered.upper() if hop.entered != "0" else ""
        is_friends = code.startswith(FRIENDS_CODE)
        session = NewCustomerSession(
            profile_id=hop.customer_id,
            state="open",
            total=amount,
            cart_items=[CartItem(name="Airtime", sku="airtime", quantity=1, price=amount)],
            coupon="" if is_friends else code,
            referral=code if is_friends else "",
        )
        earned = Earned.by(await self.talon_one.update_customer_session(hop.session_id, session))
        price = amount - earned.discount
        self.timeline.tell(hop.phone, f"session open: {money(amount)}, less {money(earned.discount)}")
        words = f"Pay {money(price)} for {money(amount)} of airtime?\n1. Yes\n2. No"
        if earned.complaint:
            words = f"{code} does not count ({earned.complaint})\n{words}"
        return ask(words, "price", amount=amount, price=str(price))

    async def close_sale(self, hop: Hop) -> Reply:
        """Close the session, which claims its code; at the price that was named, the phone asks for the money."""
        amount, price = Decimal(hop.where["amount"]), Decimal(hop.where["price"])
        if hop.entered != "1":
            await self.till.cancel_session(hop.session_id)
            return end("Good bye.")
        closed = await self.talon_one.update_customer_session(hop.session_id, NewCustomerSession(state="closed"))
        earned = Earned.by(closed)
        if amount - earned.discount != price:  # others were faster to claim the code
            await self.till.cancel_session(hop.session_id)
            return end("The price has changed. Please dial again.")
        self.timeline.tell(hop.phone, f"session closed; {money(price)} to be paid")
        order = {
            "phone": hop.phone,
            "session": hop.session_id,
            "amount": str(amount),
            "price": str(price),
            "gifts": earned.gifts,
        }
        return end("Confirm on your phone.", partial(self.till.check_out, hop.customer, order))

    async def invite(self, hop: Hop) -> None:
        """Send a code for friends."""
        try:
            made = NewReferral(campaign_id=FRIENDS, advocate_profile_integration_id=hop.customer_id)
            referral = await self.talon_one.create_referral(made)
        except TROUBLE as error:
            self.timeline.tell(hop.phone, f"{type(error).__name__}: {error}")
            await hop.customer.send_message(SMS, "We have no code for you now. Please dial again later.")
        else:
            await hop.customer.send_message(SMS, f"Give your friends {referral.code}: KES 10 for them, 20 for you.")

    # Reminders.

    async def remind_tomorrow(self, hop: Hop) -> None:
        """Have ourselves told when all of today's uses are a day old."""
        await hop.customer.add_reminder(Reminder("top-ups", self.timeline.now() + DAY, payload=hop.phone))

    async def remind(self, delivery: Delivery[ReminderNotification]) -> None:
        """Tell a customer what the plan allows by now."""
        customer_id = delivery.notification.customer_id or ""
        try:
            async with self.till.plan_of(customer_id) as planship:
                allowed = await planship.get_entitlements()
        except TROUBLE:
            await delivery.reject("to be told again")
            return
        words = "Your plan is over. Please dial for another."
        if allowed["airtime"]:
            words = f"Welcome back: {count(allowed['top-ups'])}."
        await delivery.customer.send_message(SMS, words)


def count(left: int) -> str:
    """Say how many uses are left; -1 is Planship's word for no limit."""
    return "top-ups without limit" if left < 0 else f"{left} top-up{'s' * (left > 1)} left"


# --- the program ---


async def answer(
    client: Elarian | Simulator,
    kind: type[Any],
    handler: Callable[[Delivery[Any]], Awaitable[None]],
    *,
    task_status: anyio.abc.TaskStatus[None],
) -> None:
    """Answer every notification of one kind until cancelled: one customer's in order, many customers' at once."""

    async def work() -> None:
        async for delivery in deliveries:
            async with delivery:
                await handler(delivery)

    async with client.notifications(kind) as deliveries, anyio.create_task_group() as workers:
        for _ in range(AT_ONCE):
            workers.start_soon(work)
        task_status.started()


@dataclass
class Ending:
    """How the story ends early: in order at the first SIGINT (Ctrl-C) or SIGTERM, at once at the second."""

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


async def run(seed: int) -> int:
    """Play the story, to its end or until a signal comes; give the exit status."""
    ending, balanced = Ending(anyio.CancelScope()), False
    async with anyio.create_task_group() as tasks:
        await tasks.start(ending.watch, tasks.cancel_scope)
        balanced = await play(seed, ending.story)
        tasks.cancel_scope.cancel()
    if ending.signal is not None:
        print(f"stopped by {ending.signal.name}, with the shop still open")
        return 128 + ending.signal
    return 0 if balanced else 1


async def play(seed: int, story: anyio.CancelScope) -> bool:
    """Run the story and say whether its books balance."""
    rng = random.Random(seed)
    async with (
        Sandbox(
            planship=PlanshipServer(catalogue=plans()),
            talon_one=campaigns(rng),
            clock=ManualClock(START),
            settle="manual",
            seed=seed,
        ) as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as simulator,
        IntegrationApi(**sandbox.talon_one.credentials) as talon_one,
    ):
        timeline = Timeline(sandbox.clock.now)
        till = Till(app, talon_one, sandbox.planship.credentials, Purse(sandbox.purse_id), timeline)
        shop = Shop(till, talon_one, timeline)
        customers = Customers(simulator, timeline, rng)
        opening_balance = sandbox.purse_balance()
        with story:  # cancelled, it still leaves the clients' blocks in order
            await trade(sandbox, app, shop, customers)
            moved = sandbox.purse_balance() - opening_balance
            return await Books(sandbox, app).close(PHONES, customers.codes, moved)
    return False


async def trade(sandbox: Sandbox, app: Elarian, shop: Shop, customers: Customers) -> None:
    """Open the shop, and let the hours of the story pass."""
    async with anyio.create_task_group() as tasks:
        for client, kind, handler in (
            (app, UssdSessionNotification, shop.answer_menu),
            (app, PaymentStatusNotification, shop.till.settle),
            (app, ReminderNotification, shop.remind),
            (customers.simulator, SendMessageSimulatorNotification, customers.take_text),
            (customers.simulator, CheckoutPaymentSimulatorNotification, customers.take_prompt),
            (customers.simulator, SendCustomerPaymentSimulatorNotification, customers.pay_out),
        ):
            await tasks.start(answer, client, kind, handler)
        for at, visits in hours():
            await sandbox.clock.advance(START + at - sandbox.clock.now())
            customers.read_all()
            shop.timeline.print()
            break_down(sandbox, {visit.outage for visit in visits})
            await customers.visit_all(visits)
        await sandbox.clock.advance(DAY)
        customers.read_all()
        shop.timeline.print()
        tasks.cancel_scope.cancel()


def break_down(sandbox: Sandbox, services: Collection[str]) -> None:
    """Have services be out of order, once."""
    if "Talon.One" in services:
        sandbox.talon_one.faults.add(WebFault.status(503), on="PUT */customer_sessions/*", times=1)
    if "Planship" in services:
        sandbox.planship.faults.add(WebFault.status(503), on="POST */usage/*", times=1)


def main() -> int:
    """Read the command line and run the story."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=("trio", "asyncio"), default="trio", help="what the program runs under")
    parser.add_argument("--seed", type=int, default=1, help="of amounts and codes (default 1)")
    options = parser.parse_args()
    try:
        return anyio.run(run, options.seed, backend=options.backend)
    except KeyboardInterrupt:  # where no signals can be watched
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
