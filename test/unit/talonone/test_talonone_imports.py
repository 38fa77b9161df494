"""What importing the client takes along: the extra ``http``, and nothing of the sandbox's."""

from __future__ import annotations

import subprocess
import sys

import elarian_trio.talonone

ALONE = """
import sys
for name in ("apsw", "trustme", "starlette", "anycorn", "cyclopts", "rich", "pytest"):
    sys.modules[name] = None  # importing it fails, as if it were not installed
import elarian_trio
assert not {"httpx2", "websockets", "elarian_trio.talonone"} & set(sys.modules), "elarian_trio alone needs no HTTP"
from elarian_trio.talonone import IntegrationApi
assert "elarian_trio.planship" not in sys.modules, "the companions know nothing of each other"
assert "elarian_trio.sandbox" not in sys.modules, "a client needs no server"
"""


def test_client_needs_only_the_extra_http() -> None:
    """Issue 5: it works with only that installed, and who does not use it pays nothing for it."""
    subprocess.run([sys.executable, "-c", ALONE], check=True, timeout=60)


def test_every_public_name_is_there_and_documented() -> None:
    """The house: what ``__all__`` exports has a docstring."""
    for name in elarian_trio.talonone.__all__:
        assert getattr(elarian_trio.talonone, name).__doc__, name
