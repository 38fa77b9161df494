"""Read by the type checkers, never run: making clients, options and sandboxes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, assert_type

import anyio

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionOptions,
    Elarian,
    MessageDeliveryStatus,
    SetupRejected,
    Simulator,
)
from elarian_trio.sandbox import Sandbox, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio.abc import ByteStream


async def token() -> str:
    return "el_tkn_1"


async def tunnel() -> ByteStream:
    return await anyio.connect_tcp("127.0.0.1", 8082)


class Plain:
    """A serializer of the user's own."""

    def dumps(self, value: Any) -> str | bytes:  # noqa: ANN401 - the user's own values
        """Give text."""
        return str(value)

    def loads(self, stored: str | bytes) -> Any:  # noqa: ANN401 - the user's own values
        """Give text back."""
        return stored


async def clients() -> None:
    options = ConnectionOptions(
        command_timeout=None, resume="off", reconnect=Backoff(give_up_after=60.0), serializer=Plain()
    )
    try:
        async with Elarian(org_id="o", app_id="a", api_key="k", options=options) as app:
            assert_type(app, Elarian)
    except SetupRejected as error:
        assert_type(error.code, int | None)
    except ConnectionFailed:
        pass
    Elarian(org_id="o", app_id="a", auth_token=token, endpoint="tcp://127.0.0.1:8082")
    Elarian(org_id="o", app_id="a", auth_token="el_tkn_1", dial=tunnel)
    assert_type(Elarian.from_env(), Elarian)
    async with Simulator(org_id="o", app_id="a", api_key="k") as phone:
        assert_type(phone, Simulator)


async def sandboxes() -> None:
    async with (
        Sandbox() as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
    ):
        assert_type(sandbox, Sandbox)
        assert_type(sandbox.purse_id, str)
        assert_type(sandbox.clock.now(), datetime)
        await sandbox.clock.advance(timedelta(days=1))
        credentials: Mapping[str, Any] = sandbox.credentials
        assert_type(app, Elarian)
        assert_type(phone, Simulator)
        assert_type(credentials["org_id"], Any)
    async with Sandbox(tcp="127.0.0.1:0", clock="manual", seed=1, settle="manual", strict=False) as served:
        endpoint: str = served.endpoints["tcp"]
        assert_type(endpoint, str)
    Sandbox(settings=Settings(outcomes={"+254709759881": "failed", "+254709759882": MessageDeliveryStatus.EXPIRED}))


async def mistakes() -> None:
    Elarian("o", "a", "k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ConnectionOptions(resume="maybe")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Sandbox(clock="sundial")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Settings(outcomes={"+254709759881": "lost"})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
