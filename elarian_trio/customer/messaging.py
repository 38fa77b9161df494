"""What is said to a customer: messages, replies and calls, and whether it may be written to.

:class:`.Customer` is made of this; its addresses are below.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from elarian_trio._arguments import require
from elarian_trio.customer.addresses import Addressed
from elarian_trio.models.channels import CUSTOMER_PROVIDERS, MessagingChannel
from elarian_trio.models.checks import check_str, to_enum
from elarian_trio.models.commands import ReplyToMessage, SendMessage, UpdateMessagingConsent
from elarian_trio.models.messaging import ConsentAction, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elarian_trio.models.identity import CustomerNumberProvider
    from elarian_trio.models.messaging import ConsentActionName, Sendable
    from elarian_trio.models.replies import ConsentUpdateReply, MessageReply
    from elarian_trio.models.voice import VoiceAction

__all__ = ["Messaging"]

_to_action = to_enum(ConsentAction, optional=False)


class Messaging(Addressed):
    """The commands that reach the customer. Made as part of :class:`.Customer`."""

    __slots__ = ()

    async def send_message(self, channel: MessagingChannel, message: Sendable) -> MessageReply:
        """Send a message to the customer's number that suits *channel*; the reply's status says what became of it.

        A refusal, such as ``no_consent``, is a status, too, and raises nothing. Fetches the customer's state first
        where no such number is known yet; where there is none, the number it was made with is sent.

        Args:
            channel: the organisation's number that it comes from.
            message: a :class:`.Message`, or its body alone: a str, Media, Location, Email, Template, Url or UssdMenu,
                or, for a call, a sequence of voice actions such as Say.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message cannot be sent.
            LookupError: no number of the customer's suits *channel*, and it was made without one.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        provider = _provider_of(channel)
        make = partial(SendMessage, message=Message.of(message), channel_number=channel)
        number = self._known_number(provider) or await self._find_number(provider, make)
        return self._learn(await self._call(make(customer_number=number)))

    async def reply_to_message(self, message_id: str, message: Sendable) -> MessageReply:
        """Answer a message of the customer's; the reply's status says what became of it, as of :meth:`send_message`.

        Fetches the customer's state first where its id is not known yet.

        Args:
            message_id: the customer's message, by the id that its notification has.
            message: a message, or its body alone, as :meth:`send_message` takes it.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the message cannot be sent.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        make = partial(ReplyToMessage, message_id=check_str("message_id", message_id), message=Message.of(message))
        return self._learn(await self._call(make(customer_id=self._id or await self._find_id(make))))

    async def make_voice_call(self, channel: MessagingChannel, actions: Sequence[VoiceAction] = ()) -> MessageReply:
        """Call the customer from the voice number *channel*; the reply's status says what became of it.

        A refusal is a status, too, and raises nothing; of a call that rings it is ``session_initiated``.

        Args:
            channel: a voice channel.
            actions: what the call does once it is answered; without any, the app is asked by a voice notification.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the actions cannot be sent.
            LookupError: no number of the customer's suits *channel*, and it was made without one.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        require("actions", Iterable, actions, wanted="a sequence of voice actions")
        return await self.send_message(channel, tuple(actions))

    async def update_messaging_consent(
        self, channel: MessagingChannel, action: ConsentAction | ConsentActionName
    ) -> ConsentUpdateReply:
        """Allow or block writing to the customer's number that suits *channel*; the reply's status says how it went.

        A refusal is a status, too, and raises nothing. Fetches the customer's state first where no such number is known
        yet; where there is none, the number it was made with is sent.

        Waits for the reply, and first for the connection while it is being re-established.

        Raises:
            CommandRejected: the server did not process the command; asking again is safe.
            CommandFailed: it refused the command; its words are in ``description``.
            CommandTimedOut: no answer came in time; ``sent`` tells whether the server may have acted.
            ConnectionLost: the session ended after it was sent, or the connection for good; ``sent`` tells which.
            ConnectionClosed: the client's block was not entered, or it was left.
            ValueError: the action is not known.
            LookupError: no number of the customer's suits *channel*, and it was made without one.

        Cancellation:
            Always a checkpoint. Before the command is handed to the writer nothing is sent; later a CANCEL follows it,
            and the server may have acted.
        """
        provider = _provider_of(channel)
        make = partial(UpdateMessagingConsent, update=_to_action("action", action), channel_number=channel)
        number = self._known_number(provider) or await self._find_number(provider, make)
        return self._learn(await self._call(make(customer_number=number)))


def _provider_of(channel: MessagingChannel) -> CustomerNumberProvider | None:
    """Give whose numbers a channel reaches."""
    require("channel", MessagingChannel, channel)
    return CUSTOMER_PROVIDERS.get(channel.channel)
