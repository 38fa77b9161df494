"""A server's no to a command, and the error it is raised as: an ERROR in place of the reply, or a reply that says so.

The client stands above and hands over what came; below are the errors, and the wire, which tells how large a command
is. Nothing here waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from elarian_trio import _wire
from elarian_trio._rsocket import ErrorCode
from elarian_trio.errors import CommandFailed, CommandRejected
from elarian_trio.models.commands import DeleteCustomer
from elarian_trio.models.model import Model
from elarian_trio.options import ConnectionOptions

if TYPE_CHECKING:
    from elarian_trio._session import StreamFailed
    from elarian_trio.models.commands import Command

__all__ = ["checked", "refusal"]

R = TypeVar("R", bound=Model)

MAX_TAKEN = ConnectionOptions().max_payload_size  # bytes of a command that servers commonly take, ours among them


def refusal(command: Command[Any], failed: StreamFailed) -> CommandRejected | CommandFailed:
    """Translate the ERROR that a command was answered with; asking again must be worth it where it says REJECTED."""
    words = failed.message
    if failed.code == ErrorCode.REJECTED:
        size = len(_wire.encode_command(command))
        if size <= MAX_TAKEN:
            return CommandRejected(command, words)
        words = f"too large with {size} bytes, where servers commonly take {MAX_TAKEN}; this one says: {words}"
    elif isinstance(command, DeleteCustomer) and failed.code in (ErrorCode.INVALID, ErrorCode.APPLICATION_ERROR):
        words = f"not supported by this server ({words})" if words else "not supported by this server"
    return CommandFailed(command, words, code=failed.code)


def checked(command: Command[Any], reply: R) -> R:
    """Give *reply* back, unless it says no; a status of several values is for the caller to judge.

    Raises:
        CommandFailed: its ``status`` is false.
    """
    if getattr(reply, "status", None) is False:
        raise CommandFailed(command, str(getattr(reply, "description", "")), reply=reply)
    return reply
