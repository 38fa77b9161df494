"""What a server's no to a command is raised as."""

from __future__ import annotations

import pytest

from elarian_trio import CommandFailed, CommandRejected, ConnectionOptions, CustomerNumber, MessageReply, Tag
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.client.refusals import checked, refusal
from elarian_trio.models.commands import DeleteCustomer, UpdateCustomerAppData, UpdateCustomerTag
from elarian_trio.models.messaging import MessageDeliveryStatus
from elarian_trio.models.replies import CustomerStateUpdateReply

ASHA = CustomerNumber("+254709759881")
COMMAND = UpdateCustomerTag(customer=ASHA, updates=(Tag("segment", "premium"),))
DELETE = DeleteCustomer(customer=ASHA)
TAKEN = ConnectionOptions().max_payload_size


def test_rejected_command_was_not_processed() -> None:
    """RSocket: REJECTED promises that, so asking again is safe."""
    error = refusal(COMMAND, StreamFailed(ErrorCode.REJECTED, "no room"))
    assert isinstance(error, CommandRejected)
    assert (error.command, error.description, error.retryable) == (COMMAND, "no room", True)


@pytest.mark.parametrize("code", [ErrorCode.APPLICATION_ERROR, ErrorCode.CANCELED, ErrorCode.INVALID, 0x1234])
def test_any_other_error_is_a_failure_with_its_code(code: int) -> None:
    """The design: INVALID, APPLICATION_ERROR, CANCELED and custom codes are CommandFailed, without a reply."""
    error = refusal(COMMAND, StreamFailed(code, "words"))
    assert isinstance(error, CommandFailed)
    assert (error.command, error.description, error.code, error.reply) == (COMMAND, "words", code, None)
    assert not error.retryable


def test_rejected_command_that_is_too_large_is_a_failure_that_says_so() -> None:
    """A past bug: servers reject it each time anew, and whoever asked again did so for ever."""
    error = refusal(
        UpdateCustomerAppData(customer=ASHA, update=bytes(TAKEN)), StreamFailed(ErrorCode.REJECTED, "too much")
    )
    assert isinstance(error, CommandFailed)
    assert error.code == ErrorCode.REJECTED
    assert not error.retryable
    assert f"servers commonly take {TAKEN}" in error.description
    assert error.description.endswith("too much")


@pytest.mark.parametrize("code", [ErrorCode.INVALID, ErrorCode.APPLICATION_ERROR])
@pytest.mark.parametrize(("words", "said"), [("what?", "this server (what?)"), ("", "this server")])
def test_server_that_cannot_delete_customers_is_said_so(code: int, words: str, said: str) -> None:
    """This project's own command: other servers do not know it."""
    error = refusal(DELETE, StreamFailed(code, words))
    assert isinstance(error, CommandFailed)
    assert error.description == f"not supported by {said}"


@pytest.mark.parametrize("code", [ErrorCode.REJECTED, ErrorCode.CANCELED, 0x1234])
def test_deletion_that_fails_otherwise_is_told_in_the_servers_words(code: int) -> None:
    """This SDK: only what a server says of commands that it does not know is taken to mean that."""
    assert refusal(DELETE, StreamFailed(code, "busy")).description == "busy"


def test_reply_that_says_no_is_raised_with_what_it_says() -> None:
    """The design: a reply whose boolean ``status`` is false raises CommandFailed."""
    reply = CustomerStateUpdateReply(status=False, description="unknown tag")
    with pytest.raises(CommandFailed, match="unknown tag") as caught:
        checked(COMMAND, reply)
    assert (caught.value.command, caught.value.reply, caught.value.code) == (COMMAND, reply, None)


@pytest.mark.parametrize(
    "reply",
    [
        CustomerStateUpdateReply(status=True),
        MessageReply(status=MessageDeliveryStatus.FAILED),
        MessageReply(status=MessageDeliveryStatus.UNKNOWN),
    ],
    ids=["done", "failed", "unknown"],
)
def test_reply_that_does_not_say_no_is_given_as_it_is(reply: CustomerStateUpdateReply | MessageReply) -> None:
    """The design: replies with a status of several values are returned, whichever it is."""
    assert checked(COMMAND, reply) is reply
