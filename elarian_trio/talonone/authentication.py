"""How a request to Talon.One says which application it comes from: by a key, or by a signature over its body.

The client stands above. Neither shows its secret, and what the service says is freed of the key should it repeat it.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from elarian_trio._arguments import require, shown
from elarian_trio.client.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ApiKeyAuth", "Auth", "SignatureAuth"]


class ApiKeyAuth:
    """An application's API key, in the ``Authorization`` header; documented since the summer of 2019.

    Args:
        api_key: without its prefix.

    Raises:
        ValueError: it is empty, or no header can carry it.
        TypeError: it is no str.
    """

    signs_bodies: ClassVar[bool] = False

    def __init__(self, api_key: str | Secret) -> None:
        self._key = api_key if isinstance(api_key, Secret) else Secret(api_key)
        del api_key  # before anything can fail: a traceback may print its frames' variables
        _require_header_text("api_key", self._key)

    def __repr__(self) -> str:
        """Show no key."""
        return f"ApiKeyAuth({self._key!r})"

    def headers(self, content: bytes) -> Mapping[str, str]:
        """Give what a request that carries *content* says."""
        return {"authorization": f"ApiKey-v1 {self._key.reveal()}"}

    def redact(self, words: bytes) -> bytes:
        """Give the service's words without the key."""
        return self._key.taken_out_of(words)


class SignatureAuth:
    """A signature over each body, in the ``Content-Signature`` header: documented until 2021, and still accepted then.

    It is the HMAC-MD5 of the bytes that are sent, by the application's key.

    Args:
        application_id: who signs.
        application_key: hexadecimal digits, as the vendor shows them: 16 of them.

    Raises:
        ValueError: the key is empty or not hexadecimal, or the id holds anything but letters and digits.
        TypeError: an argument is of the wrong type.
    """

    signs_bodies: ClassVar[bool] = True

    def __init__(self, application_id: int | str, application_key: str) -> None:
        self._key = Secret(application_key)
        del application_key  # as above
        require("application_id", (int, str), application_id)
        self._signer = application_id if isinstance(application_id, str) else shown(application_id)
        if not self._signer or not self._signer.isascii() or not self._signer.isalnum():
            msg = f"application_id must be a number, got {shown(application_id)}"
            raise ValueError(msg)
        _require_header_text("application_key", self._key)
        if not _is_hexadecimal(self._key):
            msg = "application_key must be an even number of hexadecimal digits"
            raise ValueError(msg)

    def __repr__(self) -> str:
        """Show no key."""
        return f"SignatureAuth({self._signer!r}, {self._key!r})"

    def headers(self, content: bytes) -> Mapping[str, str]:
        """Give what a request that carries *content* says."""
        signature = hmac.new(bytes.fromhex(self._key.reveal()), content, "md5").hexdigest()
        return {"content-signature": f"signer={self._signer}; signature={signature}"}

    def redact(self, words: bytes) -> bytes:
        """Give the service's words without the key, which it never saw."""
        return self._key.taken_out_of(words)


Auth: TypeAlias = ApiKeyAuth | SignatureAuth


def _require_header_text(name: str, secret: Secret) -> None:
    kind: type[object] = secret.kind
    if not issubclass(kind, str):
        msg = f"{name} must be a str, got {kind.__name__}"
        raise TypeError(msg)
    if secret.problem is not None or not all("!" <= character <= "~" for character in secret.reveal()):
        msg = f"{name} must be ASCII, without spaces, and not empty"
        raise ValueError(msg)


def _is_hexadecimal(secret: Secret) -> bool:
    digits = secret.reveal()
    return len(digits) % 2 == 0 and all(each in "0123456789abcdefABCDEF" for each in digits)
