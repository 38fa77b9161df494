"""Talon.One's stand-in as part of a sandbox: beside Elarian and Planship, in their file, and by the command."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest
from command_line import Screen, run

from elarian_trio import Elarian, Tag
from elarian_trio.sandbox import ManualClock, Sandbox
from elarian_trio.sandbox.talonone import Coupon, TalonOneServer
from elarian_trio.talonone import AcceptCoupon, IntegrationApi, NewCustomerSession, RejectCoupon

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, tzinfo=UTC)
LOOPBACK = "127.0.0.1:0"
ASHA = "+254709759881"


def shop() -> TalonOneServer:
    """A server with one coupon for an hour."""
    coupon = Coupon(code="HOUR", usage_limit=1, expiry_date=START + timedelta(hours=1))
    return TalonOneServer(coupons=[coupon])


async def test_coupon_expires_by_the_sandboxs_clock() -> None:
    """The issue: all of a sandbox has one clock."""
    async with Sandbox(talon_one=shop(), planship=LOOPBACK, clock=ManualClock(START)) as sandbox:
        assert set(sandbox.endpoints) == {"planship", "talon_one"}
        async with IntegrationApi(**sandbox.talon_one.credentials) as api, Elarian(**sandbox.credentials) as app:
            await app.customer(ASHA).update_tags(Tag("segment", "premium"))
            state = await api.update_customer_session("s", NewCustomerSession(profile_id=ASHA, coupon="HOUR"))
            assert [each.details for each in state.effects] == [AcceptCoupon("HOUR")]
            await sandbox.clock.advance(timedelta(hours=1))
            state = await api.update_customer_session("s")
            assert [each.details for each in state.effects] == [RejectCoupon("HOUR")]


async def test_one_file_keeps_all(tmp_path: Path) -> None:
    """The issue: its records are in the sandbox's file, which opens without the stand-in as well."""
    file = tmp_path / "sandbox.sqlite3"
    async with Sandbox(talon_one=LOOPBACK, planship=LOOPBACK, data=file) as sandbox:
        credentials = dict(sandbox.talon_one.credentials)
        async with IntegrationApi(**credentials) as api, Elarian(**sandbox.credentials) as app:
            await api.update_customer_session("s", NewCustomerSession(profile_id=ASHA, total=9, state="closed"))
            await app.customer(ASHA).update_tags(Tag("segment", "premium"))
    async with Sandbox(data=file) as sandbox, Elarian(**sandbox.credentials) as app:
        assert (await app.customer(ASHA).get_tags())[0].value == "premium"
    async with Sandbox(talon_one=LOOPBACK, data=file) as sandbox:
        assert sandbox.talon_one.credentials["api_key"] == credentials["api_key"]
        async with IntegrationApi(**sandbox.talon_one.credentials) as api:
            state = await api.update_customer_session("s", NewCustomerSession(state="cancelled"))
            assert (state.event.type, state.profile.total_sales) == ("talon_session_revoked", 0.0)


async def test_command_serves_it_and_says_with_which_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: ``elarian-trio sandbox --talon-one HOST:PORT``; a key from a file is not repeated."""
    monkeypatch.delenv("TALON_ONE_API_KEY", raising=False)
    key_file = tmp_path / "key"
    key_file.write_text("hush\n", encoding="utf-8")
    key_file.chmod(0o600)
    for chosen in ([], ["--talon-one-key-file", str(key_file)]):
        screen = Screen()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(
                run_until_cancelled, screen, ["sandbox", "--tcp", LOOPBACK, "--talon-one", LOOPBACK, *chosen]
            )
            await screen.wait_for("\nready\n")
            said = dict(re.findall(r"export (TALON_ONE_\w+)=(\S+)", screen.getvalue()))
            key = "hush" if chosen else said["TALON_ONE_API_KEY"]
            async with IntegrationApi(said["TALON_ONE_BASE_URL"], api_key=key) as api:
                await api.update_customer_session("s")
            assert "hush" not in screen.getvalue()
            tasks.cancel_scope.cancel()


async def run_until_cancelled(screen: Screen, words: list[str]) -> None:
    """Run a command that ends when its task does."""
    await run(*words, screen=screen)
