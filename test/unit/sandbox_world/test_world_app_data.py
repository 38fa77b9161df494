"""App data: leases, updates, and what answers to notifications do to it."""

from __future__ import annotations

from typing import Any

import pytest
from world_support import APP, ASHA, BEN, ORG, START, World

from elarian_trio.models.commands import (
    AddCustomerReminder,
    AdoptCustomerState,
    CreateCustomer,
    CustomerActivity,
    DeleteCustomer,
    DeleteCustomerAppData,
    LeaseCustomerAppData,
    UpdateCustomerAppData,
)
from elarian_trio.models.identity import Reminder
from elarian_trio.models.messaging import Message
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply, PaymentStatusNotification
from elarian_trio.models.payments import PaymentStatus
from elarian_trio.sandbox.world.effects import Delivered, NotifyApp, WaitForLease
from elarian_trio.sandbox.world.entities import AppKey, AppRecord


def leased(world: World, app_id: str = APP) -> Any:  # noqa: ANN401 - the reply
    """Lease the app data on Asha, as a server does that nobody else asks."""
    command = LeaseCustomerAppData(customer=ASHA)
    waiting = world.run(command, app_id=app_id)
    assert isinstance(waiting, WaitForLease)
    reply = world.run(command, app_id=app_id, lease=waiting.lease)
    assert reply.status
    assert reply.description
    return reply


def update(world: World, value: str | bytes, app_id: str = APP) -> str:
    """Update the app data on Asha, and give her id."""
    reply = world.run(UpdateCustomerAppData(customer=ASHA, update=value), app_id=app_id)
    assert reply.status
    assert reply.description
    return str(reply.customer_id)


def delivered(world: World) -> Delivered:
    """Have Asha do something, and give the notification as it is sent."""
    world.run(CustomerActivity(customer_number=ASHA, source="web", session_id="1", key="join"))
    return world.deliver(world.notified.pop())


@pytest.mark.parametrize("value", ["home", '{"screen": "home"}', b"\x00\xff"])
def test_a_lease_gives_what_was_stored_as_it_was_stored(value: str | bytes) -> None:
    """Elarian: text or bytes, never looked into."""
    world = World()
    customer_id = update(world, value)
    reply = leased(world)
    assert (reply.value, reply.customer_id) == (value, customer_id)


def test_a_lease_of_nothing_gives_nothing() -> None:
    """Elarian: status true and no value; the customer is made by its number."""
    reply = leased(World())
    assert reply.value is None
    assert reply.customer_id


def test_each_app_has_its_own_app_data() -> None:
    """Elarian: one value per customer and app."""
    world = World()
    update(world, "mine")
    update(world, "theirs", "el_app_other")
    assert leased(world).value == "mine"
    assert leased(world, "el_app_other").value == "theirs"


def test_update_and_delete_end_the_lease_and_need_none() -> None:
    """Elarian: other SDKs' tests update and delete without a lease."""
    world = World()
    customer_id = update(world, "home")
    key = AppKey(ORG, APP, customer_id)
    assert world.released == [key]
    assert world.run(DeleteCustomerAppData(customer=ASHA)).status
    assert world.released == [key, key]
    assert leased(world).value is None


def test_a_lease_granted_on_an_adopted_customer_is_asked_for_again() -> None:
    """This SDK: who waited while the customer was adopted gets the survivor's data, under the survivor's lease."""
    world = World()
    asha = update(world, "home")
    waiting = world.run(LeaseCustomerAppData(customer=ASHA))
    assert waiting == WaitForLease(AppKey(ORG, APP, asha))
    ben = world.run(CreateCustomer(customer_number=BEN)).customer_id
    world.run(AdoptCustomerState(customer_id=ben, other_customer=asha))
    again = world.run(LeaseCustomerAppData(customer=ASHA), lease=waiting.lease)
    assert again == WaitForLease(AppKey(ORG, APP, ben))
    refused = world.run(LeaseCustomerAppData(customer=asha), lease=waiting.lease)
    assert not refused.status
    assert refused.customer_id == ben


# --- notifications and their answers ---


def test_a_notification_goes_out_with_the_app_data_of_that_moment() -> None:
    """Elarian: it is a fetch like any other."""
    world = World()
    world.run(CustomerActivity(customer_number=ASHA, source="web", session_id="1", key="join"))
    customer_id = update(world, "later")
    sent = world.deliver(world.notified[0])
    assert (sent.app_data, sent.lease) == ("later", AppKey(ORG, APP, customer_id))


def test_a_notification_about_a_purse_has_no_app_data() -> None:
    """The wire: its form has no customer."""
    told = PaymentStatusNotification(transaction_id="el_txn_1", status=PaymentStatus.SUCCESS, purse_id="p")
    sent = World().deliver(NotifyApp(ORG, APP, None, told))
    assert sent == Delivered(told)


def test_a_notification_of_a_deleted_customer_goes_out_without_app_data() -> None:
    """This SDK: it happened, so the app hears of it."""
    world = World()
    update(world, "home")
    world.run(CustomerActivity(customer_number=ASHA, source="web", session_id="1", key="join"))
    world.run(DeleteCustomer(customer=ASHA))
    sent = world.deliver(world.notified[0])
    assert (sent.app_data, sent.lease) == (None, None)
    world.answer(sent, NotificationReply(data_update=AppDataUpdate("x")))
    assert not world.records


def test_a_notification_of_an_adopted_customer_names_the_survivor() -> None:
    """This SDK: the old id would be refused in whatever the app does next."""
    world = World()
    asha = update(world, "home")
    world.run(CustomerActivity(customer_number=ASHA, source="web", session_id="1", key="join"))
    ben = world.run(CreateCustomer(customer_number=BEN)).customer_id
    world.run(AdoptCustomerState(customer_id=ben, other_customer=asha))
    sent = world.deliver(world.notified[0])
    assert sent.notification.customer_id == ben
    assert (sent.app_data, sent.lease) == ("home", AppKey(ORG, APP, ben))


def test_an_answers_app_data_is_stored() -> None:
    """Elarian: the reply's update replaces the value and ends the lease."""
    world = World()
    sent = delivered(world)
    world.answer(sent, NotificationReply(data_update=AppDataUpdate("menu")))
    assert world.released == [sent.lease]
    assert leased(world).value == "menu"


def test_an_answers_update_without_data_deletes() -> None:
    """The wire: the wrapper tells "delete" from "leave"."""
    world = World()
    update(world, "home")
    world.answer(delivered(world), NotificationReply(data_update=AppDataUpdate()))
    assert leased(world).value is None


def test_an_answer_without_update_leaves_the_app_data() -> None:
    """The wire: no wrapper, no change."""
    world = World()
    update(world, "home")
    world.answer(delivered(world), NotificationReply())
    assert leased(world).value == "home"


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_stale_echo_does_not_bring_back_what_the_app_changed_meanwhile(change: str) -> None:
    """A past bug of the loan example: SDKs echo the old value after the handler deleted it by a command."""
    world = World()
    update(world, "home")
    sent = delivered(world)
    if change == "update":
        update(world, "paid")
    else:
        world.run(DeleteCustomerAppData(customer=ASHA))
    world.answer(sent, NotificationReply(data_update=AppDataUpdate("home")))
    assert leased(world).value == (None if change == "delete" else "paid")


def test_a_stale_echo_of_nothing_does_not_delete() -> None:
    """The same for a notification that came without app data."""
    world = World()
    sent = delivered(world)
    update(world, "new")
    world.answer(sent, NotificationReply(data_update=AppDataUpdate()))
    assert leased(world).value == "new"


def test_an_answer_after_adoption_is_stored_with_the_survivor() -> None:
    """This SDK: the app answered for the customer, whatever its id is by now."""
    world = World()
    sent = delivered(world)
    ben = world.run(CreateCustomer(customer_number=BEN)).customer_id
    world.run(AdoptCustomerState(customer_id=ben, other_customer=ASHA))
    world.answer(sent, NotificationReply(data_update=AppDataUpdate("menu")))
    assert leased(world).value == "menu"


def test_an_answer_after_deletion_stores_nothing() -> None:
    """This SDK: a deleted customer does not come back by an answer."""
    world = World()
    sent = delivered(world)
    world.run(DeleteCustomer(customer=ASHA))
    world.answer(sent, NotificationReply(data_update=AppDataUpdate("menu")))
    assert not world.records


def test_a_message_in_an_answer_is_ignored_where_nothing_was_received() -> None:
    """This SDK: a message answers a received message, nothing else; the app data counts all the same."""
    world = World()
    world.run(AddCustomerReminder(customer=ASHA, reminder=Reminder("r", START)))
    world.advance(0)
    sent = world.deliver(world.notified[0])
    world.answer(sent, NotificationReply(data_update=AppDataUpdate("menu"), message=Message("hello")))
    assert not world.simulated
    assert leased(world).value == "menu"


def test_app_data_and_reminders_share_a_record() -> None:
    """This SDK: one does not overwrite the other."""
    world = World()
    world.run(AddCustomerReminder(customer=ASHA, reminder=Reminder("r", START)))
    customer_id = update(world, "home")
    record = world.records[AppKey(ORG, APP, customer_id)]
    assert isinstance(record, AppRecord)
    assert (record.data, list(record.reminders)) == ("home", ["r"])
