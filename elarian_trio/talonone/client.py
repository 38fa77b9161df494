"""The client of Talon.One's Integration API: five operations over one pool of connections.

Users stand above. :mod:`.endpoints` makes the requests and reads the responses, :mod:`elarian_trio._http` carries them.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakValueDictionary

import anyio
from anyio import AsyncContextManagerMixin

from elarian_trio._arguments import require
from elarian_trio._http import base_of, open_sender, require_transport
from elarian_trio.client.secret import Secret
from elarian_trio.errors import ConnectionClosed, TalonOneError
from elarian_trio.options import HttpOptions, Retries
from elarian_trio.talonone import endpoints
from elarian_trio.talonone.authentication import ApiKeyAuth, SignatureAuth
from elarian_trio.talonone.models import NewCustomerProfile, NewCustomerSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from typing import Self

    import httpx2

    from elarian_trio._http import Request, Response, Sender
    from elarian_trio.talonone.authentication import Auth
    from elarian_trio.talonone.models import IntegrationState, NewEvent, NewReferral, Referral

__all__ = ["RETRIES", "IntegrationApi"]

T = TypeVar("T")

RETRIES: Final = Retries(methods=frozenset({"PUT", "DELETE"}), statuses=frozenset({409, 429, 503}))
"""What may be tried again at this service, for those who ask for it: ``HttpOptions(retries=RETRIES)``.

Updates come to the same state when they are made twice, but each adds an event and runs the campaigns' rules, and a
session can be closed only once. Recording an event and making a referral code are never tried again.
"""

_ONCE = Retries(attempts=1)
_DEFAULTS = HttpOptions()
_NO_PROFILE = NewCustomerProfile()
_NO_SESSION = NewCustomerSession()
_NO_TURN = nullcontext()


class IntegrationApi(AsyncContextManagerMixin):
    """A shop's side of Talon.One: it tells of customers, sessions and events, and hears what they have earned.

    ::

        async with IntegrationApi("https://mine.talon.one", api_key="...") as talon_one:
            state = await talon_one.update_customer_session("cart-7", NewCustomerSession(profile_id="u1", total=9))
            for effect in state.effects: ...

    It is entered once; leaving it closes its connections and ends what other tasks still ask for, as ConnectionLost, or
    as ConnectionClosed where nothing was sent yet. Any number of tasks may use it at once. Every call, dry ones
    aside, adds an event and runs the campaigns' rules, so that nothing is tried again unless ``options.retries`` asks
    for it; see :data:`RETRIES`.

    Args:
        base_url: the deployment, ``https://…``; the API is at its root.
        api_key: the application's key, without prefix; or
        auth: how else to say who asks, e.g. by :class:`SignatureAuth`.
        options: how to connect and how long to wait: 60 seconds for a call unless given.
        one_at_a_time: have the updates and events of one session wait for each other within this client, as the
            vendor advises: overlapping ones may be answered with 409. A call's time-out holds for that wait, too.
        transport: replaces the connections, for tests and tunnels; it is closed, too.

    Raises:
        ValueError: the base URL is none, there is not exactly one credential, or a key cannot be one.
        TypeError: an argument is of the wrong type.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        auth: Auth | None = None,
        options: HttpOptions = _DEFAULTS,
        one_at_a_time: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        secret = None if api_key is None else Secret(api_key)
        del api_key  # before anything can fail: a traceback may print its frames' variables
        require("options", HttpOptions, options)
        require("one_at_a_time", bool, one_at_a_time)
        require_transport(transport)
        self._base_url = base_of(base_url)
        self._auth = _auth_of(secret, auth)
        self._options = options
        self._transport = transport
        self._sender: Sender | None = None
        self._is_used = False
        self._turns: Turns | None = Turns() if one_at_a_time else None

    def __repr__(self) -> str:
        """Say where it leads; no key. Tracebacks ask even when making it failed half-way."""
        if not hasattr(self, "_base_url"):
            return "<IntegrationApi, not made>"
        return f"IntegrationApi({self._base_url!r})"

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Open the connections' pool, and close it with the block.

        Raises:
            ModuleNotFoundError: the proxy is a SOCKS one, and the socksio package is not there.
            ValueError: the environment names a proxy that is none, or a proxy's host is no name.
            RuntimeError: it was entered before.
        """
        if self._is_used:
            msg = "an IntegrationApi is entered once; make another"
            raise RuntimeError(msg)
        self._is_used = True
        async with open_sender(self._base_url, self._options, retries=_ONCE, transport=self._transport) as self._sender:
            try:
                yield self
            finally:
                self._sender = None

    async def create_referral(self, body: NewReferral) -> Referral:
        """Have a referral code made for an advocate, for one campaign. Every call makes another code.

        Waits for the service.

        Raises:
            TalonOneInvalid: the service does not know the advocate or the friend, or the campaign has no referrals.
            TalonOneNotFound: there is no such campaign.
            TalonOneError: it refused otherwise, or answered what cannot be read.
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no answer came within ``options.timeout``; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ConnectionClosed: the client's block was not entered, or it was left.
            TypeError: the body is not of its type.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        return await self._ask(endpoints.create_referral(body), endpoints.read_referral)

    async def delete_customer_data(self, integration_id: str) -> None:
        """Delete what the service knows of a customer: its attributes, and those of all that refers to it.

        Waits for the service.

        Args:
            integration_id: the app's id for the customer.

        Raises:
            TalonOneNotFound: there is no such customer.
            TalonOneError: the service refused otherwise.
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no answer came within ``options.timeout``; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the id is empty, ``.`` or ``..``, or longer than an address can be.
            TypeError: the id is no str.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        request = endpoints.delete_customer_data(integration_id, signed=self._auth.signs_bodies)
        await self._ask(request, endpoints.read_nothing)

    async def track_event(self, body: NewEvent, *, dry: bool = False) -> IntegrationState:
        """Record something that happened in a session, and hear what it has earned.

        A session or profile that does not exist yet is made. Waits for the service.

        Args:
            body: what happened.
            dry: only ask what it would earn; nothing is recorded.

        Raises:
            TalonOneInvalid: the session is another customer's or no longer open, or the type or an attribute is not
                defined in the account.
            TalonOneError: the service refused otherwise, or answered what cannot be read.
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no answer came within ``options.timeout``; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ConnectionClosed: the client's block was not entered, or it was left.
            TypeError: the body is not of its type.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        request = endpoints.track_event(body, dry=dry)
        return await self._ask(request, endpoints.read_state, self._turn_of(body.session_id))

    async def update_customer_profile(
        self, integration_id: str, body: NewCustomerProfile = _NO_PROFILE, *, dry: bool = False
    ) -> IntegrationState:
        """Make or update a customer's profile. Waits for the service.

        Args:
            integration_id: the app's id for the customer, which never changes: no phone number, no address.
            body: what is new.
            dry: only ask what it would come to; nothing is kept.

        Raises:
            TalonOneInvalid: an attribute is not defined in the account, or of another type there.
            TalonOneError: the service refused otherwise, or answered what cannot be read.
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no answer came within ``options.timeout``; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the id is empty, ``.`` or ``..``, or longer than an address can be.
            TypeError: the id is no str, or the body not of its type.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        request = endpoints.update_customer_profile(integration_id, body, dry=dry)
        return await self._ask(request, endpoints.read_state)

    async def update_customer_session(
        self, customer_session_id: str, body: NewCustomerSession = _NO_SESSION, *, dry: bool = False
    ) -> IntegrationState:
        """Make, update, close or cancel a session, and hear what it has earned. Waits for the service.

        A customer may have several sessions at once. A profile that does not exist yet is made.

        Args:
            customer_session_id: the app's id for the session.
            body: what is new.
            dry: only ask what it would earn; nothing is kept.

        Raises:
            TalonOneInvalid: the session is no longer open (a closed one can only be cancelled), or an attribute is
                not defined in the account.
            TalonOneConflict: another update of it was under way; see ``one_at_a_time``.
            TalonOneError: the service refused otherwise, or answered what cannot be read.
            ConnectionFailed: nobody is there; nothing was sent.
            ConnectionLost: the connection broke; ``sent`` tells whether the service may have acted.
            CommandTimedOut: no answer came within ``options.timeout``; the same.
            RemoteProtocolError: what came is no HTTP, or longer than 16 MiB.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the id is empty, ``.`` or ``..``, or longer than an address can be.
            TypeError: the id is no str, or the body not of its type.

        Cancellation:
            Always a checkpoint. The connection is closed; the service may have acted all the same.
        """
        request = endpoints.update_customer_session(customer_session_id, body, dry=dry)
        return await self._ask(request, endpoints.read_state, self._turn_of(customer_session_id))

    def _turn_of(self, session_id: str) -> AbstractAsyncContextManager[object]:
        return _NO_TURN if self._turns is None else self._turns.turn_of(session_id)

    async def _ask(
        self, request: Request, read: Callable[[Response], T], turn: AbstractAsyncContextManager[object] = _NO_TURN
    ) -> T:
        """Send in *turn*, the wait for which is part of the call and bounded with it, and read the answer.

        Raises:
            TalonOneError: it is an error, or cannot be read. It is without the key, which some services repeat.
        """
        with self._require_open().within(request.method) as attempt:
            async with turn:
                response = await self._require_open().send_within(attempt, self._signed(request))
        with suppress(TalonOneError):
            return read(response)
        return read(replace(response, body=self._auth.redact(response.body)))  # which fails again

    def _require_open(self) -> Sender:
        if self._sender is None:
            msg = "the IntegrationApi is used outside its block"
            raise ConnectionClosed(msg)
        return self._sender

    def _signed(self, request: Request) -> Request:
        """Have *request* say who asks; its headers show nothing of it, and no frame of ours holds them otherwise."""
        return replace(request, headers={**request.headers, **self._auth.headers(request.content or b"")})


class Turns:
    """Lets the requests of one session out one after the other. A lock is gone with the last who waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    def turn_of(self, session_id: str) -> anyio.Lock:
        """Give what to hold while a request of *session_id* is under way."""
        lock = self._locks.get(session_id)
        if lock is None:
            lock = self._locks[session_id] = anyio.Lock()
        return lock


def _auth_of(api_key: Secret | None, auth: Auth | None) -> Auth:
    """Give the one way in which to say who asks."""
    if (api_key is None) == (auth is None):
        msg = "give exactly one credential: either api_key or auth"
        raise ValueError(msg)
    if api_key is not None:
        return ApiKeyAuth(api_key)
    if not isinstance(auth, ApiKeyAuth | SignatureAuth):
        msg = f"auth must be an ApiKeyAuth or a SignatureAuth, got {type(auth).__name__}"
        raise TypeError(msg)
    return auth
