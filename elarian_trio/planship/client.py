"""The client of Planship's customer API: one customer, one product, owned by an ``async with`` block.

Users stand above. :mod:`.endpoints` says what is asked and what the answers mean, :mod:`.tokens` keeps the token,
:mod:`.updates` the streams of updates; :mod:`elarian_trio._http` sends.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio
import anyio.lowlevel
from anyio import AsyncContextManagerMixin

from elarian_trio._arguments import require, require_function
from elarian_trio._http import base_of, open_sender, require_transport
from elarian_trio.client.outcome import Outcome
from elarian_trio.client.secret import Secret
from elarian_trio.errors import CommandTimedOut, ConnectionClosed, ConnectionLost, PlanshipError
from elarian_trio.options import HttpOptions, Reconnects, Retries
from elarian_trio.planship.endpoints import Endpoints, access_token, web_socket_base
from elarian_trio.planship.sockets import open_socket, open_updates_sender
from elarian_trio.planship.tokens import Tokens, checked_pair, checked_token
from elarian_trio.planship.updates import Feed, json_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
    from typing import Self

    import httpx2
    from anyio.abc import TaskGroup

    from elarian_trio._http import Attempt, Sender
    from elarian_trio.planship.endpoints import Operation
    from elarian_trio.planship.models import (
        CreateCustomerParameters,
        CreateSubscriptionOptions,
        Customer,
        CustomerInDbBase,
        CustomerSubscriptionWithPlan,
        Entitlements,
        LeverInList,
        LeverUsage,
        MeteringRecord,
        ModifySubscriptionParameters,
        Plan,
        PlanDetails,
        Product,
        SubscriptionCustomer,
        SubscriptionCustomerInDbBase,
        SubscriptionWithPlan,
        TokenResponse,
    )
    from elarian_trio.planship.tokens import Token
    from elarian_trio.planship.updates import EntitlementUpdates

    TokenGetter: TypeAlias = Callable[[bool], Awaitable[str]]
    EntitlementsCallback: TypeAlias = Callable[[Entitlements], Awaitable[object] | object]

__all__ = ["PlanshipCustomer"]

T = TypeVar("T")

DEFAULT_URL = "https://api.planship.io"
MAX_CALLBACKS = 16  # each has a WebSocket of its own; whoever wants more wants one and a list
DEFAULT_OPTIONS = HttpOptions()
DEFAULT_RETRIES = Retries()
DEFAULT_RECONNECTS = Reconnects()


class PlanshipCustomer(AsyncContextManagerMixin):
    """Planship for one customer and one product, under the names of Planship's own clients in snake case.

    It is entered once, with ``async with``; entering asks the service for nothing. Leaving ends what other tasks still
    ask for, as ConnectionLost, or as ConnectionClosed where nothing was sent yet. What is sent again, and when, says
    ``options.retries``: unless given, GET alone, after a broken connection or a status 429 or 503. A token is asked for
    with the first call, kept, and asked for once more by a call that is answered 401, which is then sent again, once;
    calls that are under way at the same time share that.

    Give ``client_id`` and ``client_secret`` where a secret can be kept, or ``get_access_token``.

    Args:
        product_slug: which product.
        customer_id: which customer: Planship's id, or your own for the customer (``alternative_id``).
        client_id: your organisation's client id at Planship.
        client_secret: the secret to it.
        get_access_token: an async function that gives a token. Its argument says whether one that it gave before does
            not do: ``False`` at first, ``True`` after a 401, and before each WebSocket but one that is opened first.
        base_url: where Planship is.
        web_socket_url: where its updates come from; unless given, ``websockets-`` and the host of ``base_url``. Whoever
            wants updates must give it where that is no name: the host is an IPv6 address, or longer than 52 characters.
        options: how to connect and wait.
        reconnects: when streams of updates connect again.
        transport: carries all requests and WebSockets in place of a pool of the client's own, such as a tunnel or a
            test's; it is closed with the block. ``options`` say nothing of proxies and TLS then.

    Raises:
        ValueError: there is not exactly one credential, or it cannot be sent; a URL is not one; or the slug or the id
            is empty, ``.`` or ``..``.
        TypeError: an argument is of the wrong type.
    """

    _block: anyio.CancelScope  # the user's part of the block; made on entering, since it needs a running loop
    _tasks: TaskGroup
    _sender: Sender

    def __init__(
        self,
        product_slug: str,
        customer_id: str,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        get_access_token: TokenGetter | None = None,
        base_url: str = DEFAULT_URL,
        web_socket_url: str | None = None,
        options: HttpOptions = DEFAULT_OPTIONS,
        reconnects: Reconnects = DEFAULT_RECONNECTS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        pair = Secret(client_id), Secret(client_secret)
        has_id, has_secret = client_id is not None, client_secret is not None
        del client_id, client_secret  # before anything can fail: a traceback may print its frames' variables
        self._endpoints = Endpoints(product_slug, customer_id)
        self._pair = checked_pair(*pair) if has_id and has_secret else None
        self._get_token = get_access_token
        if has_id is not has_secret or has_id is (get_access_token is not None):
            msg = "give either client_id and client_secret, or get_access_token"
            raise ValueError(msg)
        require("options", HttpOptions, options)
        require("reconnects", Reconnects, reconnects)
        require_function("get_access_token", get_access_token, optional=True)
        require_transport(transport)
        self._base_url = base_of(base_url)
        self._web_socket_url = None if web_socket_url is None else base_of(web_socket_url, schemes=("ws", "wss"))
        self._options = options
        self._reconnects = reconnects
        self._transport = transport
        self._tokens = Tokens(self._fetch_token)
        self._entered = self._left = False
        self._failure: Exception | None = None
        self._feeds: set[Feed] = set()
        self._callbacks: list[EntitlementsCallback] = []

    def __repr__(self) -> str:
        """Say for whom and where; no credential."""
        if not hasattr(self, "_base_url"):  # tracebacks ask even when making it failed half-way
            return "<PlanshipCustomer, not made>"
        asked = self._endpoints
        return f"<PlanshipCustomer {asked.customer_id!r} of {asked.product_slug!r} at {self._base_url}>"

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Hand the client to the block, and leave as the block does, or by what a callback raised.

        Raises:
            ModuleNotFoundError: the proxy is a SOCKS one, and the socksio package is not there.
            ValueError: the environment names a proxy that is none, or a proxy's host is no name.
            RuntimeError: it was entered before.
        """
        if self._entered:
            msg = f"this {type(self).__name__} was entered before; make another"
            raise RuntimeError(msg)
        self._entered = True
        outcome = Outcome()
        async with open_sender(
            self._base_url, self._options, retries=DEFAULT_RETRIES, transport=self._transport
        ) as self._sender:
            try:
                async with anyio.create_task_group() as self._tasks:
                    try:
                        with anyio.CancelScope() as self._block:
                            yield self
                    except BaseException as error:
                        outcome.keep(error)
                        if isinstance(error, anyio.get_cancelled_exc_class()):
                            raise
                    finally:
                        self._end()
            except BaseException as error:
                outcome.escaped = error
        await outcome.settle(self._failure)

    def _end(self) -> None:
        """Nothing of the block goes on: whoever still waits for updates is told, every task is cancelled."""
        self._left = True
        for feed in self._feeds:
            feed.stop(ConnectionClosed(_CLOSED))
        self._tasks.cancel_scope.cancel()

    # --- tokens and calls ---

    async def get_access_token(self) -> TokenResponse:
        """Ask for a token by client id and secret. The client's own calls see to theirs by themselves.

        Raises:
            RuntimeError: the client has a function for tokens instead.
            Exception: see :meth:`get_product`.
        """
        if self._pair is None:
            msg = "this client has no client_id and client_secret to get a token by: call its get_access_token function"
            raise RuntimeError(msg)
        return await self._exchange(*self._pair)

    async def _exchange(self, client_id: Secret, client_secret: Secret) -> TokenResponse:
        """Trade the credentials for a token; a refusal is final, and an answer that cannot be used is not shown."""
        operation = access_token(client_id, client_secret)
        response = await self._require_open().send(operation.request)
        answer = operation.read(response, client_id, client_secret, shows_body=False)
        try:
            checked_token(Secret(answer.access_token))
        except ValueError as error:
            msg = f"Planship gave a token (status {response.status}) that cannot be sent: {error}"
            raise PlanshipError(msg, status=response.status) from error
        return answer

    async def _fetch_token(self, is_forced: bool) -> Secret:  # noqa: FBT001, RUF100 - as the user's function has it
        """Ask for a token, of the service or the user's function."""
        await anyio.lowlevel.checkpoint()
        if self._pair is not None:
            return Secret((await self._exchange(*self._pair)).access_token)
        if TYPE_CHECKING:
            assert self._get_token is not None
        answer: Any = self._get_token(is_forced)
        return checked_token(Secret(await answer if isawaitable(answer) else answer))

    def _require_open(self) -> Sender:
        if not self._entered or self._left:
            raise ConnectionClosed(_CLOSED)
        return self._sender

    async def _call(self, operation: Operation[T]) -> T:
        """Send with a token, once more if that was refused, and read the answer."""
        sender = self._require_open()
        with sender.within(operation.request.method) as attempt:
            token = await self._token_for(attempt, self._tokens.current)
            response = await sender.send_within(attempt, operation.with_token(token.secret))
            if response.status == _UNAUTHORIZED:
                token = await self._token_for(attempt, partial(self._tokens.newer_than, token))
                response = await sender.send_within(attempt, operation.with_token(token.secret))
        return operation.read(response, token.secret)

    async def _token_for(self, attempt: Attempt, get: Callable[[], Awaitable[Token]]) -> Token:
        """Give a call its token; if the service's answer with it is lost, that says nothing of the call itself."""
        try:
            return await get()
        except (ConnectionLost, CommandTimedOut) as error:
            if self._pair is None or error.sent is attempt.was_sent:  # without a pair it is the user's own
                raise
            raise type(error)(str(error), sent=attempt.was_sent) from error

    # --- the product ---

    async def get_product(self) -> Product:
        """Read the product.

        Waits for the service, at most for ``options.timeout`` seconds with all that belongs to the call.

        Raises:
            PlanshipError: the service answered with an error, or what cannot be read; ``status`` and ``detail`` tell.
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted, which it has not
                where only asking for a token failed.
            CommandTimedOut: no answer in time; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ConnectionClosed: the client's block was not entered yet, or was left.
            ValueError: an id or slug is empty, ``.`` or ``..``, or longer than an address can be; a value is none that
                JSON can hold; or the function for tokens gave one that is empty, or that no header can carry.
            TypeError: an argument is of the wrong type, or the function for tokens gave something else than a str.
            Exception: what it raised.

        Cancellation:
            Always a checkpoint. The service may have acted all the same.
        """
        return await self._call(self._endpoints.get_product())

    async def list_plans(
        self, *, public_only: bool | None = None, order_by: str | Sequence[str] = ()
    ) -> tuple[Plan, ...]:
        """Read the product's plans. Waits and raises as :meth:`get_product`.

        Args:
            public_only: whether to leave out those that not everybody may see; the server's default is no.
            order_by: a field or several, as ``"order"`` or ``"-name"``, whose ``-`` turns the order round.
        """
        return await self._call(self._endpoints.list_plans(public_only=public_only, order_by=order_by))

    async def get_plan(self, plan_slug: str, *, levers_order_by: str | Sequence[str] = ()) -> PlanDetails:
        """Read a plan with its entitlements, ordered as :meth:`list_plans`. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.get_plan(plan_slug, levers_order_by=levers_order_by))

    async def list_levers(self, *, order_by: str | Sequence[str] = ()) -> tuple[LeverInList, ...]:
        """Read the product's levers, ordered as :meth:`list_plans`. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.list_levers(order_by=order_by))

    # --- customers ---

    async def create_customer(self, params: CreateCustomerParameters | None = None) -> Customer:
        """Make a customer of the organisation. Waits and raises as :meth:`get_product`; never sent twice."""
        return await self._call(self._endpoints.create_customer(params))

    async def get_customer(self, customer_id: str) -> CustomerInDbBase:
        """Read a customer, by Planship's id or your own. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.get_customer(customer_id))

    async def delete_customer(self, customer_id: str) -> CustomerInDbBase:
        """Delete a customer, and give what it was. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.delete_customer(customer_id))

    # --- subscriptions ---

    async def create_subscription(
        self, plan_slug: str, options: CreateSubscriptionOptions | None = None
    ) -> SubscriptionWithPlan:
        """Subscribe the customer to a plan. Waits and raises as :meth:`get_product`; never sent twice."""
        return await self._call(self._endpoints.create_subscription(plan_slug, options))

    async def list_subscriptions(self, *, product_slug: str | None = None) -> tuple[CustomerSubscriptionWithPlan, ...]:
        """Read the customer's subscriptions, to any product or to one. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.list_subscriptions(product_slug=product_slug))

    async def get_subscription(self, subscription_id: str) -> CustomerSubscriptionWithPlan:
        """Read a subscription of the customer. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.get_subscription(subscription_id))

    async def modify_subscription(
        self, subscription_id: str, params: ModifySubscriptionParameters
    ) -> CustomerSubscriptionWithPlan:
        """Change a subscription in what is given, and in nothing else. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.modify_subscription(subscription_id, params))

    async def change_subscription_plan(self, subscription_id: str, plan_slug: str) -> CustomerSubscriptionWithPlan:
        """Change the plan; the plan to renew to stays as it is. Waits and raises as :meth:`get_product`."""
        return await self._modify(subscription_id, plan_slug=plan_slug)

    async def change_subscription_renew_plan(
        self, subscription_id: str, renew_plan_slug: str
    ) -> CustomerSubscriptionWithPlan:
        """Change the plan that the subscription renews to. Waits and raises as :meth:`get_product`."""
        return await self._modify(subscription_id, renew_plan_slug=renew_plan_slug)

    async def change_subscription_max_subscribers(
        self, subscription_id: str, max_subscribers: int
    ) -> CustomerSubscriptionWithPlan:
        """Change how many seats there are. Waits and raises as :meth:`get_product`."""
        return await self._modify(subscription_id, max_subscribers=max_subscribers)

    async def set_subscription_auto_renew(self, subscription_id: str, auto_renew: bool) -> CustomerSubscriptionWithPlan:
        """Say whether it renews by itself; ``False`` cancels it for when its period ends. As :meth:`get_product`."""
        return await self._modify(subscription_id, auto_renew=auto_renew)

    async def set_subscription_is_active(self, subscription_id: str, is_active: bool) -> CustomerSubscriptionWithPlan:
        """Say whether it counts. Waits and raises as :meth:`get_product`."""
        return await self._modify(subscription_id, is_active=is_active)

    async def _modify(self, subscription_id: str, **change: Any) -> CustomerSubscriptionWithPlan:  # noqa: ANN401 - checked below
        return await self._call(self._endpoints.change_subscription(subscription_id, change))

    # --- customers of a subscription ---

    async def list_subscription_customers(self, subscription_id: str) -> tuple[SubscriptionCustomer, ...]:
        """Read who has part in a subscription. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.list_subscription_customers(subscription_id))

    async def add_subscription_customer(
        self,
        subscription_id: str,
        customer_id_to_add: str,
        is_administrator: bool = False,
        is_subscriber: bool = True,
        metadata: Mapping[str, Any] | None = None,
    ) -> SubscriptionCustomer:
        """Add a customer to a subscription. Waits and raises as :meth:`get_product`; never sent twice.

        Args:
            subscription_id: which subscription; this client's customer must be an administrator of it.
            customer_id_to_add: an existing customer.
            is_administrator: whether the customer may change the subscription.
            is_subscriber: whether the customer takes a seat and is entitled.
            metadata: a JSON object of your own.
        """
        operation = self._endpoints.add_subscription_customer(
            subscription_id,
            customer_id_to_add,
            is_administrator=is_administrator,
            is_subscriber=is_subscriber,
            metadata=metadata,
        )
        return await self._call(operation)

    async def remove_subscription_customer(
        self, subscription_id: str, customer_id_to_remove: str
    ) -> SubscriptionCustomerInDbBase:
        """Remove a customer from a subscription, and give its part in it. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.remove_subscription_customer(subscription_id, customer_id_to_remove))

    # --- usage ---

    async def get_lever_usage(self, lever_slug: str) -> LeverUsage:
        """Read the use of a metered lever. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.get_lever_usage(lever_slug))

    async def get_metering_id_usage(self, metering_id: str) -> dict[str, LeverUsage]:
        """Read the use of every lever that a metering id feeds, by slug. Waits and raises as :meth:`get_product`."""
        return await self._call(self._endpoints.get_metering_id_usage(metering_id))

    async def report_usage(self, metering_id: str, usage: int, bucket: str | None = None) -> MeteringRecord:
        """Report a use. Waits and raises as :meth:`get_product`; never sent twice.

        Args:
            metering_id: of what.
            usage: how much, a whole number.
            bucket: the bucket it is for, where a lever counts by buckets.
        """
        return await self._call(self._endpoints.report_usage(metering_id, usage, bucket))

    # --- entitlements ---

    async def get_entitlements(self, callback: EntitlementsCallback | None = None) -> Entitlements:
        """Read what the customer may do, and have a function called with each newer state, if one is given.

        The function, plain or async, is called until the client's block is left, one state at a time, and not with the
        state that is returned here. It runs in a task of the client's block: what it raises ends that block and comes
        out of it, and so does what ends the updates for good (see :meth:`entitlement_updates`, on which this stands).
        A function that is there already is not called twice.

        Waits and raises as :meth:`get_product`.

        Raises:
            TypeError: the callback is no function.
            ValueError: there are 16 callbacks already, or ``web_socket_url`` must be given; see there.
        """
        self._require_callback(callback)
        entitlements = await self._call(self._endpoints.get_entitlements())
        if callback is not None and self._require_callback(callback):
            self._require_open()
            self._callbacks.append(callback)
            self._tasks.start_soon(self._call_back, callback, json_of(entitlements), name="elarian_trio callback")
        return entitlements

    def _updates_url(self) -> str:
        """Say where updates come from, as the sender takes it."""
        return (self._web_socket_url or web_socket_base(self._base_url)).replace("ws", "http", 1)

    def _require_callback(self, callback: EntitlementsCallback | None) -> bool:
        """Say whether there is a callback that is to be called from now on."""
        if callback is None or callback in self._callbacks:
            return False
        require_function("a callback", callback)
        self._updates_url()
        if len(self._callbacks) >= MAX_CALLBACKS:
            msg = f"there are {MAX_CALLBACKS} callbacks already; open entitlement_updates() once, and share it"
            raise ValueError(msg)
        return True

    async def _call_back(self, callback: EntitlementsCallback, known: str) -> None:
        """Call the user's function with each state; what goes wrong ends the client's block."""
        await anyio.lowlevel.checkpoint()
        try:
            async with self._feeding(known) as updates:
                async for entitlements in updates:
                    answer = callback(entitlements)
                    if isawaitable(answer):
                        await answer
        except Exception as error:
            if not self._left:
                self._failure = self._failure or error
                self._block.cancel()

    @asynccontextmanager
    async def entitlement_updates(self) -> AsyncGenerator[EntitlementUpdates]:
        """Open a stream of what the customer may do: the state as it is, and then each newer one.

        The states come over a WebSocket, which is opened again whenever it is lost, after the delays of the client's
        ``reconnects``; the state is then read once, since changes may have been missed, and delivered if it is another
        than the last one. A state that is older than one delivered is never delivered. Only the newest is kept for a
        reader that is slow, so nothing piles up. Leaving the block closes the WebSocket with code 1000.

        The WebSocket goes by the same proxy and TLS settings as every request. An ``http`` proxy before a ``ws://``
        address, without TLS, is asked to forward the upgrade, which few proxies do.

        ``async for`` raises what ends the updates for good: PlanshipError where the service answered 404 or found the
        request itself at fault, where it refused two freshly fetched tokens in a row (401, 403, or a WebSocket closed
        with code 1008), or refused the client's credentials; what the function for tokens raised; ConnectionClosed
        where the client's block was left first. Without connection it waits; bound that with a cancel scope.

        Raises:
            ConnectionClosed: the client's block was not entered yet, or was left.
            ValueError: ``web_socket_url`` must be given, or a proxy for it is none.
            ModuleNotFoundError: that proxy is a SOCKS one, and the socksio package is not there.
        """
        async with self._feeding(None) as updates:
            yield updates

    @asynccontextmanager
    async def _feeding(self, known: str | None) -> AsyncGenerator[EntitlementUpdates]:
        self._require_open()
        options = replace(self._options, timeout=self._reconnects.connect_timeout)
        async with open_updates_sender(self._updates_url(), options, self._transport) as sender:
            feed = Feed(
                fetch_token=self._tokens.fresh,
                open_socket=partial(open_socket, sender, self._endpoints),
                read_state=partial(self._call, self._endpoints.get_entitlements()),
                reconnects=self._reconnects,
            )
            if known is not None:
                feed.updates.assume(known)
            self._feeds.add(feed)
            try:
                async with feed.running() as updates:
                    yield updates
            finally:
                self._feeds.discard(feed)


_UNAUTHORIZED = 401
_CLOSED = "the client is used outside of its block"
