"""Access tokens: opaque to those who hold them, signed, so that none of them needs to be kept.

A token says until when it counts and how often all tokens had been revoked when it was made; the client's secret signs
it. It survives a restart as the secret does.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from elarian_trio.models.model import EPOCH
from elarian_trio.sandbox.credentials import same_secret

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["ClientKeys", "expiry_of", "make_token"]

_MICROSECOND = timedelta(microseconds=1)
_PARTS = 4  # of a token: expiry, epoch, what makes it the only one, signature


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """With what an organization's programs come in.

    Attributes:
        client_id: which program.
        client_secret: its secret.
    """

    client_id: str
    client_secret: str = field(repr=False)

    def opens(self, header: str) -> bool:
        """Say whether an ``Authorization: Basic`` header holds these."""
        scheme, _, value = header.partition(" ")
        try:
            given = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return False
        is_same = same_secret(given, f"{self.client_id}:{self.client_secret}")
        return is_same and scheme.lower() == "basic"


def make_token(keys: ClientKeys, expires_at: datetime, epoch: int, salt: str) -> str:
    """Make a token."""
    said = f"{(expires_at - EPOCH) // _MICROSECOND:x}.{epoch:x}.{salt}"
    return f"{said}.{_sign(keys, said)}"


def expiry_of(keys: ClientKeys, token: str, epoch: int) -> datetime | None:
    """Say until when *token* counts; ``None`` if it is none of ours, or was revoked."""
    said, _, signature = token.rpartition(".")
    if said.count(".") != _PARTS - 2 or not same_secret(signature, _sign(keys, said)):
        return None
    expiry, made_in, _ = said.split(".")
    return EPOCH + int(expiry, 16) * _MICROSECOND if int(made_in, 16) == epoch else None


def _sign(keys: ClientKeys, said: str) -> str:
    key = keys.client_secret.encode("utf-8", "surrogatepass")
    return hmac.digest(key, said.encode("utf-8", "surrogatepass"), "sha256").hex()[:40]
