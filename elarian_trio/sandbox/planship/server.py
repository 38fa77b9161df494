"""The stand-in for Planship's service: ``async with PlanshipServer() as planship:``.

Users stand above, and the sandbox of which it may be part. :mod:`.rules` says what can be asked, :mod:`.updates` serves
the WebSockets, and :mod:`elarian_trio.sandbox.web` is the server.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, TypeVar

from elarian_trio._arguments import require, shown
from elarian_trio.models.checks import check_str
from elarian_trio.sandbox.credentials import Credentials
from elarian_trio.sandbox.exchange import WebReply, json_reply
from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, clicker_demo
from elarian_trio.sandbox.planship.rules.operations import SOCKET_PATH, operations, revoke_tokens
from elarian_trio.sandbox.planship.rules.records import RECORDS
from elarian_trio.sandbox.planship.rules.service import Revoked, Service, Switches, Touched
from elarian_trio.sandbox.planship.rules.tokens import ClientKeys
from elarian_trio.sandbox.planship.updates import EXPIRED, Listeners, Order
from elarian_trio.sandbox.rows import know
from elarian_trio.sandbox.web import WebServer

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from elarian_trio.sandbox.books import Books
    from elarian_trio.sandbox.clock import Clock, ClockName
    from elarian_trio.sandbox.exchange import Operation
    from elarian_trio.sandbox.ground import Ground
    from elarian_trio.sandbox.web_connections import Heard

__all__ = ["PlanshipServer"]

CLIENT_ID = "ELARIANTRIOSANDBOX00"  # in the form of the service's own: 20 upper-case letters and digits
SECRET_DIGITS = 32

T = TypeVar("T")

know(*RECORDS)


class PlanshipServer(WebServer):
    """A local Planship: its customer API over HTTP, and entitlement updates over WebSockets.

    Alone it listens on loopback until its block is left. It may be entered again: then it is on the same port, and goes
    on with its file, or without one begins anew. As ``Sandbox(planship=…)`` it shares the sandbox's clock, ids
    and file. What is public about the service is followed where there is any; what is not was decided by this project.

    ::

        async with PlanshipServer() as planship:
            async with PlanshipCustomer("clicker-demo", "asha@example.com", **planship.credentials) as customer: ...

    Args:
        address: where to listen, as ``"127.0.0.1:0"``; port 0 takes one that is free. An address that others can reach
            takes a client id and secret of your own.
        catalogue: what is on sale; :func:`clicker_demo` if left out, whose product is "clicker-demo".
        client_id: with which a program comes in.
        client_secret: its secret; made at random if left out, and kept in the file if there is one.
        switches: how it behaves where that is not known; they may be set later, too.
        clock: "auto" and "real" are real time; "manual" stands still but for ``await planship.clock.advance(…)``; or a
            clock. Virtual time does not go together with a network.
        seed: makes ids the same in every run. Secrets and tokens stay secrets.
        data: the file that keeps everything, made if there is none; in memory if left out.

    Attributes:
        faults: what goes wrong on purpose, as ``planship.faults.add(WebFault.status(503), on="GET *", times=2)``.
        catalogue: what is on sale.
        switches: how it behaves.

    Raises:
        ValueError: arguments are wrong, or do not go together.
        TypeError: an argument is of the wrong type.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:0",
        *,
        catalogue: Catalogue | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        switches: Switches | None = None,
        clock: ClockName | Clock = "auto",
        seed: int | str | None = None,
        data: str | os.PathLike[str] | None = None,
    ) -> None:
        require("client_id", (str, NoneType), client_id)
        require("client_secret", (str, NoneType), client_secret)
        is_guarded = bool(client_id and client_secret)
        needs = "a client id and secret of your own (client_id, client_secret)"
        super().__init__("planship", address, is_guarded=is_guarded, needs=needs, clock=clock, seed=seed, data=data)
        for name, value in (("client_id", client_id), ("client_secret", client_secret)):
            if value is not None and not check_str(name, value):
                msg = f"{name} must not be empty"
                raise ValueError(msg)
        if client_id is not None and ":" in client_id:
            msg = "client_id must not have a colon: HTTP's Basic credentials end it there"
            raise ValueError(msg)
        self.catalogue: Catalogue = clicker_demo() if catalogue is None else _checked(catalogue, Catalogue)
        self.switches: Switches = Switches() if switches is None else _checked(switches, Switches)
        self._client_id = client_id or CLIENT_ID
        self._client_secret = client_secret
        self._service: Service | None = None
        self._listeners: Listeners | None = None

    # What users read.

    @property
    def credentials(self) -> Credentials:
        """What ``PlanshipCustomer(product, customer, **planship.credentials)`` takes to come in.

        ``client_id``, ``client_secret``, ``base_url`` and ``web_socket_url``; its repr hides the secret.

        Raises:
            RuntimeError: its block is not entered.
        """
        keys = self._serving.keys
        return Credentials(
            client_id=keys.client_id,
            client_secret=keys.client_secret,
            base_url=self.base_url,
            web_socket_url=self.web_socket_url,
        )

    @property
    def web_socket_url(self) -> str:
        """Where WebSockets are, as ``ws://127.0.0.1:40123``: the same port.

        Raises:
            RuntimeError: its block is not entered.
        """
        return self.base_url.replace("http", "ws", 1)

    @property
    def listeners(self) -> int:
        """How many WebSockets are open."""
        return 0 if self._listeners is None else len(self._listeners)

    # What goes wrong on purpose, beside faults.

    async def revoke_tokens(self) -> None:
        """Have no access token count that was given until now, and close the WebSockets that came in with one (1008).

        Waits until that is kept.

        Raises:
            RuntimeError: its block is not entered.
            StoreError: the file cannot be written; tokens count as before.

        Cancellation:
            Always a checkpoint. It may come about all the same.
        """
        service = self._serving
        await self._do(lambda call: revoke_tokens(service, call))

    def drop_sockets(self) -> int:
        """Cut all WebSockets without a word; say how many.

        Raises:
            RuntimeError: its block is not entered.
        """
        return self._hearing_all.order(Order("drop"))

    def close_sockets(self, code: int = 1011) -> int:
        """Close all WebSockets with *code*; say how many.

        Raises:
            ValueError: that is no code that can be sent.
            TypeError: it is no int.
            RuntimeError: its block is not entered.
        """
        require("code", int, code)
        if not (code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            msg = f"a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, got {shown(code)}"
            raise ValueError(msg)
        return self._hearing_all.order(Order("close", code=code))

    def send_to_sockets(self, text: str) -> int:
        """Send a text frame to all WebSockets, whatever is in it; say to how many.

        Raises:
            ValueError: it holds a lone surrogate, which UTF-8 cannot carry.
            TypeError: it is no str.
            RuntimeError: its block is not entered.
        """
        return self._hearing_all.order(Order("send", check_str("text", text)))

    # The server.

    @property
    def _serving(self) -> Service:
        if self._service is None:
            msg = "planship is running while its block is entered"
            raise RuntimeError(msg)
        return self._service

    @property
    def _hearing_all(self) -> Listeners:
        if self._listeners is None:
            msg = "planship is running while its block is entered"
            raise RuntimeError(msg)
        return self._listeners

    def _begin(self, ground: Ground) -> None:
        secret = self._client_secret or ground.secret("planship client secret", SECRET_DIGITS)
        self._service = Service(self.catalogue, ClientKeys(self._client_id, secret), self.switches)
        self._listeners = Listeners(self._service, ground)

    def close(self) -> None:
        """Close every connection. Whoever called :meth:`open` ends its tasks."""
        super().close()
        self._service = self._listeners = None

    def _operations(self) -> Sequence[Operation]:
        return operations(self._serving)

    def _sockets(self) -> Mapping[str, Callable[[Heard], Awaitable[None]]]:
        return {SOCKET_PATH: self._hearing_all.hear}

    def _failure(self, status: int, words: str) -> WebReply:
        return json_reply({"detail": words}, status)

    @property
    def _is_quiet(self) -> bool:
        return self._hearing_all.is_idle

    def _kept(self, books: Books) -> None:
        touched = {each for effect in books.effects if isinstance(effect, Touched) for each in effect.customer_ids}
        if self._listeners is None:
            return
        if any(isinstance(effect, Revoked) for effect in books.effects):
            self._listeners.order(Order("close", code=EXPIRED))
        if touched:
            self._listeners.look_again(touched)


def _checked(given: T, kind: type[T]) -> T:
    require(kind.__name__.lower(), kind, given)
    return given
