"""How models are made of values that are to be checked: the first of a class, and the others."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, datetime

import pytest

from elarian_trio.models import constructors
from elarian_trio.models.commands import GetCustomerState
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, IdentityState, Reminder, Tag
from elarian_trio.models.model import Model


def test_the_first_of_a_class_and_the_second_are_the_same() -> None:
    """This SDK: the first is made by what dataclasses wrote, the others by what is written for its class."""
    usual = inspect.unwrap(CustomerNumber.__init__)
    CustomerNumber.__init__ = usual  # type: ignore[method-assign]
    first = CustomerNumber("+254709759881", "app", "p")
    assert CustomerNumber.__init__ is not usual
    second = CustomerNumber("+254709759881", "app", "p")
    assert first == second
    assert (second.provider, second.partition) == (CustomerNumberProvider.APP, "p")
    assert CustomerNumber("+1").provider is CustomerNumberProvider.CELLULAR


@pytest.mark.parametrize("make", [lambda: CustomerNumber(1), lambda: CustomerNumber("+1", "pigeon")])  # type: ignore[arg-type]
def test_every_one_is_checked(make: object) -> None:
    """This SDK: what cannot be sent is refused before anything is, by the first and by those after it."""
    for _ in range(3):
        with pytest.raises((TypeError, ValueError)):
            make()  # type: ignore[operator]


def test_a_constructor_says_what_it_takes() -> None:
    """This SDK: editors and help() show the same signature, however many were made."""
    GetCustomerState(customer="el_cst_1")
    assert str(inspect.signature(CustomerNumber)).startswith("(number: 'str', provider: ")
    assert list(inspect.signature(GetCustomerState).parameters) == ["customer"]
    with pytest.raises(TypeError):
        GetCustomerState("el_cst_1")  # type: ignore[misc]
    with pytest.raises(TypeError, match="remind_at"):
        Reminder("key")  # type: ignore[call-arg]


def test_it_is_written_once_though_two_threads_may_come_to_write_it() -> None:
    """This SDK: what is written stands on what dataclasses wrote, not on another that was written."""
    CustomerNumber("+1")
    usual = inspect.unwrap(CustomerNumber.__init__)
    constructors.check(CustomerNumber("+1"))  # as a thread does that was on its way when the other was through
    assert inspect.unwrap(CustomerNumber.__init__) is usual
    assert CustomerNumber("+1").number == "+1"


@dataclasses.dataclass(frozen=True, slots=True)
class Mine(CustomerNumber):
    """A user's own, which checks more."""

    def __post_init__(self) -> None:
        """Refuse what is no number of Kenya's."""
        Model.__post_init__(self)
        if not self.number.startswith("+254"):
            msg = "not of Kenya"
            raise ValueError(msg)


class Alias(CustomerNumber):
    """A user's own that adds nothing."""

    def __post_init__(self) -> None:
        """Refuse what Mine does."""
        Mine.__post_init__(self)  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", [Mine, Alias])
def test_a_class_below_checks_what_it_checks(cls: type[CustomerNumber]) -> None:
    """This SDK: a class may be stood on; what it demands holds for every one."""
    CustomerNumber("+1")
    for _ in range(2):
        assert cls("+254709759881", "app").provider is CustomerNumberProvider.APP
        with pytest.raises(ValueError, match="not of Kenya"):
            cls("+1")


def test_those_with_more_to_do_are_made_as_before() -> None:
    """This SDK: defaults that each has of its own, and checks beyond a field's type."""
    one, other = IdentityState(), IdentityState()
    assert one == other
    assert one.metadata is not other.metadata
    for _ in range(2):
        with pytest.raises(ValueError, match="epoch"):
            Tag("key", "value", datetime(1970, 1, 1, tzinfo=UTC))
