"""Any protobuf message by Hypothesis, derived from its descriptor: what no client of ours would send, but others may.

Fields are left out, oneofs empty, enums of numbers that nobody knows, times beyond the calendar, amounts that are none.
Strings are drawn from what means something in a test's world, so that commands get past the first check as well.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory
from hypothesis import strategies as st

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from hypothesis.strategies import SearchStrategy

MAX_DEPTH = 6
IDS = [f"el_cst_{number:032x}" for number in range(1, 6)]
MADE = [f"el_{kind}_{number:032x}" for kind in ("msg", "txn", "ses") for number in range(1, 12)]
ODD: list[Any] = ["", " ", "\x00", "x" * 300, "é", "None"]
NUMBERS = ["+254700000001", "254 700 000 002", "00254700000003", "83044", "*83044#", "+254711621711", "elarian_bot"]
STRINGS: dict[str, list[str]] = {
    "customer_id": IDS,
    "number": NUMBERS,
    "customer_number": NUMBERS,
    "purse_id": ["el_prs_rL3IPZ", "el_prs_saving"],
    "wallet_id": ["main", "other"],
    "currency_code": ["KES", "KES", "USD"],
    "source": ["83044", "shop"],
    "transaction_id": [*MADE, "MPESA1"],
    "message_id": MADE,
    "key": ["level", "LEVEL", "loan"],
}
ANYTHING = ["gold", "iron", "83044", "el_prs_rL3IPZ", "main", "MPESA1", *NUMBERS, *IDS[:2], *MADE]
NO_MONEY = [0.0, -5.0, 0.00001, 1e15, 1e300, float("nan"), float("inf")]
TIMES = [1_772_366_400, 1_772_366_400 + 3600]
NO_TIMES = [0, 1, -1, 2**40, -(2**62), 2**63 - 1]
SMALL = [0, 1, 5, -1, 10**9 - 1, 10**9, 2**31 - 1, -(2**31)]
WHOLE: dict[str, list[dict[str, Any]]] = {
    "CustomerNumber": [{"provider": 2, "number": number} for number in NUMBERS[:3]],
    "MessagingChannelNumber": [
        {"channel": 1, "number": "83044"},
        {"channel": 2, "number": "+254711621711"},
        {"channel": 3, "number": "*83044#"},
        {"channel": 6, "number": "+254711621711"},
    ],
    "PaymentChannelNumber": [{"channel": 1, "number": "83044"}],
}
"""What belongs together, or few commands would get anywhere."""


def wire_messages(cls: type[Any]) -> SearchStrategy[bytes]:
    """Give the bytes of any message of a generated class."""
    return _message(cls.DESCRIPTOR, MAX_DEPTH).map(lambda message: message.SerializeToString())


@cache
def _message(descriptor: Descriptor, depth: int) -> SearchStrategy[Any]:
    cls: Any = message_factory.GetMessageClass(descriptor)

    @st.composite
    def make(draw: st.DrawFn) -> Any:  # noqa: ANN401 - of the generated class
        if descriptor.name in WHOLE and draw(st.booleans()):
            return cls(**draw(st.sampled_from(WHOLE[descriptor.name])))
        made = cls()
        for group in _groups(descriptor):
            chosen = draw(_mostly(group, [None]))
            if chosen is not None and (depth or chosen.message_type is None):
                _fill(draw, made, chosen, depth)
        return made

    return make()


def _mostly(good: list[Any], bad: list[Any]) -> SearchStrategy[Any]:
    """Give something *good*, but for one in ten or so: each command has many fields, and one bad one refuses it."""
    return st.integers(0, 11).flatmap(lambda number: st.sampled_from(bad if number == 11 else good))


def _groups(descriptor: Descriptor) -> list[list[Any]]:
    """Give the fields, those of one oneof together."""
    alone = [[each] for each in descriptor.fields if each.containing_oneof is None]
    return [*alone, *([*each.fields] for each in descriptor.oneofs)]


def _fill(draw: st.DrawFn, made: Any, field: FieldDescriptor, depth: int) -> None:  # noqa: ANN401
    name = field.name
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entries = draw(st.lists(_message(field.message_type, depth - 1), max_size=2))
        for entry in entries:
            if field.message_type.fields_by_name["value"].message_type is None:
                getattr(made, name)[entry.key] = entry.value
            else:
                getattr(made, name)[entry.key].CopyFrom(entry.value)
    elif field.is_repeated:
        getattr(made, name).extend(draw(st.lists(_value(field, depth), max_size=2)))
    elif field.message_type is not None:
        getattr(made, name).CopyFrom(draw(_value(field, depth)))
    else:
        setattr(made, name, draw(_value(field, depth)))


def _value(field: FieldDescriptor, depth: int) -> SearchStrategy[Any]:
    if field.message_type is not None:
        return _message(field.message_type, depth - 1)
    if field.enum_type is not None:
        return _mostly([each.number for each in field.enum_type.values], [0, 99, -1])
    return _SCALARS[field.cpp_type](field)


_SCALARS: dict[int, Any] = {
    9: lambda field: (  # string, or bytes
        st.binary(max_size=8) if field.type == field.TYPE_BYTES else _mostly(STRINGS.get(field.name, ANYTHING), ODD)
    ),
    7: lambda _: st.booleans(),
    6: lambda _: _mostly([1.0, 100.0], NO_MONEY),  # float
    5: lambda _: _mostly([1.0, 100.0], NO_MONEY),
    2: lambda _: _mostly(TIMES, NO_TIMES),  # int64
    1: lambda _: st.sampled_from(SMALL),  # int32
    3: lambda _: st.sampled_from([abs(each) for each in SMALL[:7]]),  # uint32
    4: lambda _: st.sampled_from([abs(each) for each in NO_TIMES]),  # uint64
}
