"""Any model by Hypothesis, derived from its fields' types: ``models(SendMessage)``.

What comes out survives the wire: times have microseconds, amounts are doubles, and what a message does not carry (the
expiry of a tag that only addresses customers) is left out.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from hypothesis import strategies as st

from elarian_trio import models as room
from elarian_trio.models import commands, identity, notifications, simulator, voice
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.checks import alternatives, enum_of, field_types
from elarian_trio.models.model import EPOCH, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

M = TypeVar("M", bound=Model)

CENTURY = timedelta(days=36_525)

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAME = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
WHOLE_SECONDS = st.integers(-(2**31), 2**31 - 1).map(lambda seconds: timedelta(seconds=seconds))

BY_TYPE: Mapping[Any, SearchStrategy[Any]] = {
    str: TEXT,
    bytes: st.binary(max_size=12),
    bool: st.booleans(),
    int: st.integers(-(2**31), 2**31 - 1),
    float: FINITE,
    Decimal: st.decimals(-(10**9), 10**9, places=2) | FINITE.map(lambda number: Decimal(repr(number))),
    datetime: st.datetimes(timezones=st.just(UTC)),
    timedelta: st.timedeltas(-CENTURY, CENTURY),
    Any: TEXT | st.binary(max_size=12),  # metadata as it is stored
}

EXCLUSIVE: Mapping[type, tuple[str, str]] = {
    voice.GetDigits: ("say", "play"),
    voice.GetRecording: ("say", "play"),
    simulator.SendCustomerPaymentSimulatorNotification: ("wallet", "purse"),
    simulator.SendChannelPaymentSimulatorNotification: ("wallet", "purse"),
    simulator.CheckoutPaymentSimulatorNotification: ("wallet", "purse"),
    notifications.PaymentStatusNotification: ("customer_id", "purse_id"),
}
"""Fields of which one at most is given."""

VIEWS = frozenset({"text", "media", "location", "email", "voice", "input"})


def every_model() -> Iterator[type[Model]]:
    """Give each class of the models' room that can be made."""
    for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
        for cls in vars(importlib.import_module(module.name)).values():
            own = isinstance(cls, type) and issubclass(cls, Model) and cls.__module__ == module.name
            if own and dataclasses.is_dataclass(cls) and not cls.__name__.startswith("_"):
                yield cls


@cache
def models(cls: type[M], *, sendable: bool = False) -> SearchStrategy[M]:
    """Give any *cls*; with *sendable* only what a client may send: neither UNKNOWN nor None where something is asked.

    UNKNOWN and None still occur where they are the field's own default.
    """
    fields = {
        field.name: _field(cls, field, sendable=sendable)
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]
        if not (field.name in VIEWS and issubclass(cls, notifications.ReceivedMessageNotification))
    }

    def make(values: dict[str, Any]) -> M:
        for one, other in [EXCLUSIVE[cls]] if cls in EXCLUSIVE else []:
            if values[one] is not None:
                values = values | {other: None}
        return cls(**values)

    return st.fixed_dictionaries(fields).map(make)


def _field(cls: type, field: dataclasses.Field[Any], *, sendable: bool) -> SearchStrategy[Any]:
    if field.name == "expires_at":
        times = BY_TYPE[datetime].filter(lambda time: time != EPOCH)
        return st.none() | times if type(None) in alternatives(field_types(cls)[field.name]) else times
    if cls is voice.Dial and field.name == "max_duration":
        return st.none() | WHOLE_SECONDS
    if field.name == "customer_id" and issubclass(cls, notifications.Notification):
        return st.none() | NAME  # on the wire an empty one is none
    if field.name == "channel_number" and issubclass(cls, notifications.ReceivedMessageNotification):
        return st.builds(MessagingChannel, TEXT, st.just(cls.channel))
    hint = field_types(cls)[field.name]
    if issubclass(cls, commands.Command) and field.name != "updates":
        addresses = [each for each in (identity.Tag, identity.SecondaryId) if each in _classes(hint)]
        if addresses:
            return _address(hint, addresses)
    return _hint(hint, field.default, sendable=sendable)


def _classes(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    return get_args(hint) if get_origin(hint) is tuple else alternatives(hint)


def _address(hint: Any, addresses: list[Any]) -> SearchStrategy[Any]:  # noqa: ANN401
    """Whom a command is for: an expiry has no meaning there and does not travel."""
    named = st.one_of([st.builds(each, TEXT, TEXT) for each in addresses])
    if get_origin(hint) is tuple:
        return st.lists(named, max_size=2).map(tuple)
    others = [_hint(each, None, sendable=True) for each in alternatives(hint) if each not in addresses]
    return st.one_of(named, *others)


def _hint(hint: Any, default: Any, *, sendable: bool) -> SearchStrategy[Any]:  # noqa: ANN401
    optional = type(None) in alternatives(hint)
    needed = sendable and default is dataclasses.MISSING
    choices = [] if not optional or needed else [st.none()]
    enum = enum_of(hint)
    if enum is not None:
        members = [each for each in enum if each != "unknown" or not sendable or default == "unknown"]
        return st.one_of(*choices, st.sampled_from(members))
    parts = [each for each in alternatives(hint) if each is not type(None)]
    return st.one_of(*choices, *(_part(each, sendable=sendable) for each in parts))


def _part(part: Any, *, sendable: bool) -> SearchStrategy[Any]:  # noqa: ANN401
    if part in BY_TYPE:
        return BY_TYPE[part]
    arguments = [_hint(each, dataclasses.MISSING, sendable=sendable) for each in get_args(part) if each is not ...]
    if get_origin(part) is tuple:
        return st.lists(*arguments, max_size=2).map(tuple)
    if get_origin(part) is Mapping:
        return st.dictionaries(*arguments, max_size=2)
    return models(part, sendable=sendable)
