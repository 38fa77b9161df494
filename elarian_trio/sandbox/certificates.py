"""An authority of the sandbox's own, since nobody else vouches for a server on loopback.

:mod:`.ports` stands above; the ``trustme`` package, an extra, makes the certificates.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elarian_trio._transport import server_context

try:
    import trustme
except ImportError as _error:
    _msg = "tls and wss need the trustme package: pip install 'elarian-trio[sandbox]'"
    raise ModuleNotFoundError(_msg, name="trustme") from _error

if TYPE_CHECKING:
    import ssl

__all__ = ["Authority"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Authority:
    """Signs the certificates of one sandbox, with a key that never leaves the process.

    Attributes:
        ca_file: a PEM file with the authority's certificate, for clients to trust. It stays while this object does,
            and is removed with it, or when the interpreter exits.
    """

    def __init__(self) -> None:
        self._authority = trustme.CA()
        folder = tempfile.mkdtemp(prefix="elarian-trio-")
        self._removal = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.ca_file: str = str(Path(folder, "ca.pem"))
        self._authority.cert_pem.write_to_path(self.ca_file)

    def server_context(self, host: str) -> ssl.SSLContext:
        """Make a context for a server that is reached by *host*, or by any name that loopback has."""
        certificate: Any = self._authority.issue_cert(*dict.fromkeys((*LOOPBACK, host)))  # it takes pyOpenSSL's, too
        context = server_context()
        certificate.configure_cert(context)
        return context
