"""What can be asked, by whom, and which rule answers: facts §5, and §4 for tokens.

The server stands above: it hands each request in with its unit of work, and sends what comes out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio.sandbox.exchange import Operation, WebReply, json_reply
from elarian_trio.sandbox.planship.rules import customers, membership, products, subscriptions, usage
from elarian_trio.sandbox.planship.rules.periods import NEVER
from elarian_trio.sandbox.planship.rules.reading import Refused
from elarian_trio.sandbox.planship.rules.records import PlanshipTokensKey, PlanshipTokensRecord
from elarian_trio.sandbox.planship.rules.service import Deal, Revoked
from elarian_trio.sandbox.planship.rules.tokens import make_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.sandbox.exchange import Call
    from elarian_trio.sandbox.planship.rules.service import Service

    Rule: TypeAlias = Callable[[Deal], object]

__all__ = ["SOCKET_PATH", "deal_of", "operations", "revoke_tokens"]

PREFIX = "/api/v1"
SOCKET_PATH = f"{PREFIX}/ws/customers/{{customer}}/products/{{product}}/entitlements"

_CHALLENGE: Mapping[str, str] = {"www-authenticate": "Bearer"}
_SALT = 16  # hexadecimal digits that make a token the only one
_SUBSCRIPTION = "/customers/{customer}/subscriptions/{subscription}"
_USAGE = "/customers/{customer}/products/{product}"

_GUARDED: Mapping[tuple[str, str], Rule] = {
    ("GET", "/products"): products.list_products,
    ("GET", "/products/{product}"): products.get_product,
    ("GET", "/products/{product}/levers"): products.list_levers,
    ("GET", "/products/{product}/levers/{lever}"): products.get_lever,
    ("GET", "/products/{product}/plans"): products.list_plans,
    ("GET", "/products/{product}/plans/{plan}"): products.get_plan,
    ("GET", "/products/{product}/plans/{plan}/entitlements"): products.list_plan_entitlements,
    ("POST", "/products/{product}/plans/{plan}/subscriptions"): subscriptions.create_subscription,
    ("POST", "/customers"): customers.create_customer,
    ("GET", "/customers/{customer}"): customers.get_customer,
    ("DELETE", "/customers/{customer}"): customers.delete_customer,
    ("GET", "/customers/{customer}/subscriptions"): subscriptions.list_subscriptions,
    ("POST", "/customers/{customer}/subscriptions"): subscriptions.create_subscription_of_customer,
    ("GET", _SUBSCRIPTION): subscriptions.get_subscription,
    ("PATCH", _SUBSCRIPTION): subscriptions.change_subscription,
    ("GET", f"{_SUBSCRIPTION}/customers"): membership.list_subscription_customers,
    ("POST", f"{_SUBSCRIPTION}/customers"): membership.add_subscription_customer,
    ("DELETE", f"{_SUBSCRIPTION}/customers/{{member}}"): membership.remove_subscription_customer,
    ("POST", "/subscriptions/{subscription}/renewals"): subscriptions.renew_subscription,
    ("GET", f"{_USAGE}/entitlements"): usage.get_entitlements,
    ("GET", f"{_USAGE}/levers/{{lever}}/usage"): usage.get_lever_usage,
    ("GET", f"{_USAGE}/usage/{{metering_id}}"): usage.get_metering_id_usage,
    ("POST", f"{_USAGE}/usage/{{metering_id}}"): usage.report_usage,
}
_OPEN: Mapping[tuple[str, str], Rule] = {
    ("GET", "/health"): lambda _: {"status": "ok"},
    ("GET", "/public/{organization}/{product}/plans"): products.list_public_plans,
    ("GET", "/public/{organization}/{product}/plans/{plan}"): products.get_public_plan,
}


def operations(service: Service) -> list[Operation]:
    """Give everything that can be asked of *service*."""
    rules: dict[tuple[str, str], Rule] = {
        ("POST", "/auth/token"): _give_token,
        **_OPEN,
        **{place: partial(_guarded, rule) for place, rule in _GUARDED.items()},
    }
    answered = [
        Operation(method, f"{PREFIX}{path}", partial(_answer, service, rule)) for (method, path), rule in rules.items()
    ]
    return [*answered, Operation("GET", "/robots.txt", _robots)]


def deal_of(service: Service, call: Call) -> Deal:
    """Give the unit of work of a request."""
    return Deal(service, call.request, call.books, call.now, call.dice)


def _answer(service: Service, rule: Rule, call: Call) -> WebReply:
    """Answer with what *rule* gives; what is refused has changed nothing."""
    try:
        return json_reply(rule(deal_of(service, call)))
    except Refused as refused:
        call.books.discard()
        return refused.reply


def _guarded(rule: Rule, deal: Deal) -> object:
    """Let in only those who bear a token that counts."""
    scheme, _, token = deal.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or deal.expiry_of(token.strip()) is None:
        raise Refused(401, "Could not validate credentials", _CHALLENGE)
    return rule(deal)


def _give_token(deal: Deal) -> object:
    """TokenResponse, for the client's id and secret; whatever body comes with them is ignored."""
    service = deal.service
    if not service.keys.opens(deal.request.headers.get("authorization", "")):
        raise Refused(401, "Incorrect client id or secret", {"www-authenticate": "Basic"})
    lifetime = service.switches.token_lifetime
    known = deal.books.find(PlanshipTokensKey(deal.org_id))
    epoch = 0 if known is None else known.epoch
    expires_at = NEVER if lifetime > NEVER - deal.now else deal.now + lifetime
    token = make_token(service.keys, expires_at, epoch, deal.dice.secret(_SALT))
    return {"access_token": token, "token_type": "bearer", "expires_in": int(lifetime.total_seconds())}


def revoke_tokens(service: Service, call: Call) -> WebReply:
    """Have no token count that was given until now: no operation, but a switch of the stand-in's."""
    key = PlanshipTokensKey(service.catalogue.organization_id)
    known = call.books.find(key)
    call.books.put(PlanshipTokensRecord(org_id=key.org_id, epoch=1 if known is None else known.epoch + 1))
    call.books.effects.append(Revoked())
    return WebReply()


def _robots(_call: Call) -> WebReply:
    return WebReply(headers={"content-type": "text/plain"}, body=b"User-agent: *\nDisallow: /\n")
