"""The examples run as their readers would run them: as programs of their own, with nothing but a time limit.

The quickstart needs a server and somebody who writes to it; both are here, and it is ended as people end it, by Ctrl-C.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.abc
import pytest
from acceptance import SMS, answering

from elarian_trio import SendMessageSimulatorNotification, Simulator
from elarian_trio.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE = 60.0  # seconds; each takes two or three
NUMBER = "+254709759881"


def run(name: str, *arguments: str) -> str:
    """Run an example to its end and give what it printed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_loan_collection_ends_with_books_that_balance(backend: str) -> None:
    """The issue: a timeline over weeks, a table of who paid what, status 0 only when the books balance."""
    printed = run("loan_collection.py", "--backend", backend)
    assert "the books balance" in printed
    borrowers = (EXAMPLES / "loans.csv").read_text(encoding="utf-8").strip().splitlines()[1:]
    assert len(borrowers) == 12
    timeline, _, table = printed.rpartition("\n\n")[0].rpartition("\n\n")
    for borrower in borrowers:
        name = borrower.split(",")[0]
        assert name in timeline
        assert re.search(rf"^{re.escape(name)}\b.*\d", table, re.MULTILINE), table
    days = [int(day) for day in re.findall(r"^day +(\d+)", printed, re.MULTILINE)]
    assert days == sorted(days)
    assert days[-1] >= 7


MISCOUNTED = """
import runpy, sys
from elarian_trio.sandbox import Sandbox
true, asked = Sandbox.purse_balance, 0

def one_shilling_more_each_time(self, *arguments):
    global asked
    asked += 1
    return true(self, *arguments) + asked

Sandbox.purse_balance = one_shilling_more_each_time
"""
UNREPORTED = """
import runpy, sys
from elarian_trio.planship import PlanshipCustomer

async def forget(self, metering_id, usage, bucket=None):
    import anyio.lowlevel
    await anyio.lowlevel.checkpoint()

PlanshipCustomer.report_usage = forget
"""
UNCANCELLED = """
import runpy, sys
from elarian_trio.talonone import IntegrationApi, NewCustomerSession
true = IntegrationApi.update_customer_session

async def never_cancel(self, session_id, body=NewCustomerSession(), *, dry=False):
    dry = dry or body.state == "cancelled"
    return await true(self, session_id, body, dry=dry)

IntegrationApi.update_customer_session = never_cancel
"""
RUN = """
sys.path.insert(0, str(__import__("pathlib").Path(sys.argv[1]).parent))
sys.argv = [sys.argv[1]]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    ("example", "sabotage"),
    [
        ("loan_collection.py", MISCOUNTED),
        ("airtime_shop.py", MISCOUNTED),
        ("airtime_shop.py", UNREPORTED),
        ("airtime_shop.py", UNCANCELLED),
    ],
    ids=[
        "loans and a purse that counts wrong",
        "a purse that counts wrong",
        "uses not told of",
        "sessions not cancelled",
    ],
)
def test_example_fails_when_its_books_do_not_balance(example: str, sabotage: str) -> None:
    """This test's own: status 0 must mean something. Purses that count wrong and apps that forget are found out."""
    command = [sys.executable, "-c", sabotage + RUN, str(EXAMPLES / example)]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert "THE BOOKS DO NOT BALANCE" in done.stdout


TOLD_AT_THE_SHOP = (
    "FREE4ALL does not count (CouponNotFound)",
    "HARVEST does not count (CouponExpired)",
    "does not count (ReferralRecipientIdSameAsAdvocate)",
    "How much? Your plan has KES 5 to 100 at once",
    "No top-ups left. We text you tomorrow.",
    "Welcome back: 2 top-ups left.",
    "not paid; session cancelled",
    "not delivered; session cancelled, the money goes back",
    "A friend used your code: KES 20.00 for you.",
    "TalonOneError: 503",
    "PlanshipError: Planship answered 503",
    "Choose a plan | 1. Starter | 2. Trader",
    "\nthe books balance\n",
)


def test_airtime_shop_tells_the_same_on_each_backend_and_has_books_that_balance() -> None:
    """The issue: three services, a readable timeline, a closing table; all that may go wrong is in the story."""
    printed = run("airtime_shop.py", "--backend", "trio")
    assert [words for words in TOLD_AT_THE_SHOP if words not in printed] == []
    timeline, table, _ = printed.split("\n\n")
    moments = [line.split("  ")[0] for line in timeline.splitlines()]
    assert moments == sorted(moments, key=lambda moment: (moment.startswith("Tue"), moment))
    names = {line.split()[2] for line in timeline.splitlines()}
    assert names == {row.split()[0] for row in table.splitlines()[1:-1]}
    assert run("airtime_shop.py", "--backend", "asyncio") == printed
    other = run("airtime_shop.py", "--seed", "2")  # with other amounts, and codes; by what is done, not by luck
    assert other != printed
    assert "the books balance" in other


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_ussd_bank_serves_its_customer(backend: str) -> None:
    """The issue: scenario B, menus and all."""
    printed = run("ussd_bank.py", "--backend", backend)
    assert "the bank knows Asha" in printed


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
async def test_quickstart_thanks_whoever_writes_until_it_is_interrupted() -> None:
    """The README's program: tags, greets, then answers each SMS; Ctrl-C ends it."""
    async with (
        Sandbox(tcp="127.0.0.1:0") as sandbox,
        Simulator(**sandbox.credentials) as phone,
        answering(phone, SendMessageSimulatorNotification, bound=PATIENCE / 2) as handset,
    ):
        environment = {
            **os.environ,
            "PYTHONPATH": str(EXAMPLES.parent),
            "ELARIAN_ORG_ID": sandbox.credentials["org_id"],
            "ELARIAN_APP_ID": sandbox.credentials["app_id"],
            "ELARIAN_API_KEY": sandbox.credentials["api_key"],
            "ELARIAN_ENDPOINT": sandbox.endpoints["tcp"],
        }
        environment.pop("ELARIAN_AUTH_TOKEN", None)
        command = [sys.executable, str(EXAMPLES / "quickstart.py")]
        async with await anyio.open_process(command, env=environment) as process:
            try:
                greeting = await handset.next()
                assert (greeting.message.body, greeting.customer_number.number) == ("Hello!", NUMBER)
                await phone.receive_message("+254700000001", SMS, "", ["Hi there"])
                thanks = await handset.next()
                assert (thanks.message.body, thanks.customer_number.number) == ("Thank you", "+254700000001")
                process.send_signal(signal.SIGINT)
                with anyio.fail_after(PATIENCE / 2):
                    status = await process.wait()
                printed = await everything(process.stderr)
            finally:
                if process.returncode is None:
                    process.kill()
        assert status in (1, 130, -signal.SIGINT)
        assert "KeyboardInterrupt" in printed
        assert "ExceptionGroup" not in printed
        assert sandbox.credentials["api_key"] not in printed


async def everything(stream: anyio.abc.ByteReceiveStream | None) -> str:
    """Read to the end."""
    assert stream is not None
    return b"".join([chunk async for chunk in stream]).decode()
