"""The tokens that let apps in."""

from __future__ import annotations

import hashlib
from dataclasses import field
from datetime import datetime

from elarian_trio.sandbox.world.entities.record import Key, Record, key_class, record_class

__all__ = ["TokenKey", "TokenRecord", "token_digest"]


@key_class
class TokenKey(Key["TokenRecord"]):
    """Names a token by its digest; see :func:`token_digest`."""

    digest: str


@record_class
class TokenRecord(Record):
    """A token that replaces an API key at a setup, for any app of the organisation.

    Attributes:
        org_id: the organisation.
        digest: what the token is known by; the token itself is not kept.
        expires_at: from then on it lets nobody in.
    """

    org_id: str
    digest: str = field(repr=False)
    expires_at: datetime

    @property
    def key(self) -> TokenKey:
        """What it is found by."""
        return TokenKey(self.org_id, self.digest)


def token_digest(token: str) -> str:
    """Give what a token is known by: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
