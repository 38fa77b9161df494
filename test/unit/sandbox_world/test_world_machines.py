"""The world's rules under any sequence of moves, a little of it: test/faults runs the same machines at length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from app_data_machine import AppDataMachine
from bad_input_machine import BadInputMachine
from customer_machine import CustomerMachine
from lease_machine import LeaseMachine
from machines import run_machine
from payment_machine import PaymentMachine
from reminder_machine import ReminderMachine
from session_machine import SessionMachine

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine


@pytest.mark.parametrize(
    "machine",
    [AppDataMachine, BadInputMachine, CustomerMachine, LeaseMachine, PaymentMachine, ReminderMachine, SessionMachine],
)
def test_whatever_happens_in_whatever_order_the_rules_hold(machine: type[RuleBasedStateMachine]) -> None:
    """The issue asks for it: money is conserved, a lease has one holder, a reminder fires once for each due time."""
    run_machine(machine, runs=10, steps=30)
