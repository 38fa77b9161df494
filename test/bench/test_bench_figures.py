"""How figures are judged, and one run of it all with the peers that every machine has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from lineup import PEERS
from results import page
from timed import Key, Results, Seen, of_rounds
from wanted import FIGURES, judge
from weighed import IMPORTS, RAW, TASK, TYPED, Weights

BENCH = Path(__file__).parent
BOUND = 300.0  # seconds; a busy machine takes its time to load a dozen interpreters


def results(rate: float) -> Results:
    """Give results in which everybody does *rate*, one request at a time takes a millisecond."""
    return {
        Key(peer.name, peer.loop, request, each): Seen(rate, 1e-3, 2e-3, 1e-5, 1e-5)
        for peer in PEERS
        for request in peer.requests
        for each in peer.in_flight
    }


def weights(factor: float) -> Weights:
    """Give weights, of which *factor* 1 is as much as may be."""
    loops = ("trio", "asyncio")
    waiting = {(TASK, loop): 5_000.0 for loop in loops}
    waiting |= {(what, loop): 5_000.0 + 3_000.0 * factor for what in (RAW, TYPED) for loop in loops}
    return Weights(
        waiting,
        dict(zip(IMPORTS, (0.01, 0.2 * factor, 0.1), strict=True)),
        dict.fromkeys(loops, 0.00099 * factor),
        dict.fromkeys(loops, 59e6 * factor),
        {loop: [100_000_000, 101_000_000, round(100_000_000 + 5e6 * factor)] for loop in loops},
    )


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    """A machine without Node says so, and its run does not fail for it."""
    verdicts = [judge(figure, {}, Weights()) for figure in FIGURES]
    assert {verdict.holds for verdict in verdicts} == {None}


def test_rates_are_judged_by_the_issues_ratios() -> None:
    """Where all are equally fast, the raw session is not three times as fast as rsocket-py."""
    verdicts = [judge(figure, results(1_000.0), weights(1.0)) for figure in FIGURES]
    missed = {verdict.figure.wanted for verdict in verdicts if not verdict.holds}
    assert missed == {
        ">= 3 x rsocket-py",
        ">= 1.5 x rsocket-py's raw echo",
        ">= 2 x the SDK",
        ">= 20 x one at a time, >= 0.3 x in memory",
    }


def test_weights_beyond_their_figures_are_missed() -> None:
    """Each of the five."""
    for factor, holds in ((1.0, True), (1.02, False)):
        verdicts = {judge(figure, {}, weights(factor)).holds for figure in FIGURES} - {None}
        assert verdicts == {holds}


def test_a_line_of_the_table_is_the_median_of_its_rounds() -> None:
    """A round in which the machine did something else counts for nothing."""
    rounds = [
        {"count": count, "seconds": 2.0, "p50": p50, "p99": 1.0, "cpu": 1.0, "other_cpu": 0.5}
        for count, p50 in ((100, 0.1), (10, 9.0), (120, 0.2))
    ]
    assert of_rounds(rounds) == Seen(50.0, 0.2, 1.0, 0.01, 0.005)


def test_the_page_tells_figures_rates_weights_and_who_is_absent() -> None:
    """It is what people read."""
    verdicts = [judge(figure, results(1_000.0), weights(1.0)) for figure in FIGURES]
    text = page(verdicts, results(1_000.0), weights(1.0), {"somebody": "is ill"}, ["a machine"])
    assert (
        "| raw session, 64 / 1,024 in flight | >= 3 x rsocket-py | 1.00 / 1.00 (asyncio 1.00 / 1.00) | **no** |" in text
    )
    assert "| minimal loop | trio | echo | 1,024 | 1,000 | 1,000 | 2,000 | 10.0 | 10.0 |" in text
    assert "- somebody: is ill" in text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are measured as Linux measures them")
def test_a_quick_run_measures_every_peer_that_is_here() -> None:
    """The benchmark does not rot: every program of it runs, is driven, and ends; its figures say nothing."""
    words = [sys.executable, str(BENCH), "--quick", *(f"--only={each}" for each in ("raw", "durable"))]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=BOUND, check=False)
    assert ran.returncode == 0, ran.stderr
    for peer in PEERS:
        lines = re.findall(rf"^\| {re.escape(peer.name)} \| {peer.loop} \|", ran.stdout, re.MULTILINE)
        is_here = peer.group in {"raw", "durable"} and "rsocket_py" not in peer.program[0]
        assert len(lines) == is_here * len(peer.in_flight), (peer.title, ran.stdout)
    assert "no interpreter with rsocket-py was given" in ran.stdout
