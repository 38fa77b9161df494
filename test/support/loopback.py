"""What the loopback of this machine has, for tests of addresses."""

from __future__ import annotations

import socket

import pytest


def _has_ipv6() -> bool:
    """Whether one can listen on ``::1``: containers often have IPv6 compiled in and no address of it."""
    try:
        with socket.socket(socket.AF_INET6) as listening:
            listening.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6: pytest.MarkDecorator = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
