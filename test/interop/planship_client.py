"""What a program written with Planship's own Python client does with the stand-in, one chapter a run.

``planship_client.py CHAPTER BASE_URL CLIENT_ID``, the secret in the environment; run by the interpreter that has the
client. Prints READY at the start, DONE when the chapter's last assertion held. Where the client itself is broken, the
chapter says how.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from planship import Planship
from planship.models import CreateCustomerParameters, CreateSubscriptionParameters, ModifySubscriptionParameters
from planship_openapi_gen.exceptions import ApiException

if TYPE_CHECKING:
    from collections.abc import Callable

PRODUCT = "clicker-demo"


def say(*words: object) -> None:
    """Tell the test something, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def status(call: Callable[..., Any], *arguments: object) -> int:
    """Give the status of the error that a call is refused with."""
    try:
        call(*arguments)
    except ApiException as error:
        return int(error.status)
    raise AssertionError("it was not refused")


def subscribed(service: Planship, name: str, **parameters: Any) -> str:  # noqa: ANN401 - of several types
    """Make a customer of that name with a subscription, and give the subscription's id."""
    service.create_customer(CreateCustomerParameters(alternative_id=name))
    made = service.create_subscription(name, "small", CreateSubscriptionParameters(**parameters))
    return str(made.id)


def catalogue(service: Planship) -> None:
    """Read what is on sale."""
    assert service.get_product().slug == PRODUCT
    assert [plan.slug for plan in service.list_plans()] == ["small", "medium", "large"]
    plan = service.get_plan("large")
    assert [each.value for each in plan.entitlements][:3] == ["Unlimited", "Unlimited", "Yes"]
    assert status(service.get_plan, "none") == 404


def customers(service: Planship) -> None:
    """Make and remove customers; this client cannot read one."""
    made = service.create_customer(CreateCustomerParameters(alternative_id="cust/a@b %é", metadata={"a": {"b": [1]}}))
    assert made.subscriptions == []
    assert service.create_customer().name == ""
    assert status(service.create_customer, CreateCustomerParameters(alternative_id="cust/a@b %é")) == 409
    assert service.delete_customer("cust/a@b %é").id == made.id
    assert status(service.delete_customer, str(made.id)) == 404


def subscriptions(service: Planship) -> None:
    """Change everything about a subscription; each of these calls also sets one seat and "active" (its defect)."""
    made = subscribed(service, "team/one", max_subscribers=3, auto_renew=False)
    here = ("team/one", made)
    assert service.get_subscription(*here).max_subscribers == 3
    assert service.change_subscription_plan(*here, "large").plan.slug == "large"
    changed = service.change_subscription_renew_plan(*here, "medium")
    assert (changed.plan.slug, changed.renew_plan.slug) == ("large", "medium")
    assert service.change_subscription_max_subscribers(*here, 5).max_subscribers == 5
    assert service.set_subscription_auto_renew(*here, True).auto_renew is True
    assert service.set_subscription_is_active(*here, False).is_active is False
    parameters = ModifySubscriptionParameters(plan_slug="small", max_subscribers=2, is_active=True)
    assert service.modify_subscription(*here, parameters).max_subscribers == 2
    assert [str(each.subscription_id) for each in service.list_subscriptions("team/one")] == [made]
    assert status(service.change_subscription_plan, *here, "none") == 404
    assert status(service.get_subscription, "team/one", "no-uuid") == 422


def members(service: Planship) -> None:
    """Have others on a subscription."""
    made = subscribed(service, "owner", max_subscribers=2)
    friend = service.create_customer(CreateCustomerParameters(alternative_id="friend"))
    assert service.add_subscription_customer("owner", made, "friend").plan.slug == "small"
    assert status(service.add_subscription_customer, "owner", made, "friend") == 409
    assert len(service.list_subscription_customers("owner", made)) == 2
    assert service.remove_subscription_customer("owner", made, str(friend.id)).customer_id == friend.id
    assert len(service.list_subscription_customers("owner", made)) == 1


def usage(service: Planship) -> None:
    """Report use, and ask what is left."""
    made = subscribed(service, "clicker")
    assert service.get_entitlements("clicker")["subscription-button-clicks"] == 100
    assert service.report_usage("clicker", "button-click", 3).usage == 3
    assert service.report_usage("clicker", "button-click", 4, "p1").bucket == "p1"
    left = service.get_entitlements("clicker")
    assert left["subscription-button-clicks"] == 93
    assert left["button-clicks-per-project-per-day"] == {"null": 7, "p1": 6}
    whole = service.get_lever_usage("clicker", "subscription-button-clicks")
    assert (whole.total, whole.by_bucket) == (7, {"null": 7})
    assert whole.by_subscription[made][0].usage == 7
    levers = service.get_metering_id_usage("clicker", "button-click")
    assert levers["button-clicks-per-project-per-day"].by_bucket == {"null": 3, "p1": 4}


def tokens(service: Planship) -> None:
    """Sign in, and again when that counts no more."""
    token = service.get_access_token()
    assert (token.token_type, token.expires_in) == ("bearer", 3600)
    service.get_product()
    say("SIGNED IN")  # from here on the test revokes all tokens, once
    for _ in range(60):
        assert service.get_product().slug == PRODUCT


CHAPTERS = {each.__name__: each for each in (catalogue, customers, subscriptions, members, usage, tokens)}

if __name__ == "__main__":
    chapter, base_url, client_id = sys.argv[1:]
    say("READY")
    CHAPTERS[chapter](Planship(PRODUCT, client_id, os.environ["CLIENT_SECRET"], baseUrl=base_url))
    say("DONE")
