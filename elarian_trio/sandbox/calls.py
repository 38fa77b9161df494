"""A client's command, until it is answered. The engine stands above; below are the rules and the wire's envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from elarian_trio._rsocket import ErrorCode
from elarian_trio._wire.envelopes import encode_reply
from elarian_trio.sandbox.world.effects import WaitForHop, WaitForLease
from elarian_trio.sandbox.world.rules import run_command

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest
    from elarian_trio.errors import StoreError
    from elarian_trio.models.commands import Command
    from elarian_trio.models.model import Model
    from elarian_trio.sandbox.connections import Client
    from elarian_trio.sandbox.world.effects import Waiting
    from elarian_trio.sandbox.world.work import Work

__all__ = ["Answer", "Call"]


class Answer(NamedTuple):
    """What a command is answered with, and as it travels."""

    reply: Model
    data: bytes


class Call:
    """A command that is to be answered."""

    __slots__ = ("client", "command", "request")

    def __init__(self, client: Client, request: IncomingRequest, command: Command[Any]) -> None:
        self.client: Client = client
        self.request: IncomingRequest = request
        self.command: Command[Any] = command

    def run(self, work: Work) -> Answer | Waiting:
        """Run the command's rule; what cannot be told is not done, either."""
        result = run_command(work, self.command)
        return result if isinstance(result, WaitForHop | WaitForLease) else Answer(result, self._encode(result))

    def answer(self, reply: Model) -> bool:
        """Send *reply*; ``False`` if nobody waits for it any more."""
        return self.request.respond(self._encode(reply))

    def refuse(self, error: StoreError) -> None:
        """Tell that it was not done: it could not be kept."""
        self.request.fail(ErrorCode.APPLICATION_ERROR, str(error))

    def _encode(self, reply: Model) -> bytes:
        return encode_reply(self.command, reply)
