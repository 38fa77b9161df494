"""Units of work: a rule is run, what it changed is kept, and what it wants done is done, in order, once that is so.

The engine and its desk stand above; below are the store and what rules are handed. Everything is synchronous: a unit
is run and committed without a checkpoint.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.store import UNHEARD, Unit
from elarian_trio.sandbox.world.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.pending import JobKey, ParcelKey
    from elarian_trio.sandbox.store import Store
    from elarian_trio.sandbox.world.effects import Effect
    from elarian_trio.sandbox.world.entities import AppKey, Key, Record
    from elarian_trio.sandbox.world.work import Dice, Settings

__all__ = ["Changes", "Steps", "Units", "guarded", "ignore"]

T = TypeVar("T")
Changes: TypeAlias = "dict[Key[Any], Record | None]"

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Steps:
    """What units of work want done, in order. Made by the engine."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], Any]] = deque()
        self._is_running = False

    def add(self, step: Callable[[], Any]) -> None:
        """Have *step* done behind all that waits."""
        self._waiting.append(step)

    def extend(self, steps: Iterable[Callable[[], Any]]) -> None:
        """Have *steps* done behind all that waits."""
        self._waiting.extend(steps)

    def run(self) -> None:
        """Do what waits, and what comes of that."""
        if self._is_running:
            return
        self._is_running = True
        try:
            while self._waiting:
                guarded(self._waiting.popleft())
        finally:
            self._is_running = False


class Units:
    """Runs units of work. Made by the engine.

    Args:
        store: where entities live.
        clock: what time it is for a rule.
        dice: where ids come from.
        settings: how the rules behave where they may choose.
        steps: takes what is to be done once a unit is kept.
        effects: makes, of each kind of what a rule may want done, the step that does it; it may add to the changes.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        dice: Dice,
        settings: Settings,
        steps: Steps,
        effects: Mapping[type[Effect], Callable[[Any, Changes], Callable[[], None]]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._dice = dice
        self._settings = settings
        self._steps = steps
        self._effects = effects

    def work(self, org_id: str, app_id: str, lease: AppKey | None = None) -> Work:
        """Give what a rule is handed, under *lease* where it holds one."""
        return Work(
            now=self._clock.now(),
            dice=self._dice,
            org_id=org_id,
            app_id=app_id,
            settings=self._settings,
            records=self._store,
            lease=lease,
        )

    def perform(
        self,
        work: Work,
        rule: Callable[[Work], T],
        then: Callable[[T], object],
        lost: Callable[[StoreError], None],
        done: ParcelKey | JobKey | None = None,
    ) -> bool:
        """Run *rule* on *work*; once what it changed is kept, call *then*, and see to what it wants done.

        What asked for the unit, and is *done* with it, is kept no longer. Where the store cannot keep the unit, or
        read what it needs, *lost* is called instead, and nothing has changed.

        Returns:
            ``True``, so that :func:`guarded` tells the unit that came to its end from the one that raised.
        """
        try:
            result = rule(work)
        except StoreError as error:
            lost(error)
            return True
        changes: Changes = work.changes
        if done is not None:
            changes[done] = None
        steps: list[Callable[[], Any]] = [partial(then, result)]
        steps += [self._effects[type(effect)](effect, changes) for effect in work.effects]
        self._store.commit(changes, Unit(partial(self._steps.extend, steps), lost))
        return True

    def forget(self, key: ParcelKey | JobKey) -> None:
        """Keep no longer what is under *key*; if that fails, it comes again after a restart."""
        self._store.commit({key: None}, UNHEARD)


def ignore(_: object) -> None:
    """Do nothing with what became of a unit."""


def guarded(call: Callable[[], T]) -> T | None:
    """Make *call*; if it raises, that is a defect, and no reason to take down what the server can still do."""
    try:
        return call()
    except Exception as error:
        logger.error("a unit of work raised %s", type(error).__name__)
        logger.debug("it was raised here", exc_info=True)
        return None
