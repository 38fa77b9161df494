"""What the stand-in for Talon.One remembers: one record per thing, each under a key, as the world's rules have theirs.

The rules beside this file stand on it; the store keeps it, once :func:`.rows.know` has been told of it. What an app may
fill as it likes (attributes, carts, effects) is kept as JSON text. ``org_id`` is the account, with a number that
:class:`TalonOneEpochRecord` counts up: forgetting everything is beginning another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from elarian_trio.sandbox.world.entities import IndexKey, Key, Record, key_class

EMPTY = "{}"


@key_class
class TalonOneEpochKey(Key["TalonOneEpochRecord"]):
    """Names the one record of an account that outlives its being forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneEpochRecord(Record):
    """How often everything was forgotten.

    Attributes:
        org_id: the account's name.
        number: how often.
    """

    org_id: str
    number: int = 0

    @property
    def key(self) -> TalonOneEpochKey:
        """What it is found by."""
        return TalonOneEpochKey(self.org_id)


@key_class
class TalonOneNumbersKey(Key["TalonOneNumbersRecord"]):
    """Names an account's counters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneNumbersRecord(Record):
    """The numbers that the account gives out.

    Attributes:
        org_id: the account.
        last: the last one.
    """

    org_id: str
    last: int

    @property
    def key(self) -> TalonOneNumbersKey:
        """What it is found by."""
        return TalonOneNumbersKey(self.org_id)


@key_class
class TalonOneProfileKey(Key["TalonOneProfileRecord"]):
    """Names a customer by the app's own id."""

    integration_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneProfileRecord(Record):
    """A customer of the account, whatever the application.

    Attributes:
        org_id: the account.
        integration_id: the app's id for it.
        created: since when it is known.
        attributes: a JSON object.
        sessions: how many sessions it was given, to know which is the first.
        closed_sessions: how many were closed, and not cancelled later.
        total_sales: what those cost together.
        last_activity: when its newest event happened.
    """

    org_id: str
    integration_id: str
    created: datetime
    attributes: str = field(default=EMPTY, repr=False)
    sessions: int = 0
    closed_sessions: int = 0
    total_sales: float = 0.0
    last_activity: datetime

    @property
    def key(self) -> TalonOneProfileKey:
        """What it is found by."""
        return TalonOneProfileKey(self.org_id, self.integration_id)


@key_class
class TalonOneSessionKey(Key["TalonOneSessionRecord"]):
    """Names a session by its application and the app's own id."""

    application_id: int
    integration_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneSessionRecord(Record):
    """A session of an application.

    Attributes:
        org_id: the account.
        application_id: the application.
        integration_id: the app's id for it.
        created: when it was made.
        profile_id: whose it is; ``""`` for nobody's.
        coupon: its coupon code, or ``""``.
        referral: its referral code, or ``""``.
        state: "open", "closed" or "cancelled".
        cart_items: a JSON list.
        total: what the app says that it costs.
        attributes: a JSON object.
        first_session: whether it is the first of its profile.
        discounts: a JSON object: what the last evaluation took off, by labels.
        counted_coupon: the coupon whose counter moved when it was closed, or ``""``.
        counted_referral: the referral code whose counter moved then, or ``""``.
        last_activity: when its newest event happened.
    """

    org_id: str
    application_id: int
    integration_id: str
    created: datetime
    profile_id: str = ""
    coupon: str = ""
    referral: str = ""
    state: str = "open"
    cart_items: str = field(default="[]", repr=False)
    total: float = 0.0
    attributes: str = field(default=EMPTY, repr=False)
    first_session: bool = True
    discounts: str = EMPTY
    counted_coupon: str = ""
    counted_referral: str = ""
    last_activity: datetime

    @property
    def key(self) -> TalonOneSessionKey:
        """What it is found by."""
        return TalonOneSessionKey(self.org_id, self.application_id, self.integration_id)


@key_class
class TalonOneEventKey(Key["TalonOneEventRecord"]):
    """Names an event by its number."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneEventRecord(Record):
    """An event, and what came of it.

    Attributes:
        org_id: the account.
        id: its number.
        created: when it happened.
        application_id: the application that told of it.
        profile_id: whose it is; ``""`` for nobody's.
        session_id: the session; ``""`` for an update of a profile.
        type: what happened.
        attributes: a JSON object.
        effects: a JSON list.
    """

    org_id: str
    id: int
    created: datetime
    application_id: int
    profile_id: str
    session_id: str
    type: str
    attributes: str = field(default=EMPTY, repr=False)
    effects: str = "[]"

    @property
    def key(self) -> TalonOneEventKey:
        """What it is found by."""
        return TalonOneEventKey(self.org_id, self.id)


@key_class
class TalonOneCouponKey(Key["TalonOneCouponRecord"]):
    """Names a coupon by its code."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneCouponRecord(Record):
    """A coupon that was used, or that a rule made.

    Attributes:
        org_id: the account.
        code: what a session carries.
        id: its number.
        campaign_id: the campaign that made it; of those that the user gave, the user's word counts.
        recipient: the only profile that may use it; ``""`` for anybody.
        usage_counter: how often it was used.
    """

    org_id: str
    code: str
    id: int
    campaign_id: int
    recipient: str = ""
    usage_counter: int = 0

    @property
    def key(self) -> TalonOneCouponKey:
        """What it is found by."""
        return TalonOneCouponKey(self.org_id, self.code)


@key_class
class TalonOneReferralKey(Key["TalonOneReferralRecord"]):
    """Names a referral by its code."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneReferralRecord(Record):
    """A referral code.

    Attributes:
        org_id: the account.
        code: what a friend's session carries.
        id: its number.
        created: when it was made.
        campaign_id: the campaign.
        advocate: the profile that recommends.
        friend: the only profile that may use it; ``""`` for anybody.
        start_date: from when it counts.
        expiry_date: until when.
        usage_counter: how often it was used.
        usage_limit: how often it may be; 0 for without limit.
    """

    org_id: str
    code: str
    id: int
    created: datetime
    campaign_id: int
    advocate: str
    friend: str = ""
    start_date: datetime | None = None
    expiry_date: datetime | None = None
    usage_counter: int = 0
    usage_limit: int = 1

    @property
    def key(self) -> TalonOneReferralKey:
        """What it is found by."""
        return TalonOneReferralKey(self.org_id, self.code)


RECORDS: tuple[type[Record], ...] = (
    TalonOneEpochRecord,
    TalonOneNumbersRecord,
    TalonOneProfileRecord,
    TalonOneSessionRecord,
    TalonOneEventRecord,
    TalonOneCouponRecord,
    TalonOneReferralRecord,
)
"""Every kind, for :func:`.rows.know`."""


# Lists of names: what refers to a profile must be found when its data is deleted.


def sessions_of(account: str, profile_id: str) -> IndexKey:
    """The sessions of a profile, each as ``"<application id>/<session id>"``."""
    return IndexKey(account, "talon_one_sessions", (profile_id,))


def events_of(account: str, profile_id: str) -> IndexKey:
    """The numbers of a profile's events."""
    return IndexKey(account, "talon_one_events", (profile_id,))


def events_in(account: str, application_id: int, session_id: str) -> IndexKey:
    """The numbers of a session's events."""
    return IndexKey(account, "talon_one_session_events", (str(application_id), session_id))


def referrals_of(account: str, profile_id: str) -> IndexKey:
    """The codes of which a profile is the advocate or the friend."""
    return IndexKey(account, "talon_one_referrals", (profile_id,))
