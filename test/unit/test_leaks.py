"""The leak check itself: what it must see, and what it must overlook."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import leaks
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """An event that is set at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()


def test_open_socket_is_seen() -> None:
    """This SDK: leaving the block ends every socket."""
    before = leaks.Picture()
    with socket.socket() as opened:
        assert before.left() == [f"socket on descriptor {opened.fileno()}"]
    assert before.left() == []


def test_running_thread_is_seen(stop: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: leaving the block ends every thread."""
    monkeypatch.setattr(leaks, "_ENDING", 0.0)
    before = leaks.Picture()
    thread = threading.Thread(target=stop.wait, name="forgotten", args=(5,))
    thread.start()
    assert before.left() == ["thread forgotten"]
    stop.set()
    thread.join(5)
    assert before.left() == []


def test_idle_worker_of_a_library_is_overlooked() -> None:
    """This SDK: Trio keeps a worker thread for ten seconds after use, which is no leak of ours."""
    before = leaks.Picture()
    anyio.run(anyio.to_thread.run_sync, int, backend="trio")
    assert before.left() == []


@pytest.mark.anyio
async def test_running_task_is_seen() -> None:
    """This SDK: leaving the block ends every task."""
    before = leaks.living_tasks()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever, name="forgotten")
            assert len(await leaks.tasks_left(before)) == 1
            group.cancel_scope.cancel()
        assert await leaks.tasks_left(before) == []


def test_test_that_leaves_something_fails(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> None:
    """This SDK: the check is in force for every test, without being asked for."""
    here = pytestconfig.rootpath / "test"
    pytester.makeconftest((here / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        figures=(here / "support" / "figures.py").read_text(encoding="utf-8"),
        leaks=(here / "support" / "leaks.py").read_text(encoding="utf-8"),
        test_leaving="""
            import asyncio, socket, anyio.lowlevel, pytest

            kept = []

            def test_socket():
                kept.append(socket.socket())

            @pytest.mark.anyio
            async def test_socket_of_a_loop():
                kept.append(socket.socket())

            @pytest.mark.anyio
            @pytest.mark.parametrize("anyio_backend", ["asyncio"])
            async def test_task():
                kept.append(asyncio.ensure_future(asyncio.sleep(60)))

            @pytest.mark.anyio
            async def test_nothing():
                await anyio.lowlevel.checkpoint()
        """,
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=6, errors=4)
