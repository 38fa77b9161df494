"""Voice calls: what an app tells a call to do, and what a call reports.

Stands on :mod:`.identity` and :mod:`.channels`; :mod:`.messaging` stands on it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from .channels import MessagingChannel
from .checks import WireEnum
from .identity import CustomerNumber
from .model import Model, dataclass


class VoiceCallDirection(WireEnum):
    """Who called whom: inbound is the customer calling."""

    UNKNOWN = "unknown"
    INBOUND = "inbound"
    OUTBOUND = "outbound"


VoiceCallDirectionName: TypeAlias = Literal["inbound", "outbound"]


class VoiceCallStatus(WireEnum):
    """Where a call stands.

    Being set up: ``queued``, ``ringing``, ``answered``. In progress: ``active``, ``dialing``, ``dial_completed``,
    ``bridged``, ``enqueued``, ``dequeued``, ``transferred``, ``transfer_completed``. Over: ``completed``; any other but
    ``unknown`` says why it failed.
    """

    UNKNOWN = "unknown"
    QUEUED = "queued"
    ANSWERED = "answered"
    RINGING = "ringing"
    ACTIVE = "active"
    DIALING = "dialing"
    DIAL_COMPLETED = "dial_completed"
    BRIDGED = "bridged"
    ENQUEUED = "enqueued"
    DEQUEUED = "dequeued"
    TRANSFERRED = "transferred"
    TRANSFER_COMPLETED = "transfer_completed"
    COMPLETED = "completed"
    INSUFFICIENT_CREDIT = "insufficient_credit"
    NOT_ANSWERED = "not_answered"
    INVALID_PHONE_NUMBER = "invalid_phone_number"
    DESTINATION_NOT_SUPPORTED = "destination_not_supported"
    DECOMMISSIONED_CUSTOMERID = "decommissioned_customerid"
    EXPIRED = "expired"
    INVALID_CHANNEL_NUMBER = "invalid_channel_number"
    GATEWAY_ERROR = "gateway_error"
    APPLICATION_ERROR = "application_error"


VoiceCallStatusName: TypeAlias = Literal[
    "queued", "answered", "ringing", "active", "dialing", "dial_completed", "bridged", "enqueued", "dequeued",
    "transferred", "transfer_completed", "completed", "insufficient_credit", "not_answered", "invalid_phone_number",
    "destination_not_supported", "decommissioned_customerid", "expired", "invalid_channel_number", "gateway_error",
    "application_error",
]  # fmt: skip


class VoiceCallHangupCause(WireEnum):
    """Why a call ended."""

    UNKNOWN = "unknown"
    UNALLOCATED_NUMBER = "unallocated_number"
    USER_BUSY = "user_busy"
    NORMAL_CLEARING = "normal_clearing"
    NO_USER_RESPONSE = "no_user_response"
    NO_ANSWER = "no_answer"
    SUBSCRIBER_ABSENT = "subscriber_absent"
    CALL_REJECTED = "call_rejected"
    NORMAL_UNSPECIFIED = "normal_unspecified"
    NORMAL_TEMPORARY_FAILURE = "normal_temporary_failure"
    SERVICE_UNAVAILABLE = "service_unavailable"
    RECOVERY_ON_TIMER_EXPIRE = "recovery_on_timer_expire"
    ORIGINATOR_CANCEL = "originator_cancel"
    LOSE_RACE = "lose_race"
    USER_NOT_REGISTERED = "user_not_registered"


VoiceCallHangupCauseName: TypeAlias = Literal[
    "unallocated_number", "user_busy", "normal_clearing", "no_user_response", "no_answer", "subscriber_absent",
    "call_rejected", "normal_unspecified", "normal_temporary_failure", "service_unavailable",
    "recovery_on_timer_expire", "originator_cancel", "lose_race", "user_not_registered",
]  # fmt: skip


class TextToSpeechVoice(WireEnum):
    """The voice that speaks."""

    UNKNOWN = "unknown"
    MALE = "male"
    FEMALE = "female"


TextToSpeechVoiceName: TypeAlias = Literal["male", "female"]


@dataclass(frozen=True, slots=True)
class Say(Model):
    """Speak *text*.

    Attributes:
        text: what is said.
        voice: who says it; where not given, the server chooses.
        play_beep: whether a beep follows.
    """

    text: str
    _: KW_ONLY
    voice: TextToSpeechVoice | TextToSpeechVoiceName = TextToSpeechVoice.UNKNOWN
    play_beep: bool = False


@dataclass(frozen=True, slots=True)
class Play(Model):
    """Play the recording at *url*."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDigits(Model):
    """Collect digits that the customer presses, prompted by either ``say`` or ``play``.

    Attributes:
        say: the spoken prompt.
        play: the played prompt.
        timeout: how long to wait for a digit.
        finish_on_key: the key that ends the input.
        num_digits: how many digits end the input.
    """

    say: Say | None = None
    play: Play | None = None
    timeout: timedelta | None = None
    finish_on_key: str | None = None
    num_digits: int | None = None

    def __post_init__(self) -> None:
        """Check the fields, and that there is one prompt at most."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        _one_prompt(self.say, self.play)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRecording(Model):
    """Record what the customer says, prompted by either ``say`` or ``play``.

    Attributes:
        say: the spoken prompt.
        play: the played prompt.
        timeout: how long silence may last before the recording ends.
        max_length: how long the recording may be.
        finish_on_key: the key that ends it.
        play_beep: whether a beep starts it.
        trim_silence: whether silence at its ends is cut.
    """

    say: Say | None = None
    play: Play | None = None
    timeout: timedelta | None = None
    max_length: timedelta | None = None
    finish_on_key: str | None = None
    play_beep: bool = False
    trim_silence: bool = False

    def __post_init__(self) -> None:
        """Check the fields, and that there is one prompt at most."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        _one_prompt(self.say, self.play)


def _one_prompt(say: Say | None, play: Play | None) -> None:
    if say is not None and play is not None:
        msg = "give either say or play as the prompt, not both"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Model):
    """Connect the call to other numbers.

    Attributes:
        customer_numbers: whom to call.
        record: whether the conversation is recorded.
        sequential: one after the other instead of all at once.
        ringback_tone: the URL of what the caller hears meanwhile.
        caller_id: the number shown to those called.
        max_duration: how long the conversation may last, in whole seconds.
    """

    customer_numbers: tuple[CustomerNumber, ...]
    record: bool = False
    sequential: bool = False
    ringback_tone: str | None = None
    caller_id: str | None = None
    max_duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RecordSession(Model):
    """Record the call from here on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue(Model):
    """Put the caller into a queue.

    Attributes:
        queue_name: which queue; the number's only one where not given.
        hold_music: the URL of what the caller hears meanwhile.
    """

    queue_name: str | None = None
    hold_music: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dequeue(Model):
    """Take a caller out of a queue.

    Attributes:
        channel_number: the voice channel whose queue it is.
        queue_name: which queue; the number's only one where not given.
        record: whether the conversation is recorded.
    """

    channel_number: MessagingChannel
    queue_name: str | None = None
    record: bool = False


@dataclass(frozen=True, slots=True)
class Reject(Model):
    """Refuse the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Model):
    """Go on with the actions found at *url*."""

    url: str


VoiceAction: TypeAlias = (
    Say | Play | GetDigits | Dial | RecordSession | GetRecording | Enqueue | Dequeue | Reject | Redirect
)
"""One step of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceCallDialInput(Model):
    """How a dialled leg went.

    Attributes:
        destination_number: whom it reached.
        started_at: when.
        duration: how long it lasted.
    """

    destination_number: str = ""
    started_at: datetime | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceCallQueueInput(Model):
    """How waiting in a queue went.

    Attributes:
        enqueued_at: when the caller entered it.
        dequeued_at: when the caller left it.
        dequeued_to_number: who took the call.
        dequeued_to_session_id: the session of whoever took it.
        queue_duration: how long the caller waited.
    """

    enqueued_at: datetime | None = None
    dequeued_at: datetime | None = None
    dequeued_to_number: str | None = None
    dequeued_to_session_id: str | None = None
    queue_duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceCallInput(Model):
    """What a call reports.

    Attributes:
        direction: who called whom.
        status: where the call stands.
        started_at: when it began.
        hangup_cause: why it ended, once it has.
        dtmf_digits: the digits that were pressed.
        recording_url: where a recording can be fetched.
        dial_data: how a dialled leg went.
        queue_data: how waiting in a queue went.
    """

    direction: VoiceCallDirection | VoiceCallDirectionName = VoiceCallDirection.UNKNOWN
    status: VoiceCallStatus | VoiceCallStatusName = VoiceCallStatus.UNKNOWN
    started_at: datetime | None = None
    hangup_cause: VoiceCallHangupCause | VoiceCallHangupCauseName = VoiceCallHangupCause.UNKNOWN
    dtmf_digits: str | None = None
    recording_url: str | None = None
    dial_data: VoiceCallDialInput | None = None
    queue_data: VoiceCallQueueInput | None = None
