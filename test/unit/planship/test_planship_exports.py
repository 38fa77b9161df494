"""What ``elarian_trio.planship`` exports against what the seed promises: methods, parameters, frozen models."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from elarian_trio import planship
from elarian_trio.planship import PlanshipCustomer, PlanshipModel

# The seed's methods with their parameters; a trailing "=" is one that may be left out.
METHODS = """
    create_customer params=
    get_customer customer_id
    delete_customer customer_id
    get_product
    list_plans
    get_plan plan_slug
    create_subscription plan_slug options=
    list_subscriptions
    get_subscription subscription_id
    modify_subscription subscription_id params
    change_subscription_plan subscription_id plan_slug
    change_subscription_renew_plan subscription_id renew_plan_slug
    change_subscription_max_subscribers subscription_id max_subscribers
    set_subscription_auto_renew subscription_id auto_renew
    set_subscription_is_active subscription_id is_active
    list_subscription_customers subscription_id
    add_subscription_customer subscription_id customer_id_to_add is_administrator= is_subscriber= metadata=
    remove_subscription_customer subscription_id customer_id_to_remove
    get_entitlements callback=
    get_lever_usage lever_slug
    get_metering_id_usage metering_id
    report_usage metering_id usage bucket=
    get_access_token
"""

# Behind no method of the seed: D25 has them as extras, by keyword.
EXTRAS = (
    "list_plans public_only",
    "list_plans order_by",
    "get_plan levers_order_by",
    "list_levers order_by",
    "list_subscriptions product_slug",
)


@pytest.mark.parametrize("extra", EXTRAS)
def test_extras_of_later_releases_are_there_by_keyword(extra: str) -> None:
    """D25 of the facts: they may be left out, and stand in nobody's way."""
    name, parameter = extra.split()
    found = inspect.signature(getattr(PlanshipCustomer, name)).parameters[parameter]
    assert found.kind is found.KEYWORD_ONLY
    assert found.default in (None, ())


@pytest.mark.parametrize("line", [line.strip() for line in METHODS.strip().splitlines()])
def test_every_method_of_the_seed_is_there(line: str) -> None:
    """Issue 5: each in snake case, awaitable, with the seed's parameters in the seed's order, and described."""
    name, *parameters = line.split()
    method = getattr(PlanshipCustomer, name)
    assert inspect.iscoroutinefunction(method)
    assert method.__doc__
    every = list(inspect.signature(method).parameters.values())[1:]
    given = [each for each in every if f"{name} {each.name}" not in EXTRAS]
    assert [f"{each.name}{'' if each.default is each.empty else '='}" for each in given] == parameters
    assert all(each.kind is each.POSITIONAL_OR_KEYWORD for each in given)


@pytest.mark.parametrize("name", planship.__all__)
def test_every_export_is_there_and_described(name: str) -> None:
    """This SDK: public is what ``__all__`` exports and a docstring describes."""
    assert getattr(planship, name).__doc__


@pytest.mark.parametrize(
    "model",
    [each for each in vars(planship).values() if dataclasses.is_dataclass(each) and isinstance(each, type)],
    ids=lambda model: model.__name__,
)
def test_every_model_is_frozen_and_made_by_keyword(model: type) -> None:
    """This SDK: values that do not change, whose fields may grow."""
    assert model.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert all(field.kw_only for field in dataclasses.fields(model))
    assert hasattr(model, "__slots__")
    if issubclass(model, PlanshipModel):
        assert "extra" in {field.name for field in dataclasses.fields(model)}


def test_client_is_made_outside_of_any_loop() -> None:
    """This SDK: making one opens nothing."""
    PlanshipCustomer("p", "c", client_id="a", client_secret="b")
