"""Payments as a customer and the gateway see them.

The phone stands above, its line and the turns of a conversation are below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from elarian_trio.models.payments import PaymentStatus
from elarian_trio.testing.turns import Turns, already
from elarian_trio.testing.wording import called, money

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.models.payments import Cash, PaymentStatusName
    from elarian_trio.testing.exchange import Line

__all__ = ["Payment", "PaymentTurns"]


class _Paying(ABC):
    """What can be written down of a payment, before it was heard of and afterwards."""

    @abstractmethod
    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> PaymentTurns:
        """Give turns that end with another one."""

    def pays(self) -> PaymentTurns:
        """Pay what the app has asked the customer for.

        Awaiting raises AssertionError where it asked for nothing, or the payment has come to another end before.
        """
        return self._then(called("pays"), Payment.pay)

    def succeeds(self) -> PaymentTurns:
        """Have the gateway carry the payment out, whoever pays.

        Awaiting raises AssertionError where it has come to another end before.
        """
        return self._then(called("succeeds"), Payment.decide, PaymentStatus.SUCCESS)

    def fails(self, status: PaymentStatus | PaymentStatusName = PaymentStatus.FAILED) -> PaymentTurns:
        """Have the gateway, or the customer, refuse it.

        Args:
            status: why, such as "insufficient_funds" or "rejected".

        Awaiting raises AssertionError where it has come to another end before.

        Raises:
            ValueError: there is no such status.
        """
        return self._then(called("fails", str(status)), Payment.decide, PaymentStatus(status))


class PaymentTurns(Turns["Payment"], _Paying):
    """A payment to be waited for: ``await phone.expect_payment(Cash("KES", 100)).pays()``.

    Made by ``phone.expect_payment()`` and by a payment's methods. Awaiting gives the :class:`Payment`.
    """

    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> PaymentTurns:
        return self.then(words, step, *arguments)


class Payment(_Paying):
    """A payment that the gateway was told of. Made by awaiting ``phone.expect_payment()``, and by ``phone.pay()``.

    Attributes:
        value: how much.
        transaction_id: Elarian's id of it; of a payment that the customer made unasked the gateway's own.
        is_checkout: whether it asks the customer to pay; otherwise the money goes to them, or comes unasked.
    """

    def __init__(self, line: Line, value: Cash, transaction_id: str, *, is_checkout: bool) -> None:
        self.value = value
        self.transaction_id = transaction_id
        self.is_checkout = is_checkout
        self._line = line

    def __repr__(self) -> str:
        """Say how much, and in which direction."""
        return f"<Payment {money(self.value)} {self.transaction_id}{' asked for' if self.is_checkout else ''}>"

    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> PaymentTurns:
        return PaymentTurns(self._line.stage, already(self), "payment").then(words, step, *arguments)

    # The turns.

    async def pay(self) -> None:
        """See :meth:`pays`."""
        __tracebackhide__ = True
        if not self.is_checkout:
            raise self._line.blame(
                f"{self._line.number} was not asked to pay {money(self.value)}; succeeds() is for payouts"
            )
        await self.decide(PaymentStatus.SUCCESS)

    async def decide(self, status: PaymentStatus) -> None:
        """See :meth:`succeeds` and :meth:`fails`."""
        __tracebackhide__ = True
        deed = f"{self._line.number} {money(self.value)} {status}"
        simulator = self._line.exchange.simulator
        await self._line.ask(deed, partial(simulator.update_payment_status, self.transaction_id, status))
