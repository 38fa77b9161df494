"""Talon.One: promotions, referrals and loyalty, for the same apps. Needs the extra ``http``.

Users stand above. Below are the client, the models and the one sender that it shares with Planship.
"""

from __future__ import annotations

from elarian_trio.errors import (
    TalonOneConflict,
    TalonOneError,
    TalonOneInvalid,
    TalonOneNotFound,
    TalonOneProblem,
    TalonOneUnauthorized,
)
from elarian_trio.options import HttpOptions, Retries
from elarian_trio.talonone.authentication import ApiKeyAuth, SignatureAuth
from elarian_trio.talonone.client import RETRIES, IntegrationApi
from elarian_trio.talonone.effects import (
    AcceptCoupon,
    AcceptReferral,
    AddFreeItem,
    CouponCreated,
    Effect,
    EffectDetails,
    InvalidateCoupon,
    RedeemReferral,
    ReferralCreated,
    RejectCoupon,
    RejectReferral,
    SetDiscount,
)
from elarian_trio.talonone.models import (
    Adjustment,
    Attributes,
    AttributeValue,
    CartItem,
    CouponRejectionReason,
    CustomerProfile,
    CustomerSession,
    Event,
    IntegrationState,
    LedgerEntry,
    Loyalty,
    LoyaltyMembership,
    LoyaltyProgram,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    Referral,
    ReferralRejectionReason,
    SessionState,
)
from elarian_trio.talonone.values import UNSET, Unset

__all__ = [
    "RETRIES",
    "UNSET",
    "AcceptCoupon",
    "AcceptReferral",
    "AddFreeItem",
    "Adjustment",
    "ApiKeyAuth",
    "AttributeValue",
    "Attributes",
    "CartItem",
    "CouponCreated",
    "CouponRejectionReason",
    "CustomerProfile",
    "CustomerSession",
    "Effect",
    "EffectDetails",
    "Event",
    "HttpOptions",
    "IntegrationApi",
    "IntegrationState",
    "InvalidateCoupon",
    "LedgerEntry",
    "Loyalty",
    "LoyaltyMembership",
    "LoyaltyProgram",
    "NewCustomerProfile",
    "NewCustomerSession",
    "NewEvent",
    "NewReferral",
    "RedeemReferral",
    "Referral",
    "ReferralCreated",
    "ReferralRejectionReason",
    "RejectCoupon",
    "RejectReferral",
    "Retries",
    "SessionState",
    "SetDiscount",
    "SignatureAuth",
    "TalonOneConflict",
    "TalonOneError",
    "TalonOneInvalid",
    "TalonOneNotFound",
    "TalonOneProblem",
    "TalonOneUnauthorized",
    "Unset",
]
