"""What the state machines of the world share: a world, a few customers in it, and how long they are run.

Each family has a machine of its own beside this file. They run commands, jobs and answers on the pure rules, with time
moved by hand, and keep their own books of what must come of it. Every machine may join and delete customers meanwhile,
since that is what rules of one family forget about another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from seeded_world import seeded_world

from elarian_trio.models.commands import AdoptCustomerState, CreateCustomer, DeleteCustomer
from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from world_support import World

    from elarian_trio.models.replies import CustomerStateUpdateReply

NUMBERS = tuple(CustomerNumber(f"+25470000000{digit}") for digit in range(4))
"""Few, so that machines meet them again and again."""

numbers = st.sampled_from(NUMBERS)
picks = st.integers(0, 30)
"""Which of the things that came up so far, whatever their count: see :func:`picked`."""

long_times = st.sampled_from((1, 60, 3_600, 100_000, 10_000_000))  # seconds


def picked(things: list[Any], pick: int) -> Any:  # noqa: ANN401 - one of them
    """Give one of *things*, which must not be empty."""
    return things[pick % len(things)]


def run_machine(machine: type[RuleBasedStateMachine], *, runs: int, steps: int = 50, of_seed: int = 1) -> None:
    """Run *machine*; the same seed gives the same runs."""
    chosen = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    seeded: Any = seed(of_seed)(machine)
    run_state_machine_as_test(seeded, settings=chosen)


class WorldMachine(RuleBasedStateMachine):
    """A world with customers in it.

    Attributes:
        world: the world.
        ids: the ids of all customers that ever were, in the order in which they came up.
        heirs: who adopted a customer.
        deleted: the ids of those who are no more.
    """

    def __init__(self, **changes: Any) -> None:  # noqa: ANN401 - whatever the world's settings take
        super().__init__()
        self.world: World = seeded_world(**changes)
        self.ids: list[str] = []
        self.heirs: dict[str, str] = {}
        self.deleted: set[str] = set()

    def meet(self, number: CustomerNumber) -> str:
        """Give the id of the customer with *number*, who is made now if there is none."""
        found = self.world.run(CreateCustomer(customer_number=number)).customer_id
        if found not in self.ids:
            self.ids.append(found)
        assert found not in self.heirs, "a number belongs to a customer who was adopted"
        assert found not in self.deleted, "a number belongs to a customer who was deleted"
        return str(found)

    def heir(self, customer_id: str) -> str:
        """Give who a customer is now."""
        while customer_id in self.heirs:
            customer_id = self.heirs[customer_id]
        return customer_id

    def is_live(self, customer_id: str) -> bool:
        """Whether nobody adopted or deleted a customer."""
        return customer_id not in self.heirs and customer_id not in self.deleted

    @property
    def live(self) -> list[str]:
        """The ids of the customers that there are."""
        return [each for each in self.ids if self.is_live(each)]

    def someone(self, pick: int) -> str:
        """Give a customer's id, of one who is there more often than of one who was."""
        return str(picked(self.live if pick % 3 and self.live else self.ids, pick))

    def adopt(self, one: str, other: str) -> bool:
        """Have *one* adopt *other*; ``False`` where they are one already, or cannot be."""
        reply: CustomerStateUpdateReply = self.world.run(AdoptCustomerState(customer_id=one, other_customer=other))
        same, possible = self.heir(other) == one, self.is_live(one) and self.is_live(other)
        assert reply.status is (self.is_live(one) and (same or possible)), reply
        if not possible or same:
            return False
        self.heirs[other] = one
        return True

    def delete(self, customer_id: str) -> bool:
        """Delete a customer by id; ``False`` where there is none such."""
        reply = self.world.run(DeleteCustomer(customer=customer_id))
        assert reply.status is self.is_live(customer_id), reply
        if reply.status:
            self.deleted.add(customer_id)
        return bool(reply.status)
