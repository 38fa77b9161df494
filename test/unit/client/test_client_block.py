"""The client's block: entering, leaving, failing, and what comes out of it."""

from __future__ import annotations

import anyio
import pytest
from scripted_server import KEY, scripted_server

from elarian_trio import ConnectionState, Elarian, SetupRejected

pytestmark = pytest.mark.anyio


async def test_entering_returns_when_the_server_has_answered() -> None:
    """This SDK: no blind second; the KEEPALIVE's answer means connected."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            assert app.connection_state is ConnectionState.CONNECTED
            assert server.setups[0].api_key == KEY
        assert app.connection_state is ConnectionState.CLOSED


async def test_refused_setup_comes_out_of_the_async_with_line_plain() -> None:
    """This SDK: no exception group, and no credential in the words."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            server.refusing = "no such key"
            app = Elarian(**server.credentials)
            with pytest.raises(SetupRejected) as caught:
                async with app:
                    pytest.fail("entered")
            assert KEY not in str(caught.value)
            assert app.connection_state is ConnectionState.ERROR
