"""The services behind ``airtime_shop.py``: what their consoles hold, and what their books say in the end.

Planship's catalogue and Talon.One's campaigns are what somebody would enter on those services' web pages; here they are
handed to the stand-ins. The books are read off the stand-ins and Elarian: the shop is not asked what it did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from elarian_trio import CustomerPayment, PaymentChannelNumber, PaymentStatus, Purse
from elarian_trio.planship import PlanshipCustomer
from elarian_trio.sandbox.planship import Catalogue, Lever, Plan, Product
from elarian_trio.sandbox.talonone import Campaign, Coupon, Rule, RuleState, TalonOneServer

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from elarian_trio import Elarian, PaymentState
    from elarian_trio.sandbox import Sandbox

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
PRODUCT = "airtime-shop"
TOP_UP = "top-up"  # what Planship meters
FRIENDS = 7  # Talon.One's campaign, and how its codes begin
FRIENDS_CODE = "PAL-"
REWARDS = {"airtime-20": Decimal(20)}  # what the items that Talon.One gives away are worth


# --- what the services' consoles would hold ---


def plans() -> Catalogue:
    """Give Planship's catalogue: three plans, a day on trial among them."""
    levers = (
        Lever(slug="airtime"),
        Lever(slug="largest-top-up", kind="integer"),
        Lever(slug="top-ups", kind="metered", metering_ids=(TOP_UP,), period=DAY),
        Lever(slug="top-ups-ever", kind="metered", metering_ids=(TOP_UP,), period="all_time", default=-1),
    )

    def plan(slug: str, largest: int, top_ups: int, order: int, **terms: Any) -> Plan:  # noqa: ANN401 - a Plan's fields
        allowed = {"airtime": True, "largest-top-up": largest, "top-ups": top_ups}
        return Plan(slug=slug, name=slug.capitalize(), entitlements=allowed, order=order, **terms)

    on_sale = (
        plan("trial", 50, 1, 1, duration_unit="day", auto_renew=False),
        plan("starter", 100, 2, 2),
        plan("trader", 1_000, -1, 3),
    )
    return Catalogue(products=(Product(slug=PRODUCT, levers=levers, plans=on_sale),))


def harvest(state: RuleState, _event: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Take a tenth off for the coupon."""
    return [("setDiscount", "harvest", state.session["total"] / 10)] if state.coupon else []


def friendship(state: RuleState, _event: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Take ten off for a friend's code, and thank the friend."""
    if not state.referral:
        return []
    return [("setDiscount", "welcome", 10), ("addFreeItem", state.advocate, "airtime-20", "thank you")]


def is_new(state: RuleState, _event: Mapping[str, Any]) -> bool:
    """Say whether somebody buys for the first time."""
    bought: int = state.profile["closedSessions"]
    return bought == 0


def campaigns(rng: random.Random) -> TalonOneServer:
    """Give Talon.One with a coupon that ends with the first day, and a code for each customer's friends."""
    return TalonOneServer(
        rules=[Rule(harvest), Rule(friendship, campaign_id=FRIENDS)],
        campaigns=[
            Campaign(campaign_id=1),
            Campaign(
                campaign_id=FRIENDS,
                referral_pattern=f"{FRIENDS_CODE}####",
                referral_usage_limit=0,
                referral_condition=is_new,
            ),
        ],
        coupons=[Coupon(code="HARVEST", expiry_date=START + DAY)],
        codes=lambda pattern: re.sub("#", lambda _: rng.choice("23456789"), pattern),
    )


# --- the books ---


@dataclass
class Account:
    """What the three services know of one customer, or of all: money in KES."""

    # Elarian
    paid: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    airtime: Decimal = Decimal(0)
    top_ups: int = 0
    wallet: Decimal = Decimal(0)
    # Planship
    uses: int = 0
    # Talon.One
    closed: int = 0
    sales: Decimal = Decimal(0)
    discounts: Decimal = Decimal(0)
    friends: int = 0

    def add(self, other: Account) -> None:
        """Add another's."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def agrees(self) -> bool:
        """Whether the services tell the same."""
        return (
            self.top_ups == self.uses == self.closed
            and self.airtime == self.sales
            and self.paid - self.returned == self.sales - self.discounts
            and self.wallet == self.friends * REWARDS["airtime-20"]
        )


@dataclass
class Books:
    """What the services have kept, read when the shop is closed; of what the shop did itself nothing is asked."""

    sandbox: Sandbox
    app: Elarian

    async def close(self, phones: Mapping[str, str], codes: Mapping[str, str], moved: Decimal) -> bool:
        """Print the table, and say whether every customer's account agrees, and all with what the purse *moved*."""
        elarian, planship = ("paid", "returned", "airtime", "top-ups"), ("uses",)
        talon_one = ("sessions", "sales", "discounts", "friends", "rewards")
        print("\ncustomer" + "".join(f"{name:>10}" for name in (*elarian, *planship, *talon_one)))
        total, agreed = Account(), True
        for name, phone in phones.items():
            account = await self.account_of(phone, codes[name])
            total.add(account)
            agreed = agreed and account.agrees
            print(line(name, account))
        print(line("total", total))
        given = total.discounts + total.wallet
        balanced = agreed and moved == total.paid - total.returned - total.airtime - total.wallet == -given
        print(
            f"\npurse: {total.paid:,.2f} paid - {total.returned:,.2f} returned - {total.airtime:,.2f} airtime"
            f" - {total.wallet:,.2f} rewards = {moved:,.2f}"
            f"\nTalon.One gave away {total.discounts:,.2f} discounts + {total.wallet:,.2f} rewards = {given:,.2f}"
            f"\n{total.top_ups} top-ups = {total.uses} uses at Planship = {total.closed} sessions at Talon.One"
        )
        print("the books balance" if balanced else "THE BOOKS DO NOT BALANCE")
        return balanced

    async def account_of(self, phone: str, code: str) -> Account:
        """Ask each service."""
        customer = self.app.customer(phone)
        state = await customer.get_state()
        customer_id = customer.customer_id or ""
        account = Account()
        self.read_payments(account, state.payment_state)
        async with PlanshipCustomer(PRODUCT, customer_id, **self.sandbox.planship.credentials) as planship:
            account.uses = (await planship.get_lever_usage("top-ups-ever")).total
        profile = self.sandbox.talon_one.profile(customer_id) or {}
        account.closed, account.sales = profile["closedSessions"], Decimal(str(profile["totalSales"]))
        referral = self.sandbox.talon_one.referral(code) if code else None
        account.friends = 0 if referral is None else referral["usageCounter"]
        return account

    def read_payments(self, account: Account, state: PaymentState) -> None:
        """Add up what Elarian moved; a checkout names its session, and that says what was taken off."""
        for payment in state.transaction_log:
            if payment.status is not PaymentStatus.SUCCESS or payment.value is None:
                continue
            match payment.debit_party, payment.credit_party:
                case CustomerPayment(), Purse():
                    account.paid += payment.value.amount
                    account.discounts += self.taken_off(payment.narration or "")
                case Purse(), CustomerPayment(channel_number=PaymentChannelNumber(channel="airtime")):
                    account.airtime += payment.value.amount
                    account.top_ups += 1
                case Purse(), CustomerPayment():
                    account.returned += payment.value.amount
                case _:
                    pass  # rewards: the wallet holds them
        wallet = state.wallets.get("rewards")
        if wallet is not None and wallet.actual is not None:
            account.wallet = wallet.actual.amount

    def taken_off(self, session_id: str) -> Decimal:
        """Say how much was taken off in a session, unless that was cancelled."""
        session = self.sandbox.talon_one.session(session_id)
        if session is None or session["state"] != "closed":
            return Decimal(0)
        return sum((Decimal(str(each)) for each in session["discounts"].values()), Decimal(0))


def line(name: str, account: Account) -> str:
    """Give a line of the table."""
    cells = (
        account.paid, account.returned, account.airtime, account.top_ups, account.uses,
        account.closed, account.sales, account.discounts, account.friends, account.wallet,
    )  # fmt: skip
    return f"{name:<8}" + "".join(f"{cell:>10,.2f}" if isinstance(cell, Decimal) else f"{cell:>10}" for cell in cells)
