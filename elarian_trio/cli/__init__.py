"""The command line: ``elarian-trio sandbox``, and the words for whoever talks to an Elarian from a terminal.

:mod:`elarian_trio.__main__` stands above. The SDK and the sandbox are below; a command imports what it needs when it
runs, so that an extra that is not installed costs only the commands that need it.
"""

from __future__ import annotations

try:
    from elarian_trio.cli.commands import main, perform, read
    from elarian_trio.cli.terminal import Keyboard, Terminal
except ModuleNotFoundError as _error:
    _package = (_error.name or "").partition(".")[0]
    if _package not in ("cyclopts", "rich"):
        raise
    _msg = "the command line needs an extra: pip install 'elarian-trio[cli]'"
    raise ModuleNotFoundError(_msg, name=_package) from _error

__all__ = ["Keyboard", "Terminal", "main", "perform", "read"]
