"""A route of the sandbox's delivery with all that is around it: connections, rules and a clock, played by the test.

The tests of delivery stand above.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from elarian_trio._session import Question
from elarian_trio.models.messaging import MessageDeliveryStatus
from elarian_trio.models.notifications import MessageStatusNotification
from elarian_trio.sandbox.clock import ManualClock
from elarian_trio.sandbox.delivery import Activity, Parcel, Route, patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.faults.values import Late

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeListener:
    """A connection whose answers the test gives by hand, in the order in which it was asked.

    Attributes:
        is_deaf: whether nothing at all is heard from it.
        acknowledges: whether it says what it has received.
        late: what is to be late, by its name.
    """

    def __init__(self) -> None:
        self.usable = True
        self.connection_id = "fake"
        self.is_deaf = False
        self.acknowledges = True
        self.asked: list[str] = []
        self.canceled: list[str] = []
        self.late: dict[str, Late] = {}
        self._waiting: dict[str, Callable[[Any], None]] = {}

    def ask(self, data: bytes, then: Callable[[Any], None]) -> Question:
        name = data.decode()
        self.asked.append(name)
        self._waiting[name] = then
        return Question(lambda: self.canceled.append(name), lambda: self.acknowledges)

    def lateness_of(self, notification: Notification | SimulatorNotification) -> Late | None:
        assert isinstance(notification, MessageStatusNotification)
        return self.late.get(notification.message_id)

    def is_deaf_for(self, seconds: float) -> bool:
        assert seconds == patience.ANSWER_TIMEOUT
        return self.is_deaf

    def answer(self, name: str, answer: bytes | Exception = b"ok") -> None:
        self._waiting.pop(name)(answer)


class FakeDesk:
    """The rules' side: one lease, held or free, and a note of everything that is asked of it."""

    def __init__(self) -> None:
        self.lease_is_held = False
        self.waiting: list[Callable[[], None]] = []
        self.answers: list[tuple[str, bytes | None]] = []
        self.put_backs: list[str] = []
        self.unheard_of: list[str] = []
        self.forgotten: list[str] = []
        self.unkept: list[Callable[[bool], None]] | None = None  # what waits for the disk, where there is one
        self.on_put_back: list[Callable[[], None]] = []

    def take_lease(self, parcel: Parcel, then: Callable[[], None]) -> None:
        if self.lease_is_held:
            self.waiting.append(then)
        else:
            then()

    def content(self, parcel: Parcel) -> bytes | None:
        name = name_of(parcel)
        return None if name == "unspeakable" else name.encode()

    def answered(self, parcel: Parcel, data: bytes | None) -> bool:
        if data == b"garbage":
            return False
        self.answers.append((name_of(parcel), data))
        return True

    def put_back(self, parcel: Parcel) -> None:
        self.put_backs.append(name_of(parcel))
        while self.on_put_back:
            self.on_put_back.pop()()

    def unheard(self, parcel: Parcel) -> None:
        self.unheard_of.append(name_of(parcel))

    def once_kept(self, call: Callable[[bool], None]) -> None:
        if self.unkept is None:
            call(True)
        else:
            self.unkept.append(call)

    def forget(self, parcel: Parcel) -> None:
        self.forgotten.append(name_of(parcel))


def name_of(parcel: Parcel) -> str:
    """Give the name that the test gave it."""
    assert isinstance(parcel.notification, MessageStatusNotification)
    return parcel.notification.message_id


def parcel(name: str, customer_id: str | None = "asha", *, hop: str | None = None) -> Parcel:
    """Make a notification to deliver."""
    return Parcel(MessageStatusNotification(message_id=name, status=MessageDeliveryStatus.SENT), customer_id, hop)


class Post:
    """A route with everything around it."""

    def __init__(self) -> None:
        self.desk = FakeDesk()
        self.clock = ManualClock(START)
        self.activity = Activity()
        self.route = Route("the app", self.desk, self.clock, self.activity)

    async def settle(self) -> None:
        for _ in range(50):
            await anyio.lowlevel.checkpoint()

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(timedelta(seconds=seconds))
        await self.settle()


@asynccontextmanager
async def opened_post() -> AsyncIterator[Post]:
    """Give a route, and do not wait for ever."""
    with anyio.fail_after(5):
        yield Post()
