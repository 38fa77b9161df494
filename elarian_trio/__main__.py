"""The command ``elarian-trio``, also ``python -m elarian_trio``.

Nothing stands above; it imports no room, so that ``--version`` answers whatever is installed.
"""

from __future__ import annotations

import argparse
import sys
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_DISTRIBUTION = "elarian-trio"
_DESCRIPTION = (
    "An SDK with which a Python back end engages customers over SMS, USSD, voice, chat, email and mobile money "
    "through Elarian, under Trio or anyio. It is used by importing elarian_trio; this command tells its version."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the words after the command's name; those of the process if left out.

    Returns:
        The exit status.

    Raises:
        SystemExit: after ``--help`` with status 0, after words it does not know with 2.
        PackageNotFoundError: the version was asked for, and the package is imported without being installed.
    """
    parser = argparse.ArgumentParser(prog=_DISTRIBUTION, description=_DESCRIPTION)
    parser.add_argument("--version", action="store_true", help="tell the version and end")
    if parser.parse_args(arguments).version:
        sys.stdout.write(f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}\n")
    else:
        parser.print_help()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
