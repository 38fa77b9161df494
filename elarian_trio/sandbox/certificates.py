"""An authority of the sandbox's own, since nobody else vouches for a server on loopback.

:mod:`.ports` stands above; the ``trustme`` package, an extra, makes the certificates.
"""

from __future__ import annotations

import os
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
CA_FILE = "ca.pem"  # for clients: the certificate alone
KEY_FILE = "ca-key.pem"  # the key and the certificate, in one file that is whole or not there


class Authority:
    """Signs the certificates of one sandbox; its key leaves the process only for a folder that the user names.

    Args:
        folder: where the authority is kept, to be used again by the next sandbox; made if it is not there. Without one
            the authority is of this object's making, and nobody else has it.

    Attributes:
        ca_file: a PEM file with the authority's certificate, for clients to trust. Without a folder of the user's it
            stays while this object does, and is removed with it, or when the interpreter exits.

    Raises:
        ValueError: what the folder holds is no authority, or others may read its key.
        OSError: the folder or a file in it cannot be made or read.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        if folder is None:
            self._authority = trustme.CA()
            folder = tempfile.mkdtemp(prefix="elarian-trio-")
            self._removal = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        else:
            self._authority = _kept_authority(Path(folder))
        self.ca_file: str = str(Path(folder, CA_FILE).absolute())  # those who are told of it may be anywhere
        certificate = self._authority.cert_pem.bytes()
        if not (os.path.exists(self.ca_file) and Path(self.ca_file).read_bytes() == certificate):
            Path(self.ca_file).write_bytes(certificate)  # not again while clients may be reading it

    def server_context(self, host: str) -> ssl.SSLContext:
        """Make a context for a server that is reached by *host*, or by any name that loopback has."""
        certificate: Any = self._authority.issue_cert(*dict.fromkeys((*LOOPBACK, host)))  # it takes pyOpenSSL's, too
        context = server_context()
        certificate.configure_cert(context)
        return context


def _kept_authority(folder: Path) -> trustme.CA:
    """Give the authority that is kept in *folder*, or one that is kept there from now on."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        msg = f"{folder} is no folder, in which a certificate authority is kept: name one, or one that is to be made"
        raise NotADirectoryError(error.errno, msg) from error
    path = folder / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # nobody's in between, nor half read
    except FileExistsError:
        return _read_authority(path)
    made = trustme.CA()
    with open(descriptor, "wb") as file:
        file.write(made.private_key_pem.bytes() + made.cert_pem.bytes())
    return made


def _read_authority(path: Path) -> trustme.CA:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        msg = f"others may read the key {path}: chmod 600 it, or remove it to have another authority made"
        raise ValueError(msg)
    both = path.read_bytes()
    try:
        return trustme.CA.from_pem(both, both)
    except ValueError as error:
        msg = f"{path} holds no certificate authority: remove it to have one made"
        raise ValueError(msg) from error
