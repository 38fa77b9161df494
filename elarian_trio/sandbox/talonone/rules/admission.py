"""Who asks: the key, or the signature over the bytes as they came. Without I/O."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from elarian_trio.sandbox.credentials import same_secret
from elarian_trio.sandbox.talonone.rules.work import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elarian_trio.sandbox.exchange import WebRequest
    from elarian_trio.sandbox.talonone.rules.deployment import Application

PREFIX = "ApiKey-v1 "
MISMATCH = "HMAC signature mismatch."  # the live service's words


def admit(request: WebRequest, applications: Sequence[Application]) -> int:
    """Give the number of the application that asks. Where there are a key and a signature, the key counts.

    Raises:
        Refused: nobody does that is known here.
    """
    authorization = request.headers.get("authorization")
    signature = request.headers.get("content-signature")
    if authorization is not None:
        return _by_key(authorization, applications)
    if signature is not None:
        return _by_signature(signature, request.body, applications)
    raise Refused(401, "neither an API key nor a signature was given")


def _by_key(authorization: str, applications: Sequence[Application]) -> int:
    key = authorization.removeprefix(PREFIX)
    known = [each.application_id for each in applications if same_secret(key, each.api_key)]
    if not known or key == authorization:
        raise Refused(401, f"the API key is not known; it is sent as '{PREFIX}<key>'")
    return known[0]


def _by_signature(header: str, body: bytes, applications: Sequence[Application]) -> int:
    pairs = (part.partition("=") for part in header.split(";"))
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    signer = next((each for each in applications if str(each.application_id) == parts.get("signer")), None)
    key = "" if signer is None else signer.application_key
    expected = hmac.new(bytes.fromhex(key), body, "md5").hexdigest()
    is_same = hmac.compare_digest(expected.encode(), parts.get("signature", "").encode("utf-8", "replace"))
    if signer is None or not is_same:
        raise Refused(400, MISMATCH)
    return signer.application_id
