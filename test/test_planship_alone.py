"""Planship's client and what it needs: the extra ``http`` alone; and nobody else needs that."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITH_HTTP_ALONE = """
import sys
for name in ("apsw", "trustme", "starlette", "anycorn", "hypercorn", "cyclopts", "rich", "pytest"):
    sys.modules[name] = None
import anyio, httpx2
from elarian_trio.planship import PlanshipCustomer

class Service(httpx2.AsyncBaseTransport):
    async def handle_async_request(self, request):
        await anyio.lowlevel.checkpoint()
        if request.url.path.endswith("/token"):
            return httpx2.Response(200, json={"access_token": "t", "token_type": "bearer", "expires_in": 3600})
        return httpx2.Response(200, json={"n": 1})

async def main():
    service = Service()
    async with PlanshipCustomer("p", "c", client_id="a", client_secret="b", transport=service) as planship:
        assert await planship.get_entitlements() == {"n": 1}

anyio.run(main, backend="trio")
anyio.run(main, backend="asyncio")
"""

IMPORTS_NEITHER = """
import sys
import elarian_trio
import elarian_trio.sandbox
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"httpx2", "httpcore2", "websockets", "h11", "starlette"}, loaded
"""

SAYS_WHAT_IS_MISSING = """
import sys
sys.modules[{package!r}] = None
import elarian_trio
try:
    import elarian_trio.planship
except ModuleNotFoundError as error:
    assert "pip install 'elarian-trio[http]'" in str(error), error
    assert error.name == {package!r}
else:
    raise AssertionError
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(WITH_HTTP_ALONE, id="works with the extra http alone"),
        pytest.param(IMPORTS_NEITHER, id="importing elarian_trio imports none of it"),
        pytest.param(SAYS_WHAT_IS_MISSING.format(package="httpx2"), id="says that httpx2 is missing"),
        pytest.param(SAYS_WHAT_IS_MISSING.format(package="websockets"), id="says that websockets is missing"),
    ],
)
def test_planship_needs_its_extra_and_nobody_else_does(program: str) -> None:
    """Issue 5: seen from a process of its own."""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
