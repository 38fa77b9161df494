"""One request and its response, as values: no I/O, and nothing of httpx2.

The services' endpoints stand above, and so does the sender; nothing of the package is below.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode, urlsplit

from elarian_trio._arguments import is_sendable
from elarian_trio.options import is_host

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Headers", "Request", "Response", "bare", "base_of", "path_of"]


class Headers(dict[str, str]):
    """Header fields, one of which may hold a credential: it does not show itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Say no more than how many there are."""
        return f"<{len(self)} headers>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be asked. Made by a service's endpoints.

    Attributes:
        method: in upper case.
        path: behind the base URL, percent-encoded; see :func:`path_of`.
        query: names and values, in order; a name may come again. It may name customers, or hold a token.
        headers: besides those that every request has.
        content: the body; ``None`` for none.

    Raises:
        ValueError: a header holds what cannot be sent, such as a line's end in a token.
    """

    method: str
    path: str = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=Headers, repr=False)
    content: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse here what would otherwise be refused below, in words that repeat it."""
        object.__setattr__(self, "headers", Headers(self.headers))
        wrong = [name for name, value in self.headers.items() if not is_sendable(value)]
        if wrong:
            msg = f"the header {wrong[0]} must be of printable ASCII characters"
            raise ValueError(msg)

    @property
    def target(self) -> str:
        """The path and the query, as they travel."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote, safe='')}" if self.query else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was answered.

    Attributes:
        status: the HTTP status code.
        headers: by their names in lower case.
        body: the bytes, without any content encoding.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:  # noqa: ANN401 - whatever the service says
        """Read the body.

        Raises:
            ValueError: it is no JSON, or no UTF-8, or nested too deeply to be read. It holds nothing of the body, as
                Python's own errors do.
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            msg = "the JSON is nested too deeply"
        except ValueError as error:
            msg = str(error)
        raise ValueError(msg)

    def retry_after(self, now: datetime) -> float | None:
        """Give the seconds after which the service wants to be asked again, if it says so.

        RFC 9110 §10.2.3: ``Retry-After`` is a number of seconds, or a date; one that is neither says nothing.
        """
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdigit():
            return float(said)
        try:
            until = parsedate_to_datetime(said)
            return max((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds(), 0.0)
        except (ValueError, OverflowError):
            return None


def base_of(url: str, *, schemes: tuple[str, str] = ("http", "https")) -> str:
    """Give *url* without trailing slashes, so that paths can be set behind it.

    Raises:
        ValueError: it is no URL of one of *schemes* with a host, or names credentials, a query or a fragment.
        TypeError: it is no str.
    """
    given = cast("object", url)  # a user's setting
    if not isinstance(given, str):
        msg = f"a base URL is a str, got {type(given).__name__}"
        raise TypeError(msg)
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        msg = "a base URL has no credentials, no query and no fragment"
        raise ValueError(msg)
    if (
        parts.scheme not in schemes
        or not is_host(parts.hostname)
        or not _is_writable(url)
        or not _has_port(parts.netloc)
    ):
        msg = f"a base URL looks like {schemes[1]}://host or {schemes[0]}://host:port/path, got {url!r}"
        raise ValueError(msg)
    return url.rstrip("/")


def _is_writable(url: str) -> bool:
    return url.isprintable() and " " not in url


def _has_port(netloc: str) -> bool:
    """Whether the port, if there is one, is a port."""
    try:
        port = urlsplit(f"//{netloc}").port
    except ValueError:
        return False
    return port is None or port > 0


def path_of(*segments: str) -> str:
    """Join *segments* to a path, each percent-encoded, so that none can be taken for two (or for none).

    Raises:
        ValueError: one is empty, or ``.`` or ``..``, which proxies and servers take as steps in the path; or it holds
            a lone surrogate, which UTF-8 cannot carry.
        TypeError: one is no str.
    """
    given = cast("tuple[object, ...]", segments)  # a user's ids
    for segment in given:
        if not isinstance(segment, str):
            msg = f"an id or slug is a str, got {type(segment).__name__}"
            raise TypeError(msg)
        if segment in ("", ".", ".."):
            msg = f"an id or slug must not be {segment!r}"
            raise ValueError(msg)
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def bare(error: Exception) -> Exception:
    """Give *error*, and what it came of, without their tracebacks: their frames hold what was sent and answered."""
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error
