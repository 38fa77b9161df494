"""The whole of what is known of a customer, joined from the families.

Stands on all families; the replies stand on it.
"""

from __future__ import annotations

from dataclasses import field

from .activity import ActivityState
from .identity import IdentityState
from .messaging import MessagingState
from .model import Model, dataclass
from .payments import PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerState(Model):
    """What the server knows of a customer.

    Attributes:
        customer_id: Elarian's id of the customer.
        identity_state: tags, metadata and secondary ids.
        messaging_state: channels, messages and sessions.
        payment_state: payments and wallets.
        activity_state: what the customer did elsewhere.
    """

    customer_id: str
    identity_state: IdentityState = field(default_factory=IdentityState)
    messaging_state: MessagingState = field(default_factory=MessagingState)
    payment_state: PaymentState = field(default_factory=PaymentState)
    activity_state: ActivityState = field(default_factory=ActivityState)
