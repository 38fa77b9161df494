"""Ledgers: the balances of purses and wallets, and the five ways in which money moves on one.

:mod:`.payments`, :mod:`.settlement` and :mod:`.replay_payments` stand on this. Below are the entities and the unit of
work. What is to leave for the outside is held first and spent once the gateway says so; everything else moves at once.
Sums are exact: money is never a float in here, and a sum that the wire's double would change is declined.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio.models.payments import Cash, PaymentBalance, PaymentStatus, PendingPaymentTransaction, Purse, Wallet
from elarian_trio.sandbox.world.addresses import payments_of, survivor
from elarian_trio.sandbox.world.entities import PurseKey
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.world.entities import PurseRecord
    from elarian_trio.sandbox.world.work import Work

Ledger: TypeAlias = Purse | Wallet

MAX_DECIMALS = 4  # more are no money anywhere, and would not survive sums of doubles

_EXACT = Context(prec=400)  # digits enough to add any two doubles that have four decimals


class Declined(Refusal):
    """Money cannot move like that; a refusal with a status for payments.

    Attributes:
        status: what a payment that asks for it is answered with.
    """

    def __init__(self, status: PaymentStatus, description: str) -> None:
        super().__init__(description)
        self.status = status


def check_value(value: Cash) -> None:
    """See that an amount is one.

    Raises:
        Declined: there is no currency, or the amount is not above zero or has too many decimals.
    """
    code = value.currency_code
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        msg = f"the currency {code!r} is none; give its three letters, such as KES"
        raise Declined(PaymentStatus.INVALID_REQUEST, msg)
    if value.amount <= 0:
        msg = f"the amount {value.amount} is not above zero; to pay the other way, swap the parties"
        raise Declined(PaymentStatus.INVALID_REQUEST, msg)
    exponent = value.amount.normalize(_EXACT).as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MAX_DECIMALS:
        msg = f"the amount {value.amount} has more than {MAX_DECIMALS} decimals; round it"
        raise Declined(PaymentStatus.INVALID_REQUEST, msg)


# --- what happens on one balance; each grows its sequence number by one ---


def empty(currency_code: str) -> PaymentBalance:
    """Give the balance of what holds nothing yet."""
    nothing = Cash(currency_code, 0)
    return PaymentBalance(currency_code=currency_code, available=nothing, actual=nothing)


def credited(balance: PaymentBalance, value: Cash) -> PaymentBalance:
    """Money came in."""
    return _moved(balance, available=value.amount, actual=value.amount)


def debited(balance: PaymentBalance, value: Cash) -> PaymentBalance:
    """Money went to another ledger."""
    _check_funds(balance, value)
    return _moved(balance, available=-value.amount, actual=-value.amount)


def held(
    balance: PaymentBalance, transaction_id: str, pending: PendingPaymentTransaction, value: Cash
) -> PaymentBalance:
    """Money is on its way out: it cannot be spent again, but is still there."""
    _check_funds(balance, value)
    moved = _moved(balance, available=-value.amount)
    return replace(moved, pending={**balance.pending, transaction_id: pending})


def spent(balance: PaymentBalance, transaction_id: str) -> PaymentBalance:
    """Money that was held has left."""
    return replace(
        _moved(balance, actual=-_held_amount(balance, transaction_id)), pending=_without(balance, transaction_id)
    )


def released(balance: PaymentBalance, transaction_id: str) -> PaymentBalance:
    """Money that was held has not left."""
    return replace(
        _moved(balance, available=_held_amount(balance, transaction_id)), pending=_without(balance, transaction_id)
    )


def _check_funds(balance: PaymentBalance, value: Cash) -> None:
    there = amount_of(balance.available)
    if there < value.amount:
        msg = f"{there} {balance.currency_code} are available, {value.amount} are needed"
        raise Declined(PaymentStatus.INSUFFICIENT_FUNDS, msg)


def amount_of(cash: Cash | None) -> Decimal:
    """Give an amount; what is not given is nothing."""
    return Decimal(0) if cash is None else cash.amount


def _held_amount(balance: PaymentBalance, transaction_id: str) -> Decimal:
    return amount_of(balance.pending[transaction_id].value)


def _without(balance: PaymentBalance, transaction_id: str) -> dict[str, PendingPaymentTransaction]:
    return {each: pending for each, pending in balance.pending.items() if each != transaction_id}


def _moved(balance: PaymentBalance, *, available: Decimal = Decimal(0), actual: Decimal = Decimal(0)) -> PaymentBalance:
    return replace(
        balance,
        available=_sum(balance.currency_code, balance.available, available),
        actual=_sum(balance.currency_code, balance.actual, actual),
        sequence_nr=balance.sequence_nr + 1,
    )


def _sum(currency_code: str, cash: Cash | None, by: Decimal) -> Cash:
    try:
        return Cash(currency_code, _EXACT.add(amount_of(cash), by))
    except ValueError:
        msg = f"the {currency_code} balance would have more digits than the wire carries; keep it below 10 billion"
        raise Declined(PaymentStatus.INVALID_REQUEST, msg) from None


# --- where the balances are ---


def check_currency(work: Work, ledger: Ledger, currency_code: str) -> None:
    """See that a ledger can hold money of a currency; a purse holds any, a wallet that of its first credit.

    Raises:
        Declined: it cannot, or there is no such ledger.
    """
    _balance(work, ledger, currency_code)


def pay_in(work: Work, ledger: Ledger, value: Cash) -> None:
    """Put money on a ledger; a wallet is made by its first credit, in that one's currency.

    Raises:
        Declined: there is no such purse, the wallet is in another currency, or its customer was deleted.
    """
    _change(work, ledger, value.currency_code, lambda balance: credited(balance, value))


def pay_out(work: Work, ledger: Ledger, value: Cash) -> None:
    """Take money off a ledger at once.

    Raises:
        Declined: there is not enough of it, or no such ledger.
    """
    _change(work, ledger, value.currency_code, lambda balance: debited(balance, value))


def hold(work: Work, ledger: Ledger, transaction_id: str, value: Cash) -> None:
    """Set money of a ledger aside for a transaction.

    Raises:
        Declined: there is not enough of it, or no such ledger.
    """
    pending = PendingPaymentTransaction(created_at=work.now, value=value)
    _change(work, ledger, value.currency_code, lambda balance: held(balance, transaction_id, pending, value))


def spend(work: Work, ledger: Ledger, transaction_id: str, value: Cash) -> None:
    """Let the money that was set aside for a transaction leave; nothing happens if it is there no more."""
    if _is_held(work, ledger, transaction_id, value):
        _change(work, ledger, value.currency_code, lambda balance: spent(balance, transaction_id))


def release(work: Work, ledger: Ledger, transaction_id: str, value: Cash) -> None:
    """Give back what was set aside for a transaction; nothing happens if it is there no more."""
    if _is_held(work, ledger, transaction_id, value):
        _change(work, ledger, value.currency_code, lambda balance: released(balance, transaction_id))


def _is_held(work: Work, ledger: Ledger, transaction_id: str, value: Cash) -> bool:
    """A wallet goes with its customer, and the money in it; then nothing is left to see to."""
    if isinstance(ledger, Wallet) and survivor(work, ledger.customer_id) is None:
        return False
    return transaction_id in _balance(work, ledger, value.currency_code).pending


def _balance(work: Work, ledger: Ledger, currency_code: str) -> PaymentBalance:
    if isinstance(ledger, Purse):
        return purse(work, ledger).balances.get(currency_code) or empty(currency_code)
    wallets = payments_of(work, _owner(work, ledger)).wallets
    found = wallets.get(ledger.wallet_id) or empty(currency_code)
    if found.currency_code != currency_code:
        msg = f"the wallet {ledger.wallet_id!r} is in {found.currency_code}, not {currency_code}; use another wallet"
        raise Declined(PaymentStatus.INVALID_REQUEST, msg)
    return found


def _change(work: Work, ledger: Ledger, currency_code: str, change: Callable[[PaymentBalance], PaymentBalance]) -> None:
    balance = change(_balance(work, ledger, currency_code))
    if isinstance(ledger, Purse):
        found = purse(work, ledger)
        work.put(replace(found, balances={**found.balances, currency_code: balance}))
    else:
        record = payments_of(work, _owner(work, ledger))
        work.put(replace(record, wallets={**record.wallets, ledger.wallet_id: balance}))


def purse(work: Work, ledger: Purse) -> PurseRecord:
    """Give a purse.

    Raises:
        Declined: there is none such.
    """
    found = work.get(PurseKey(work.org_id, ledger.purse_id))
    if found is None:
        msg = f"the organisation has no purse {ledger.purse_id!r}; use one that it has"
        raise Declined(PaymentStatus.INVALID_PURSE, msg)
    return found


def _owner(work: Work, ledger: Wallet) -> str:
    customer = survivor(work, ledger.customer_id)
    if customer is None:
        msg = f"no customer has the id {ledger.customer_id!r}, so there is no such wallet"
        raise Declined(PaymentStatus.INVALID_COUNTER_PARTY, msg)
    return customer.customer_id
