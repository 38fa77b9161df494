"""A sandbox on a file, whose time stands still, and who its customers are.

The tests of what a restart finds, and of disks that fail, stand above.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from elarian_trio import MessagingChannel
from elarian_trio.sandbox import ManualClock, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
ASHA, JUMA = "+254709759881", "+254709759882"
SMS = MessagingChannel.sms("83044")


def on(file: Path, **values: Any) -> Sandbox:  # noqa: ANN401 - a sandbox's arguments
    """Make a sandbox on *file* whose time stands still."""
    return Sandbox(data=file, **{"clock": ManualClock(START), "seed": 1, **values})
