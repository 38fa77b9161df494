"""Waiters by key: each is told once, whatever comes first, and none outlives its block."""

from __future__ import annotations

import anyio
import pytest

from elarian_trio._session import GivenUp, Pending, Waiter

pytestmark = pytest.mark.anyio


async def test_answer_reaches_the_waiter_of_its_key() -> None:
    """This SDK: answers come in any order."""
    pending: Pending[int, str] = Pending()
    with pending.catch(1) as one, pending.catch(3) as three:
        assert pending.unanswered() == [1, 3]
        assert pending.resolve(3, "third")
        assert pending.resolve(1, "first")
        assert (await one.wait(), await three.wait()) == ("first", "third")
    assert len(pending) == 0


async def test_none_is_an_answer_like_any_other() -> None:
    """This SDK: whether somebody was answered does not depend on the answer."""
    pending: Pending[int, None] = Pending()
    with pending.catch(1) as waiter:
        assert pending.resolve(1, None)
        assert waiter.done
        await waiter.wait()


async def test_first_word_counts() -> None:
    """This SDK, "every way out wakes every waiter, idempotently": later words change nothing and say so."""
    pending: Pending[int, str] = Pending()
    with pending.catch(1) as waiter:
        assert pending.fail(1, ValueError("first"))
        assert not pending.fail(1, ValueError("second"))
        assert not pending.resolve(1, "third")
        assert pending.fail_all(lambda _: ValueError("fourth")) == 0
        with pytest.raises(ValueError, match="first"):
            await waiter.wait()


async def test_who_is_given_up_wakes_without_an_answer() -> None:
    """This SDK: commands have one timer, not a cancel scope each; being given up is no answer."""
    pending: Pending[int, str] = Pending()
    with pending.catch(1) as waiter:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_give_up_once_it_waits, waiter)
            with pytest.raises(GivenUp):
                await waiter.wait()
        assert not waiter.done


@pytest.mark.parametrize("first", ["answer", "end"])
async def test_answer_in_the_moment_of_giving_up_counts(first: str) -> None:
    """This SDK: whichever of the two comes first, as long as nobody has run since."""
    pending: Pending[int, str] = Pending()

    async def do_both(waiter: Waiter[str]) -> None:
        await anyio.wait_all_tasks_blocked()
        if first == "answer":
            assert pending.resolve(1, "answer")
        waiter.give_up()
        if first == "end":
            assert pending.resolve(1, "answer")

    with pending.catch(1) as waiter:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(do_both, waiter)
            assert await waiter.wait() == "answer"


async def _give_up_once_it_waits(waiter: Waiter[str]) -> None:
    await anyio.wait_all_tasks_blocked()
    waiter.give_up()


async def test_nobody_waits_after_the_block() -> None:
    """This SDK, "a waiter is a with block": leaving it by an error forgets the key, and a late answer finds nobody."""
    pending: Pending[int, str] = Pending()
    with pytest.raises(KeyError), pending.catch(1):
        raise KeyError
    assert not pending.resolve(1, "late")
    assert not pending.fail(1, ValueError())
    assert len(pending) == 0


async def test_end_wakes_everybody_with_an_error_of_their_own() -> None:
    """This SDK: one exception object raised in several tasks would gather all their tracebacks."""
    pending: Pending[int, str] = Pending()
    raised: list[ValueError] = []

    async def wait(key: int) -> None:
        with pending.catch(key) as waiter:
            try:
                await waiter.wait()
            except ValueError as error:
                raised.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for key in (1, 3, 5):
                tasks.start_soon(wait, key)
            while len(pending) < 3:
                await anyio.lowlevel.checkpoint()
            assert pending.fail_all(lambda key: ValueError(key)) == 3
    assert sorted(error.args[0] for error in raised) == [1, 3, 5]


async def test_second_waiter_for_a_key_is_refused() -> None:
    """This SDK: one answer cannot go to two."""
    pending: Pending[int, str] = Pending()
    with pending.catch(1) as first:
        with pytest.raises(ValueError, match="already"), pending.catch(1):
            pass
        pending.resolve(1, "for the first")
        assert await first.wait() == "for the first"


async def test_cancelled_wait_leaves_nothing() -> None:
    """This SDK, "no waiter left": the block is left by cancellation like by any other way."""
    pending: Pending[int, str] = Pending()
    with anyio.CancelScope() as scope:
        with pending.catch(1) as waiter:
            scope.cancel()
            await waiter.wait()
    assert scope.cancelled_caught
    assert len(pending) == 0
