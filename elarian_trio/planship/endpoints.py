"""Every operation of Planship's customer API: the request that asks for it, and what its response means. No I/O.

The client stands above and sends; :mod:`.models` and :mod:`.reading` say what travels. JSON is in snake case; metadata
is ``metadata`` in what is sent and ``metadata_`` in what is answered; what is left out is not sent, not even as null.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import urlsplit

from elarian_trio._arguments import require
from elarian_trio._http.exchange import Headers, Request, bare, path_of
from elarian_trio.errors import PlanshipError
from elarian_trio.options import JsonSerializer, is_host
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
from elarian_trio.planship.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elarian_trio._http.exchange import Response
    from elarian_trio.client.secret import Secret

__all__ = ["Endpoints", "Operation", "access_token", "error_of", "redacted", "web_socket_base"]

T = TypeVar("T")

_PREFIX = "/api/v1"
_UPDATES = "websockets-"  # before the name of the API's host
_MOST_TOLD = 3  # of what is wrong with a request, in the words of an error; all of it is in its ``detail``


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T]):
    """One call.

    Attributes:
        request: what is asked, without authorization unless it is the call for that.
        kind: what the answer is to be read as.
        name: what the answer is called in errors.
    """

    request: Request
    kind: Callable[..., T]
    name: str

    def with_token(self, token: Secret) -> Request:
        """Give the request with a bearer token.

        Raises:
            ValueError: the token cannot be sent; it is not repeated.
        """
        return replace(self.request, headers=Headers(self.request.headers, authorization=f"Bearer {token.reveal()}"))

    def read(self, response: Response, *secrets: Secret, shows_body: bool = True) -> T:
        """Give what was answered.

        Args:
            response: the answer.
            secrets: the credentials that were sent, which an error does not hold.
            shows_body: whether an error holds the body of an answer that cannot be read; else that may be a secret.

        Raises:
            PlanshipError: an error was, or what cannot be read; the service may have acted then.
        """
        if not response.is_success:
            raise error_of(redacted(response, *secrets))
        try:
            return read(cast("type[T]", self.kind), response.json(), self.name)
        except ValueError as error:
            what = "nothing" if not response.body else "what is not as it should be"
            msg = f"Planship did what was asked (status {response.status}), but answered {what}: {error}"
            body = redacted(response, *secrets).body if shows_body else b""
            raise PlanshipError(msg, status=response.status, body=body) from bare(error)


def error_of(response: Response) -> PlanshipError:
    """Make the error that a response of another status than 2xx is."""
    detail = _detail_of(response)
    told = "" if detail is None else f": {_in_words(detail)}"
    status = response.status
    phrase = f" {HTTPStatus(status).phrase}" if status in HTTPStatus.__members__.values() else ""
    return PlanshipError(f"Planship answered {status}{phrase}{told}", status=status, detail=detail, body=response.body)


def _detail_of(response: Response) -> str | list[dict[str, Any]] | None:
    """Give what FastAPI's errors say: words, or a list of what is wrong."""
    try:
        body = response.json()
    except ValueError:
        return None
    detail = cast("dict[str, Any]", body).get("detail") if isinstance(body, dict) else None
    if isinstance(detail, list):
        return [each for each in cast("Any", detail) if isinstance(each, dict)]
    return detail if isinstance(detail, str) else None


def _in_words(detail: str | list[dict[str, Any]]) -> str:
    if isinstance(detail, str):
        return detail
    told = [f"{_place(each.get('loc'))}: {each.get('msg')}" for each in detail[:_MOST_TOLD]]
    return "; ".join(told + ["…"] * (len(detail) > _MOST_TOLD))


def _place(loc: Any) -> str:  # noqa: ANN401 - whatever the service says
    return ".".join(map(str, cast("Any", loc))) if isinstance(loc, list) else str(loc)


def access_token(client_id: Secret, client_secret: Secret) -> Operation[TokenResponse]:
    """Ask for a token by client id and secret: HTTP Basic, and no body at all."""
    headers = Headers(authorization=f"Basic {_in_base64(client_id, client_secret)}")
    request = Request(method="POST", path=f"{_PREFIX}/auth/token", headers=headers)
    return Operation(request=request, kind=TokenResponse, name="the token")


def _in_base64(*parts: Secret) -> str:
    return base64.b64encode(":".join(each.reveal() for each in parts).encode()).decode("ascii")


def redacted(response: Response, *secrets: Secret) -> Response:
    """Give an error's response without the credentials, which some servers repeat to say that they do not know them."""
    body = response.body
    for each in secrets:
        body = each.taken_out_of(body)
    return replace(response, body=body)


def web_socket_base(base_url: str) -> str:
    """Give where the updates come from: the host of the API with ``websockets-`` before it, as Planship names it.

    Raises:
        ValueError: no host can be called so: the API's is an IPv6 address, or its name is too long.
    """
    parts = urlsplit(base_url)
    if "[" in parts.netloc or not is_host(f"{_UPDATES}{parts.hostname}"):
        msg = f"no address of updates follows from {base_url}: give web_socket_url"
        raise ValueError(msg)
    return f"{'ws' if parts.scheme == 'http' else 'wss'}://{_UPDATES}{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The operations of one customer and one product.

    Attributes:
        product_slug: which product.
        customer_id: which customer: Planship's id, or the organisation's own.

    Raises:
        ValueError: one is empty.
        TypeError: one is no str.
    """

    product_slug: str
    customer_id: str

    def __post_init__(self) -> None:
        """Refuse here what no request could be made of."""
        path_of(self.product_slug, self.customer_id)

    # --- the product ---

    def get_product(self) -> Operation[Product]:
        """Ask for the product."""
        return _get(self._product_path(), Product, "the product")

    def list_plans(
        self, *, public_only: bool | None = None, order_by: str | Sequence[str] = ()
    ) -> Operation[tuple[Plan, ...]]:
        """Ask for the plans."""
        flag = _optional("public_only", bool, public_only)
        query = [(name, "true" if value else "false") for name, value in flag.items()] + _order("order_by", order_by)
        return _get(self._product_path("plans"), tuple[Plan, ...], "the plans", query)

    def get_plan(self, plan_slug: str, *, levers_order_by: str | Sequence[str] = ()) -> Operation[PlanDetails]:
        """Ask for a plan with its entitlements."""
        query = _order("levers_order_by", levers_order_by)
        return _get(self._product_path("plans", plan_slug), PlanDetails, "the plan", query)

    def list_levers(self, *, order_by: str | Sequence[str] = ()) -> Operation[tuple[LeverInList, ...]]:
        """Ask for the levers."""
        return _get(self._product_path("levers"), tuple[LeverInList, ...], "the levers", _order("order_by", order_by))

    def _product_path(self, *segments: str) -> str:
        return path_of("products", self.product_slug, *segments)

    # --- customers ---

    def create_customer(self, params: CreateCustomerParameters | None) -> Operation[Customer]:
        """Have a customer made."""
        given = CreateCustomerParameters() if params is None else params
        require("params", CreateCustomerParameters, given)
        return _send("POST", path_of("customers"), _fields_of(given), Customer, "the customer")

    def get_customer(self, customer_id: str) -> Operation[CustomerInDbBase]:
        """Ask for a customer."""
        return _get(path_of("customers", customer_id), CustomerInDbBase, "the customer")

    def delete_customer(self, customer_id: str) -> Operation[CustomerInDbBase]:
        """Have a customer deleted."""
        return _send("DELETE", path_of("customers", customer_id), None, CustomerInDbBase, "the customer")

    def _customer_path(self, *segments: str) -> str:
        return path_of("customers", self.customer_id, *segments)

    # --- subscriptions ---

    def create_subscription(
        self, plan_slug: str, options: CreateSubscriptionOptions | None
    ) -> Operation[SubscriptionWithPlan]:
        """Have the customer subscribed to a plan."""
        given = CreateSubscriptionOptions() if options is None else options
        require("options", CreateSubscriptionOptions, given)
        body = {"customer_id": self.customer_id, **_fields_of(given)}
        path = self._product_path("plans", plan_slug, "subscriptions")
        return _send("POST", path, body, SubscriptionWithPlan, "the subscription")

    def list_subscriptions(
        self, *, product_slug: str | None = None
    ) -> Operation[tuple[CustomerSubscriptionWithPlan, ...]]:
        """Ask for the customer's subscriptions, to any product or to one."""
        query = _optional("product_slug", str, product_slug).items()
        path = self._customer_path("subscriptions")
        return _get(path, tuple[CustomerSubscriptionWithPlan, ...], "the subscriptions", query)

    def get_subscription(self, subscription_id: str) -> Operation[CustomerSubscriptionWithPlan]:
        """Ask for a subscription."""
        return _get(self._subscription_path(subscription_id), CustomerSubscriptionWithPlan, "the subscription")

    def modify_subscription(
        self, subscription_id: str, params: ModifySubscriptionParameters
    ) -> Operation[CustomerSubscriptionWithPlan]:
        """Have a subscription changed, in what is given only."""
        require("params", ModifySubscriptionParameters, params)
        path = self._subscription_path(subscription_id)
        return _send("PATCH", path, _fields_of(params), CustomerSubscriptionWithPlan, "the subscription")

    def change_subscription(
        self, subscription_id: str, change: Mapping[str, Any]
    ) -> Operation[CustomerSubscriptionWithPlan]:
        """Have one thing of a subscription changed, which must be given."""
        for name, value in change.items():
            if value is None:
                msg = f"{name} must be given"
                raise TypeError(msg)
        return self.modify_subscription(subscription_id, ModifySubscriptionParameters(**change))

    def _subscription_path(self, subscription_id: str, *segments: str) -> str:
        return self._customer_path("subscriptions", subscription_id, *segments)

    # --- customers of a subscription ---

    def list_subscription_customers(self, subscription_id: str) -> Operation[tuple[SubscriptionCustomer, ...]]:
        """Ask who has part in a subscription."""
        path = self._subscription_path(subscription_id, "customers")
        return _get(path, tuple[SubscriptionCustomer, ...], "the customers")

    def add_subscription_customer(
        self,
        subscription_id: str,
        customer_id_to_add: str,
        *,
        is_administrator: bool,
        is_subscriber: bool,
        metadata: Mapping[str, Any] | None,
    ) -> Operation[SubscriptionCustomer]:
        """Have a customer added to a subscription."""
        require("customer_id_to_add", str, customer_id_to_add)
        require("is_administrator", bool, is_administrator)
        require("is_subscriber", bool, is_subscriber)
        flags = {"is_administrator": is_administrator, "is_subscriber": is_subscriber}
        body = {"customer_id": customer_id_to_add, **flags, **_optional("metadata", Mapping, metadata)}
        path = self._subscription_path(subscription_id, "customers")
        return _send("POST", path, body, SubscriptionCustomer, "the customer")

    def remove_subscription_customer(
        self, subscription_id: str, customer_id_to_remove: str
    ) -> Operation[SubscriptionCustomerInDbBase]:
        """Have a customer removed from a subscription."""
        path = self._subscription_path(subscription_id, "customers", customer_id_to_remove)
        return _send("DELETE", path, None, SubscriptionCustomerInDbBase, "the customer")

    # --- entitlements and usage ---

    def get_entitlements(self) -> Operation[Entitlements]:
        """Ask what the customer may do."""
        return _get(self._used_path("entitlements"), Entitlements, "the entitlements")

    def entitlement_updates(self, token: Secret, headers: Mapping[str, str]) -> Request:
        """Ask for the WebSocket of updates; it is authorized by the query, and by that alone."""
        path = path_of("ws", "customers", self.customer_id, "products", self.product_slug, "entitlements")
        return Request(method="GET", path=f"{_PREFIX}{path}", query=(("token", token.reveal()),), headers=headers)

    def get_lever_usage(self, lever_slug: str) -> Operation[LeverUsage]:
        """Ask for the use of one lever."""
        return _get(self._used_path("levers", lever_slug, "usage"), LeverUsage, "the usage")

    def get_metering_id_usage(self, metering_id: str) -> Operation[dict[str, LeverUsage]]:
        """Ask for the use of every lever that one metering id feeds."""
        return _get(self._used_path("usage", metering_id), dict[str, LeverUsage], "the usage")

    def report_usage(self, metering_id: str, usage: int, bucket: str | None) -> Operation[MeteringRecord]:
        """Tell of a use."""
        require("usage", int, usage)
        body = {"usage": usage, **_optional("bucket", str, bucket)}
        return _send("POST", self._used_path("usage", metering_id), body, MeteringRecord, "the record")

    def _used_path(self, *segments: str) -> str:
        return self._customer_path("products", self.product_slug, *segments)


def _get(path: str, kind: Callable[..., T], name: str, query: Iterable[tuple[str, str]] = ()) -> Operation[T]:
    request = Request(method="GET", path=f"{_PREFIX}{path}", query=tuple(query))
    return Operation(request=request, kind=kind, name=name)


def _order(name: str, fields: str | Sequence[str]) -> list[tuple[str, str]]:
    """Give by what a list shall be ordered, as the query says it: the parameter again for each field."""
    given: Sequence[str] = [fields] if isinstance(fields, str) else fields
    require(name, Sequence, given)
    for field in given:
        require(name, str, field)
    return [(name, field) for field in given]


def _send(method: str, path: str, body: Mapping[str, Any] | None, kind: Callable[..., T], name: str) -> Operation[T]:
    request = Request(method=method, path=f"{_PREFIX}{path}")
    if body is not None:
        content = str(_JSON.dumps(body)).encode()
        request = replace(request, content=content, headers={"content-type": "application/json"})
    return Operation(request=request, kind=kind, name=name)


_JSON = JsonSerializer()


def _fields_of(
    given: CreateCustomerParameters | CreateSubscriptionOptions | ModifySubscriptionParameters,
) -> dict[str, Any]:
    """Give what is to be sent of *given*, in the order of its fields."""
    values = {name: getattr(given, name) for name in type(given).__slots__}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: object) -> object:
    """Give what JSON has for a field's value."""
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


def _optional(name: str, kind: type, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    require(name, kind, value)
    return {name: _plain(value)}
