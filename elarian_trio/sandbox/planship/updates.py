"""Tells WebSockets of entitlements: to each the latest state of its customer, when that changes.

The server stands above. A slow listener holds up nobody, and is told of the latest state only: each frame is the whole
of it. What is heard is ignored.
"""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import anyio

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.exchange import NO_REQUEST, Call, json_reply
from elarian_trio.sandbox.planship.rules.entitlements import entitlements_of, next_change
from elarian_trio.sandbox.planship.rules.operations import deal_of
from elarian_trio.sandbox.planship.rules.reading import Refused
from elarian_trio.sandbox.store import Unit
from elarian_trio.sandbox.web_connections import Dropped

if TYPE_CHECKING:
    from collections.abc import Container

    from elarian_trio.sandbox.clock import Timer
    from elarian_trio.sandbox.exchange import WebRequest
    from elarian_trio.sandbox.ground import Ground
    from elarian_trio.sandbox.planship.rules.catalogue import Product
    from elarian_trio.sandbox.planship.rules.service import Deal, Service
    from elarian_trio.sandbox.web_connections import Heard

__all__ = ["Listener", "Listeners"]

OrderKind: TypeAlias = Literal["close", "drop", "send", "state"]

EXPIRED = 1008  # the close codes, D19: of a token that counts no more, and of a server that leaves
LEAVING = 1001
CLOSING = 1.0  # seconds, the loop's, that the other end has for its half of closing

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Order(NamedTuple):
    """What is to be done with a WebSocket: sending a text or the state, closing it with a code, dropping it."""

    kind: OrderKind
    text: str = ""
    code: int = 0


class Listener:
    """One WebSocket. Made by :class:`Listeners`.

    Attributes:
        customer_id: whose entitlements it is told.
        product: of which product.
        known: what it was told last, or what was so when it came.
        timers: what falls due for it.
    """

    def __init__(self, customer_id: str, product: Product) -> None:
        self.customer_id: str = customer_id
        self.product: Product = product
        self.known: object = None
        self.timers: dict[str, Timer] = {}
        self._orders: list[Order] = []
        self._woken = anyio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether everything was done that there was to do."""
        return not self._orders

    def order(self, order: Order) -> None:
        """Have something done in its turn; of states only the latest."""
        if order.kind == "state":
            self._orders = [each for each in self._orders if each.kind != "state"]
        self._orders.append(order)
        self._woken.set()

    async def serve(self, heard: Heard) -> bool:
        """Do what there is to do, until it is to be closed; say whether it is to be dropped."""
        while True:
            await self._woken.wait()
            self._woken = anyio.Event()
            while self._orders:
                order = self._orders.pop(0)
                if order.kind == "drop":
                    return True
                if order.kind == "close":
                    await heard.websocket.close(order.code)
                    return False
                await heard.websocket.send_text(order.text)


class Listeners:
    """All WebSockets of one server.

    Args:
        service: what stays the same.
        ground: where records and time are.
    """

    def __init__(self, service: Service, ground: Ground) -> None:
        self._service = service
        self._ground = ground
        self._all: dict[Listener, None] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._all)

    @property
    def is_idle(self) -> bool:
        """Whether all were sent what there was to send."""
        return all(listener.is_idle for listener in self._all)

    def order(self, order: Order) -> int:
        """Have something done by all; say by how many."""
        for listener in self._all:
            listener.order(order)
        return len(self._all)

    def look_again(self, customer_ids: Container[str]) -> None:
        """Tell those who listen for these customers, if anything has changed for them."""
        for listener in self._all:
            if listener.customer_id in customer_ids:
                self._look(listener)

    # One of them.

    async def hear(self, heard: Heard) -> None:
        """Serve one from its handshake on: 403 without a token that counts, 404 for whom or what is not there."""
        try:
            listener = self._admit(heard.request)
        except Refused as refused:
            await heard.refuse(refused.reply)
            return
        except StoreError as error:
            await heard.refuse(json_reply({"detail": str(error)}, 500))
            return
        is_dropped = False
        try:
            await heard.accept()
            async with anyio.create_task_group() as tasks:
                gone = anyio.Event()
                tasks.start_soon(_wait_gone, heard, gone, tasks.cancel_scope)
                tasks.start_soon(_say_goodbye, heard, listener)
                is_dropped = await listener.serve(heard)
                with anyio.move_on_after(0.0 if is_dropped else CLOSING):
                    await gone.wait()
                tasks.cancel_scope.cancel()
        finally:
            del self._all[listener]
            for timer in listener.timers.values():
                timer.cancel()
        if is_dropped:
            raise Dropped

    def _admit(self, request: WebRequest) -> Listener:
        """Let one listen: what changes from here on is told, though it hears that only once it is accepted."""
        deal = self._deal(request)
        token = next((value for name, value in reversed(request.query) if name == "token"), "")
        expiry = deal.expiry_of(token)
        if expiry is None:
            raise Refused(403, "Could not validate credentials")
        listener = Listener(deal.customer().customer_id, deal.product())
        listener.known = self._state(deal, listener)
        self._all[listener] = None
        if self._service.switches.snapshot_on_connect:
            listener.order(_state_order(listener.known))
        listener.timers["expiry"] = self._ground.clock.call_at(
            expiry, partial(listener.order, Order("close", code=EXPIRED))
        )
        return listener

    def _deal(self, request: WebRequest) -> Deal:
        ground = self._ground
        return deal_of(self._service, Call(request, Books(ground.store), ground.clock.now(), ground.dice))

    def _look(self, listener: Listener) -> None:
        """Tell one, if anything has changed: once what was seen is kept."""
        if listener not in self._all:
            return
        try:
            state = self._state(self._deal(NO_REQUEST), listener)
        except (Refused, StoreError) as error:
            logger.error("entitlements could not be read: %s", error)
            return
        if state != listener.known:
            listener.known = state
            told = partial(listener.order, _state_order(state))
            self._ground.store.commit({}, Unit(told, partial(self._look_after_loss, listener)))

    def _look_after_loss(self, listener: Listener, _error: StoreError) -> None:
        """What it was about to be told has not come about."""
        self._look(listener)

    def _state(self, deal: Deal, listener: Listener) -> object:
        """Give the present entitlements, and look again when they may change by themselves."""
        due = next_change(deal, listener.product, listener.customer_id)
        former = listener.timers.pop("change", None)
        if former is not None:
            former.cancel()
        if due is not None:
            listener.timers["change"] = self._ground.clock.call_at(due, partial(self._look, listener))
        return entitlements_of(deal, listener.product, listener.customer_id)


def _state_order(state: object) -> Order:
    return Order("state", json.dumps(state, ensure_ascii=False, separators=(",", ":")))


async def _wait_gone(heard: Heard, gone: anyio.Event, scope: anyio.CancelScope) -> None:
    await heard.wait_gone()
    gone.set()
    scope.cancel()


async def _say_goodbye(heard: Heard, listener: Listener) -> None:
    await heard.leaving.wait()
    listener.order(Order("close", code=LEAVING))
