"""What the user's code is handed: a notification, and the means to answer it once.

Subscriptions and handlers hand deliveries out. Below is what they ask of whatever takes their :mod:`.answers`: the
inbox, which sends them, unless a delivery was made by hand.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from elarian_trio._inbox.answers import UNSET, Unset
from elarian_trio._inbox.loops import present_loop
from elarian_trio.errors import LocalProtocolError
from elarian_trio.models.checks import check_str
from elarian_trio.models.messaging import Message, UssdMenu
from elarian_trio.models.model import Model
from elarian_trio.models.notifications import (
    AnyNotification,
    AppDataUpdate,
    NotificationReply,
    UssdSessionNotification,
    VoiceCallNotification,
)
from elarian_trio.models.simulator import SimulatorNotification
from elarian_trio.models.voice import Say
from elarian_trio.options import JsonSerializer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from elarian_trio._inbox.answers import Answers
    from elarian_trio._inbox.loops import Loop
    from elarian_trio.customer import Customer
    from elarian_trio.models.messaging import MessageBody, Sendable
    from elarian_trio.options import Serializer

__all__ = ["Delivery"]

N = TypeVar("N", bound=AnyNotification, covariant=True, default=AnyNotification)


class Delivery(Generic[N]):
    """One notification in the user's hands. Made by subscriptions and for handlers; by hand for unit tests.

    It is answered once: by :meth:`reply`, by :meth:`reject`, or by leaving ``async with delivery:``, which sends the
    default answer, or ERROR[APPLICATION_ERROR] with the class's name if an error left the block. Until it has left its
    block (or, if it never entered one, until it is answered or its time is up) no other notification of the same
    customer reaches the app.

    Args:
        notification: the notification.
        customer: its customer; ``None`` where it has none.
        app_data: the app's data on the customer, as a value.
        raw: the bytes it came in.
        stored: the app's data as the server stores it, in place of ``app_data``.
        answers: where answers go; a delivery made by hand keeps them, see :attr:`answer` and :attr:`rejection`.
        serializer: turns app data into what is stored.
        customer_of: makes the customer once somebody asks, in place of ``customer``.

    Attributes:
        answer: what :meth:`reply` answered; if made by hand, also the default answer on leaving; ``None`` else.
        rejection: the words of :meth:`reject`; if made by hand, also the class's name of the error that left the block;
            ``None`` else.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "_app_data",
        "_customer",
        "_customer_of",
        "_notification",
        "_raw",
        "_serializer",
        "_stored",
        "answer",
        "rejection",
    )

    def __init__(
        self,
        notification: N,
        customer: Customer | None = None,
        app_data: Any = None,  # noqa: ANN401 - the user's own value
        raw: bytes = b"",
        stored: str | bytes | None = None,
        answers: Answers | None = None,
        serializer: Serializer | None = None,
        customer_of: Callable[[AnyNotification], Customer | None] | None = None,
    ) -> None:
        self._notification = notification
        self._raw = raw
        self.answer: NotificationReply | None = None
        self.rejection: str | None = None
        self._customer = customer
        self._customer_of = customer_of  # until somebody asks for the customer
        self._serializer = serializer or JsonSerializer()
        self._app_data = app_data
        self._stored = stored  # until somebody asks for the value
        self._answers: Answers = answers or _Kept(self, self._serializer)

    def __repr__(self) -> str:
        """Name the notification's class; it may hold what a customer wrote."""
        return f"<Delivery of {type(self.notification).__name__}, {'answered' if self.answered else 'unanswered'}>"

    @property
    def notification(self) -> N:
        """The notification."""
        return self._notification

    @property
    def raw(self) -> bytes:
        """The bytes it came in."""
        return self._raw

    @property
    def answered(self) -> bool:
        """Whether :meth:`reply` or :meth:`reject` answered it; if made by hand, also whether its block was left."""
        return self.answer is not None or self.rejection is not None

    @property
    def customer(self) -> Customer:
        """The customer it is about.

        Raises:
            LookupError: it names none, as one about a purse, or one that came to a simulator.
        """
        customer = self.customer_or_none
        if customer is None:
            msg = f"this {type(self.notification).__name__} has no customer"
            raise LookupError(msg)
        return customer

    @property
    def customer_or_none(self) -> Customer | None:
        """The customer it is about, or ``None``."""
        if self._customer_of is not None:
            self._customer, self._customer_of = self._customer_of(self._notification), None
        return self._customer

    @property
    def app_data(self) -> Any:  # noqa: ANN401 - the user's own value
        """The app's data on the customer as it was when the notification was sent; ``None`` for nothing."""
        if self._stored is not None:
            self._app_data, self._stored = self._serializer.loads(self._stored), None
        return self._app_data

    @property
    def event(self) -> str:
        """The specification's name of the event, such as ``receivedSms``."""
        return self.notification.event

    @property
    def deadline(self) -> float:
        """Until when an answer counts: seconds on the clock of ``anyio.current_time()``."""
        return self._answers.deadline

    @property
    def key(self) -> str:
        """A name that stays the same when the server delivers the notification again, for the app's own idempotence."""
        return key_of(self.notification, self.raw)

    async def reply(
        self,
        message: Sendable | None = None,
        *,
        app_data: Any = UNSET,  # noqa: ANN401 - the user's own value
    ) -> None:
        """Answer. The answer is handed to the connection; nobody confirms it.

        Waits for nothing but a checkpoint.

        Args:
            message: the menu of a USSD session, the actions of a call, or a message to the customer. A ``str`` is a
                menu on USSD, and spoken on a call.
            app_data: the app's new data on the customer, ``None`` to delete it. Left out, the value that came is sent
                back, which releases the server's lease on it; unless this client changed it meanwhile.

        Raises:
            ValueError: the message or data cannot be sent, or a simulator answers with one.
            DeliveryExpired: its time was up, and the default answer went out.
            ConnectionLost: the session it came by is over; the server will deliver it again.
            ConnectionClosed: the client's block was left.
            LocalProtocolError: it was answered before, or it is an observer's copy.
            RuntimeError: this is not the thread of the client's block; ``anyio.from_thread.run()`` leads there.

        Cancellation:
            Always a checkpoint, before anything is sent: cancelled, it is still unanswered.
        """
        whole, update = self._check(message, app_data)
        await self._answers.loop.checkpoint()
        self._send(whole, update)

    def reply_nowait(
        self,
        message: Sendable | None = None,
        app_data: Any = UNSET,  # noqa: ANN401 - the user's own value
    ) -> None:
        """Answer at once; see :meth:`reply`."""
        self._send(*self._check(message, app_data))

    async def reject(self, reason: str) -> None:
        """Answer that the app failed on it: the server may deliver it again.

        Waits for nothing but a checkpoint.

        Args:
            reason: sent to the server as it is.

        Raises:
            DeliveryExpired: its time was up, and the default answer went out.
            ConnectionLost: the session it came by is over; the server will deliver it again.
            ConnectionClosed: the client's block was left.
            LocalProtocolError: it was answered before, or it is an observer's copy.
            RuntimeError: this is not the thread of the client's block; ``anyio.from_thread.run()`` leads there.
            ValueError: UTF-8 cannot carry the reason.
            TypeError: it is no str.

        Cancellation:
            Always a checkpoint, before anything is sent: cancelled, it is still unanswered.
        """
        check_str("reason", reason)
        await self._answers.loop.checkpoint()
        self._answers.reject(reason)
        self.rejection = reason

    async def __aenter__(self) -> Self:
        """Say where the work on it begins. Cancelled by then, it is answered as if the block had failed.

        Others do not run meanwhile: who receives deliveries, or runs handlers, lets them at each.

        Raises:
            RuntimeError: this is not the thread of the client's block; ``anyio.from_thread.run()`` leads there.
        """
        self._answers.enter()
        try:
            await self._answers.loop.checkpoint_if_cancelled()
        except BaseException as error:
            self._answers.leave(error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer what was left unanswered, and let the customer's next notification through.

        An error becomes ERROR[APPLICATION_ERROR] with its class's name, and then propagates. No checkpoint: whoever
        takes the next delivery makes one.
        """
        self._answers.leave(error)

    def begin(self) -> None:
        """For handlers: what ``async with`` does on entering, without the checkpoint."""
        self._answers.enter()

    def end(self, error: BaseException | None) -> None:
        """For handlers: what ``async with`` does on leaving."""
        self._answers.leave(error)

    def _check(self, message: Sendable | None, app_data: object) -> tuple[Message | None, AppDataUpdate | Unset]:
        """Make an answer's parts, but for the default of the app's data, which is decided when it is sent."""
        if isinstance(self.notification, SimulatorNotification) and (
            message is not None or app_data not in (UNSET, None)
        ):
            msg = "a simulator's answer carries neither a message nor app data"
            raise ValueError(msg)
        update: AppDataUpdate | Unset = UNSET
        if app_data is not UNSET:
            update = AppDataUpdate(None if app_data is None else self._serializer.dumps(app_data))
        return self._to_message(message), update

    def _to_message(self, message: Sendable | None) -> Message | None:
        if message is None:
            return None
        whole = Message.of(message)
        spoken = _PLAIN_TEXT.get(type(self.notification))
        if spoken is not None and isinstance(whole.body, str):
            return replace(whole, body=spoken(whole.body))
        return whole

    def _send(self, message: Message | None, update: AppDataUpdate | Unset) -> None:
        chosen = self._answers.default_update() if isinstance(update, Unset) else update
        answer = NotificationReply(data_update=chosen, message=message)
        self._answers.reply(answer)
        self.answer = answer


_PLAIN_TEXT: Mapping[type, Callable[[str], MessageBody]] = {
    UssdSessionNotification: UssdMenu,
    VoiceCallNotification: lambda text: (Say(text),),
}
"""What plain text is on the channels that know no plain text."""


class _Kept:
    """Where the answer of a delivery made by hand goes: it stays with the delivery."""

    deadline = math.inf

    def __init__(self, delivery: Delivery[Any], serializer: Serializer) -> None:
        self._delivery = delivery
        self._serializer = serializer

    @property
    def loop(self) -> Loop:
        return present_loop()

    def default_update(self) -> AppDataUpdate | None:
        value = self._delivery.app_data
        return None if value is None else AppDataUpdate(self._serializer.dumps(value))

    def reply(self, reply: NotificationReply) -> None:
        del reply
        self._require_unanswered()

    def reject(self, reason: str) -> None:
        del reason
        self._require_unanswered()

    def _require_unanswered(self) -> None:
        if self._delivery.answered:
            msg = "this delivery was answered before"
            raise LocalProtocolError(msg)

    def enter(self) -> None:
        """Nothing is in anybody's way."""

    def leave(self, error: BaseException | None) -> None:
        if self._delivery.answered:
            return
        if error is not None:
            self._delivery.rejection = type(error).__name__
        else:
            self._delivery.answer = NotificationReply(data_update=self.default_update())


def key_of(notification: AnyNotification, raw: bytes = b"") -> str:
    """Name *notification* by its event and the ids that stay the same when it is delivered again."""
    fields = notification.key_fields
    if not fields:
        return f"{notification.event}:{hashlib.sha256(raw).hexdigest()}"
    return ":".join([notification.event, *(_key_part(getattr(notification, name)) for name in fields)])


def _key_part(value: object) -> str:
    if isinstance(value, Model):
        return json.dumps(value.to_json(), sort_keys=True, separators=(",", ":"))
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)
