"""One scripted session, cut at every byte of it, each way; and its resumption, cut at every byte of that.

The script is short and does what sessions do: pipelined messages, frames in fragments, payments, notifications while
commands are under way. Everything must arrive once and every command be answered, wherever the cut falls.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from faulty import FaultNetwork, Kind, Plan, Way, cut, first_of
from figures import say, sized

from elarian_trio import (
    Backoff,
    Cash,
    ConnectionOptions,
    Elarian,
    MessagingChannel,
    Purse,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
    Wallet,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from faulty import Fault, Record

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

BOUND = 30.0  # seconds that one run may take; it takes a hundredth of one
SMS = MessagingChannel.sms("83044")
CUSTOMERS = ("+254700000001", "+254700000002")
OPTIONS = ConnectionOptions(
    reconnect=Backoff(first=0.0, base=0.001, jitter=0.0), resume="require", fragment_size=64, notification_timeout=60.0
)
LONG = " which is a little longer than one frame is wont to be, so that it comes in several"
STRIDE = sized(smoke=97, ci=1, soak=1)
OTHERS = sized(smoke=197, ci=11, soak=1)  # the same for connections that end in other ways
BEHIND = 400  # bytes of a resumed connection that are cut: RESUME, RESUME_OK, and what is sent again behind them
HANDSHAKE = {Way.UP: 63, Way.DOWN: 17}  # bytes of RESUME, whose token has 32, and of RESUME_OK; both with their length
FIRST = [cut("up", 400), cut("down", 700)]  # in the middle of things


class Place:
    """A sandbox and a phone, which last; an app comes and goes for each run."""

    def __init__(self, sandbox: Sandbox, phone: Simulator) -> None:
        self.sandbox = sandbox
        self.phone = phone
        self.wallet = Wallet("", "")
        self.heard: Counter[str] = Counter()
        self.changed = anyio.Event()
        self.runs = 0

    async def listen(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Hear what reaches the phone."""
        async with self.phone.notifications(SendMessageSimulatorNotification, max_buffer_size=1024) as inbox:
            task_status.started()
            async for delivery in inbox:
                async with delivery:
                    self.note(str(delivery.notification.message.body))

    def note(self, text: str) -> None:
        """Remember what was heard, and wake who waits for it."""
        self.heard[text] += 1
        self.changed.set()
        self.changed = anyio.Event()

    async def run(self, faults: Iterable[Fault | None], *, loud: bool = True) -> Record:
        """Play the script once, over connections with these faults, one each."""
        plans = [
            Plan(number, () if fault is None else (fault,), loud=loud, pieces=(1, 5) if number % 2 else ())
            for number, fault in enumerate(faults)
        ]
        self.runs += 1
        dial = self.sandbox.credentials["dial"]
        with anyio.fail_after(BOUND):
            async with FaultNetwork(dial, first_of(*plans)) as network:
                try:
                    await self._play(network, f"run {self.runs}")
                except BaseException as error:
                    error.add_note(f"the plan was {'; '.join(map(str, plans))}, loud={loud}; {network.record}")
                    raise
        return network.record

    async def _play(self, network: FaultNetwork, run: str) -> None:
        before = self.sandbox.purse_balance()
        async with (
            Elarian(**{**self.sandbox.credentials, "dial": network.dial}, options=OPTIONS) as app,
            app.notifications(ReceivedSmsNotification) as inbox,
        ):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen_in_the_app, inbox, f"{run} back", 4)
                for customer in CUSTOMERS:
                    tasks.start_soon(self._talk, app, customer, run)
                tasks.start_soon(self._pay, app)
            wanted = Counter(f"{run} {customer} {number}" for customer in CUSTOMERS for number in (1, 2))
            wanted += Counter(f"{run} back {customer} {number}" for customer in CUSTOMERS for number in (1, 2))
            while sum(times for text, times in self.heard.items() if text.startswith(run)) < sum(wanted.values()):
                await self.changed.wait()
            await app.ping()
        heard, self.heard = {text: times for text, times in self.heard.items() if text.startswith(run)}, Counter()
        assert heard == wanted
        assert before - self.sandbox.purse_balance() == 1
        assert app.statistics().sessions_lost == 0

    async def _talk(self, app: Elarian, customer: str, run: str) -> None:
        """Say two things and hear two: those of a customer come in their order."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._answer, customer, run)
            await app.customer(customer).send_message(SMS, f"{run} {customer} 1")
            await app.customer(customer).send_message(SMS, f"{run} {customer} 2")

    async def _answer(self, customer: str, run: str) -> None:
        for number in (1, 2):
            await self.phone.receive_message(customer, SMS, None, [f"{run} back {customer} {number}"])

    async def _pay(self, app: Elarian) -> None:
        reply = await app.initiate_payment(Purse(self.sandbox.purse_id), self.wallet, Cash("KES", 1), LONG)
        assert reply.status == "success"

    async def _listen_in_the_app(self, inbox: Any, start: str, expected: int) -> None:  # noqa: ANN401
        last: Counter[str] = Counter()
        async for delivery in inbox:
            async with delivery:
                text = delivery.notification.text
            assert text.startswith(start), f"{text} is no part of {start}"
            _, customer, number = text.rsplit(" ", 2)
            last[customer] += 1
            assert last[customer] == int(number), f"{text} came out of order"
            self.note(text)
            expected -= 1
            if not expected:
                break


@asynccontextmanager
async def a_place() -> AsyncGenerator[Place]:
    """Open what lasts."""
    async with (
        Sandbox(clock="manual", seed=1) as sandbox,
        Simulator(**sandbox.credentials) as phone,
        anyio.create_task_group() as tasks,
    ):
        place = Place(sandbox, phone)
        await tasks.start(place.listen)
        async with Elarian(**sandbox.credentials) as app:
            state = await app.customer("+254700009999").get_state()
        place.wallet = Wallet(state.customer_id, "script")
        yield place
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("kind", "stride"), [(Kind.CUT, STRIDE), (Kind.VANISH, OTHERS), (Kind.END, OTHERS)], ids=["cut", "vanish", "end"]
)
@pytest.mark.parametrize("way", list(Way))
async def test_session_survives_a_cut_at_every_byte(way: Way, kind: Kind, stride: int, anyio_backend: str) -> None:
    """Promise 1 of the design: there is no byte at which a cut does harm."""
    began = time.perf_counter()
    async with a_place() as place:
        for at in count(0, stride):
            record = await place.run([cut(way, at, kind)], loud=bool(at % 2))
            if not record.cuts:
                break
        say(
            f"every byte, {anyio_backend}: a {kind} at each {stride}. byte {way}, up to byte {at}: {place.runs} runs, "
            f"all whole; {time.perf_counter() - began:.0f} s"
        )


@pytest.mark.parametrize("way", list(Way))
async def test_resumption_survives_a_cut_at_every_byte(way: Way, anyio_backend: str) -> None:
    """Promise 1 of the design: RESUME, RESUME_OK and the replay behind them may be cut as well; the next one serves."""
    began = time.perf_counter()
    async with a_place() as place:
        for first in FIRST:
            for at in range(0, BEHIND, STRIDE):
                record = await place.run([first, cut(way, at)], loud=bool(at % 2))
                if record.cuts < 2:
                    assert at > HANDSHAKE[way]
                    break
        say(
            f"every byte, {anyio_backend}: resumption after a {' or a '.join(map(str, FIRST))}, cut at each {STRIDE}. "
            f"byte {way}, up to byte {BEHIND} or the end: {place.runs} runs, all whole; "
            f"{time.perf_counter() - began:.0f} s"
        )


@pytest.mark.parametrize("second", list(Way))
@pytest.mark.parametrize("first", list(Way))
async def test_every_cut_crossed_with_every_cut_of_the_resumption(first: Way, second: Way, anyio_backend: str) -> None:
    """Promise 1 of the design: whatever was under way at the first cut, the second finds no weak byte either."""
    began = time.perf_counter()
    early, late = sized(smoke=(600, 39), ci=(101, 7), soak=(1, 1))
    async with a_place() as place:
        for at in count(0, early):
            for then in range(0, HANDSHAKE[second] + 1, late):
                record = await place.run([cut(first, at), cut(second, then)], loud=bool(then % 2))
            if not record.cuts:
                break
        say(
            f"every byte, {anyio_backend}: a cut at each {early}. byte {first}, crossed with one at each {late}. byte "
            f"{second} of the resumption: {place.runs} runs, all whole; {time.perf_counter() - began:.0f} s"
        )
