"""Units of work: what they want done is done in order."""

from __future__ import annotations

from functools import partial

from elarian_trio.sandbox.units import Steps


def test_a_step_comes_to_its_end_before_the_next_one_begins() -> None:
    """This SDK: what comes of a step, and has what waits done, is behind it; a long chain is no stack."""
    steps, done = Steps(), list[str]()

    def step(name: str) -> None:
        done.append(f"{name} begins")
        if name == "first":
            steps.add(partial(step, "last"))
        steps.run()
        done.append(f"{name} ends")

    steps.extend([partial(step, "first"), partial(step, "second")])
    steps.run()
    assert done == [f"{name} {when}" for name in ("first", "second", "last") for when in ("begins", "ends")]
