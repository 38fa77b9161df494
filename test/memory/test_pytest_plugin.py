"""The pytest plugin, by suites as users write them: one set of names under pytest-trio and under anyio's plugin.

Each suite runs in this process, with warnings as errors, but for those that need a process of their own.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

import elarian_trio.testing.fixtures  # noqa: F401 - loaded once, else each suite below loads it anew

pytest_plugins = ["pytester"]

IMPORTS = """
from datetime import timedelta
import anyio, pytest, trio
from elarian_trio import *

async def greet(notification, customer, app_data, callback):
    callback("Welcome")
    await customer.send_message(MessagingChannel.sms("83044"), "Hello")

async def fail(notification, customer, app_data, callback):
    raise LookupError("the shelf is empty")
"""

STORY = """
async def story(app, phone, clock):
    app.on("ussdSession", greet)
    before = clock.now()
    await phone.dial("*83044#").says("Welcome")
    await phone.expect_sms("Hello")
    await app.customer(phone.number).add_reminder(Reminder("nudge", before + timedelta(days=2)))
    reminded = []

    async def remind(notification, customer, app_data, callback):
        reminded.append(clock.now() - before)

    app.on("reminder", remind)
    await clock.advance(timedelta(days=3))
    assert len(reminded) == 1 and timedelta(days=2) <= reminded[0] < timedelta(days=2, seconds=9)
    assert clock.now() - before >= timedelta(days=3)
    await phone.expect_nothing()
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder for a suite, whose warnings are errors."""
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider --strict-markers\n")
    return pytester


MARKS = {
    "anyio": ("@pytest.mark.anyio", "", 2),
    "pytest-trio": ("@pytest.mark.trio", "", 1),
    "pytest-trio with autojump": ("@pytest.mark.trio", "autojump_clock, ", 1),
    "pytest-trio with a clock that stands still": ("@pytest.mark.trio", "mock_clock, ", 1),
}


@pytest.mark.parametrize(("mark", "fixtures", "runs"), MARKS.values(), ids=MARKS.keys())
def test_the_same_fixtures_serve_every_plugin(suite: pytest.Pytester, mark: str, fixtures: str, runs: int) -> None:
    """The issue: under pytest-trio and under anyio's plugin; three days pass at once on each."""
    suite.makepyfile(
        f"""{IMPORTS}{STORY}
{mark}
async def test_story({fixtures}elarian_app, elarian_phone, elarian_clock):
    await story(elarian_app, elarian_phone, elarian_clock)
"""
    )
    suite.runpytest_inprocess().assert_outcomes(passed=runs)


def test_anyio_may_bring_trios_clock(suite: pytest.Pytester) -> None:
    """This SDK: the sandbox's time is Trio's wherever a MockClock runs, whoever brought it."""
    suite.makepyfile(
        f"""{IMPORTS}{STORY}
@pytest.fixture
def anyio_backend():
    return "trio", {{"clock": trio.testing.MockClock(autojump_threshold=0)}}

@pytest.mark.anyio
async def test_story(elarian_app, elarian_phone, elarian_clock):
    await story(elarian_app, elarian_phone, elarian_clock)
    await anyio.sleep(86_400)
"""
    )
    suite.runpytest_inprocess().assert_outcomes(passed=1)


PROGRAM = f"""{IMPORTS}
async def serve(app):
    async with app.notifications(ReceivedSmsNotification) as inbox:
        async for delivery in inbox:
            async with delivery:
                if delivery.notification.text == "boom":
                    raise LookupError("the shelf is empty")
                await delivery.customer.send_message(delivery.notification.channel_number, "Thank you")

@pytest.fixture
def elarian_program():
    return serve

@pytest.fixture
def elarian_app_options():
    return ConnectionOptions(notification_timeout=7.0)
"""


@pytest.mark.parametrize(("mark", "runs"), [("anyio", 2), ("trio", 1)])
def test_a_program_runs_beside_each_test(suite: pytest.Pytester, mark: str, runs: int) -> None:
    """This SDK: an app that is a task needs no task group of the test's."""
    suite.makepyfile(
        f"""{PROGRAM}
@pytest.mark.{mark}
async def test_thanks(elarian_app, elarian_phone):
    assert elarian_app._options.notification_timeout == 7.0
    await elarian_phone.write("Hi")
    await elarian_phone.expect_sms("Thank you")
"""
    )
    suite.runpytest_inprocess().assert_outcomes(passed=runs)


FAILURES = {
    "a handler fails": (
        'elarian_app.on("receivedSms", fail)\n    await elarian_phone.write("Hi")',
        "LookupError: the shelf is empty",
    ),
    "the sandbox fails": (
        "async def burn():\n        raise OSError('fire')\n    elarian_sandbox._tasks.start_soon(burn)\n"
        "    await anyio.sleep(0.01)",
        "OSError: fire",
    ),
    "the app's connection ends": (
        'elarian_app._fail(ConnectionFailed("cut"))\n    await anyio.sleep(0.01)',
        "ConnectionFailed: cut",
    ),
    "a chain is not awaited": (
        'elarian_phone.dial("*384#").says("Welcome")',
        "phone.dial('*384#').says('Welcome') was never awaited",
    ),
}

WITNESS = """
import threading

@pytest.mark.{mark}
async def test_the_next_one_is_as_ever(elarian_app, elarian_phone):
    elarian_app.on("ussdSession", greet)
    await elarian_phone.dial().says("Welcome")

def test_no_thread_is_left():
    assert not [each for each in threading.enumerate() if each.name.startswith("elarian")]
"""


@pytest.mark.parametrize("mark", ["anyio", "trio"])
@pytest.mark.parametrize(("deed", "words"), FAILURES.values(), ids=FAILURES.keys())
def test_what_fails_beside_a_test_makes_it_fail(suite: pytest.Pytester, deed: str, words: str, mark: str) -> None:
    """The brief: failure in the background surfaces, and the next test is as ever.

    pytest-trio ends its fixtures within the test, so there the test itself has failed.
    """
    suite.makepyfile(
        f"""{IMPORTS}
@pytest.mark.{mark}
async def test_deed(elarian_app, elarian_phone, elarian_sandbox):
    {deed}
{WITNESS.format(mark=mark)}"""
    )
    result = suite.runpytest_inprocess("-p", "no:faulthandler")
    if mark == "trio":
        result.assert_outcomes(failed=1, passed=2)
    else:
        result.assert_outcomes(errors=2, passed=5)
    assert words in result.stdout.str()


@pytest.mark.parametrize("mark", ["anyio", "trio"])
def test_a_program_that_fails_is_the_cause_of_what_does_not_come(suite: pytest.Pytester, mark: str) -> None:
    """The brief: readable in pytest's output; the user's own line is where it points to, and no test waits for it."""
    suite.makepyfile(
        f"""{PROGRAM}
@pytest.mark.{mark}
async def test_boom(elarian_app, elarian_phone):
    await elarian_phone.write("boom")
    await elarian_phone.expect_sms("Thank you", within=3600)
"""
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(failed=1 if mark == "trio" else 2)
    result.stdout.fnmatch_lines(
        [
            "*LookupError: the shelf is empty",
            "*direct cause of the following exception*",
            '*await elarian_phone.expect_sms("Thank you", within=3600)',
            "*AssertionError: +254709759881 expected an SMS that says 'Thank you' until something failed, and heard *",
            "*beside the test failed: LookupError: the shelf is empty",
        ]
    )
    if mark == "anyio":  # pytest-trio raises a group, which older pytests print with every frame
        assert "exchange.py" not in result.stdout.str()


def test_a_program_that_cannot_begin_is_an_error_of_the_test(suite: pytest.Pytester) -> None:
    """This SDK: with the program's own error."""
    suite.makepyfile(
        f"""{IMPORTS}
@pytest.fixture
def elarian_program():
    async def serve(app, *, task_status):
        raise LookupError("no shelf")
    return serve

@pytest.mark.anyio
async def test_it(elarian_app):
    pass
"""
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*LookupError: no shelf"])


def test_a_test_that_nobody_runs_as_async_is_told_how(suite: pytest.Pytester) -> None:
    """The brief: what the user must do is to mark the test."""
    suite.makepyfile(
        """
def test_sync(elarian_phone):
    pass
"""
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_sync is none:", "*@pytest.mark.anyio*", "*@pytest.mark.trio*"])


def test_a_mark_without_its_plugin_is_told_so(suite: pytest.Pytester) -> None:
    """This SDK: without pytest-trio the mark alone runs nothing."""
    suite.makepyfile(
        """
import pytest
@pytest.mark.trio
async def test_it(elarian_phone):
    pass
"""
    )
    result = suite.runpytest_inprocess("-p", "no:trio", "-o", "markers=trio: nobody's")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*@pytest.mark.trio     for pytest-trio, to be installed"])


def test_the_marker_takes_names_only(suite: pytest.Pytester) -> None:
    """This SDK: the sandbox's arguments have names; its own complaint about a wrong one is the test's error."""
    suite.makepyfile(
        f"""{IMPORTS}
@pytest.mark.anyio
@pytest.mark.elarian("83044")
async def test_by_place(elarian_sandbox):
    pass

@pytest.mark.anyio
@pytest.mark.elarian(chanels=[])
async def test_misspelled(elarian_sandbox):
    pass
"""
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines_random(
        ["*takes the sandbox's arguments by name, got ('83044',)*", "*unexpected keyword argument 'chanels'*"]
    )


def test_ids_are_the_same_in_every_run(suite: pytest.Pytester) -> None:
    """This SDK: what a test compares with may be written down; a seed of the test's own gives others."""
    suite.makepyfile(
        f"""{IMPORTS}
@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.anyio
async def test_it(elarian_app, time, seen=set()):
    reply = await elarian_app.customer("+254709759881").create()
    seen.add(reply.customer_id)
    assert len(seen) == 1

@pytest.mark.anyio
@pytest.mark.elarian(seed=4)
async def test_another(elarian_app):
    reply = await elarian_app.customer("+254709759881").create()
    assert reply.customer_id not in test_it.__defaults__[0]
"""
    )
    suite.runpytest_inprocess().assert_outcomes(passed=6)


LIGHT = """
import sys, pytest
assert pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:trio", "test_plain.py"]) == 0
assert "_elarian_trio_pytest" in sys.modules
ours = [name for name in sys.modules if name.split(".")[0] == "elarian_trio"]
assert not ours, ours
"""


def test_suites_that_do_not_use_it_do_not_load_it(suite: pytest.Pytester) -> None:
    """The brief: importing the plugin is light, and works where neither async plugin is active."""
    suite.makepyfile(test_plain="def test_plain():\n    pass\n")
    command = [sys.executable, "-c", LIGHT]
    done = subprocess.run(command, cwd=suite.path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fixtures_are_listed_with_what_they_are(suite: pytest.Pytester) -> None:
    """This SDK: ``pytest --fixtures`` and ``--markers`` are where people look."""
    fixtures = suite.runpytest_inprocess("--fixtures").stdout.str()
    for name in ("elarian_sandbox", "elarian_app", "elarian_phone", "elarian_clock", "elarian_program"):
        assert f"{name} -- " in fixtures
    assert "_elarian_stage" not in fixtures
    assert "@pytest.mark.elarian(**options)" in suite.runpytest_inprocess("--markers").stdout.str()
