"""What the user may set: how a client connects, waits, buffers, and turns values into bytes.

Every room above reads these values; only :mod:`elarian_trio.errors` is below. All durations are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

from elarian_trio._arguments import is_finite, require, shown, wrong_type

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = [
    "Backoff",
    "ConnectionOptions",
    "HttpOptions",
    "JsonSerializer",
    "JsonValue",
    "Reconnects",
    "Retries",
    "Serializer",
]

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

T = TypeVar("T")

_MIN_FRAGMENT = 64  # RSocket peers refuse middle fragments below 61 bytes (rsocket-java), so 64 is the floor
_MAX_FRAME = 16_777_215  # the protocol's 24-bit frame length
_PROXIES = ("http", "https", "socks5", "socks5h")  # what httpx2 can go by


class Serializer(Protocol):
    """How metadata and app data become the string or bytes that Elarian stores, and come back.

    The server never interprets the values, so any two inverse functions will do.
    """

    def dumps(self, value: Any) -> str | bytes:  # noqa: ANN401 - the user's own values
        """Turn *value* into what is stored; ValueError or TypeError where that cannot be done."""
        ...

    def loads(self, stored: str | bytes) -> Any:  # noqa: ANN401 - the user's own values
        """Turn what is stored back into a value; must accept what other SDKs stored."""
        ...


@dataclass(frozen=True, slots=True)
class JsonSerializer:
    """JSON text for every value but ``bytes``, which stay bytes; text that is not JSON is given back as it is.

    Elarian's JavaScript and Python SDKs store JSON text, its Java and Go SDKs bare strings; this reads both.
    """

    def dumps(self, value: Any) -> str | bytes:  # noqa: ANN401 - the user's own values
        """Give JSON text for *value*.

        Raises:
            ValueError: JSON cannot hold the value (NaN, infinities, lone surrogates, circular or foreign objects, keys
                that are no text).
        """
        if isinstance(value, bytes):
            return value
        try:
            text = _ENCODER.encode(value)
            text.encode()
            if isinstance(value, _CONTAINERS):
                _check_keys(value)
        except (TypeError, ValueError, RecursionError) as error:
            msg = f"JSON cannot hold this value: {error}"
            raise ValueError(msg) from error
        return text

    def loads(self, stored: str | bytes) -> Any:  # noqa: ANN401 - the user's own values
        """Give the value of JSON text, the text itself if it is no JSON, and bytes as they are."""
        if isinstance(stored, bytes):
            return stored
        text = stored.strip(_WHITESPACE)
        try:
            value, end = _DECODER.raw_decode(text)  # decode() looks for white space itself, twice and at length
        except (ValueError, RecursionError):
            return stored
        return value if end == len(text) else stored


def _check_keys(value: Any) -> None:  # noqa: ANN401 - the user's own values
    """Refuse keys that JSON would make text of: they would come back as other keys, or two of them as one."""
    within: list[Any] = [value]
    for each in within:
        parts: Any = each
        if isinstance(cast("object", each), dict):
            for key in each:
                if key.__class__ is not str:
                    require("a key", str, key)
            parts = each.values()
        if not _LEAVES.issuperset(map(type, parts)):  # at a glance: most mappings are flat
            within += [part for part in parts if isinstance(part, _CONTAINERS)]


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which are no JSON."""
    msg = f"{name} is no JSON"
    raise ValueError(msg)


# Made once: json.dumps and json.loads make one at each call that does not take all defaults.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_LEAVES = frozenset({str, int, float, bool, NoneType})
_CONTAINERS = (dict, list, tuple)
_WHITESPACE = " \t\n\r"  # JSON's own


@dataclass(frozen=True, slots=True)
class Backoff:
    """The delays between attempts to reconnect, in seconds.

    The first attempt comes after ``first``; while the session can be resumed, further ones every ``first`` for the
    first 10 s (and never more than a hundred a second); then the n-th after ``base * factor ** (n - 2)`` up to ``cap``;
    after 5 minutes of failure the delay doubles each time up to ``slow_cap``. Each delay is varied by ``jitter`` (0.2
    is up to 20 % either way). The schedule starts again once the peer has answered, not when a socket opens.

    Attributes:
        give_up_after: seconds since the peer last answered after which the client's block ends with
            ConnectionFailed; ``None`` for never.

    Raises:
        ValueError: a number is out of its range; the words tell that.
        TypeError: an argument is of the wrong type.
    """

    first: float = 0.25
    base: float = 0.5
    factor: float = 1.6
    jitter: float = 0.2
    cap: float = 5.0
    slow_cap: float = 60.0
    give_up_after: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no schedule can be made of."""
        for name in ("first", "base", "cap", "slow_cap"):
            _require_number(name, getattr(self, name), at_least=0.0)
        _require_number("factor", self.factor, at_least=1.0)
        _require_number("jitter", self.jitter, at_least=0.0, at_most=1.0)
        if self.give_up_after is not None:
            _require_number("give_up_after", self.give_up_after, at_least=0.0)


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How a client connects, waits and buffers. All durations are seconds, all sizes bytes.

    Attributes:
        keepalive_interval: how often a KEEPALIVE is sent.
        keepalive_lifetime: how long the peer may stay silent before the connection counts as dead.
        command_timeout: bounds each command that has no answer; ``None`` leaves that to the caller's cancel scopes.
        notification_timeout: how long a notification may stay unanswered, from its arrival.
        drain_timeout: how long leaving the block waits for deliveries in hand.
        connect_timeout: bounds one attempt to open a connection and have it answered.
        resume: "auto" asks the server to keep the session while the connection is cut, and does without where the
            server will not; "require" ends the block with SetupRejected there; "off" never asks. As rsocket-java
            keeps a refusal to itself where it was asked, "auto" does not ask at the attempt after one that ended in
            silence, until the server has answered for the first time.
        resume_buffer_size: sent frames kept for resumption until the server has confirmed them; while there is no
            room, new ones wait. 0 is as "off".
        reconnect: the delays between attempts.
        fragment_size: frames larger than this are cut.
        max_payload_size: bytes of the largest payload put together again from fragments. A larger notification is
            refused, and logged as a warning; servers repeat it, so its customer's next ones may wait behind it.
        receive_notifications: ``False`` asks the server for no notifications (the wire's simplex mode). Each one goes
            to one of the app's connections, so a program that only sends, beside one that serves, says so.
        ssl_context: replaces the default, verifying context of ``tls://`` and ``wss://``.
        serializer: how metadata and app data become bytes.

    Raises:
        ValueError: no connection can work with a value; the words tell the right range.
        TypeError: an argument is of the wrong type.
    """

    _: KW_ONLY
    keepalive_interval: float = 10.0
    keepalive_lifetime: float = 30.0
    command_timeout: float | None = 30.0
    notification_timeout: float = 15.0
    drain_timeout: float = 20.0
    connect_timeout: float = 10.0
    resume: Literal["auto", "require", "off"] = "auto"
    resume_buffer_size: int = 1024 * 1024
    reconnect: Backoff = field(default_factory=Backoff)
    fragment_size: int = 64 * 1024
    max_payload_size: int = 16 * 1024 * 1024
    receive_notifications: bool = True
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    serializer: Serializer = field(default_factory=JsonSerializer)

    def __post_init__(self) -> None:
        """Refuse values with which no connection can work, naming the right range."""
        for name in ("keepalive_interval", "keepalive_lifetime", "notification_timeout", "connect_timeout"):
            _require_number(name, getattr(self, name), above=0.0)
        if self.keepalive_lifetime <= self.keepalive_interval:
            msg = f"keepalive_lifetime must exceed keepalive_interval, got {self.keepalive_lifetime!r}"
            raise ValueError(msg)
        if self.command_timeout is not None:
            _require_number("command_timeout", self.command_timeout, above=0.0)
        _require_number("drain_timeout", self.drain_timeout, at_least=0.0)
        if self.resume not in ("auto", "require", "off"):
            msg = f"resume must be 'auto', 'require' or 'off', got {self.resume!r}"
            raise ValueError(msg)
        _require_size("resume_buffer_size", self.resume_buffer_size, at_least=0)
        if self.resume == "require" and self.resume_buffer_size == 0:
            msg = "resume='require' needs a resume_buffer_size of more than 0"
            raise ValueError(msg)
        _require_size("fragment_size", self.fragment_size, at_least=_MIN_FRAGMENT, at_most=_MAX_FRAME)
        _require_size("max_payload_size", self.max_payload_size, at_least=1)
        require("reconnect", Backoff, self.reconnect)
        require("receive_notifications", bool, self.receive_notifications)
        _require_context(self.ssl_context)
        _require_methods("serializer", self.serializer, "a Serializer, with dumps and loads", "dumps", "loads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """When an HTTP request is sent again: a table of methods and statuses, a bound, and the delays between.

    A request with one of *methods* is sent again when its connection failed or broke before the response, or when it
    was answered with one of *statuses*. The delay is any between 0 and ``first * 2 ** (n - 1)`` seconds after the n-th
    attempt, at most ``cap``; a ``Retry-After`` in the answer replaces it, and one above ``cap`` ends the attempts.

    Attributes:
        attempts: how often a request is sent at most; 1 for no retries.
        methods: of which requests; never POST, which is not repeatable at either service.
        statuses: after which answers.
        first: seconds, the greatest delay after the first attempt.
        cap: seconds, the greatest delay of all.

    Raises:
        ValueError: a number is out of its range, or POST is among the methods.
        TypeError: a value is of the wrong type.
    """

    attempts: int = 3
    methods: frozenset[str] = frozenset({"GET"})
    statuses: frozenset[int] = frozenset({429, 503})
    first: float = 0.5
    cap: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what no schedule can be made of, and what would be done twice."""
        _require_size("attempts", self.attempts, at_least=1)
        _require_number("first", self.first, at_least=0.0)
        _require_number("cap", self.cap, at_least=0.0)
        methods = _set_of("methods", str, self.methods)
        object.__setattr__(self, "methods", frozenset(method.upper() for method in methods))
        object.__setattr__(self, "statuses", _set_of("statuses", int, self.statuses))
        if "POST" in self.methods:
            msg = "methods must not contain POST: it is not repeatable, and would be done twice"
            raise ValueError(msg)

    def delay(self, attempt: int) -> float:
        """Give the greatest delay, in seconds, after so many attempts."""
        return min(self.first * 2.0 ** min(attempt - 1, 64), self.cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How the HTTP companions (Planship, Talon.One) connect and wait.

    Attributes:
        timeout: seconds for one call with all its attempts; ``None`` leaves that to the caller's cancel scopes.
        retries: when a request is sent again; ``None`` for the service's own default.
        proxy: the URL of a proxy, ``http``, ``https``, ``socks5`` or ``socks5h``, which may name credentials; the SOCKS
            ones need the socksio package.
        ssl_context: replaces the default, verifying context of ``https`` and ``wss``.
        trust_env: whether the environment names the proxy (``HTTPS_PROXY``, ``NO_PROXY``, …) where none is given, and
            whom TLS trusts (``SSL_CERT_FILE``, ``SSL_CERT_DIR``) where there is no *ssl_context*.

    Raises:
        ValueError: the time-out is not above 0, the proxy is none, or the context is a server's.
        TypeError: a value is of the wrong type.
    """

    timeout: float | None = 60.0
    retries: Retries | None = None
    proxy: str | None = field(default=None, repr=False)
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    trust_env: bool = True

    def __post_init__(self) -> None:
        """Refuse values with which no call can work, naming the right range."""
        if self.timeout is not None:
            _require_number("timeout", self.timeout, above=0.0)
        require("retries", (Retries, NoneType), self.retries, wanted="a Retries or None")
        require("proxy", (str, NoneType), self.proxy, wanted="a URL or None")
        require("trust_env", bool, self.trust_env)
        _require_context(self.ssl_context)
        if self.proxy is not None and not is_proxy(self.proxy):
            msg = (
                f"proxy must be a URL with a host, one of {', '.join(_PROXIES)}"  # not repeated: it may hold a password
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnects:
    """When a stream of updates (Planship's entitlements) connects again. All durations are seconds.

    The delay before the n-th attempt in a row is any between 0 and ``first * factor ** (n - 1)``, at most ``cap``; the
    row ends once a connection has lived for ``steady_after``.

    Attributes:
        first: the greatest delay before the first attempt.
        factor: by which it grows with each.
        cap: the greatest delay of all.
        steady_after: how long a connection must have lived to count as a good one.
        refusals: how many refusals of freshly fetched tokens in a row are final.
        connect_timeout: bounds one attempt to open a connection, and the read that follows it.
        ping_after: how long the peer may be silent before it is asked whether it is there, and how long it then has to
            answer; ``None`` for never asking.

    Raises:
        ValueError: a number is out of its range.
        TypeError: a value is no number.
    """

    first: float = 0.5
    factor: float = 2.0
    cap: float = 30.0
    steady_after: float = 10.0
    refusals: int = 2
    connect_timeout: float = 10.0
    ping_after: float | None = 30.0

    def __post_init__(self) -> None:
        """Refuse what no schedule can be made of."""
        for name in ("first", "cap", "steady_after"):
            _require_number(name, getattr(self, name), at_least=0.0)
        _require_number("factor", self.factor, at_least=1.0)
        _require_size("refusals", self.refusals, at_least=1)
        _require_number("connect_timeout", self.connect_timeout, above=0.0)
        if self.ping_after is not None:
            _require_number("ping_after", self.ping_after, above=0.0)

    def delay(self, attempt: int) -> float:
        """Give the greatest delay, in seconds, before the given attempt in a row; the first is 1."""
        return min(grown(self.first, float(self.factor), attempt - 1), self.cap)


def grown(base: float, factor: float, exponent: int) -> float:
    """Give ``base * factor ** exponent``, or infinity where a float cannot hold it; of nothing, nothing."""
    try:
        return base * factor**exponent
    except OverflowError:
        return float("inf") if base else 0.0


def is_proxy(url: str) -> bool:
    """Whether *url* is one of a proxy that httpx2 can go by."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in _PROXIES and is_host(parts.hostname) and port != 0 and url.isprintable()


def is_host(name: str | None) -> bool:
    """Whether each part of it has 1 to 63 characters (RFC 1035 §2.3.4): on others resolvers fail in words of theirs."""
    return name is not None and all(1 <= len(part) <= 63 for part in name.removesuffix(".").split("."))


def _require_context(given: object) -> None:
    """See that *given* is a client's TLS context, or none: without the ssl module, which takes long to load."""
    if given is None:
        return
    _require_methods("ssl_context", given, "an ssl.SSLContext", "wrap_bio")
    if getattr(getattr(given, "protocol", None), "name", "") == "PROTOCOL_TLS_SERVER":
        msg = "ssl_context must be a client's, as ssl.create_default_context() makes it, got a server's"
        raise ValueError(msg)


def _require_methods(name: str, given: object, wanted: str, *methods: str) -> None:
    if isinstance(given, type) or not all(callable(getattr(given, each, None)) for each in methods):
        wrong_type(name, wanted, given)


def _set_of(name: str, kind: type[T], given: object) -> frozenset[T]:
    """Give *given* as a set, every part of it a *kind*; a ``str`` is none of its letters."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        wrong_type(name, f"a set of {kind.__name__}", given)
    parts = frozenset(cast("Iterable[T]", given))
    for each in parts:
        require(f"each of {name}", kind, each)
    return parts


def _require_size(name: str, value: Any, *, at_least: int, at_most: int | None = None) -> None:  # noqa: ANN401
    """Raise the ValueError or TypeError that says what *name*, a whole number, should have been."""
    if not isinstance(value, int):
        msg = f"{name} must be an int, got {value!r}"
        raise TypeError(msg)
    _require_number(name, value, at_least=at_least, at_most=at_most)


def _require_number(
    name: str,
    value: Any,  # noqa: ANN401 - whatever the user gave
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
) -> None:
    """Raise the ValueError or TypeError that says what *name* should have been."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{name} must be a number, got {value!r}"
        raise TypeError(msg)
    if not is_finite(value):
        msg = f"{name} must be finite, got {shown(value)}"
        raise ValueError(msg)
    tests: tuple[tuple[float | None, Callable[[float], bool], str], ...] = (
        (at_least, lambda bound: value >= bound, "at least"),
        (above, lambda bound: value > bound, "above"),
        (at_most, lambda bound: value <= bound, "at most"),
    )
    for bound, holds, words in tests:
        if bound is not None and not holds(bound):
            msg = f"{name} must be {words} {bound:.15g}, got {value!r}"
            raise ValueError(msg)
