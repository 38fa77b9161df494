"""When something goes wrong: rules in the order in which they were added, each with dice and counts of its own.

Users hold these. The sandbox's connections stand above and ask, for each command and notification, which fault bites.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from elarian_trio.models.commands import Command
from elarian_trio.sandbox.faults.chance import ChanceRule, ChanceRules
from elarian_trio.sandbox.faults.scope import Scope, kinds_named
from elarian_trio.sandbox.faults.values import Fault, FaultError, Late, Refuse, known, statuses_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.notifications import AnyNotification
    from elarian_trio.sandbox.faults.scope import AnyChannel, Kind, NumbersOf, Target

__all__ = ["Faults", "Rule"]

MAX_NAMED = 3  # kinds that a rule's repr names one by one


class Rule(ChanceRule):
    """A fault, and when it bites. Made by :meth:`Faults.add`.

    Attributes:
        fault: what goes wrong.
    """

    def __init__(self, fault: Fault, scope: Scope, *, probability: float, times: int | None, skip: int) -> None:
        super().__init__(probability=probability, times=times, skip=skip)
        self.fault: Fault = fault
        self._scope = scope

    def __repr__(self) -> str:
        """Say what it does and how often it did; whose number it looks at is left out."""
        kinds = sorted(kind.__name__ for kind in self._scope.kinds)
        named = ", ".join(kinds) if len(kinds) <= MAX_NAMED else f"{len(kinds)} kinds"
        return f"<Rule {self.fault!r} on {named}: seen {self.seen}, bites {self.bites}>"

    def bites_on(self, message: Command[Any] | AnyNotification, numbers_of: NumbersOf) -> bool:
        """For the sandbox: look at *message*, throw the dice, and say whether the fault bites; that counts."""
        return not self.is_spent and self._scope.takes_in(message, numbers_of) and self.throw()


class Faults(ChanceRules[Rule]):
    """The failures that a sandbox provokes: ``sandbox.faults``, or ``Sandbox(faults=…)``. Without rules, none.

    ::

        sandbox.faults.add(Fault.refuse("insufficient_credits"), on="SendMessage", number="+254709759881", times=2)
        flaky = sandbox.faults.add(Fault.drop(when="after"), on="InitiatePayment", probability=0.1)
        …
        assert flaky.bites == 3

    Rules are asked in the order in which they were added, and the first one that bites is what happens: those behind
    it do not count what it has bitten. (Being late is asked for when a notification has its turn, everything else when
    it is sent.) All of it is synchronous, and takes effect at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bites = 0

    def add(
        self,
        fault: Fault,
        *,
        on: Target | Iterable[Target] | None = None,
        number: CustomerNumber | str | None = None,
        channel: AnyChannel | None = None,
        probability: float = 1.0,
        times: int | None = None,
        skip: int = 0,
    ) -> Rule:
        """Have *fault* bite from now on.

        Args:
            fault: what goes wrong, as ``Fault.refuse("insufficient_credits")``.
            on: which commands or notifications: classes or their names, as "SendMessage" or "ReceivedSmsNotification",
                one or several; a group's, as "SimulatorCommand" or "ReceivedMessageNotification", takes in all of it.
                Left out: whatever the fault can bite.
            number: only what concerns the customer with that number. A bare string is one under any provider. Where
                only an id or secondary id is given, the sandbox looks up whose it is.
            channel: only what goes by that channel: a :class:`MessagingChannel`, a :class:`PaymentChannelNumber`,
                "sms:83044", or "sms" for all of the kind.
            probability: how likely it is each time, above 0 and up to 1. The dice are the sandbox's ``seed``'s: the
                same seed, rules and traffic give the same failures again.
            times: how often at most.
            skip: how many are let go before.

        Returns:
            The rule, which counts how often it bit.

        Raises:
            FaultError: an argument is wrong, or they do not go together; the words list what is known. It is a
                ValueError.
        """
        if not isinstance(cast("object", fault), Fault) or type(fault) is Fault:
            raise FaultError("fault", "a Fault, as Fault.drop()", fault)
        every, named = kinds_named(on)
        for kind in named:
            _check_named(fault, kind)
        kinds = tuple(kind for kind in every if _can_bite(fault, kind))
        if not kinds:
            raise FaultError("on", f"something that {fault.name} can bite", on)
        scope = Scope.of(kinds, named, number, channel)
        return self._add(Rule(fault, scope, probability=probability, times=times, skip=skip))

    @property
    def bites(self) -> int:
        """How often something was made to go wrong, by all rules, those that were taken away included."""
        return self._bites

    # For the sandbox.

    @property
    def has_rules(self) -> bool:
        """Whether anything may still go wrong."""
        return bool(self.rules) and any(not rule.is_spent for rule in self.rules)  # asked for every command

    def on_command(self, command: Command[Any], numbers_of: NumbersOf) -> Fault | None:
        """Give what goes wrong with *command*; that counts."""
        return self._first(self.rules, command, numbers_of)

    def on_notification(self, notification: AnyNotification, numbers_of: NumbersOf) -> Fault | None:
        """Give what goes wrong with *notification* as it is sent; that counts."""
        return self._first((rule for rule in self.rules if type(rule.fault) is not Late), notification, numbers_of)

    def lateness_of(self, notification: AnyNotification, numbers_of: NumbersOf) -> Late | None:
        """Give what keeps *notification* from being sent now; that counts."""
        fault = self._first((rule for rule in self.rules if type(rule.fault) is Late), notification, numbers_of)
        return fault if isinstance(fault, Late) else None

    def _first(
        self, rules: Iterable[Rule], message: Command[Any] | AnyNotification, numbers_of: NumbersOf
    ) -> Fault | None:
        for rule in rules:
            if rule.bites_on(message, numbers_of):
                self._bites += 1
                return rule.fault
        return None


def _can_bite(fault: Fault, kind: Kind) -> bool:
    if issubclass(kind, Command):
        return fault.bites_commands and fault.can_bite(kind)
    return fault.bites_notifications


def _check_named(fault: Fault, kind: Kind) -> None:
    is_command = issubclass(kind, Command)
    if not (fault.bites_commands if is_command else fault.bites_notifications):
        wanted = "notifications" if is_command else "commands"
        raise FaultError("on", f"{wanted}, which are what {fault.name} bites", kind.__name__)
    if issubclass(kind, Command) and isinstance(fault, Refuse) and not fault.can_bite(kind):
        statuses = known(statuses_of(kind)) or "none: it is answered without a status"
        raise FaultError("status", f"one that {kind.__name__} can be refused with ({statuses})", fault.status)
