"""What the server remembers: one record per thing, each under a key.

The rules stand on these; a store keeps them, in memory or on disk, by their keys, and needs to know no more of them
than :class:`Record` and :class:`Key` say. A customer is several records, one per family, so that sending a message
does not rewrite the customer's metadata. Records are models: ``dataclasses.replace`` changes one, ``to_json`` and
``from_json`` carry it to a disk and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.sandbox.world.entities.activity import ActivityKey, ActivityRecord
from elarian_trio.sandbox.world.entities.customers import (
    AppKey,
    AppRecord,
    CustomerKey,
    CustomerRecord,
    NumberKey,
    NumberRecord,
    ReminderState,
    SecondaryIdKey,
    SecondaryIdRecord,
)
from elarian_trio.sandbox.world.entities.indexes import EntryKey, EntryRecord, IndexKey
from elarian_trio.sandbox.world.entities.messaging import (
    MAX_CHANNELS,
    ON_ITS_WAY,
    ChannelKey,
    ChannelRecord,
    ChannelState,
    MessageKey,
    MessageRecord,
    MessagingKey,
    MessagingRecord,
    Session,
)
from elarian_trio.sandbox.world.entities.payments import (
    PaymentChannelKey,
    PaymentChannelRecord,
    PaymentsKey,
    PaymentsRecord,
    PurseKey,
    PurseRecord,
    TransactionAliasKey,
    TransactionAliasRecord,
    TransactionKey,
    TransactionRecord,
)
from elarian_trio.sandbox.world.entities.record import KEPT, Key, R, Record, key_class, latest, record_class
from elarian_trio.sandbox.world.entities.tokens import TokenKey, TokenRecord, token_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "KEPT",
    "MAX_CHANNELS",
    "ON_ITS_WAY",
    "RECORDS",
    "ActivityKey",
    "ActivityRecord",
    "AppKey",
    "AppRecord",
    "ChannelKey",
    "ChannelRecord",
    "ChannelState",
    "CustomerKey",
    "CustomerRecord",
    "EntryKey",
    "EntryRecord",
    "IndexKey",
    "Key",
    "MessageKey",
    "MessageRecord",
    "MessagingKey",
    "MessagingRecord",
    "NumberKey",
    "NumberRecord",
    "PaymentChannelKey",
    "PaymentChannelRecord",
    "PaymentsKey",
    "PaymentsRecord",
    "PurseKey",
    "PurseRecord",
    "R",
    "Record",
    "ReminderState",
    "SecondaryIdKey",
    "SecondaryIdRecord",
    "Session",
    "TokenKey",
    "TokenRecord",
    "TransactionAliasKey",
    "TransactionAliasRecord",
    "TransactionKey",
    "TransactionRecord",
    "key_class",
    "latest",
    "record_class",
    "token_digest",
]

RECORDS: Mapping[str, type[Record]] = {
    each.__name__: each
    for each in (
        ActivityRecord,
        AppRecord,
        ChannelRecord,
        CustomerRecord,
        EntryRecord,
        MessageRecord,
        MessagingRecord,
        NumberRecord,
        PaymentChannelRecord,
        PaymentsRecord,
        PurseRecord,
        SecondaryIdRecord,
        TokenRecord,
        TransactionAliasRecord,
        TransactionRecord,
    )
}
"""Every kind of record by name, for stores that write the name beside the JSON."""
