"""What the rules can be set to, and what is refused where it is set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from elarian_trio.models.messaging import MessageDeliveryStatus
from elarian_trio.sandbox.world.work import Settings


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"delivery_delay": 5}, "delivery_delay must be a timedelta, got int"),
        ({"settlement_delay": 5}, "settlement_delay must be a timedelta, got int"),
        ({"ussd_session": None}, "ussd_session must be a timedelta, got NoneType"),
        ({"strict": 5}, "strict must be a bool, got int"),
        ({"outcomes": 5}, "outcomes must be a Mapping, got int"),
        ({"outcomes": {5: "failed"}}, "a number in outcomes must be a str, got int"),
    ],
    ids=str,
)
def test_a_setting_of_the_wrong_type_is_refused(given: dict[str, Any], words: str) -> None:
    """errors.py: a TypeError at once; else the first command that goes by it would fail in the server."""
    with pytest.raises(TypeError, match=words):
        Settings(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"delivery_delay": timedelta(-1)}, "delivery_delay must not be negative, got"),
        ({"token_lifetime": timedelta(-1)}, "token_lifetime must not be negative, got"),
        ({"delivery_delay": timedelta.max}, r"delivery_delay must be no longer than a century \(36,525 days\), got"),
        ({"payment_timeout": timedelta(36_526)}, "payment_timeout must be no longer than a century"),
        ({"settle": "never"}, "settle must be 'auto' or 'manual', got 'never'"),
        ({"outcomes": {"+1": "nope"}}, "'nope' is no MessageDeliveryStatus; known are 'queued'"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    """errors.py: a ValueError at once that says what would be right."""
    with pytest.raises(ValueError, match=words):
        Settings(**given)


def test_an_outcome_may_be_named() -> None:
    """The design: a string is taken for an enum's member everywhere; ``None`` leaves messages on their way."""
    settings = Settings(outcomes={"+1": "failed"}, delivery_delay=None)
    assert settings.outcomes == {"+1": MessageDeliveryStatus.FAILED}
