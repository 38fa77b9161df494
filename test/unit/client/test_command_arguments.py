"""What is wrong with a command's argument is said in the caller's words: those of the method, not of the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from elarian_trio import (
    Cash,
    CustomerNumber,
    Elarian,
    MessageSessionUpdate,
    MessagingChannel,
    PaymentChannelNumber,
    Purse,
    Simulator,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = datetime(2026, 1, 1)
SMS = MessagingChannel.sms("83044")
ASHA = CustomerNumber("+254709759881")
TILL = PaymentChannelNumber("525900")
KES = Cash("KES", 1)
SESSION = MessageSessionUpdate(session_id="s", started_at=NOW, duration=timedelta(1), reason="inactivity")


def payment(app: Any, *, transaction_id: object = "t", updated_at: object = NOW) -> Awaitable[object]:  # noqa: ANN401
    """Replay a payment that is right but for what is given."""
    return app.replay_payment(transaction_id, Purse("a"), Purse("b"), "success", KES, "", updated_at)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda app: app.delete_customer_by_customer_number(5), "number must be one of CustomerNumber, .*, got int"),
        (lambda app: app.delete_customer_by_customer_id(5), "customer_id must be a str, got int"),
        (lambda app: app.send_message_by_tag(Tag("a", "b"), "83044", "x"), "channel must be a MessagingChannel"),
        (lambda app: app.replay_messaging_consent_update(5, SMS, "allow", NOW), "customer must be one of .*, got int"),
        (lambda app: app.replay_messaging_consent_update(ASHA, "83044", "allow", NOW), "channel must be a Mess"),
        (lambda app: app.replay_messaging_consent_update(ASHA, SMS, 5, NOW), "consent must be a ConsentAction"),
        (lambda app: app.replay_messaging_session(ASHA, "83044", SESSION), "channel must be a MessagingChannel"),
        (lambda app: app.replay_message_reaction_update(ASHA, SMS, 5, "clicked", NOW), "message_id must be a str"),
        (lambda app: app.replay_payment_status_update(ASHA, 5, "success", NOW), "transaction_id must be a str"),
        (lambda app: payment(app, transaction_id=5), "transaction_id must be a str, got int"),
        (lambda app: payment(app, updated_at=5), "updated_at must be an aware datetime, got int"),
    ],
)
async def test_an_app_is_told_which_argument_is_of_the_wrong_type(
    command: Callable[[Any], Awaitable[object]], words: str
) -> None:
    """A past bug: the error spoke of ``customer_number``, ``deletions``, ``created_at``, which nobody had written."""
    with pytest.raises(TypeError, match=f"^{words}"):
        await command(Elarian(org_id="o", app_id="a", api_key="k"))


async def test_a_replayed_payments_time_is_told_to_be_aware() -> None:
    """design.md: a naive time is a ValueError; it is named as the caller names it."""
    with pytest.raises(ValueError, match=r"^updated_at must be an aware datetime"):
        await payment(Elarian(org_id="o", app_id="a", api_key="k"), updated_at=NAIVE)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda phone: phone.receive_message(5, SMS, "", ["x"]), "phone_number must be a str, got int"),
        (lambda phone: phone.receive_message("+1", "83044", "", ["x"]), "channel must be a MessagingChannel, got str"),
        (lambda phone: phone.receive_payment(5, TILL, "t", KES, "success"), "phone_number must be a str, got int"),
        (lambda phone: phone.receive_payment("+1", SMS, "t", KES, "success"), "channel must be a PaymentChannelNumber"),
    ],
)
async def test_a_simulator_is_told_which_argument_is_of_the_wrong_type(
    command: Callable[[Any], Awaitable[object]], words: str
) -> None:
    """The same of the phone's commands, whose fields the wire calls otherwise."""
    with pytest.raises(TypeError, match=f"^{words}"):
        await command(Simulator(org_id="o", app_id="a", api_key="k"))
