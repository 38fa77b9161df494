"""Elarian's own JavaScript SDK, as published, as app and as phone, against the sandbox.

It speaks TLS and verifies, so a relay stands before the sandbox: our own transport, with a certificate made for the
test. Each chapter of ``sdk_chapters.js`` is a program of its own with its own assertions, and a sandbox of its own.
"""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import foreign
import pytest

from elarian_trio._transport import FrameTransport, StreamTransport, open_tcp, serve_tcp
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from anyio.abc import TaskStatus

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(foreign.why_not() is not None, reason=str(foreign.why_not())),
]

CHAPTERS = (
    "identity",
    "large",
    "appData",
    "reminders",
    "messaging",
    "ussd",
    "voice",
    "payments",
    "activityAndReplays",
    "silentHandlers",
    "tokens",
)


@asynccontextmanager
async def behind_tls(sandbox: Sandbox, authority: Path) -> AsyncIterator[int]:
    """Listen with TLS for a block, before *sandbox*; give the port, and write whom clients are to trust."""
    import trustme  # here, so that without it this file is skipped as without the peers

    made = trustme.CA()
    made.cert_pem.write_to_path(str(authority))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.issue_cert("localhost").configure_cert(context)
    inner = int(sandbox.endpoints["tcp"].rpartition(":")[2])

    async def relay(outer: StreamTransport) -> None:
        async with await open_tcp("127.0.0.1", inner) as transport, anyio.create_task_group() as tasks:
            tasks.start_soon(pump, outer, transport)
            await pump(transport, outer)
            tasks.cancel_scope.cancel()

    async def listen(*, task_status: TaskStatus[list[tuple[str, int]]]) -> None:
        await serve_tcp(relay, ssl_context=context, task_status=task_status)

    async with anyio.create_task_group() as tasks:
        (address,) = await tasks.start(listen)
        yield address[1]
        tasks.cancel_scope.cancel()


async def pump(source: FrameTransport, sink: FrameTransport) -> None:
    """Carry frames one way until either side is gone, and then let the other one know."""
    try:
        while True:
            await sink.send_frames(await source.receive_frames())
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await sink.aclose()


@pytest.mark.parametrize("chapter", CHAPTERS)
async def test_the_javascript_sdk_finds_in_the_sandbox_what_it_knows_from_elarian(chapter: str, tmp_path: Path) -> None:
    """The design: every app runs against the sandbox, also one that was not written with this SDK.

    Payments are settled by the phone alone, so that a slow machine changes nothing.
    """
    authority = tmp_path / "authority.pem"
    async with Sandbox(tcp="127.0.0.1:0", settle="manual") as sandbox, behind_tls(sandbox, authority) as port:
        command, environment = foreign.node_command("sdk_chapters.js", "sdk", chapter, "localhost", str(port))
        environment |= {
            "NODE_EXTRA_CA_CERTS": str(authority),
            "NODE_OPTIONS": "--dns-result-order=ipv4first",  # what listens is 127.0.0.1
            **{f"SANDBOX_{name.upper()}": sandbox.credentials[name] for name in ("org_id", "app_id", "api_key")},
        }
        async with foreign.foreign(command, environment) as program:
            await program.says("DONE")
