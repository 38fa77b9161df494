"""Which of several errors comes out of the client's block."""

from __future__ import annotations

import anyio
import pytest
from scripted_server import scripted_server

from elarian_trio import Elarian, InternalError, MessageDeliveryStatus, MessageStatusNotification, SetupRejected
from elarian_trio.client.outcome import Outcome

pytestmark = pytest.mark.anyio

STATUS = MessageStatusNotification(customer_id="c", message_id="m", status=MessageDeliveryStatus.SENT)
OURS = SetupRejected("ours")


class Verdict(BaseException):
    """What no ``except Exception`` is to stop, as the one that ``pytest.fail()`` raises."""


@pytest.mark.parametrize(
    ("user", "escaped", "failure", "raised"),
    [
        (ValueError("user"), BaseExceptionGroup("", [KeyboardInterrupt()]), OURS, KeyboardInterrupt),
        (ValueError("user"), None, OURS, ValueError),
        (None, ExceptionGroup("", [ExceptionGroup("", [KeyError("defect")])]), OURS, SetupRejected),
        (ValueError("user"), BaseExceptionGroup("", [Verdict()]), OURS, ValueError),
        (None, BaseExceptionGroup("", [BaseExceptionGroup("", [Verdict()]), KeyError("defect")]), OURS, Verdict),
        (None, ExceptionGroup("", [KeyError("defect")]), None, InternalError),
        (OURS, None, OURS, SetupRejected),
    ],
)
async def test_precedence(
    user: BaseException | None, escaped: BaseException | None, failure: Exception | None, raised: type[BaseException]
) -> None:
    """This SDK: Ctrl-C; the user's error; their functions' that is no Exception; ours; a defect, as InternalError."""
    outcome = Outcome()
    if user is not None:
        outcome.keep(user)
    outcome.escaped = escaped
    with pytest.raises(raised) as caught:
        await outcome.settle(failure)
    if raised is InternalError:
        assert caught.value.__cause__ is escaped


async def test_nothing_is_raised_where_nothing_happened() -> None:
    """This SDK: and the call was a checkpoint."""
    await Outcome().settle(None)


async def test_defect_of_ours_is_an_internal_error_and_ends_the_block() -> None:
    """This SDK: no exception group reaches the user, not even about a defect."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = Elarian(**server.credentials)

            def defect(_: None) -> None:
                raise KeyError("defect")

            app._timer.deadlines(0, defect).add(None)
            with pytest.raises(InternalError) as caught:
                async with app:
                    await anyio.sleep_forever()
            assert isinstance(caught.value.__cause__, BaseExceptionGroup)


@pytest.mark.parametrize("anyio_backend", ["trio"], scope="module")  # asyncio ends its loop with it, past any block
async def test_interrupt_in_a_handler_comes_out_plain(anyio_backend: str) -> None:
    """This SDK: Ctrl-C is Ctrl-C, whichever task it hits."""

    async def handler(*_: object) -> None:
        await anyio.lowlevel.checkpoint()
        raise KeyboardInterrupt

    async def ask() -> None:
        with pytest.raises(Exception, match=r"."):
            await server.notify(STATUS)

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the block is what is tested
                async with Elarian(**server.credentials).on("messageStatus", handler):
                    tasks.start_soon(ask)
                    await anyio.sleep_forever()


async def test_verdict_on_the_program_in_a_handler_comes_out_plain() -> None:
    """A past bug: ``pytest.fail()`` in a handler, which raises no Exception, was said to be a defect of the client."""

    async def handler(*_: object) -> None:
        async with anyio.create_task_group():
            pytest.fail("the app must not be told")

    async def ask() -> None:
        with pytest.raises(Exception, match=r"."):
            await server.notify(STATUS)

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            with pytest.raises(pytest.fail.Exception, match="must not be told"):  # noqa: PT012 - the block is tested
                async with Elarian(**server.credentials).on("messageStatus", handler):
                    tasks.start_soon(ask)
                    await anyio.sleep_forever()


async def test_verdict_on_the_program_in_a_listener_comes_out_plain() -> None:
    """As above."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises(pytest.fail.Exception, match="connected"):
                async with Elarian(**server.credentials).on("connected", lambda: pytest.fail("connected")):
                    await anyio.sleep_forever()
