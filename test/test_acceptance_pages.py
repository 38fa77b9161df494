"""Acceptance, written from the design: every page says what its function waits for, raises and leaves."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest

import elarian_trio
from elarian_trio import ConnectionOptions, Customer, Delivery, Elarian, Simulator
from elarian_trio.sandbox import Sandbox, planship, talonone

OWNERS: tuple[type[Any], ...] = (Elarian, Customer, Simulator, Delivery)


def members(owner: type[Any], *, waiting: bool) -> list[tuple[type[Any], str]]:
    """Give the public methods of a class, those that wait or those that do not."""
    found = inspect.getmembers(owner, lambda member: inspect.isfunction(member) or inspect.ismethod(member))
    return [
        (owner, name)
        for name, member in found
        if not name.startswith("_") and inspect.iscoroutinefunction(inspect.unwrap(member)) == waiting
    ]


WAITING = [pair for owner in OWNERS for pair in members(owner, waiting=True)]
PLAIN = [pair for owner in OWNERS for pair in members(owner, waiting=False)]


def test_the_lists_are_not_empty() -> None:
    """This test's own: a filter that finds nothing would prove nothing."""
    names = {name for _, name in WAITING}
    assert {"lease_app_data", "initiate_payment", "receive_message", "reply", "reject", "disconnect", "ping"} <= names
    assert len(WAITING) > 60


@pytest.mark.parametrize(("owner", "name"), WAITING, ids=lambda value: getattr(value, "__name__", value))
def test_page_says_when_it_waits_what_it_raises_and_what_a_cancelled_call_leaves(owner: type[Any], name: str) -> None:
    """The issue: a docstring with all three, in its own words or its class's."""
    page = inspect.getdoc(getattr(owner, name)) or ""
    assert len(page) > 40
    missing = [word for word in ("wait", "raises", "cancel") if word not in page.lower()]
    assert not missing, page


@pytest.mark.parametrize(("owner", "name"), WAITING + PLAIN, ids=lambda value: getattr(value, "__name__", value))
def test_signature_is_typed_and_described(owner: type[Any], name: str) -> None:
    """The issue: typed through and through."""
    member = getattr(owner, name)
    assert inspect.getdoc(member)
    signature = inspect.signature(member)
    untyped = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.annotation is inspect.Parameter.empty and parameter.name != "self"
    ]
    assert not untyped
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("owner", [*OWNERS, Sandbox], ids=lambda owner: owner.__name__)
def test_class_says_how_it_is_made_and_names_its_arguments(owner: type[Any]) -> None:
    """The style: a class says who makes it."""
    page = inspect.getdoc(owner) or ""
    assert len(page) > 100
    arguments = [name for name in inspect.signature(owner).parameters if name not in ("args", "kwargs")]
    if owner not in (Customer, Simulator):  # customers come from a client; a simulator takes what an app takes
        assert not [name for name in arguments if name not in page]


@pytest.mark.parametrize(
    "name",
    [name for name in elarian_trio.__all__ if hasattr(getattr(elarian_trio, name), "__dataclass_fields__")],
)
def test_every_field_of_a_model_is_typed_and_named_in_its_page(name: str) -> None:
    """The style: a field says what it is; its type can be resolved at run time."""
    model = getattr(elarian_trio, name)
    page = "\n".join(inspect.getdoc(each) or "" for each in model.__mro__)
    assert inspect.getdoc(model)
    hints = model.__annotations__ if model is ConnectionOptions else typing.get_type_hints(model)  # no ssl without TLS
    fields = [field for field in model.__dataclass_fields__ if not field.startswith("_")]
    assert not [field for field in fields if field not in hints]
    if len(fields) > 1:
        assert not [field for field in fields if field not in page], page


@pytest.mark.parametrize(
    "kind",
    [
        planship.Catalogue,
        planship.Product,
        planship.Plan,
        planship.Lever,
        talonone.Application,
        talonone.Campaign,
        talonone.Catalogue,
        talonone.Coupon,
        talonone.RuleState,
    ],
)
def test_types_of_what_a_stand_in_is_told_can_be_resolved(kind: type) -> None:
    """The style, as above: what reads dataclasses by their types may make a catalogue or a campaign of a file."""
    assert typing.get_type_hints(kind)


def test_sandbox_has_what_the_design_names() -> None:
    """The design's list of what a sandbox is made with and shows."""
    arguments = inspect.signature(Sandbox).parameters
    named = [
        "tcp",
        "tls",
        "ws",
        "wss",
        "data",
        "apps",
        "channels",
        "purses",
        "clock",
        "seed",
        "settle",
        "strict",
        "resume_window",
    ]
    assert [name for name in named if name not in arguments] == []
    defaults = {name: arguments[name].default for name in ("clock", "settle", "strict", "resume_window", "seed")}
    assert defaults == {"clock": "auto", "settle": "auto", "strict": True, "resume_window": 120.0, "seed": None}
    for name in ("credentials", "endpoints", "purse_id", "channels", "clock"):
        assert hasattr(Sandbox, name) or name in (Sandbox.__doc__ or ""), name
