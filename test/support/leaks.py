"""What a test may leave behind: nothing. Pictures of the process before and after, and what is new between them.

``test/conftest.py`` takes the pictures around every test.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio.lowlevel
import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

Task: TypeAlias = "asyncio.Task[Any] | trio.lowlevel.Task"

_DESCRIPTORS = "/dev/fd"  # Linux and macOS; Windows has nothing like it, and there only threads and tasks are seen
_IDLE_CACHES = ("Trio thread", "asyncio_", "AnyIO worker thread")  # what libraries keep a while; see idle_workers()
_ENDING = 1.0  # seconds a thread that was told to stop may take
_ROUNDS = 10  # checkpoints after which a task that was cancelled in its block must be gone


def open_sockets() -> frozenset[tuple[int, int]]:
    """Every socket this process has open, as descriptor and inode: a descriptor alone is soon used again."""
    if not os.path.isdir(_DESCRIPTORS):
        return frozenset()
    return frozenset(_sockets_among(int(name) for name in os.listdir(_DESCRIPTORS)))


def _sockets_among(descriptors: Iterator[int]) -> Iterator[tuple[int, int]]:
    for descriptor in descriptors:
        try:
            status = os.fstat(descriptor)
        except OSError:  # the one that listed the directory
            continue
        if stat.S_ISSOCK(status.st_mode):
            yield descriptor, status.st_ino


def running_threads() -> frozenset[threading.Thread]:
    """Every thread but the idle workers of the libraries."""
    return frozenset(thread for thread in threading.enumerate() if not thread.name.startswith(_IDLE_CACHES))


def idle_workers() -> frozenset[threading.Thread]:
    """Worker threads that libraries keep for a while, whether they work just now or not."""
    return frozenset(thread for thread in threading.enumerate() if thread.name.startswith(_IDLE_CACHES))


def threads_left(before: frozenset[threading.Thread]) -> list[threading.Thread]:
    """Threads that were not there *before* and do not end by themselves right now."""
    new = running_threads() - before
    for thread in new:
        thread.join(_ENDING)
    return [thread for thread in new if thread.is_alive()]


def living_tasks() -> frozenset[Task]:
    """Every task of the running loop, whichever it is."""
    if not trio.lowlevel.in_trio_run():
        return frozenset(task for task in asyncio.all_tasks() if not _is_the_test_runner(task))
    root = trio.lowlevel.current_root_task()
    return frozenset(_with_children(root) if root is not None else ())


def _is_the_test_runner(task: asyncio.Task[Any]) -> bool:
    """Whether anyio's plugin made the task: it makes one for each turn of a fixture or test."""
    return getattr(task.get_coro(), "__qualname__", "").startswith("TestRunner.")


def _with_children(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _with_children(child)


async def tasks_left(before: frozenset[Task]) -> list[Task]:
    """Tasks that were not there *before* and are still there after a few turns of the loop.

    A turn or two is fair: asyncio ends a cancelled task on its next turn, and closes generators in tasks of their own.
    """
    for _ in range(_ROUNDS):
        if living_tasks() <= before:
            break
        await anyio.lowlevel.checkpoint()
    return sorted(living_tasks() - before, key=repr)


class Picture:
    """What the process holds outside any loop, at the moment this is made."""

    def __init__(self) -> None:
        self._threads = running_threads()
        self._sockets = open_sockets()

    def left(self) -> list[str]:
        """What is new since then, in words for a failing test."""
        threads = [f"thread {thread.name}" for thread in threads_left(self._threads)]
        sockets = [f"socket on descriptor {descriptor}" for descriptor, _ in sorted(open_sockets() - self._sockets)]
        return threads + sockets
