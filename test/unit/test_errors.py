"""The error tree: what an ``except`` catches, what each error carries, and which may be tried again."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from elarian_trio import errors
from elarian_trio.models.commands import GenerateAuthToken
from elarian_trio.models.replies import CustomerStateUpdateReply

if TYPE_CHECKING:
    from collections.abc import Callable

    Again = Callable[[errors.ElarianError], errors.ElarianError]

PARENTS = {
    errors.ElarianError: Exception,
    errors.ConnectionFailed: errors.ElarianError,
    errors.SetupRejected: errors.ConnectionFailed,
    errors.ConnectionLost: errors.ElarianError,
    errors.ConnectionClosed: errors.ElarianError,
    errors.CommandTimedOut: errors.ElarianError,
    errors.DeliveryExpired: errors.ElarianError,
    errors.ProtocolError: errors.ElarianError,
    errors.LocalProtocolError: errors.ProtocolError,
    errors.RemoteProtocolError: errors.ProtocolError,
    errors.CommandError: errors.ElarianError,
    errors.CommandRejected: errors.CommandError,
    errors.CommandFailed: errors.CommandError,
    errors.ServiceError: errors.ElarianError,
    errors.PlanshipError: errors.ServiceError,
    errors.StoreError: errors.ElarianError,
    errors.TalonOneError: errors.ServiceError,
    errors.TalonOneInvalid: errors.TalonOneError,
    errors.TalonOneUnauthorized: errors.TalonOneError,
    errors.TalonOneNotFound: errors.TalonOneError,
    errors.TalonOneConflict: errors.TalonOneError,
    errors.InternalError: errors.ElarianError,
}

RETRYABLE = {
    errors.ConnectionFailed,
    errors.ConnectionLost,
    errors.CommandTimedOut,
    errors.CommandRejected,
    errors.TalonOneConflict,
}


class Greet:
    """A command."""


def test_tree_holds_every_error() -> None:
    """This SDK: nothing is raised that the tree does not show."""
    assert {error.__name__ for error in PARENTS} == set(errors.__all__)


@pytest.mark.parametrize(("error", "parent"), PARENTS.items())
def test_error_stands_where_the_tree_shows_it(error: type[Exception], parent: type[Exception]) -> None:
    """This SDK: which ``except`` catches what is public."""
    assert error.__bases__ == (parent,)
    assert error.__doc__
    assert errors.__doc__
    assert error.__name__ in errors.__doc__


@pytest.mark.parametrize("error", PARENTS)
def test_error_says_whether_the_same_call_may_succeed_later(error: type[errors.ElarianError]) -> None:
    """This SDK: a refusal is final, a lost connection is not."""
    assert error.retryable is (error in RETRYABLE)


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("error", [errors.ConnectionLost, errors.CommandTimedOut])
def test_unanswered_command_says_whether_it_was_sent(
    error: type[errors.ConnectionLost | errors.CommandTimedOut], *, sent: bool
) -> None:
    """This SDK: ``sent`` tells whether the server may have acted."""
    raised = error("the connection ended", sent=sent)
    assert raised.sent is sent
    assert str(raised) == "the connection ended"


@pytest.mark.parametrize("code", [None, 3])
def test_rejected_setup_carries_the_code(code: int | None) -> None:
    """The protocol: a setup is refused by an ERROR on stream 0 that has a code."""
    raised = errors.SetupRejected("wrong key", code=code)
    assert raised.code == code
    assert str(raised) == "wrong key"


@pytest.mark.parametrize(("description", "text"), [("no such tag", "Greet: no such tag"), ("", "Greet")])
def test_command_error_names_the_command_and_the_reason(description: str, text: str) -> None:
    """This SDK: the text names the kind of command, never what it holds."""
    command = Greet()
    raised = errors.CommandRejected(command, description)
    assert raised.command is command
    assert raised.description == description
    assert str(raised) == text


def test_failed_command_carries_the_reply_or_the_code() -> None:
    """This SDK: a refusal has a reply, a stream error has a code."""
    assert errors.CommandFailed(Greet(), "no", reply="reply").reply == "reply"
    failed = errors.CommandFailed(Greet(), "no", code=0x201)
    assert (failed.reply, failed.code) == (None, 0x201)


def test_service_error_carries_the_response() -> None:
    """This SDK: an HTTP error keeps what the service said."""
    raised = errors.ServiceError("not found", status=404, body=b"{}")
    assert (str(raised), raised.status, raised.body) == ("not found", 404, b"{}")


def test_planship_error_carries_what_the_service_says() -> None:
    """FastAPI's errors: words, or a list of what is wrong."""
    raised = errors.PlanshipError("no", status=422, detail=[{"msg": "field required"}], body=b"{}")
    assert (str(raised), raised.status, raised.body) == ("no", 422, b"{}")
    assert raised.detail == [{"msg": "field required"}]
    assert errors.PlanshipError("no", status=500).detail is None


def test_talon_one_error_says_where_each_problem_is() -> None:
    """The facts, section 12: which attribute is refused is said by the pointer, so the text must have it."""
    problems = [
        errors.TalonOneProblem(title="Unknown", details="no such attribute", pointer="/attributes/X"),
        errors.TalonOneProblem(title="enum", parameter="state"),
        errors.TalonOneProblem(title="unexpected", line="3"),
        errors.TalonOneProblem(),
    ]
    raised = errors.TalonOneInvalid("The submitted data was invalid", status=400, errors=iter(problems), body=b"{}")
    assert str(raised) == (
        "400: The submitted data was invalid"
        " (/attributes/X: Unknown: no such attribute; state: enum; line 3: unexpected)"
    )
    assert raised.message == "The submitted data was invalid"
    assert raised.errors == tuple(problems)
    assert (raised.status, raised.body) == (400, b"{}")


def test_talon_one_error_without_problems_is_the_message_alone() -> None:
    """This SDK: no brackets around nothing."""
    raised = errors.TalonOneError("Bad Gateway", status=502)
    assert (str(raised), raised.errors, raised.body) == ("502: Bad Gateway", (), b"")


ALL = [
    errors.ConnectionClosed("x"),
    errors.SetupRejected("x", code=3),
    errors.ConnectionLost("x", sent=True),
    errors.CommandTimedOut("x", sent=False),
    errors.CommandRejected(GenerateAuthToken(), "busy"),
    errors.CommandFailed(GenerateAuthToken(), "no", reply=CustomerStateUpdateReply(status=False), code=5),
    errors.ServiceError("x", status=500, body=b"no"),
    errors.PlanshipError("x", status=422, detail="no"),
    errors.TalonOneConflict("x", status=409, errors=[errors.TalonOneProblem(title="busy")]),
]


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_is_copied_and_goes_to_another_process_as_it_is(error: errors.ElarianError, again: Again) -> None:
    """This SDK: worker processes and test runners send errors on; the words and all that an error carries go along."""
    error.add_note("seen")
    made = again(error)
    assert type(made) is type(error)
    assert (str(made), made.args, vars(made)) == (str(error), error.args, vars(error))
