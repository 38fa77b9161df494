"""What an argument has to be, and what is said of one that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import NoneType
from typing import TypeAlias

import pytest

from elarian_trio._arguments import (
    all_of,
    is_encodable,
    is_finite,
    is_sendable,
    require,
    require_choice,
    require_fields,
    require_function,
    shown,
)

Check: TypeAlias = Callable[[], object]


@pytest.mark.parametrize(
    "check",
    [
        lambda: require("size", int, 5),
        lambda: require("size", (int, str), "5"),
        lambda: require("strict", bool, value=True),
        lambda: require("value", (int, bool), value=True),
        lambda: require("value", object, value=True),
        lambda: require_fields(5, {"real": int, "imag": (int, NoneType)}),
        lambda: require_choice("clock", "real", ("auto", "real")),
        lambda: require_function("dial", print),
        lambda: require_function("dial", None, optional=True),
    ],
)
def test_what_is_right_passes(check: Check) -> None:
    """This SDK: a check that has nothing to say says nothing."""
    check()


@pytest.mark.parametrize("given", [[1, 2], (1, 2), {1: "a", 2: "b"}.keys()])
def test_all_of_a_sequence_is_given_as_a_tuple(given: Iterable[int]) -> None:
    """This SDK: what the caller may change later is kept as it was."""
    assert all_of("sizes", int, given) == (1, 2)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (lambda: require("name", str, 5), "name must be a str, got int"),
        (lambda: require("size", int, "secret"), "size must be an int, got str"),
        (lambda: require("size", int, value=True), "size must be an int, got bool"),
        (lambda: require("size", (int, float), value=True), "size must be one of int, float, got bool"),
        (lambda: require("size", (int, str), None), "size must be one of int, str, got NoneType"),
        (lambda: require("size", (int, NoneType), "5"), "size must be one of int, None, got str"),
        (lambda: require("size", int, None, wanted="a whole number"), "size must be a whole number, got NoneType"),
        (lambda: require_fields(5, {"real": int, "imag": str}), "imag must be a str, got int"),
        (lambda: all_of("codes", str, "SPRING"), "codes must be a sequence of str, got str"),
        (lambda: all_of("codes", str, {"a": 1}), "codes must be a sequence of str, got dict"),
        (lambda: all_of("codes", str, 5), "codes must be a sequence of str, got int"),
        (lambda: all_of("codes", str, ["a", 5]), "each of codes must be a str, got int"),
        (lambda: require_function("dial", None), "dial must be a function, got NoneType"),
        (lambda: require_function("dial", 5, optional=True), "dial must be a function, got int"),
    ],
)
def test_what_is_wrong_is_a_type_error_that_says_what_would_be_right(check: Check, words: str) -> None:
    """errors.py: bad arguments are ValueError or TypeError; a value, which may be a secret, is not repeated."""
    with pytest.raises(TypeError) as caught:
        check()
    assert str(caught.value) == words


def test_what_is_not_to_choose_from_is_a_value_error_that_names_the_choice() -> None:
    """The same, of names: whoever mistypes one sees which there are."""
    with pytest.raises(ValueError, match=r"^clock must be one of 'auto', 'real', got 'reel'$"):
        require_choice("clock", "reel", ("auto", "real"))


@pytest.mark.parametrize(
    ("number", "is_one", "words"),
    [
        (1.5, True, "1.5"),
        (-3, True, "-3"),
        (float("inf"), False, "inf"),
        (float("nan"), False, "nan"),
        (10**400, False, "an int that no float holds"),
        (-(10**5000), False, "an int that no float holds"),
    ],
    ids=["float", "int", "infinity", "nan", "a long int", "one longer than Python writes"],
)
def test_a_number_is_finite_as_far_as_a_float_goes(number: float, words: str, *, is_one: bool) -> None:
    """CPython: such an int raises OverflowError where a float is made of it, and ValueError where it is written."""
    assert is_finite(number) is is_one
    assert shown(number) == words


@pytest.mark.parametrize(("text", "is_one"), [("", True), ("é\U0001f600", True), ("a\ud83d", False), ("\ude00", False)])
def test_a_text_is_carried_by_utf_8_unless_half_a_pair_stands_alone(text: str, *, is_one: bool) -> None:
    """RFC 3629 §3: surrogates are no characters. JSON's escapes make such a text, and so do names of files."""
    assert is_encodable(text) is is_one


@pytest.mark.parametrize(
    ("value", "is_one"), [("", True), ("Bearer a b~", True), ("é", False), ("a\r\nb", False), ("\x7f", False)]
)
def test_a_header_carries_what_is_of_printable_ascii(value: str, *, is_one: bool) -> None:
    """RFC 9110 §5.5, and the house: a line's end in a token would begin another header."""
    assert is_sendable(value) is is_one
