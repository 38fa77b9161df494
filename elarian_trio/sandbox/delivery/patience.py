"""How long an answer is waited for, and when a silence counts as one.

The route stands above; below are the clock and what a connection can tell of whether it carried anything.

A silence is an answer only of an app that was asked. Where the connection may have carried nothing, and nobody knows
yet that it is cut, it is waited for longer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.delivery.parcel import Parcel

__all__ = ["ANSWER_TIMEOUT", "HOP_TIMEOUT", "await_answer"]

ANSWER_TIMEOUT = 30.0  # seconds an app has for its answer
ARRIVAL_TIMEOUT = 15.0  # seconds of real time in which a live client's KEEPALIVE, every 10 s, tells what it received
HOP_TIMEOUT = 20.0  # the same where a customer waits at the phone; SDKs' own 15 s end first


def await_answer(clock: Clock, parcel: Parcel, hear: Callable[[None], None], *, is_last: bool = False) -> None:
    """Have *hear* called with ``None`` once whoever was asked has been silent for too long.

    That is the timer of *parcel* until then; who hears an answer before stops it.
    """
    timeout = ANSWER_TIMEOUT if parcel.hop is None else HOP_TIMEOUT
    stop = partial(_stop_waiting, clock, parcel, hear, since=anyio.current_time(), is_last=is_last)
    parcel.timer = clock.call_later(timeout, stop, after_advance=True)


def _stop_waiting(clock: Clock, parcel: Parcel, hear: Callable[[None], None], *, since: float, is_last: bool) -> None:
    """Count a silence as an empty answer; not that of a connection, which may not have carried the question.

    Whoever was heard but does not acknowledge is waited for once more: the question is lost on its way, and the
    client will notice; or it is a client that acknowledges nothing. Whoever was not heard at all is waited for
    until he is heard or lost, which the lifetime bounds: it may be more than twice the time-out, and sessions that
    cannot be resumed have nothing but that.
    """
    listener, question = parcel.listener, parcel.question
    if listener is None or question is None:  # nobody is asked any more
        return
    if parcel.hop is None:
        if listener.is_deaf_for(ANSWER_TIMEOUT):
            await_answer(clock, parcel, hear, is_last=is_last)
            return
        # A manual clock that leaps leaves nobody the time to acknowledge; that is no sign of loss.
        could_tell = anyio.current_time() - since >= ARRIVAL_TIMEOUT
        if could_tell and not (is_last or question.was_received()):
            await_answer(clock, parcel, hear, is_last=True)
            return
    question.call_off()
    hear(None)
