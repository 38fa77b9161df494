"""The command ``elarian-trio``, also ``python -m elarian_trio``.

Nothing stands above; it imports no room but the one that a word asks for, so that ``--version`` answers whatever is
installed.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_DISTRIBUTION = "elarian-trio"
_USAGE = 2  # the exit status where a command cannot be meant like that
_INTERRUPTED = 130  # 128 and SIGINT's number
_PIPE_CLOSED = 141  # 128 and SIGPIPE's number
_EXTRA = frozenset({"cyclopts", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; those of the process if left out, which ignores signals that ask
            for an end from when the command is over.

    Returns:
        The exit status; the extra ``cli`` says what it means, in ``--help``.

    Raises:
        PackageNotFoundError: the version was asked for, and the package is imported without being installed.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words == ["--version"]:
        return _tell_version()
    try:
        from elarian_trio.cli import main as run

        status = run(words)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.stderr.write(f"{_DISTRIBUTION}: {error}; without it there is --version alone\n")
        return _USAGE
    except KeyboardInterrupt:  # loading takes long enough for second thoughts, and a second one comes as all is over
        status = _INTERRUPTED
    if arguments is None:
        _end_undisturbed()
    return status


def _end_undisturbed() -> None:
    """Let no signal in that asks for the end that is coming: the interpreter's takes a while, and cleans up."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _tell_version() -> int:
    """Write it; to nobody, where there is no standard output or nobody reads on."""
    from importlib import metadata  # most of what would be loaded before Ctrl-C is heard

    line = f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}\n"
    if sys.stdout is None:
        return 0
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter fails on it as it ends
        return _PIPE_CLOSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
