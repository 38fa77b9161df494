"""Serve a help line by SMS and USSD as a program in production does: until it is told to stop, and then in order.

Takes its credentials and endpoint from the environment (``ELARIAN_ORG_ID``, ``ELARIAN_APP_ID``, ``ELARIAN_API_KEY``,
``ELARIAN_ENDPOINT``). Ctrl-C, or the SIGTERM that systemd, Docker and Kubernetes send, makes it take nothing more. What
is in hand is finished, with all the commands that belong to it, for ``drain_timeout`` at most; then the connection is
closed and the exit status says, as usual on Unix, which signal it was. A second signal ends it at once.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import anyio
import anyio.abc

from elarian_trio import (
    ConnectionOptions,
    Delivery,
    Elarian,
    ElarianError,
    MessagingChannel,
    ReceivedSmsNotification,
    UssdMenu,
    UssdSessionNotification,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    Question: TypeAlias = Delivery[ReceivedSmsNotification | UssdSessionNotification]

OPTIONS = ConnectionOptions(drain_timeout=10.0)  # less than the time until SIGKILL: 10 s for Docker, else 30 to 90
WORKERS = 16  # customers served at the same time
SMS = MessagingChannel.sms("83044")
MENU = UssdMenu("Help line\n1. Opening hours\n2. Call me back")
ANSWERS: Mapping[str, str] = {"1": "We are open from 8 to 17 h, Monday to Friday.", "2": "We will call you today."}

logger = logging.getLogger("service")


@dataclass
class Service:
    """The help line. Its ``scope`` is around everything it does; the others are set as it goes."""

    scope: anyio.CancelScope
    inbox: anyio.abc.ObjectReceiveStream[Question] | None = None
    stopped_by: signal.Signals | None = None

    async def run(self) -> None:
        """Connect, and answer until stopped."""
        logger.info("connecting")
        with self.scope:
            async with (
                Elarian.from_env(options=OPTIONS) as app,
                app.notifications(ReceivedSmsNotification, UssdSessionNotification) as self.inbox,
                anyio.create_task_group() as workers,
            ):
                for _ in range(WORKERS):
                    workers.start_soon(self.work, self.inbox)
                logger.info("connected")

    async def work(self, inbox: anyio.abc.ObjectReceiveStream[Question]) -> None:
        """Answer one delivery after another until the inbox is closed, whatever becomes of a single one."""
        with suppress(anyio.ClosedResourceError):
            async for delivery in inbox:
                try:
                    async with delivery:
                        await answer(delivery)
                except ElarianError as error:  # the server heard that it failed, and may deliver it again
                    logger.error("%s: %s", delivery.key, error)

    async def stop(self, number: signal.Signals) -> None:
        """Take nothing more and finish what is in hand; at once where that is asked for twice, or nothing is."""
        logger.info("stopping: %s", number.name)
        if self.inbox is None or self.stopped_by is not None:
            self.scope.cancel()
        else:
            self.scope.deadline = anyio.current_time() + OPTIONS.drain_timeout
            await self.inbox.aclose()
        self.stopped_by = self.stopped_by or number


async def answer(delivery: Question) -> None:
    """Show the menu, or answer the choice; a choice by USSD is confirmed by SMS."""
    question = delivery.notification
    text = question.text if isinstance(question, ReceivedSmsNotification) else question.input.text
    chosen = ANSWERS.get((text or "").strip())
    if isinstance(question, ReceivedSmsNotification):
        await delivery.customer.send_message(question.channel_number, chosen or MENU.text)
    elif chosen is None:
        await delivery.reply(MENU)
    else:
        await delivery.reply(UssdMenu(chosen, is_terminal=True))
        await delivery.customer.send_message(SMS, chosen)


async def watch_signals(service: Service, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Stop *service* when the operating system says so."""
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                await service.stop(number)
    except NotImplementedError:  # asyncio on Windows: there Ctrl-C cancels everything, see main()
        task_status.started()


async def serve() -> int:
    """Serve until stopped; give the exit status."""
    service, status = Service(anyio.CancelScope()), 0
    async with anyio.create_task_group() as tasks:
        await tasks.start(watch_signals, service)  # first: connecting may take long
        try:
            await service.run()
        except (ElarianError, ValueError) as error:  # the credentials are wrong, say, or one is missing
            logger.error("%s: %s", type(error).__name__, error)
            status = 1
        tasks.cancel_scope.cancel()
    logger.info("stopped")
    return status if service.stopped_by is None else 128 + service.stopped_by


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=("trio", "asyncio"), default="trio", help="what the program runs under")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stdout)
    try:
        return anyio.run(serve, backend=parser.parse_args().backend)
    except KeyboardInterrupt:  # where no signals can be watched
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
