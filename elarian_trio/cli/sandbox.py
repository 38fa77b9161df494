"""``elarian-trio sandbox``: a server of one's own, on a port, until it is told to stop.

:mod:`.commands` stands above. Its options are read in groups, as the help shows them: :mod:`.listening`,
:mod:`.admission`, :mod:`.holding`; :mod:`elarian_trio.sandbox` is below.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
from cyclopts import Parameter

from elarian_trio.cli.admission import Letting
from elarian_trio.cli.announcement import announcement
from elarian_trio.cli.exits import OK
from elarian_trio.cli.holding import Holding
from elarian_trio.cli.listening import Listening
from elarian_trio.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from cyclopts import Token

    from elarian_trio.sandbox.faults import Faults

__all__ = ["sandbox"]

ON_LOOPBACK = Listening()
ITS_OWN_APP = Letting()
AS_SPECIFIED = Holding()


def _as_seed(_: type, tokens: Sequence[Token]) -> int | str:
    """Read a whole number, or else a word; cyclopts by itself would round what has a point."""
    try:
        return int(tokens[0].value)
    except ValueError:
        return tokens[0].value


async def sandbox(
    *,
    listening: Listening = ON_LOOPBACK,
    letting: Letting = ITS_OWN_APP,
    holding: Holding = AS_SPECIFIED,
    settle: Literal["auto", "manual"] = "auto",
    resume_window: float = 120.0,
    seed: Annotated[int | str | None, Parameter(converter=_as_seed)] = None,
    faults: Path | None = None,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Serve a local Elarian until Ctrl-C or SIGTERM.

    It says where it listens and what it keeps where, and then "ready" on a line of its own. Clients take what it prints
    as ELARIAN_ variables. Without options it is one organisation with one app, the SDK specification's channels and
    purse, and a key made up for this run, on plain TCP on loopback.

    Args:
        settle: Payments succeed by themselves, or wait for a simulator.
        resume_window: Seconds that the session of a client whose connection was cut is kept for it; 0 keeps none.
        seed: Makes ids the same in every run, and what goes wrong; keys and tokens stay secrets.
        faults: A TOML file that says what shall go wrong on purpose, for whom and how often.
    """
    from elarian_trio.sandbox import Sandbox

    admission = letting.admission()
    admission.check(listening.addresses.values(), strict=letting.strict)
    standins = letting.standins()
    given = _given(
        **listening.addresses,
        tls_dir=listening.tls_dir,
        planship=standins.serve("planship", listening.planship, seed),
        talon_one=standins.serve("talon_one", listening.talon_one, seed),
        apps=admission.apps,
        strict=letting.strict,
        **holding.arguments(admission),
        settle=settle,
        resume_window=resume_window,
        seed=seed,
        faults=None if faults is None else _faults(faults),
    )
    with _collecting_seldom():
        async with Sandbox(**given) as server:
            lines = announcement(server, admission, holding.data, given.get("channels"))
            for line in (*lines, *standins.announcement(server)):
                terminal.say(line)
            terminal.say("ready")
            with terminal.stoppable():
                await anyio.sleep_forever()
    return OK


def _given(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - what a sandbox takes
    """Leave out what the user has not said, so that it is as the sandbox has it."""
    return {name: value for name, value in arguments.items() if value is not None}


def _faults(path: Path) -> Faults:
    from elarian_trio.sandbox.faults import load_faults

    try:
        return load_faults(path)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise ValueError(msg) from error


@contextmanager
def _collecting_seldom() -> Generator[None]:
    """Spare a server that keeps what it makes the looking through all of it again and again, a seventh of its time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, 50, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
