"""Ints that no float holds, where users give numbers: refused in this package's words.

CPython writes no int of more than 4,300 digits: to show one in an error raised Python's own instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from elarian_trio import Cash, ConnectionOptions, Elarian, Location
from elarian_trio.sandbox import Fault, FaultError, Sandbox
from elarian_trio.sandbox.planship import Lever, Plan, PlanshipServer, WebFault
from elarian_trio.talonone import Adjustment, CartItem, NewReferral, SignatureAuth

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 10**5_000
WORDS = "an int that no float holds"


@pytest.mark.parametrize(
    ("give", "kind", "name"),
    [
        (lambda n: Cash("KES", n), ValueError, r"Cash\.amount"),
        (lambda n: Location(latitude=0.0, longitude=n), ValueError, r"Location\.longitude"),
        (lambda n: ConnectionOptions(fragment_size=n), ValueError, "fragment_size"),
        (
            lambda n: Elarian(org_id="o", app_id="a", api_key="k").notifications(max_buffer_size=n),
            ValueError,
            "max_buffer",
        ),
        (lambda n: Sandbox(resume_window=n), ValueError, "resume_window"),
        (Fault.delay, FaultError, "seconds"),
        (Fault.deliver_late, FaultError, "seconds"),
        (Fault.error, FaultError, "code"),
        (WebFault.status, FaultError, "status"),
        (WebFault.delay, FaultError, "seconds"),
        (lambda n: PlanshipServer().faults.add(WebFault.drop(), probability=n), FaultError, "probability"),
        (lambda n: PlanshipServer().faults.add(WebFault.drop(), times=-abs(n)), FaultError, "times"),
        (lambda n: PlanshipServer().faults.add(WebFault.drop(), skip=-abs(n)), FaultError, "skip"),
        (lambda n: PlanshipServer().close_sockets(n), ValueError, "close code"),
        (lambda n: Lever(slug="seats", kind="flag", default=n), ValueError, "lever 'seats'"),
        (lambda n: Plan(slug="small", max_subscribers=n), ValueError, "max_subscribers"),
        (lambda n: Plan(slug="small", duration_period=n), ValueError, "duration_period"),
        (lambda n: Lever(slug="seats", kind="integer", default=n), ValueError, "lever 'seats'"),
        (lambda n: SignatureAuth(n, "00"), ValueError, "application_id"),
    ],
)
@pytest.mark.parametrize("number", [LONG, -LONG], ids=["long", "below"])
def test_a_number_of_thousands_of_digits_is_refused_by_its_name(
    give: Callable[[Any], object], kind: type[ValueError], name: str, number: int
) -> None:
    """errors.py: a bad argument is a ValueError that says what is wrong with which."""
    with pytest.raises(kind, match=rf"{name}.*{WORDS}|^{WORDS}.*{name}") as caught:
        give(number)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("number", [LONG, -LONG, 10**400], ids=["long", "below", "shorter"])
@pytest.mark.parametrize(
    ("give", "name"),
    [
        (lambda n: NewReferral(campaign_id=n, advocate_profile_integration_id="u1"), "campaign_id"),
        (lambda n: CartItem(name="Tea", sku="t", quantity=n, price=1), "quantity"),
        (lambda n: Adjustment(pay_from_loyalty_program=1, point_payment=n), "point_payment"),
    ],
)
def test_an_integer_that_talon_one_cannot_be_told_is_refused_where_it_is_given(
    give: Callable[[int], object], name: str, number: int
) -> None:
    """A past bug: it was refused in the words of Python's JSON, and only by the call."""
    with pytest.raises(ValueError, match=f"^{name} must be finite, as far as a double goes$"):
        give(number)
