"""What provoked failures make of moments that a whole sandbox seldom has: lost, called off or broken meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from elarian_trio._session import IncomingRequest, Question, StreamFailed
from elarian_trio._wire.envelopes import encode_command, encode_notification
from elarian_trio.errors import ConnectionLost
from elarian_trio.models.commands import GenerateAuthToken
from elarian_trio.models.messaging import MessageDeliveryStatus
from elarian_trio.models.notifications import MessageStatusNotification
from elarian_trio.sandbox import Fault, Faults, ManualClock
from elarian_trio.sandbox.provoked import Provoked

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._session import Session
    from elarian_trio.models.identity import CustomerNumber, SecondaryId

pytestmark = pytest.mark.anyio

TELLING = encode_notification(MessageStatusNotification(message_id="it", status=MessageDeliveryStatus.SENT))
both = pytest.mark.parametrize("make", [Fault.drop, Fault.end_session], ids=["drop", "end"])


class FakeSession:
    """A session that notes what is done to it, and whose peer the test plays."""

    def __init__(self) -> None:
        self.usable = True
        self.done: list[str] = []
        self.then: Callable[[Any], None] | None = None
        self.acknowledges = False
        self.answers: list[bytes | StreamFailed] = []

    def ask(self, data: bytes, then: Callable[[Any], None]) -> Question:
        assert data == TELLING
        self.done.append("ask")
        self.then = then
        return Question(lambda: self.done.append("call off"), lambda: self.acknowledges)

    def release(self) -> None:
        self.done.append("release")

    def close(self, code: int, message: str) -> None:
        del message
        self.done.append(f"close {code:#x}")

    def answer(self, stream_id: int, answer: bytes | StreamFailed) -> bool:
        assert stream_id == 5
        self.answers.append(answer)
        return True

    def repeat(self, stream_id: int, data: bytes) -> None:
        self.done.append(f"repeat {data!r} on {stream_id}")


class Scene:
    """One client of a server whose every answer the test gives.

    Attributes:
        outcomes: what became of notifications.
        answers: what commands were answered with.
    """

    is_simulator = False

    def __init__(self, fault: Fault) -> None:
        self.session = FakeSession()
        self.clock = ManualClock()
        faults = Faults()
        faults.add(fault)
        self.provoked = Provoked(self, cast("Session", self.session), faults, self.clock)
        self.executed: list[IncomingRequest] = []
        self.is_broken = False
        self.outcomes: list[object] = []
        self.answers = self.session.answers

    def execute(self, request: IncomingRequest) -> None:
        self.executed.append(request)
        if self.is_broken:
            raise LookupError("a secret number")

    def numbers_of(self, customer: str | SecondaryId) -> tuple[CustomerNumber, ...]:
        del customer
        return ()

    def tell(self) -> Question:
        return self.provoked.ask(TELLING, self.outcomes.append)

    def command(self) -> IncomingRequest:
        request = IncomingRequest(cast("Session", self.session), encode_command(GenerateAuthToken()), None, stream_id=5)
        self.provoked.handle(request)
        return request

    async def pass_time(self, seconds: float = 0.0) -> None:
        await self.clock.advance(timedelta(seconds=seconds))


# --- notifications ---


@both
async def test_what_is_called_off_before_its_cut_is_never_sent(make: Callable[[], Fault]) -> None:
    """This SDK: nobody waits for it any more, so nothing goes wrong with it."""
    scene = Scene(make())
    question = scene.tell()
    assert not question.was_received()
    question.call_off()
    await scene.pass_time()
    assert (scene.session.done, scene.outcomes) == ([], [])


@both
async def test_a_session_that_ends_before_its_cut_loses_the_notification_unsent(make: Callable[[], Fault]) -> None:
    """The design's promise 1: it is told to somebody else."""
    scene = Scene(make())
    scene.tell()
    scene.session.usable = False
    assert scene.outcomes == []
    await scene.pass_time()
    (lost,) = scene.outcomes
    assert isinstance(lost, ConnectionLost)
    assert not lost.sent


@both
async def test_a_session_that_ends_before_the_answer_is_lost_by_itself(make: Callable[..., Fault]) -> None:
    """This SDK: then nothing has to be cut."""
    scene = Scene(make(when="after"))
    scene.tell()
    assert scene.session.then is not None
    lost = ConnectionLost("gone", sent=True)
    scene.session.then(lost)
    assert (scene.session.done, scene.outcomes) == (["ask"], [lost])


async def test_who_stops_waiting_while_an_answer_is_kept_is_not_told_of_it() -> None:
    """Facts, decision 15: the silence was counted as an empty answer; the real one comes too late."""
    scene = Scene(Fault.drop(when="after"))
    question = scene.tell()
    assert scene.session.then is not None
    scene.session.then(b"yes")
    assert scene.session.done == ["ask", "release"]
    scene.session.acknowledges = True
    assert question.was_received()
    question.call_off()
    scene.provoked.come_back()
    scene.provoked.leave()
    assert scene.outcomes == []


@pytest.mark.parametrize("is_back", [True, False])
async def test_a_kept_answer_counts_once_where_the_client_is_back_and_is_lost_where_not(is_back: bool) -> None:
    """The design's promise 1: what was on its way is repeated by a session that lives, and by no other."""
    scene = Scene(Fault.drop(when="after"))
    scene.tell()
    assert scene.session.then is not None
    scene.session.then(b"yes")
    if is_back:
        scene.provoked.come_back()
    scene.provoked.leave()
    (outcome,) = scene.outcomes
    assert (outcome == b"yes") is is_back
    assert isinstance(outcome, ConnectionLost) is not is_back


# --- commands ---


async def test_a_defect_behind_a_delay_is_an_error_of_that_command_alone() -> None:
    """This SDK: the clock goes on, and no words that may be a user's are told."""
    scene = Scene(Fault.delay(3))
    scene.is_broken = True
    scene.command()
    await scene.pass_time(3)
    (error,) = scene.answers
    assert isinstance(error, StreamFailed)
    assert (error.code, error.message) == (0x201, "LookupError")
    await scene.pass_time(3)


@pytest.mark.parametrize("fault", [Fault.answer_twice(), Fault.delay(3, when="after")], ids=["twice", "late"])
async def test_an_error_is_passed_on_as_it_is(fault: Fault) -> None:
    """The protocol: an ERROR ends its stream; there is no second one."""
    scene = Scene(fault)
    scene.command()
    assert scene.executed[0].fail(0x301, "no")
    await scene.pass_time(3)
    (error,) = scene.answers
    assert isinstance(error, StreamFailed)
    assert (error.code, error.message, scene.session.done) == (0x301, "no", [])


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_command_that_was_given_up_during_its_delay_leaves_no_timer(when: Any) -> None:  # noqa: ANN401
    """The protocol: CANCEL; the server hears of it where it was executed, and knows that nobody waits."""
    scene = Scene(Fault.delay(3, when=when))
    request = scene.command()
    if when == "after":
        scene.executed[0].respond(b"yes")
    request.cancel()
    await scene.pass_time(3)
    assert scene.answers == []
    assert len(scene.executed) == (when == "after")


async def test_a_server_that_answers_when_nobody_waits_is_told_so() -> None:
    """This SDK: a lease is then given to the next one."""
    scene = Scene(Fault.delay(3, when="after"))
    request = scene.command()
    gone: list[bool] = []
    scene.executed[0].on_cancel(lambda: gone.append(True))
    request.cancel()
    assert gone == [True]
    assert not scene.executed[0].respond(b"yes")
