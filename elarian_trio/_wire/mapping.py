"""Makes, once per class and message, the pair that fills the message from the model and takes the model out of it.

:mod:`.envelopes` and :mod:`.setup` stand on this; below are :mod:`.unions`, :mod:`.shapes`, :mod:`.values` and
:mod:`.tables`. A field is found by its name, and what is done with it follows from the model's type hint and the
message's descriptor; the tables list the rest. A class and message that do not fit each other are a TypeError when the
pair is first used, whatever the value.

What is read makes models without their constructors: the wire cannot hold what those refuse, but for what is looked at
here (times that no calendar has) and in the models' own ``_settle``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeVar, cast, get_args, get_origin

from google.protobuf.message_factory import GetMessageClass

from elarian_trio.models.checks import alternatives, checks, enum_of, field_types
from elarian_trio.models.messaging import Url
from elarian_trio.models.model import Model
from elarian_trio.models.notifications import Notification
from elarian_trio.models.source import Written, named
from elarian_trio.models.twins import twin

from . import tables
from .shapes import Always, Elsewhere, Keyed, Repeated, Scalar, Sometimes, Spot, has_field
from .unions import Branch, union_piece
from .values import EXPIRY, OR_NONE, SCALARS, URL, WELL_KNOWN, Message, Piece, enum_piece, must_be

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

    from .shapes import Shape

M = TypeVar("M", bound=Model)

Place: TypeAlias = "tuple[str, Spot, Shape]"
"""A model's field, where it stands, and what it is."""

Hint: TypeAlias = Any
"""A resolved type hint, or a member of one."""


class UnencodableField(ValueError):
    """A ValueError that already names the model and the field."""


class Codec(Generic[M]):
    """The pair for one class and one message; a notification's knows the form around the message, too.

    Attributes:
        cls: the model's class.
        message: the message.
        form: the message around it that has some of the model's fields.
        fill: ``fill(message, model, strict)``, and the form behind it if there is one: fills both from the model and
            makes them be there. A ValueError names the model and the field that cannot be sent.
        take: ``take(message)``, and the form behind it: gives the model. A ValueError or TypeError says what the
            message must not hold.
        blank: gives the model of an empty message, of a class that is lists and mappings only.
    """

    __slots__ = ("blank", "cls", "fill", "form", "message", "take")

    def __init__(self, cls: type[M], message: Descriptor, form: Descriptor | None) -> None:
        self.cls = cls
        self.message = message
        self.form = form
        label = f"{cls.__name__}_{message.name}"
        self.fill = Written(f"fill_{label}", self._write_fill)
        self.take = Written(f"take_{label}", self._write_take)
        self.blank = Written(f"blank_{label}", self._write_blank)

    @property
    def piece(self) -> Piece:
        """The model as a value within another."""
        take = f"{self.take.name}({{0}})"
        if self._empty is not None:
            # Look first if there is anything in it: that takes a tenth of what looking at each list takes.
            empty = named(f"empty_{self.message.name}", _empty_message(self.message))
            take = f"{self._empty} if (part := {{0}}) == {empty} else {take.format('part')}"
        return Piece(take, f"{self.fill.name}({{0}}, {{1}}, strict)")

    def _write_fill(self, name: str) -> list[str]:
        cls, places = named(self.cls.__name__, self.cls), _made_sure(self._places())
        lines = [
            f"def {name}(message, model, strict{', form' if self.form else ''}):",
            f"    if model.__class__ is not {cls} and not isinstance(model, {cls}):",
            f"        {named('must_be', must_be)}(({cls},), model)",
            '    at = ""',
            "    try:",
            *(f"        {line}" for line in _deeper(places)),
            *([] if _is_sure(places) else ["        message.SetInParent()"]),
        ]
        for own, spot, shape in places:
            written = shape.write(spot)
            lines += [f"        {line}" for line in ([f'at = "{own}"', *written] if written else [])]
        return [
            *lines,
            f"    except {named('UnencodableField', UnencodableField)}:",
            "        raise",
            "    except (ValueError, TypeError, ArithmeticError, AttributeError) as error:",
            f'        raise {named("unencodable", _unencodable)}("{self.cls.__name__}", at, error) from error',
        ]

    def _write_take(self, name: str) -> list[str]:
        places = self._places()
        # What a class with a constructor's rest of its own demands beyond its fields' types, or that whole rest.
        rest = None if self.cls.__post_init__ is Model.__post_init__ else self.cls.__post_init__
        settle = getattr(self.cls, "_settle", rest)
        return [
            f"def {name}(message{', form' if self.form else ''}):",
            f"    new = {named(f'Open{self.cls.__name__}', twin(self.cls))}()",
            *(f"    {line}" for line in _deeper(places)),
            *(f"    {line}" for _, spot, shape in places for line in shape.read(spot)),
            f"    new.__class__ = {named(self.cls.__name__, self.cls)}",
            *([] if settle is None else [f"    {named(f'settle_{self.cls.__name__}', settle)}(new)"]),
            "    return new",
        ]

    @property
    def _empty(self) -> str | None:
        """The model of an empty message, of a class that is lists and mappings: most parts of customers' states are."""
        cls: Any = self.cls
        kinds = {_kind(hint) for hint in field_types(cls).values()}
        if kinds == {tuple}:
            return named(f"no_{cls.__name__}", _empty(cls))
        return f"{self.blank.name}()" if kinds and kinds <= {tuple, Mapping} else None

    def _write_blank(self, name: str) -> list[str]:
        """Make one for each, since a user may change its mappings; without any, one is made for all."""
        return [
            f"def {name}():",
            f"    new = {named(f'Open{self.cls.__name__}', twin(self.cls))}()",
            *(
                f"    new.{own} = {'()' if _kind(hint) is tuple else '{}'}"
                for own, hint in field_types(self.cls).items()
            ),
            f"    new.__class__ = {named(self.cls.__name__, self.cls)}",
            "    return new",
        ]

    def _places(self) -> list[Place]:
        hints, names = field_types(self.cls), tables.WIRE_NAMES.get(self.message.name, {})
        return [
            self._place(field, hints[field.name], names.get(field.name, field.name))
            for field in dataclasses.fields(self.cls)  # type: ignore[arg-type]  # every model is one
        ]

    def _place(self, field: dataclasses.Field[Any], hint: Hint, name: str) -> Place:
        outer, _, inner = name.partition(".")
        owner, message = "message", self.message
        if field.name in _not_there(self.cls, message):
            if self.form is None or name not in self.form.fields_by_name:
                return field.name, _spot(field.name, "", "", message), Elsewhere(_stand_in(message, field))
            owner, message = "form", self.form
        elif inner:
            owner, name, message = outer, inner, _inside(message.fields_by_name[outer])
        oneof = message.oneofs_by_name.get(name)
        if oneof is not None:
            return field.name, _spot(field.name, owner, "", message), Always(_union(hint, oneof))
        wire = message.fields_by_name.get(name)
        if wire is None:
            _misfit(hint, f"{message.full_name}.{name}")
        shape = self._shape(field, hint, wire, is_deeper=bool(inner))
        return field.name, _spot(field.name, owner, name, message), shape

    def _shape(self, field: dataclasses.Field[Any], hint: Hint, wire: FieldDescriptor, *, is_deeper: bool) -> Shape:
        parts = _without_none(hint)
        kind = _kind(parts[0]) if len(parts) == 1 else None
        if kind is tuple:
            return _repeated(get_args(parts[0])[0], wire)
        if kind is Mapping:
            return Keyed(_piece(get_args(parts[0])[1], _inside(wire).fields_by_name["value"], MISSING))
        piece = _piece(hint, wire, field.default)
        if wire.message_type is None:
            # What stands deeper is always set, and by that also there.
            return Scalar(piece, must_be_set=is_deeper)
        if piece is EXPIRY:
            return Always(piece)
        if type(None) in alternatives(hint):
            oneof = wire.containing_oneof
            return Sometimes(piece, field.default is MISSING, None if oneof is None else oneof.name)
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        refuse = f'{self._check(field.name)}("{field.name}", None)' if piece.may_be_none else None
        return Always(piece, often_left_out=has_default, refuse=refuse)

    def _check(self, field: str) -> str:
        """Give the name of what the constructor checks a field by."""
        return next(named(f"check_{field}", check) for name, _, check in checks(self.cls) if name == field)


_CODECS: dict[tuple[type, str, str | None], Codec[Any]] = {}


def codec(cls: type[M], message: Descriptor, form: Descriptor | None = None) -> Codec[M]:
    """Give the pair for *cls* and *message*, in *form* where it is a notification's; made once."""
    key = (cls, message.full_name, None if form is None else form.full_name)
    found = _CODECS.get(key)
    if found is None:
        found = _CODECS[key] = Codec(cls, message, form)
    return found


@cache
def _empty(cls: Any) -> Model:  # noqa: ANN401 - a model's class
    """Make one of a class that is lists only, which nobody can change."""
    return cast("Model", cls(**dict.fromkeys(field_types(cls), ())))


@cache
def _empty_message(message: Descriptor) -> Message:
    return GetMessageClass(message)()


def _unencodable(cls: str, field: str, error: Exception) -> UnencodableField:
    return UnencodableField(f"{cls}.{field} {error}")


def _misfit(hint: Hint, name: str) -> NoReturn:
    msg = f"no way to carry {hint} in {name}"
    raise TypeError(msg)


# --- where a field stands ---


def _spot(own: str, owner: str, name: str, message: Descriptor) -> Spot:
    return Spot(owner, name, has_field(message), given=f"model.{own}", target=f"new.{own}")


def _not_there(cls: type, message: Descriptor) -> frozenset[str]:
    """Give the fields of *cls* that *message* does not carry; a notification's common ones stand in the form."""
    absent = tables.NOT_THERE.get(message.name, frozenset[str]())
    return absent | set(field_types(Notification)) if issubclass(cls, Notification) else absent


def _stand_in(message: Descriptor, field: dataclasses.Field[Any]) -> str:
    """Give the name of what a field holds that is not carried: one for all, so it must be what nobody can change."""
    stand_ins = tables.STAND_INS.get(message.name, {})
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return named(f"default_{field.name}", stand_ins.get(field.name, default))


def _deeper(places: list[Place]) -> list[str]:
    """Give the lines that name the messages within the message that some fields stand in."""
    owners = dict.fromkeys(spot.owner for _, spot, _ in places)
    return [f"{owner} = message.{owner}" for owner in owners if owner not in ("", "message", "form")]


def _is_sure(places: list[Place]) -> bool:
    """Whether writing makes the message be there, whatever the values."""
    return any(shape.is_sure for _, spot, shape in places if spot.owner != "form")


def _made_sure(places: list[Place]) -> list[Place]:
    """Have the first field set whatever its value, if nothing else surely is: that makes the message be there."""
    first = next((own for own, spot, shape in places if isinstance(shape, Scalar) and spot.owner == "message"), None)
    if first is None or _is_sure(places):
        return places
    return [
        (own, spot, replace(shape, must_be_set=True) if own == first and isinstance(shape, Scalar) else shape)
        for own, spot, shape in places
    ]


def _repeated(hint: Hint, wire: FieldDescriptor) -> Shape:
    return Repeated(_piece(hint | None, wire, MISSING), keeps_none=type(None) in alternatives(hint))


# --- what a field holds ---


def _inside(field: FieldDescriptor) -> Descriptor:
    """Give the message that a field holds; who asks knows that it holds one."""
    return cast("Descriptor", field.message_type)


def _without_none(hint: Hint) -> list[Hint]:
    """Give a hint's alternatives; metadata's Any is what the wire carries, a string or bytes."""
    parts = (str, bytes) if hint is Any else alternatives(hint)
    return [part for part in parts if part is not type(None)]


def _kind(part: Hint) -> Hint:
    """Give the class of an alternative's values."""
    origin: Hint = get_origin(part)
    return part if origin is None else origin


def _piece(hint: Hint, field: FieldDescriptor, default: object) -> Piece:
    enum, wire, parts = enum_of(hint), field.message_type, _without_none(hint)
    if enum is not None:
        return enum_piece(enum, cast("EnumDescriptor", field.enum_type), may_be_unknown=default is enum("unknown"))
    if field.name == "expires_at":
        return EXPIRY
    if wire is None:
        around = cast("Descriptor", field.containing_type)
        empty_is_none = field.name in tables.EMPTY_IS_NONE.get(around.name, ())
        return OR_NONE if empty_is_none else SCALARS[parts[0], field.cpp_type]
    if len(parts) > 1:
        return _union(hint, wire.oneofs[0])
    known = WELL_KNOWN.get((parts[0], wire.full_name))
    return known if known is not None else _model(parts[0], wire)


def _model(cls: Hint, message: Descriptor) -> Piece:
    if message.name not in tables.message_names(cls):
        _misfit(cls, message.full_name)
    pair: Codec[Any] = codec(cls, message)
    return pair.piece


_UNIONS: dict[tuple[tuple[Hint, ...], str], Piece] = {}


def _union(hint: Hint, oneof: OneofDescriptor) -> Piece:
    """Give the piece for a value of one of several classes; made once."""
    key = (alternatives(hint), oneof.full_name)
    if key not in _UNIONS:
        branches = [_branch(part, oneof) for part in _without_none(hint)]
        _UNIONS[key] = union_piece(oneof, branches, is_optional=type(None) in alternatives(hint))
    return _UNIONS[key]


def _branch(part: Hint, oneof: OneofDescriptor) -> Branch:
    kind, member = _kind(part), _member(part, oneof)
    if part is Url:
        return Branch(kind, member.name, Scalar(URL, must_be_set=True))
    if member.message_type is None:
        return Branch(kind, member.name, Scalar(SCALARS[part, member.cpp_type], must_be_set=True))
    if kind is tuple:
        actions = _inside(member).fields[0]
        return Branch(kind, member.name, _repeated(get_args(part)[0], actions), actions.name)
    return Branch(kind, member.name, Always(_model(part, member.message_type)))


def _member(part: Hint, oneof: OneofDescriptor) -> FieldDescriptor:
    kind = _kind(part)
    scalars = tables.SCALAR_MEMBERS.get(kind)
    for field in oneof.fields:
        wire = field.message_type
        if field.name in scalars if scalars is not None else wire and wire.name in tables.message_names(kind):
            return field
    _misfit(part, f"{oneof.containing_type.full_name}.{oneof.name}")
