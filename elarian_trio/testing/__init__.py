"""For users' own tests: an app, its customers' phones, and a server between them, within one test.

Installing the extra ``testing`` makes pytest know these fixtures. A test takes those that it needs and is marked
``@pytest.mark.trio`` for pytest-trio or ``@pytest.mark.anyio`` for anyio's plugin, as its other fixtures ask for; there
is nothing to import and nothing to configure::

    @pytest.mark.anyio
    async def test_strangers_are_welcome(elarian_app: Elarian, elarian_phone: Phone) -> None:
        elarian_app.on("ussdSession", answer_menu)
        await elarian_phone.dial("*83044#").says("Welcome").enters("1").ends("Thank you")
        await elarian_phone.expect_sms("Hello")

``elarian_sandbox``
    A :class:`~elarian_trio.sandbox.Sandbox` for this test alone. Its arguments are those of
    ``@pytest.mark.elarian(channels=[...], settle="manual")`` on the test, its class or its module, over those that the
    fixture ``elarian_sandbox_options`` returns; a suite overrides that one in its ``conftest.py``. Unless they say
    otherwise ids are the same in every run, and time is Trio's where the test runs under a ``MockClock``; else it
    stands still until it is moved.
``elarian_app``
    A connected :class:`AppUnderTest`: an :class:`~elarian_trio.Elarian` of the sandbox's main app, with the options
    that the fixture ``elarian_app_options`` returns, if it returns any. Where the app is a task rather than handlers,
    override ``elarian_program`` to return the async function: it is started with the app before the test, as
    ``program(app)`` or, if it takes that, ``program(app, task_status=...)``, and cancelled after it.
``elarian_phone``
    A :class:`Phone`, of one customer; ``elarian_phone.of("+254700000002")`` is another one's.
``elarian_clock``
    The sandbox's :class:`~elarian_trio.sandbox.Clock`: ``await elarian_clock.advance(timedelta(days=3))``.

What fails beside the test, a handler for example, is the cause of the next expectation that comes to nothing, and makes
the test fail when it has ended if no expectation has told of it; see :attr:`AppUnderTest.failures`.

The plugin stands above, in a module of its own outside this package: pytest loads it in every run, also where nothing
of this is used. Below are the sandbox and both clients.
"""

from __future__ import annotations

from elarian_trio.testing.app import AppUnderTest
from elarian_trio.testing.calls import Call, CallTurns
from elarian_trio.testing.payments import Payment, PaymentTurns
from elarian_trio.testing.phone import NUMBER, Phone
from elarian_trio.testing.ussd import UssdSession, UssdTurns
from elarian_trio.testing.wording import Wanted

__all__ = [
    "NUMBER",
    "AppUnderTest",
    "Call",
    "CallTurns",
    "Payment",
    "PaymentTurns",
    "Phone",
    "UssdSession",
    "UssdTurns",
    "Wanted",
]
