"""Acceptance, written from the design: identity, tags, metadata, app data, activity, tokens and the older names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from acceptance import ASHA, BOUND, JUMA, SMS, VOICE, a_place, answering, the_end_of

from elarian_trio import (
    Activity,
    CommandFailed,
    ConnectionOptions,
    Customer,
    CustomerActivityNotification,
    CustomerNumberProvider,
    Elarian,
    Reminder,
    Say,
    SecondaryId,
    Tag,
)
from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio


class BareText:
    """Stores text as it is, as the Java and Go SDKs do."""

    def dumps(self, value: Any) -> str | bytes:  # noqa: ANN401
        """Give the text itself."""
        assert isinstance(value, str)
        return value

    def loads(self, stored: str | bytes) -> Any:  # noqa: ANN401
        """Give what is stored."""
        return stored


async def id_of(customer: Customer) -> str:
    """Ask the server for a customer's id."""
    return (await customer.get_state()).customer_id


async def test_customer_is_made_once_and_found_by_every_address() -> None:
    """The specification: an id, a number or a secondary id name a customer; creating twice gives the same one."""
    async with a_place() as place:
        app = place.app
        asha = app.customer(ASHA)
        first, second = await asha.create(), await asha.create()
        assert first.status
        assert first.description
        assert first.customer_id is not None
        assert re.fullmatch("el_cst_[0-9a-f]{32}", first.customer_id)
        assert second.customer_id == first.customer_id
        await asha.update_secondary_ids(SecondaryId("passport", "A1"))
        assert await id_of(app.customer(customer_id=first.customer_id)) == first.customer_id
        assert await id_of(app.customer(secondary_id=("passport", "A1"))) == first.customer_id
        assert await id_of(app.customer(secondary_id=("PASSPORT", "A1"))) == first.customer_id


async def test_numbers_are_compared_without_their_punctuation_and_by_provider() -> None:
    """This SDK's sandbox: spaces, dashes and brackets say nothing, 00 is +; another provider is another customer."""
    async with a_place() as place:
        asha = await id_of(place.app.customer(ASHA))
        assert await id_of(place.app.customer("00254 (709) 759-881")) == asha
        assert await id_of(place.app.customer(ASHA, provider="telegram")) != asha
        assert await id_of(place.app.customer(ASHA, provider=CustomerNumberProvider.CELLULAR)) == asha


async def test_number_wins_where_several_addresses_are_given() -> None:
    """This SDK: one or more addresses may be given; the number wins on the wire."""
    async with a_place() as place:
        asha = await id_of(place.app.customer(ASHA))
        assert await id_of(place.app.customer(ASHA, customer_id="el_cst_of_nobody")) == asha


@pytest.mark.parametrize("address", [{"customer_id": "el_cst_none"}, {"secondary_id": ("passport", "none")}])
async def test_unknown_customer_is_refused_with_words(address: dict[str, Any]) -> None:
    """The sandbox's rules: an id or secondary id that nobody has is refused; ``status`` false raises with the reply."""
    async with a_place() as place:
        with pytest.raises(CommandFailed) as caught:
            await place.app.customer(**address).get_state()
        assert caught.value.description
        assert caught.value.reply is not None
        assert caught.value.code is None
        assert type(caught.value.command).__name__ == "GetCustomerState"


async def test_state_of_new_customer_has_all_its_parts() -> None:
    """The live server's tests: every sub-state is there, if empty."""
    async with a_place() as place:
        state = await place.app.customer(ASHA).get_state()
        assert state.identity_state.tags == ()
        assert state.messaging_state.messages == ()
        assert state.payment_state.transaction_log == ()
        assert state.activity_state.sessions == ()


async def test_tags_are_set_replaced_expire_and_go() -> None:
    """The specification: one value per key, keys not case-sensitive; an expired tag is gone."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        soon = place.sandbox.clock.now() + timedelta(hours=1)
        assert (await asha.update_tags(Tag("segment", "new"), Tag("area", "Nairobi", soon))).status
        await asha.update_tags(Tag("SEGMENT", "premium"))
        tags = {tag.key.lower(): tag for tag in await asha.get_tags()}
        assert {key: tag.value for key, tag in tags.items()} == {"segment": "premium", "area": "Nairobi"}
        assert tags["segment"].expires_at is None
        expiry = tags["area"].expires_at
        assert expiry is not None
        assert abs(expiry - soon) < timedelta(seconds=1)
        await place.sandbox.clock.advance(timedelta(hours=2))
        assert [tag.key.lower() for tag in await asha.get_tags()] == ["segment"]
        assert (await asha.delete_tags("Segment", "unheard-of")).status
        assert tuple(await asha.get_tags()) == ()


async def test_secondary_id_belongs_to_one_customer() -> None:
    """The sandbox's rules: a secondary id never moves silently."""
    async with a_place() as place:
        asha, juma = place.app.customer(ASHA), place.app.customer(JUMA)
        await asha.update_secondary_ids(SecondaryId("passport", "A1"), SecondaryId("licence", "L2"))
        await juma.create()
        with pytest.raises(CommandFailed):
            await juma.update_secondary_ids(SecondaryId("passport", "A1"))
        assert {(each.key, each.value) for each in await asha.get_secondary_ids()} == {
            ("passport", "A1"),
            ("licence", "L2"),
        }
        await asha.delete_secondary_ids(SecondaryId("passport", "A1"))
        assert [(each.key, each.value) for each in await asha.get_secondary_ids()] == [("licence", "L2")]
        await juma.update_secondary_ids(SecondaryId("passport", "A1"))
        assert await id_of(place.app.customer(secondary_id=("passport", "A1"))) == await id_of(juma)


METADATA: dict[str, Any] = {
    "whole": 3,
    "fraction": 2.5,
    "text": "Asha ünïcode 🎉",
    "json in text": '{"a": 1}',
    "nothing": None,
    "flag": True,
    "nested": {"list": [1, "two", None, {"three": 3}]},
    "bytes": b"\x00\xff raw",
    "empty": "",
}


async def test_metadata_comes_back_as_it_was_stored() -> None:
    """The specification: any JSON value, and bytes, by key; an update merges, a deletion takes the keys named."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        await asha.update_metadata(METADATA)
        assert await asha.get_metadata() == METADATA
        await asha.update_metadata({"whole": 4, "new": []})
        assert await asha.get_metadata() == METADATA | {"whole": 4, "new": []}
        await asha.delete_metadata("whole", "unheard-of", *(set(METADATA) - {"whole", "bytes"}))
        assert await asha.get_metadata() == {"bytes": METADATA["bytes"], "new": []}


async def test_text_that_is_no_json_is_read_as_the_text_it_is() -> None:
    """The Java and Go SDKs store bare text: readers must survive it."""
    async with a_place(ConnectionOptions(serializer=BareText())) as place:
        await place.app.customer(ASHA).update_metadata({"word": "home", "json": '["a"]', "nan": "NaN"})
        await place.app.customer(ASHA).update_app_data("register-name")
        async with Elarian(**place.sandbox.credentials) as reader:
            assert await reader.customer(ASHA).get_metadata() == {"word": "home", "json": ["a"], "nan": "NaN"}
            assert await reader.customer(ASHA).lease_app_data() == "register-name"


@pytest.mark.parametrize("value", [{"screen": "home"}, "word", b"\x00raw", 0, False, []])
async def test_app_data_is_updated_leased_and_deleted(value: Any) -> None:  # noqa: ANN401
    """The specification: one value per customer and app; nothing stored reads as None."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        await asha.update_app_data(value)
        assert await asha.lease_app_data() == value
        assert (await asha.delete_app_data()).status
        assert await asha.lease_app_data() is None


async def test_app_data_waits_for_the_lease_first_come_first_served() -> None:
    """The documentation: while leased, another fetch waits for the release; the sandbox serves them in order."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        got: list[tuple[str, Any]] = []

        async def lease(name: str) -> None:
            got.append((name, await asha.lease_app_data()))

        await asha.update_app_data(0)
        assert await asha.lease_app_data() == 0
        async with anyio.create_task_group() as tasks:
            for name in ("first", "second"):
                tasks.start_soon(lease, name)
                await place.app.ping()  # what was sent before it has been read by then
                await anyio.wait_all_tasks_blocked()
            assert got == []
            assert await place.app.customer(JUMA).lease_app_data() is None  # others are not concerned
            for turn in (1, 2):
                await asha.update_app_data(turn)
                with anyio.fail_after(BOUND):
                    while len(got) < turn:
                        await anyio.wait_all_tasks_blocked()
                        await place.app.ping()
        assert got == [("first", 1), ("second", 2)]


async def test_cancelled_lease_leaves_the_queue() -> None:
    """This SDK: cancelling a command sends CANCEL; whoever waited for a lease no longer stands in the way."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        await asha.update_app_data("old")
        await asha.lease_app_data()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(asha.lease_app_data)
                await place.app.ping()
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        await asha.update_app_data("new")
        with anyio.fail_after(BOUND):
            assert await asha.lease_app_data() == "new"


async def test_lease_lapses_after_90_seconds() -> None:
    """The specification: the lease holds for 90 s at most."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        await asha.update_app_data("kept")
        await asha.lease_app_data()
        got: list[Any] = []

        async def lease() -> None:
            got.append(await asha.lease_app_data())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lease)
            await place.app.ping()
            await anyio.wait_all_tasks_blocked()
            await place.sandbox.clock.advance(timedelta(seconds=89))
            await place.app.ping()
            assert got == []
            await place.sandbox.clock.advance(timedelta(seconds=2))
            with anyio.fail_after(BOUND):
                while not got:
                    await place.app.ping()
        assert got == ["kept"]


async def test_lease_metadata_takes_the_lease_and_reads_the_key() -> None:
    """The older reference's command: the app-data lease is its lock."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        await asha.update_metadata({"points": 7})
        assert await asha.lease_metadata("points") == 7
        held = True

        async def lease() -> None:
            nonlocal held
            await asha.lease_app_data()
            held = False

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lease)
            await place.app.ping()
            await anyio.wait_all_tasks_blocked()
            assert held
            await asha.update_app_data(1)
        assert not held


async def test_adopted_customer_is_merged_and_reached_by_its_number() -> None:
    """The specification: the other's state is merged in; the survivor wins, its id stays."""
    async with a_place() as place:
        asha, card = place.app.customer(ASHA), place.app.customer("4242", provider="app")
        await asha.update_metadata({"name": "Asha", "both": "survivor"})
        await card.update_metadata({"card": "gold", "both": "other"})
        await card.update_tags(Tag("kind", "card"))
        old = await id_of(card)
        await asha.adopt_state(card)
        assert await id_of(card) == await id_of(asha)
        assert await asha.get_metadata() == {"name": "Asha", "card": "gold", "both": "survivor"}
        assert [tag.value for tag in await asha.get_tags()] == ["card"]
        with pytest.raises(CommandFailed):
            await place.app.customer(customer_id=old).update_tags(Tag("a", "b"))


async def test_deleted_customer_is_forgotten() -> None:
    """The specification's two commands, and the customer's own: a later look-up makes a new customer."""
    async with a_place() as place:
        app = place.app
        ids = []
        for _ in range(3):
            asha = app.customer(ASHA)
            await asha.update_metadata({"name": "Asha"})
            await asha.update_app_data("secret")
            ids.append(await id_of(asha))
            if len(ids) == 1:
                reply = await app.delete_customer_by_customer_number(ASHA)
            elif len(ids) == 2:
                reply = await app.delete_customer_by_customer_id(ids[-1])
            else:
                reply = await asha.delete()
            assert reply.status
            with pytest.raises(CommandFailed):
                await app.customer(customer_id=ids[-1]).get_state()
        assert len(set(ids)) == 3
        assert await app.customer(ASHA).get_metadata() == {}
        assert await app.customer(ASHA).lease_app_data() is None


async def test_activity_is_recorded_and_told_to_the_app_that_reports_it() -> None:
    """The live server: the posting app itself hears of it; the server stamps the time."""
    async with a_place() as place, answering(place.app, CustomerActivityNotification) as seen:
        reply = await place.app.customer(ASHA).update_activity(
            "shop.example", Activity("buy", "visit-1", {"item": "tea"})
        )
        assert reply.status
        told = await seen.next()
        assert (told.source, told.session_id, told.customer_id) == ("shop.example", "visit-1", reply.customer_id)
        assert (told.activity.key, dict(told.activity.properties)) == ("buy", {"item": "tea"})
        assert told.activity.created_at == place.sandbox.clock.now()
        assert told.customer_number.number == ASHA
        await place.app.customer(ASHA).update_activity("shop.example", Activity("pay", "visit-1", {}))
        (session,) = (await place.app.customer(ASHA).get_state()).activity_state.sessions
        assert [each.key for each in session.activities] == ["buy", "pay"]
        assert seen.deliveries[0].customer is not None


async def test_token_opens_connections_of_other_apps() -> None:
    """The demos: a token made by one app connects the organisation's others, and replaces the key."""
    async with a_place() as place:
        token = await place.app.generate_auth_token()
        assert token.token.startswith("el_tkn_")
        assert token.lifetime == timedelta(hours=1)
        assert token.token not in repr(token)
        credentials = {name: place.sandbox.credentials[name] for name in ("org_id", "app_id", "dial")}
        async with Elarian(**credentials, auth_token=token.token) as other:
            assert await id_of(other.customer(ASHA)) == await id_of(place.app.customer(ASHA))
        asked = 0

        async def give() -> str:
            nonlocal asked
            asked += 1
            return token.token

        async with Elarian(**credentials, auth_token=give) as third:
            await third.ping()
        assert asked == 1


async def test_older_names_on_the_client_do_what_the_customer_does() -> None:
    """The older references: thin aliases, the customer first."""
    async with a_place() as place:
        app, asha, juma = place.app, place.app.customer(ASHA), place.app.customer(JUMA)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert (await app.update_customer_tag(asha, Tag("a", "b"))).status
        assert (await app.update_customer_secondary_id(asha, SecondaryId("id", "1"))).status
        assert (await app.add_customer_reminder(asha, Reminder("r", tomorrow))).status
        assert (await app.update_customer_metadata(asha, {"k": 1})).status
        assert (await app.update_customer_app_data(asha, {"x": 1})).status
        assert await app.lease_customer_app_data(asha) == {"x": 1}
        assert (await app.update_customer_app_data(asha, {"x": 2})).status
        assert await app.lease_customer_metadata(asha, "k") == 1
        state = await app.get_customer_state(asha)
        assert [tag.key for tag in state.identity_state.tags] == ["a"]
        assert [each.key for each in state.identity_state.secondary_ids] == ["id"]
        assert (await app.delete_customer_app_data(asha)).status
        assert (await app.delete_customer_metadata(asha, "k")).status
        assert (await app.delete_customer_tag(asha, "a")).status
        assert (await app.delete_customer_secondary_id(asha, SecondaryId("id", "1"))).status
        assert (await app.cancel_customer_reminder(asha, "r")).status
        assert (await app.update_customer_activity(asha, "web", Activity("look", "s", {}))).status
        sent = await app.send_message(asha, SMS, "Hello")
        assert sent.status == "sent"
        assert (await app.reply_to_message(asha, sent.message_id or "", "Again")).description
        assert (await app.make_voice_call(asha, VOICE, (Say("hello"),))).status == "session_initiated"
        assert (await app.messaging_consent(asha, SMS, "block")).status == "completed"
        await juma.create()
        assert (await app.adopt_customer_state(asha, juma)).status
        empty = await app.get_customer_state(asha)
        assert empty.identity_state.tags == ()
        assert empty.identity_state.metadata == {}
        assert empty.identity_state.secondary_ids == ()


async def test_two_apps_of_one_organisation_share_metadata_but_not_app_data() -> None:
    """The documentation: the organisation is the root of the data, the app the owner of its app data."""
    async with Sandbox(clock="manual") as sandbox:
        credentials = dict(sandbox.credentials)
        async with Elarian(**credentials) as app:
            token = (await app.generate_auth_token()).token
            await app.customer(ASHA).update_metadata({"shared": True})
            await app.customer(ASHA).update_app_data("mine")
            others = {"org_id": credentials["org_id"], "dial": credentials["dial"], "app_id": "another-app"}
            async with Elarian(**others, auth_token=token) as other:
                assert await other.customer(ASHA).get_metadata() == {"shared": True}
                assert await other.customer(ASHA).lease_app_data() is None


async def test_bad_command_leaves_the_connection_usable() -> None:
    """This SDK: an error of one command costs that command only."""
    async with a_place() as place:
        await the_end_of(CommandFailed, place.app.customer(customer_id="el_cst_none").get_state)
        assert (await place.app.customer(ASHA).create()).status
        assert place.app.statistics().commands_failed == 1
