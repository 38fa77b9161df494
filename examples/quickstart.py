"""The program of the README: greet a customer, then thank everybody who writes.

Takes its credentials and endpoint from the environment (``ELARIAN_ORG_ID``, ``ELARIAN_APP_ID``, ``ELARIAN_API_KEY``,
``ELARIAN_ENDPOINT``) and runs until it is interrupted: Ctrl-C closes the connection and shows as KeyboardInterrupt. A
SIGTERM ends it where it stands, as any program that says nothing else; ``service.py`` shows how to leave in order.
"""

import trio

from elarian_trio import Elarian, MessagingChannel, ReceivedSmsNotification, Tag


async def main() -> None:
    async with Elarian.from_env() as app:                        # or Elarian(org_id="…", app_id="…", api_key="…")
        asha = app.customer("+254709759881")                     # or customer_id=…, or secondary_id=("passport", "A1")
        await asha.update_tags(Tag("segment", "premium"))
        reply = await asha.send_message(MessagingChannel.sms("83044"), "Hello!")
        async with app.notifications(ReceivedSmsNotification) as inbox:
            async for delivery in inbox:
                async with delivery:                             # answered when the block ends
                    await delivery.customer.send_message(delivery.notification.channel_number, "Thank you")

trio.run(main)      # anyio.run(main, backend="asyncio") works as well
