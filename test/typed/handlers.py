"""Read by the type checkers, never run: handlers as users write them, and such as cannot be right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from elarian_trio import (
    AnyNotification,
    Customer,
    Elarian,
    Notification,
    PaymentStatusNotification,
    ReceivedSmsNotification,
    ReceivedWhatsappNotification,
    ReminderNotification,
    Say,
    SendCustomerPaymentSimulatorNotification,
    Simulator,
    UssdMenu,
    UssdSessionNotification,
    VoiceCallNotification,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    import anyio

F = TypeVar("F", bound="Callable[..., Awaitable[None]]")
N = TypeVar("N", bound=Notification)
P = ParamSpec("P")


class Desk:
    """Handlers as methods, and what is told of more than one kind."""

    def __init__(self, app: Elarian) -> None:
        self.heard: list[Notification] = []
        app.on(ReceivedSmsNotification, self.on_sms).on("receivedSms", self.on_sms)
        app.on(PaymentStatusNotification, partial(on_payment, "shop")).on("paymentStatus", partial(on_payment, "shop"))
        app.on(ReminderNotification, self.on_any).on("reminder", self.on_any).on(ReminderNotification, self)
        app.on(ReceivedSmsNotification, self.on_chat).on(ReceivedWhatsappNotification, self.on_chat)
        app.on(VoiceCallNotification, self.on_call).on("voiceCall", self.on_call)

    async def on_sms(
        self,
        notification: ReceivedSmsNotification,
        customer: Customer,
        app_data: dict[str, Any] | None,
        callback: Callable[[str], Awaitable[None]],
    ) -> None:
        await callback(f"{notification.text} of {app_data}")
        await customer.get_state()

    async def on_any(self, notification: Notification, *rest: object) -> None:
        self.heard.append(notification)

    async def on_chat(
        self,
        notification: ReceivedSmsNotification | ReceivedWhatsappNotification,
        customer: Customer | None,
        app_data: object,
        callback: Callable[..., None],
        greeting: str = "Hello",
    ) -> None:
        callback(greeting)

    def on_call(self, notification: VoiceCallNotification, customer: object, app_data: object, callback: Any) -> None:  # noqa: ANN401 - as users may write it
        callback([Say("Hello")])

    def __call__(self, notification: ReminderNotification, *rest: object) -> None:
        self.heard.append(notification)


async def on_payment(
    shop: str,
    notification: PaymentStatusNotification,
    customer: Customer | None,
    app_data: object,
    callback: Callable[..., Awaitable[None]],
) -> None:
    if customer is not None:
        await callback(f"{shop}: {notification.status}")


async def on_purchase(
    notification: SendCustomerPaymentSimulatorNotification, customer: None, app_data: None, callback: object
) -> None:
    raise NotImplementedError


def short_handlers(app: Elarian, phone: Simulator, connected: anyio.Event) -> None:
    app.on(UssdSessionNotification, lambda notification, customer, app_data, reply: reply(notification.input.text))
    app.on("ussdSession", lambda notification, customer, app_data, reply: reply(UssdMenu("Hello")))
    app.on("error", lambda error: print(error)).on("closed", lambda: None).on("connected", connected.set)  # noqa: T201
    app.on("pending", partial(print, "pending"))
    phone.on(SendCustomerPaymentSimulatorNotification, on_purchase)
    phone.on("sendMessage", lambda notification, customer, app_data, reply: reply())


def handlers_in_tables(app: Elarian, desk: Desk, named: Mapping[str, Callable[..., Awaitable[None]]]) -> None:
    for event, handler in named.items():
        app.on(event, handler)
    by_kind: dict[type[AnyNotification], Callable[..., Awaitable[None]]] = {
        ReceivedSmsNotification: desk.on_sms,
        ReceivedWhatsappNotification: desk.on_chat,
    }
    for kind, handler in by_kind.items():
        app.on(kind, handler)
    for kind in (ReceivedSmsNotification, ReceivedWhatsappNotification):
        app.on(kind, desk.on_chat)


def handles(app: Elarian, event: str | type[Notification]) -> Callable[[F], F]:
    def register(handler: F) -> F:
        app.on(event, handler)
        return handler

    return register


def timed(handler: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    async def within(*args: P.args, **kwargs: P.kwargs) -> None:
        await handler(*args, **kwargs)

    return within


class Route(Generic[N]):
    """Handlers of whatever kind it is told."""

    def __init__(self, app: Elarian, kind: type[N]) -> None:
        app.on(kind, self.handle).on(kind, timed(self.handle)).on(kind, partial(self.handle, retries=3))

    async def handle(
        self,
        notification: N,
        customer: Customer | None,
        app_data: object,
        callback: Callable[..., Awaitable[None]],
        *,
        retries: int = 1,
    ) -> None:
        raise NotImplementedError


def handlers_that_others_register(app: Elarian, desk: Desk) -> None:
    handles(app, ReceivedSmsNotification)(desk.on_sms)
    handles(app, "receivedSms")(timed(desk.on_sms))
    app.on(ReceivedSmsNotification, timed(desk.on_sms))
    Route(app, UssdSessionNotification)


async def is_short_of_one(notification: UssdSessionNotification, customer: Customer, app_data: object) -> None:
    raise NotImplementedError


async def only_yields(notification: Notification, *rest: object) -> AsyncIterator[None]:
    yield


def wrong_handlers(app: Elarian, desk: Desk) -> None:
    app.on(UssdSessionNotification, desk.on_sms)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    app.on(UssdSessionNotification, is_short_of_one)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    app.on("ussdSession", is_short_of_one)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    app.on(UssdSessionNotification, only_yields)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    app.on(UssdSessionNotification, lambda n, c, d, reply: reply(n.text))  # type: ignore[attr-defined]  # pyright: ignore
    app.on(Elarian, desk.on_any)  # type: ignore[type-var, arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
