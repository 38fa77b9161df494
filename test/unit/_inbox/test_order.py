"""Whose turn it is, and whose app data changed: lanes and the watch, with tickets of no request."""

from __future__ import annotations

from typing import Any, cast

from elarian_trio._inbox.order import AppDataWatch, Lanes, lane_of
from elarian_trio._inbox.tickets import Ticket
from elarian_trio._session import Handover
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import AnyNotification, ReceivedSmsNotification, UnknownNotification

NUMBER = CustomerNumber("+254700000000")
OF_AN_APP = CustomerNumber("+254700000000", "telegram")
NONE = cast("Any", None)


def notification(customer_id: str | None = None, number: CustomerNumber | None = None) -> AnyNotification:
    """Make a notification that names its customer by these."""
    if number is None:
        return UnknownNotification(customer_id=customer_id)
    sms = MessagingChannel.sms("83044")
    return ReceivedSmsNotification(customer_id=customer_id, customer_number=number, channel_number=sms, text="Hello!")


def ticket(customer_id: str | None = None, number: CustomerNumber | None = None) -> Ticket:
    """Make a ticket of a customer."""
    came = notification(customer_id, number)
    return Ticket(NONE, NONE, came, "stored", lane_of(came))


def test_the_first_of_a_lane_that_leaves_gives_way_to_the_next() -> None:
    """This SDK: notifications of one customer reach the app one at a time and in order."""
    lanes, (one, two, three, other) = Lanes(), (ticket("a"), ticket("a"), ticket("a"), ticket("b"))
    assert [lanes.join(each.lane, each) for each in (one, two, three, other)] == [True, False, False, True]
    assert len(lanes) == 2
    assert list(lanes.of("a")) == [one, two, three]
    assert list(lanes.of("b")) == [other]
    assert lanes.leave(two.lane, two) is None  # it was nobody's turn that changed
    assert lanes.leave(one.lane, one) is three
    assert lanes.leave(three.lane, three) is None
    assert lanes.leave(other.lane, other) is None
    assert lanes.leave(other.lane, other) is None
    assert (len(lanes), list(lanes.of("a"))) == (0, [])


def test_who_is_nobody_waits_for_nobody() -> None:
    """This SDK: a purse has no customer, whose order would be kept."""
    lanes, nobody, nobody_else = Lanes(), ticket(), ticket()
    assert lanes.join(nobody.lane, nobody)
    assert lanes.join(nobody_else.lane, nobody_else)
    assert (len(lanes), lanes.leave(nobody.lane, nobody)) == (0, None)


def test_a_customer_is_told_by_the_id_if_it_is_known() -> None:
    """This SDK: one customer has one lane, whatever else a notification says; providers' numbers may be alike."""
    assert lane_of(notification("a", NUMBER)) == lane_of(notification("a")) == "a"
    assert lane_of(notification(number=NUMBER)) != lane_of(notification(number=OF_AN_APP))
    assert lane_of(notification("", NUMBER)) == lane_of(notification(number=NUMBER))


def test_a_change_concerns_those_at_its_address_that_wait() -> None:
    """This SDK: the echo of app data that this client has changed meanwhile would undo the change."""
    lanes = Lanes()
    watch = AppDataWatch(lanes)
    tickets = [ticket("a", NUMBER), ticket("a", NUMBER), ticket("b", OF_AN_APP), ticket(None, NUMBER)]
    for each in tickets:
        lanes.join(each.lane, each)
        each.waits = True
        watch.add(each)
    answered = ticket("a", NUMBER)
    lanes.join(answered.lane, answered)
    watch.add(answered)
    watch.discard(answered)
    handover = Handover()
    handover.sent = True
    with watch.changing(NUMBER, handover) as concerns:
        assert [each.changes for each in (*tickets, answered)] == [1, 1, 0, 1, 0]
        concerns("a")
        concerns("b")
        concerns("c")
        concerns(None)
        late = ticket("d", NUMBER)
        watch.add(late)
    assert [each.changes for each in (*tickets, late)] == [1, 1, 1, 1, 1]
    assert len(watch) == 1
    for each in (*tickets, late):
        watch.discard(each)
    assert len(watch) == 0


def test_a_change_that_was_never_sent_is_taken_back() -> None:
    """This SDK: what the server never heard of undoes nothing."""
    lanes = Lanes()
    watch, one = AppDataWatch(lanes), ticket("a")
    lanes.join(one.lane, one)
    watch.add(one)
    with watch.changing("a", Handover()):
        assert (one.changes, one.default_update()) == (1, None)
    assert one.changes == 0
    assert one.default_update() is not None
