"""Jobs in due order: the next ones are at hand, and one timer stands for all of them.

The engine stands above and runs what falls due. Below are the store, which has every job, and the clock. However many
reminders are pending, only the next few thousand are here.
"""

from __future__ import annotations

import heapq
import logging
from typing import TYPE_CHECKING

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.pending import BEGINNING
from elarian_trio.sandbox.store import UNHEARD

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from elarian_trio.sandbox.clock import Clock, Timer
    from elarian_trio.sandbox.pending import JobKey, JobRecord
    from elarian_trio.sandbox.store import Store

__all__ = ["Agenda"]

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")

AT_HAND = 1_000  # jobs that are fetched at a time
MOST_AT_HAND = 4 * AT_HAND  # before the later ones are left to the store again, or what is out of date is cleared away
PAUSE = 1.0  # seconds until jobs are tried again that could not be kept, or read


class Agenda:
    """Calls *run* with each job as it falls due.

    Args:
        store: has them; what is noted here has been committed there.
        clock: says when they are due.
        run: runs one; it commits that the job is done.
    """

    def __init__(self, store: Store, clock: Clock, run: Callable[[JobKey, JobRecord], None]) -> None:
        self._store = store
        self._clock = clock
        self._run = run
        self._jobs: dict[JobKey, JobRecord] = {}
        self._heap: list[tuple[datetime, int, JobKey]] = []
        self._until: tuple[datetime, int] | None = None  # the place behind which jobs are in the store only
        self._timer: Timer | None = None
        self._is_paused = False

    def open(self) -> None:
        """Fetch the first jobs, and have them run when they are due.

        Raises:
            StoreError: the file cannot be read.
        """
        self._fetch(BEGINNING)
        self._watch()

    def close(self) -> None:
        """Run nothing more."""
        self._stop()
        self._is_paused = True

    def note(self, key: JobKey, record: JobRecord) -> None:
        """Have *record* run at its time, in the place of one with its *key*."""
        replaced = self._jobs.pop(key, None)
        if self._until is None or record.place <= self._until:
            self._take(key, record)
            if len(self._jobs) > MOST_AT_HAND:
                self._leave_the_later()
            elif len(self._heap) - len(self._jobs) > MOST_AT_HAND:
                self._order()
        if replaced is not None or self._timer is None or record.due < self._timer.due:
            self._watch()

    def forget(self, key: JobKey) -> None:
        """Have the job under *key* not run."""
        if self._jobs.pop(key, None) is not None:
            self._watch()

    def pause(self) -> None:
        """Begin anew from the store after a while: what was run could not be kept, or what is to be run not be read."""
        self._stop()
        self._jobs.clear()
        self._heap.clear()
        self._until = BEGINNING
        if not self._is_paused:
            self._is_paused = True
            self._clock.call_later(PAUSE, self._end_pause)

    def _end_pause(self) -> None:
        self._is_paused = False
        self._watch()

    def go_on(self) -> None:
        """Look again whether jobs may be run, after the store was behind."""
        if self._timer is None:
            self._watch()

    def _take(self, key: JobKey, record: JobRecord) -> None:
        self._jobs[key] = record
        heapq.heappush(self._heap, (*record.place, key))

    def _fetch(self, after: tuple[datetime, int]) -> None:
        jobs, self._until = self._store.jobs(after, AT_HAND)
        for job in jobs:
            self._take(job.key, job)
        # What is not kept yet was read with the rest: if that is lost, a job may be missing that was to be cancelled.
        self._store.commit({}, UNHEARD._replace(lost=self._begin_anew))

    def _begin_anew(self, _: StoreError) -> None:
        self.pause()

    def _leave_the_later(self) -> None:
        """Keep only the next ones at hand: those behind them come back from the store in time."""
        jobs = heapq.nsmallest(AT_HAND, self._jobs.values(), key=lambda job: job.place)
        self._jobs, self._until = {job.key: job for job in jobs}, jobs[-1].place
        self._order()

    def _order(self) -> None:
        """Make the order anew, without what is out of date: each message renews a session, whose end is a day away."""
        self._heap = [(*job.place, key) for key, job in self._jobs.items()]
        heapq.heapify(self._heap)

    def _next(self) -> JobRecord | None:
        """Give the earliest job, from the store where none is at hand; none where that cannot be read now."""
        while True:
            while self._heap:
                _, number, key = self._heap[0]
                job = self._jobs.get(key)
                if job is not None and job.number == number:
                    return job
                heapq.heappop(self._heap)  # cancelled, or set anew
            if self._until is None:
                return None
            try:
                self._fetch(self._until)
            except StoreError:
                logger.error("what is due next cannot be read from the file: it is tried again")
                logger.debug("it was refused here", exc_info=True)
                self.pause()
                return None

    def _watch(self) -> None:
        """Have the one timer stand for the earliest job."""
        if self._is_paused:
            return
        job = self._next()
        if job is None or self._store.is_behind:
            self._stop()
        elif self._timer is None or self._timer.due != job.due:
            self._stop()
            self._timer = self._clock.call_at(job.due, self._fire)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        """Run the earliest job, one at a time: whoever is due at the same time has its turn in between."""
        self._timer = None
        job = self._next()
        if job is not None and job.due <= self._clock.now() and not self._store.is_behind:
            _, _, key = heapq.heappop(self._heap)
            del self._jobs[key]
            self._run(key, job)
        self._watch()
