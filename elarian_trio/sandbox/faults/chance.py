"""How often a rule bites, and rules in the order in which they were added: of Elarian's failures and of HTTP's.

:mod:`.rules` stands above, and so does :mod:`elarian_trio.sandbox.web_faults`.
"""

from __future__ import annotations

import random
from typing import Generic, TypeVar

from elarian_trio.sandbox.faults.values import FaultError

__all__ = ["ChanceRule", "ChanceRules"]


class ChanceRule:
    """What every rule counts, and its dice.

    Attributes:
        probability: how likely it is to bite, each time that the rule looks at something.
        times: how often at most; ``None`` for no limit.
        skip: how many of what it looks at are let go first.
        seen: how much it has looked at; no more once it is spent.
        bites: how often it bit.

    Raises:
        FaultError: a number is wrong. It is a ValueError.
    """

    def __init__(self, *, probability: float, times: int | None, skip: int) -> None:
        _check_numbers(probability, times, skip)
        self.probability: float = probability
        self.times: int | None = times
        self.skip: int = skip
        self.seen: int = 0
        self.bites: int = 0
        self._dice = random.Random()

    @property
    def is_spent(self) -> bool:
        """Whether it has bitten as often as it may."""
        return self.times is not None and self.bites >= self.times

    def take_dice(self, seed: int | str | None, number: int) -> None:
        """For the sandbox: take the dice of *seed*, not those of any rule with another *number*."""
        self._dice = random.Random(None if seed is None else f"{seed}/{number}")

    def throw(self) -> bool:
        """For the sandbox: count something that the rule is about, and say whether it bites; that counts, too."""
        self.seen += 1
        if self.seen <= self.skip or self._dice.random() >= self.probability:
            return False
        self.bites += 1
        return True


R = TypeVar("R", bound=ChanceRule)


class ChanceRules(Generic[R]):
    """Rules, in the order in which they are asked; each has the dice of one seed and of its own number."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._numbered: dict[R, int] = {}
        self._seed = seed
        self._added = 0

    def __repr__(self) -> str:
        """Show the rules."""
        return f"<{type(self).__name__}: {', '.join(map(repr, self._numbered)) or 'no rules'}>"

    def remove(self, rule: R) -> None:
        """Take *rule* away; what it has set going goes on. Does nothing if it is not there any more."""
        self._numbered.pop(rule, None)

    def clear(self) -> None:
        """Take all rules away; what they have set going goes on."""
        self._numbered.clear()

    @property
    def rules(self) -> tuple[R, ...]:
        """The rules, in the order in which they are asked; those that are spent, too."""
        return tuple(self._numbered)

    def seed_with(self, seed: int | str | None) -> None:
        """Take the dice of *seed*, for the rules that are there, too; with ``None`` they are nobody's."""
        self._seed = seed
        for rule, number in self._numbered.items():
            rule.take_dice(seed, number)

    def _add(self, rule: R) -> R:
        self._added += 1
        self._numbered[rule] = self._added
        rule.take_dice(self._seed, self._added)
        return rule


def _check_numbers(probability: float, times: int | None, skip: int) -> None:
    """See that these can say how often a rule bites."""
    if not (_is_number(probability) and 0 < probability <= 1):
        raise FaultError("probability", "a number above 0 and up to 1", probability)
    if times is not None and not (_is_whole(times) and times >= 1):
        raise FaultError("times", "a whole number from 1, or left out for no limit", times)
    if not (_is_whole(skip) and skip >= 0):
        raise FaultError("skip", "a whole number from 0", skip)


def _is_whole(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _is_number(given: object) -> bool:
    return isinstance(given, float) or _is_whole(given)
