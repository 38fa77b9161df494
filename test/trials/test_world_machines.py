"""The world's rules under any sequence of moves, at length: customers, app data, leases, sessions, payments, reminders.

What each machine keeps books of, and so proves, stands in its own file in test/support.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from app_data_machine import AppDataMachine
from bad_input_machine import BadInputMachine
from customer_machine import CustomerMachine
from figures import say, seed_or, sized
from lease_machine import LeaseMachine
from machines import run_machine
from payment_machine import PaymentMachine
from reminder_machine import ReminderMachine
from session_machine import SessionMachine

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine

RUNS = sized(smoke=2, ci=200, soak=1_000)
STEPS = 50


@pytest.mark.parametrize(
    "machine",
    [AppDataMachine, BadInputMachine, CustomerMachine, LeaseMachine, PaymentMachine, ReminderMachine, SessionMachine],
)
def test_whatever_happens_in_whatever_order_the_rules_hold(machine: type[RuleBasedStateMachine]) -> None:
    """The issue asks for it: 200 runs of 50 steps each, 1,000 in soak."""
    seed, began = seed_or(2), time.perf_counter()
    run_machine(machine, runs=RUNS, steps=STEPS, of_seed=seed)
    took = time.perf_counter() - began
    say(f"{machine.__name__}: {RUNS} runs of {STEPS} steps, seed {seed}, {took:.1f} s: every rule held")
