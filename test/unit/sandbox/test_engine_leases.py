"""The engine and the leases on app data: who may read it after an app has answered."""

from __future__ import annotations

from functools import partial

import anyio
import pytest
from sandbox_clients import RawClient, raw_client

from elarian_trio._rsocket.frames import CancelFrame, encode_frame
from elarian_trio.models.commands import CustomerActivity, DeleteCustomer, GetCustomerState, LeaseCustomerAppData
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio

ASHA = CustomerNumber("+254709759881")


async def test_an_answer_that_changes_the_data_hands_the_lease_to_one_of_those_who_wait() -> None:
    """A past bug: the answer's release came after its hand-over, and so ended the lease of the next one in line."""
    granted: list[RawClient] = []

    async def lease(client: RawClient) -> None:
        await client.send(LeaseCustomerAppData(customer=ASHA))
        granted.append(client)

    async with (
        Sandbox() as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simplex_mode=True) as first,
        raw_client(sandbox, simplex_mode=True) as second,
        anyio.create_task_group() as tasks,
    ):
        await app.send(CustomerActivity(customer_number=ASHA, source="shop.example", session_id="1", key="look"))
        visit = await app.next()
        for client in (first, second):
            tasks.start_soon(partial(lease, client))
            await client.settle()
        visit.answer(NotificationReply(data_update=AppDataUpdate("changed")))
        await app.settle()
        assert granted == [first]
        tasks.cancel_scope.cancel()


async def test_a_lease_that_its_holder_never_heard_of_is_given_back() -> None:
    """The facts (11, 10): a CANCEL releases a lease just granted to it, though it comes behind the answer."""
    async with (
        Sandbox() as sandbox,
        raw_client(sandbox, simplex_mode=True) as first,
        raw_client(sandbox, simplex_mode=True) as second,
    ):
        await first.send(LeaseCustomerAppData(customer=ASHA))
        await first.transport.send_frames([encode_frame(CancelFrame(1))])
        assert (await second.send(LeaseCustomerAppData(customer=ASHA))).status


async def test_who_waits_for_a_customer_that_is_deleted_waits_no_longer() -> None:
    """A past bug: the lease was on nothing stored, so that no app's data was dropped and nobody was told."""
    replies: list[object] = []

    async def lease(client: RawClient, customer_id: str) -> None:
        replies.append(await client.send(LeaseCustomerAppData(customer=customer_id)))

    async with (
        Sandbox() as sandbox,
        raw_client(sandbox, simplex_mode=True) as first,
        raw_client(sandbox, simplex_mode=True) as second,
        anyio.create_task_group() as tasks,
    ):
        state = (await first.send(GetCustomerState(customer=ASHA))).data
        await first.send(LeaseCustomerAppData(customer=ASHA))
        tasks.start_soon(lease, second, state.customer_id)
        await second.settle()
        assert replies == []
        await first.send(DeleteCustomer(customer=ASHA))
        await second.settle()
        assert [getattr(reply, "status", None) for reply in replies] == [False]
        tasks.cancel_scope.cancel()
