"""Bytes of Elarian's that a server of the standard library can give back: ``python samples.py NAME FILE`` writes them.

The reply is what the sandbox answers for a customer of whom little is known, about as long as a raw request.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from echo import MARK

from elarian_trio import CustomerNumber, CustomerState, IdentityState, MessagingChannel, ReceivedSmsNotification, Tag
from elarian_trio._wire.envelopes import encode_notification, encode_reply
from elarian_trio.models.commands import GetCustomerState
from elarian_trio.models.replies import GetCustomerStateReply

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = CustomerNumber(f"+25{MARK.decode()}")
WHO = f"el_cst_{MARK.decode():0>32}"
THEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def state() -> bytes:
    """Give the reply to asking for a customer's state."""
    known = IdentityState(tags=(Tag("segment", "premium"),), metadata={"seen": "1"})
    data = CustomerState(customer_id=WHO, identity_state=known)
    return encode_reply(
        GetCustomerState(customer=NUMBER), GetCustomerStateReply(status=True, description="ok", data=data)
    )


def notification() -> bytes:
    """Give a received SMS, with a mark wherever its customer's number or an id stands."""
    told = ReceivedSmsNotification(
        org_id="org",
        app_id="app",
        customer_id=WHO,
        created_at=THEN,
        customer_number=NUMBER,
        channel_number=MessagingChannel.sms("83044"),
        message_id=f"el_msg_{MARK.decode():0>32}",
        session_id=f"el_ses_{MARK.decode():0>32}",
        text="Hello!",
    )
    return encode_notification(told)


SAMPLES: dict[str, Callable[[], bytes]] = {"get_state": state, "notification": notification}

if __name__ == "__main__":
    name, file = sys.argv[1:]
    Path(file).write_bytes(SAMPLES[name]())
