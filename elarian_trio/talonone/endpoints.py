"""The five operations as requests, and what is made of their responses. No I/O.

The client stands above, adds who asks, and sends. Paths, bodies and answers are those of the vendor's schema of
May 2019; ``dry`` came a year later.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from elarian_trio._arguments import require
from elarian_trio._http.exchange import Request, path_of
from elarian_trio.errors import (
    TalonOneConflict,
    TalonOneError,
    TalonOneInvalid,
    TalonOneNotFound,
    TalonOneProblem,
    TalonOneUnauthorized,
)
from elarian_trio.talonone.models import (
    IntegrationState,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    Referral,
)
from elarian_trio.talonone.values import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio._http.exchange import Response
    from elarian_trio.talonone.values import Body

JSON_TYPE = {"content-type": "application/json"}

_ERRORS: Mapping[int, type[TalonOneError]] = {
    400: TalonOneInvalid,
    401: TalonOneUnauthorized,
    404: TalonOneNotFound,
    409: TalonOneConflict,
}


# --- requests ---


def create_referral(new: NewReferral) -> Request:
    """Ask for a referral code."""
    require("body", NewReferral, new)
    return _request("POST", path_of("v1", "referrals"), new)


def track_event(new: NewEvent, *, dry: bool) -> Request:
    """Record an event."""
    require("body", NewEvent, new)
    return _request("POST", path_of("v1", "events"), new, dry=dry)


def update_customer_profile(integration_id: str, new: NewCustomerProfile, *, dry: bool) -> Request:
    """Update a profile."""
    require("body", NewCustomerProfile, new)
    return _request("PUT", path_of("v1", "customer_profiles", integration_id), new, dry=dry)


def update_customer_session(customer_session_id: str, new: NewCustomerSession, *, dry: bool) -> Request:
    """Update a session."""
    require("body", NewCustomerSession, new)
    return _request("PUT", path_of("v1", "customer_sessions", customer_session_id), new, dry=dry)


def delete_customer_data(integration_id: str, *, signed: bool) -> Request:
    """Delete a customer's data; a signature is documented to be over an empty object, otherwise there is no body."""
    path = path_of("v1", "customer_data", integration_id)
    if signed:
        return Request(method="DELETE", path=path, headers=JSON_TYPE, content=b"{}")
    return Request(method="DELETE", path=path)


def _request(method: str, path: str, new: Body, *, dry: bool = False) -> Request:
    query = (("dry", "true"),) if dry else ()
    return Request(method=method, path=path, query=query, headers=JSON_TYPE, content=encode(new.to_wire()))


# --- responses ---


def read_referral(response: Response) -> Referral:
    """Read a referral code.

    Raises:
        TalonOneError: it was refused, or what came is none.
    """
    answer = _object_of(response)
    if not isinstance(answer.get("code"), str):
        raise _unreadable(response, "a referral")
    return Referral.from_wire(answer)


def read_state(response: Response) -> IntegrationState:
    """Read the state of a profile, a session and an event.

    Raises:
        TalonOneError: it was refused, or what came is none.
    """
    answer = _object_of(response)
    if not isinstance(answer.get("event"), dict):
        raise _unreadable(response, "the state with its event")
    return IntegrationState.from_wire(answer)


def read_nothing(response: Response) -> None:
    """Read an answer that says only that it is done.

    Raises:
        TalonOneError: it was refused.
    """
    if not response.is_success:
        raise error_of(response)


def error_of(response: Response) -> TalonOneError:
    """Give the error that a response with an error status stands for; its body may be anything."""
    said = _json_of(response)
    answer = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    message = answer.get("message")
    problems: object = answer.get("errors")
    return _ERRORS.get(response.status, TalonOneError)(
        message if isinstance(message, str) and message else _phrase(response.status),
        status=response.status,
        errors=map(_problem, cast("list[object]", problems) if isinstance(problems, list) else ()),
        body=response.body,
    )


def _problem(item: object) -> TalonOneProblem:
    """Read one thing that was wrong."""
    said = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    source = said.get("source")
    places = cast("dict[str, Any]", source) if isinstance(source, dict) else {}
    words = {name: _words(said.get(name)) or "" for name in ("title", "details")}
    return TalonOneProblem(**words, **{name: _words(places.get(name)) for name in ("pointer", "parameter", "line")})


def _words(value: Any) -> Any:  # noqa: ANN401
    """Give a string or a number as text; of anything else nothing."""
    return str(value) if isinstance(value, str | int) else None


def _object_of(response: Response) -> dict[str, Any]:
    if not response.is_success:
        raise error_of(response)
    answer = _json_of(response)
    if not isinstance(answer, dict):
        raise _unreadable(response, "a JSON object")
    return cast("dict[str, Any]", answer)


def _json_of(response: Response) -> object:
    """Read a body that may be no JSON: then nothing."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _unreadable(response: Response, wanted: str) -> TalonOneError:
    return TalonOneError(f"the answer is not {wanted}", status=response.status, body=response.body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "the service answered with an error"
