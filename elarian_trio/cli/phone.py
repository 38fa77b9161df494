"""``elarian-trio phone``: a customer's phone in the terminal, for what a simulator may do.

:mod:`.commands` stands above, the simulator's client below.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import anyio.lowlevel
from cyclopts import Parameter

from elarian_trio.cli.access import Access, AsJson
from elarian_trio.cli.exits import OK, REFUSED
from elarian_trio.cli.notation import as_cash, as_channel, as_paybill
from elarian_trio.cli.terminal import Terminal
from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.messaging import UssdInput, UssdMenu
from elarian_trio.models.model import plain
from elarian_trio.models.payments import PaymentStatus
from elarian_trio.models.voice import GetDigits, GetRecording, Play, Reject, Say, VoiceCallInput
from elarian_trio.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elarian_trio.models.replies import SimulatorReply
    from elarian_trio.models.voice import VoiceAction

__all__ = ["call", "dial", "pay", "sms"]

ANYWHERE = Access()
PROMPT = "> "
LEFT = UssdInput("", "incomplete")
OVER = VoiceCallInput(direction="inbound", status="completed", hangup_cause="normal_clearing")


async def sms(
    number: str,
    text: str,
    /,
    *,
    channel: str = "sms:83044",
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Have a customer write to the organisation.

    Args:
        number: The customer's number.
        text: What the customer writes; after -- if it begins with a dash.
        channel: To which number of the organisation: sms:83044, whatsapp:+254711621711.
    """
    written_to = as_channel(channel)
    async with access.client(Simulator) as phone:
        reply = await phone.receive_message(number, written_to, None, [text])
    _say_reply(terminal, reply, as_json=json)
    return OK


async def pay(
    number: str,
    amount: str,
    /,
    *,
    paybill: str = "83044",
    transaction_id: str | None = None,
    status: str = "success",
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Have a customer pay the organisation, unasked.

    Args:
        number: The customer's number.
        amount: How much: KES:100.
        paybill: Which number of the organisation is paid: 83044, airtime:83044.
        transaction_id: The gateway's id of the payment; made up if left out.
        status: Where the payment stands: success, pending_confirmation, failed and the like.
    """
    value, channel, stands = as_cash(amount), as_paybill(paybill), PaymentStatus(status)
    name = transaction_id or f"cli-{secrets.token_hex(8)}"
    async with access.client(Simulator) as phone:
        reply = await phone.receive_payment(number, channel, name, value, stands)
    if json:
        terminal.say_json({**reply.to_json(), "transaction_id": name})
    else:
        terminal.say(f"{reply.description} ({name})")
    return OK


async def dial(
    number: str,
    code: str = "*83044#",
    /,
    *,
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Have a customer dial a USSD code, and enter what you type.

    Shows each menu and reads the next input from the keyboard, or from a pipe, until the app shows its last menu. The
    end of the input (Ctrl-D) hangs up.

    Args:
        number: The customer's number.
        code: The USSD code.
    """
    channel, session = MessagingChannel(code, Channel.USSD), f"cli-{secrets.token_hex(8)}"
    entered: str | None = ""
    async with access.client(Simulator) as phone:
        while entered is not None:
            reply = await phone.receive_message(number, channel, session, [UssdInput(entered, "active")])
            menu = reply.message.body if reply.message is not None else None
            if not isinstance(menu, UssdMenu):
                terminal.complain(f"the app showed no menu: {reply.description}")
                return REFUSED
            _say_menu(terminal, menu, as_json=json)
            if menu.is_terminal:
                return OK
            try:
                entered = await terminal.ask(PROMPT)
            except ValueError:  # a line without end, by which nothing is entered
                await phone.receive_message(number, channel, session, [LEFT])
                raise
        await phone.receive_message(number, channel, session, [LEFT])
    return OK


async def call(
    number: str,
    /,
    *,
    channel: str = "voice:+254711621711",
    access: Access = ANYWHERE,
    json: AsJson = False,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> int:
    """Have a customer call the organisation, and press the keys that you type.

    Shows what the app tells the call to do. Where it collects digits they are read from the keyboard, or from a pipe;
    where it records, the address of a recording is. The call ends when the app asks for nothing more or rejects it, or
    with the end of the input (Ctrl-D).

    Args:
        number: The customer's number.
        channel: Which number of the organisation is called.
    """
    called, session = as_channel(channel), f"cli-{secrets.token_hex(8)}"
    report = VoiceCallInput(direction="inbound", status="ringing")
    async with access.client(Simulator) as phone:
        while True:
            reply = await phone.receive_message(number, called, session, [report])
            actions = _actions(reply)
            _say_actions(terminal, actions, as_json=json)
            if any(isinstance(each, Reject) for each in actions):
                return OK
            try:
                answer = await _answer(terminal, actions)
            except ValueError:  # a line without end, by which nothing is pressed
                await phone.receive_message(number, called, session, [OVER])
                raise
            if answer is None:
                break
            report = answer
        await phone.receive_message(number, called, session, [OVER])
    return OK


def _actions(reply: SimulatorReply) -> Sequence[VoiceAction]:
    body = reply.message.body if reply.message is not None else None
    return body if isinstance(body, tuple) else ()


async def _answer(terminal: Terminal, actions: Sequence[VoiceAction]) -> VoiceCallInput | None:
    """Give what the customer does about the last question; ``None`` for nothing, or for hanging up."""
    question = next((each for each in reversed(actions) if isinstance(each, GetDigits | GetRecording)), None)
    await anyio.lowlevel.checkpoint()
    if question is None:
        return None
    asks_digits = isinstance(question, GetDigits)
    entered = await terminal.ask("digits> " if asks_digits else "URL of a recording> ")
    if entered is None:
        return None
    pressed, recorded = (entered, None) if asks_digits else (None, entered)
    return VoiceCallInput(direction="inbound", status="active", dtmf_digits=pressed, recording_url=recorded)


# --- what is shown ---


def _say_reply(terminal: Terminal, reply: SimulatorReply, *, as_json: bool) -> None:
    if as_json:
        terminal.say_json(reply.to_json())
    else:
        terminal.say(reply.description)


def _say_menu(terminal: Terminal, menu: UssdMenu, *, as_json: bool) -> None:
    if as_json:
        terminal.say_json(menu.to_json())
    else:
        terminal.say(menu.text)


def _say_actions(terminal: Terminal, actions: Sequence[VoiceAction], *, as_json: bool) -> None:
    if as_json:
        terminal.say_json({"actions": [plain(each) for each in actions]})
        return
    for each in actions:
        terminal.say(_in_words(each))


def _in_words(action: VoiceAction) -> str:
    if isinstance(action, Say):
        return f"says: {action.text}"
    if isinstance(action, Play):
        return f"plays: {action.url}"
    if isinstance(action, GetDigits | GetRecording):
        prompt = action.say or action.play
        wants = "digits" if isinstance(action, GetDigits) else "a recording"
        return f"wants {wants}" if prompt is None else f"{_in_words(prompt)}, and wants {wants}"
    return f"does: {type(action).__name__}"
