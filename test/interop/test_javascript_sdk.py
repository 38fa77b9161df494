"""Elarian's own JavaScript SDK, as published, as app and as phone, against the sandbox.

It speaks TLS and verifies, and the sandbox says whom to trust. Each chapter of ``sdk_chapters.js`` is a program of its
own with its own assertions, and a sandbox of its own.
"""

from __future__ import annotations

import foreign
import pytest

from elarian_trio.sandbox import Sandbox, SandboxApp

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
    "everyChannel",
    "sessions",
    "calls",
    "bodies",
    "parties",
    "names",
    "serializers",
    "connecting",
)


async def run_chapter(chapter: str, **environment: str) -> None:
    """Run a chapter to its end. Payments are settled by the phone alone, so that a slow machine changes nothing."""
    await run_against(Sandbox(tls="127.0.0.1:0", settle="manual"), chapter, **environment)


async def run_against(sandbox: Sandbox, chapter: str, **environment: str) -> None:
    """Run a chapter to its end, against a sandbox that is set up as given."""
    async with sandbox:
        port = sandbox.endpoints["tls"].rpartition(":")[2]
        command, surroundings = foreign.sdk_command("javascript", chapter, port, sandbox.ca_file)
        environment |= surroundings | {
            **{name.upper(): sandbox.credentials[name] for name in ("org_id", "app_id", "api_key")},
            "PURSE_ID": sandbox.purse_id,
        }
        async with foreign.foreign(command, environment) as program:
            await program.says("DONE", bound=3 * foreign.BOUND)


@pytest.mark.parametrize("chapter", CHAPTERS)
async def test_the_javascript_sdk_finds_in_the_sandbox_what_it_knows_from_elarian(chapter: str) -> None:
    """The design: every app runs against the sandbox, also one that was not written with this SDK."""
    await run_chapter(chapter)


@pytest.mark.parametrize("chapter", ["large", "appData", "messaging", "ussd"])
async def test_the_javascript_sdk_also_runs_where_it_asks_for_resumption(chapter: str) -> None:
    """Its ``resumable`` option, with the one method that it lacks (see ``sdk_chapters.js``).

    It says that it received nothing, whatever it got, and keeps 128 bytes at most: the sandbox lets all go on.
    """
    await run_chapter(chapter, SANDBOX_RESUMABLE="1")


async def test_a_suite_that_brings_its_own_key_finds_the_sandbox_as_it_is_by_default() -> None:
    """The issue: the SDK's own tests, which nobody here has, are run against it from outside."""
    app = SandboxApp("el_org_eu_1SJ2jx", "el_app_WZFQdt", "el_k_test_of_somebody_else")
    await run_against(Sandbox(tls="127.0.0.1:0", apps=[app]), "suite")
