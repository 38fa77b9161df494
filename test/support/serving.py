"""The sandbox as people run it: the command in a process of its own, on a port, with a file.

The tests of killed servers and of large files stand above. It is an organisation ``org`` with one app ``app``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

PATIENCE = 60.0  # seconds that a server may take to start before the test gives up
ORG, APP, KEY = "org", "app", "a key of the test's own"
APPS = [{"org_id": ORG, "app_id": APP, "api_key": KEY}]


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        process: its process.
        endpoint: where it listens.
        took: seconds from the start of its interpreter until it was ready.
    """

    process: subprocess.Popen[str]
    endpoint: str
    took: float

    @property
    def known(self) -> dict[str, str]:
        """What clients take."""
        return {"org_id": ORG, "app_id": APP, "api_key": KEY, "endpoint": self.endpoint}


def _start(file: Path, words: tuple[str, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "elarian_trio", "sandbox", "--tcp", "127.0.0.1:0", "--data", str(file), *words]
    environment = {**os.environ, "ELARIAN_API_KEY": KEY, "ELARIAN_ORG_ID": ORG, "ELARIAN_APP_ID": APP}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def _wait_ready(process: subprocess.Popen[str]) -> str:
    """Read what it prints until it is ready; give its endpoint."""
    assert process.stdout is not None
    endpoint = ""
    for line in process.stdout:
        words = line.split()
        if words[:2] == ["listens", "on"]:
            endpoint = words[2]
        if words == ["ready"]:
            return endpoint
    pytest.fail("the server ended before it was ready")


@asynccontextmanager
async def served(file: Path, *words: str) -> AsyncGenerator[Served]:
    """Run the command on *file*, with *words* behind it; at the end it is killed, if it was not before."""
    began = time.perf_counter()
    process = await anyio.to_thread.run_sync(_start, file, words)
    try:
        with anyio.fail_after(PATIENCE):
            endpoint = await anyio.to_thread.run_sync(_wait_ready, process, abandon_on_cancel=True)
        yield Served(process, endpoint, time.perf_counter() - began)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
