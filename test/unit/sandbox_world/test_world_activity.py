"""Activity."""

from __future__ import annotations

from datetime import timedelta

from world_support import APP, ASHA, BEN, START, World

from elarian_trio.models.activity import Activity, ActivityState
from elarian_trio.models.commands import CustomerActivity, GetCustomerState
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import CustomerActivityNotification


def report(world: World, key: str, session_id: str = "1", app_id: str = APP, source: str = "shop") -> str:
    """Have an app report that Asha did something."""
    reply = world.run(
        CustomerActivity(customer_number=ASHA, source=source, session_id=session_id, key=key, properties={"n": "1"}),
        app_id=app_id,
    )
    assert reply.status
    assert reply.description
    return str(reply.customer_id)


def state(world: World) -> ActivityState:
    """Give what is shown of it."""
    found: ActivityState = world.run(GetCustomerState(customer=ASHA)).data.activity_state
    return found


def test_the_app_that_reports_an_activity_is_told_of_it() -> None:
    """Elarian: its own duplex connections act on what others of its instances report."""
    world = World()
    customer_id = report(world, "join", app_id="el_app_other")
    (told,) = world.notified
    assert (told.app_id, told.customer_id) == ("el_app_other", customer_id)
    assert told.notification == CustomerActivityNotification(
        org_id=told.org_id,
        app_id="el_app_other",
        customer_id=customer_id,
        created_at=START,
        customer_number=ASHA,
        source="shop",
        session_id="1",
        activity=Activity("join", "1", {"n": "1"}, START),
    )


def test_activities_stand_in_their_visit_in_order_and_the_server_stamps_them() -> None:
    """The wire: a visit is a number, a source, a session id and an app."""
    world = World()
    report(world, "join")
    world.advance(60)
    report(world, "points")
    (visit,) = state(world).sessions
    assert [activity.key for activity in visit.activities] == ["join", "points"]
    assert visit.created_at == START
    assert visit.updated_at == visit.activities[1].created_at == START + timedelta(seconds=60)
    assert visit.app_id == APP


def test_visits_are_told_apart_and_the_latest_stands_last() -> None:
    """The wire: each of a visit's four parts matters."""
    world = World()
    report(world, "join")
    report(world, "join", session_id="2")
    report(world, "join", source="other")
    report(world, "join", app_id="el_app_other")
    report(world, "again")
    sessions = state(world).sessions
    assert len(sessions) == 4
    assert [activity.key for activity in sessions[-1].activities] == ["join", "again"]


def test_visits_and_activities_are_bounded() -> None:
    """This SDK: state holds the most recent hundred."""
    world = World()
    for number in range(101):
        report(world, f"key {number}")
        report(world, "x", session_id=f"other {number}")
    sessions = state(world).sessions
    assert len(sessions) == 100
    long = next(visit for visit in sessions if visit.session_id == "1")
    assert long.activities[0].key == "key 1"
    assert len(long.activities) == 100


def test_a_number_of_the_app_provider_is_a_customer_of_its_own() -> None:
    """The demo bank's cash machine reports card numbers."""
    world = World()
    card = CustomerNumber("12343424444432", "app")
    reply = world.run(CustomerActivity(customer_number=card, source="atm", session_id="1", key="UserWithdrew"))
    assert reply.customer_id != report(world, "x")
    assert world.run(GetCustomerState(customer=card)).data.activity_state.customer_numbers == (card,)


def test_an_activity_without_a_key_is_refused() -> None:
    """This SDK: the words say what is missing, and nobody is made of it."""
    world = World()
    reply = world.run(CustomerActivity(customer_number=BEN, source="web", session_id="1", key=""))
    assert not reply.status
    assert "key" in reply.description
    assert not world.records
    assert not world.notified
