"""Who is let in by Planship's stand-in: facts §4, D4."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from planship_desk import KEYS, Desk

from elarian_trio.sandbox.planship.rules.tokens import ClientKeys, expiry_of, make_token


def basic(text: str | bytes) -> dict[str, str]:
    """Make the header of HTTP Basic."""
    data = text if isinstance(text, bytes) else text.encode()
    return {"authorization": f"Basic {base64.b64encode(data).decode()}"}


def test_a_token_is_given_for_id_and_secret_and_counts_for_its_lifetime() -> None:
    """D4: opaque, "bearer", an integer of seconds."""
    desk = Desk()
    desk.service.switches.token_lifetime = timedelta(minutes=10)
    given = json.loads(desk.sign_in().body)
    assert (given["token_type"], given["expires_in"]) == ("bearer", 600)
    desk.now += timedelta(minutes=10) - timedelta(microseconds=1)
    desk.ask("GET", "/products")
    desk.now += timedelta(microseconds=1)
    assert desk.ask("GET", "/products", expect=401) == "Could not validate credentials"


def test_a_token_may_count_for_ever() -> None:
    """This SDK: the longest lifetime that there is leads beyond no calendar."""
    desk = Desk()
    desk.service.switches.token_lifetime = timedelta.max
    desk.sign_in()
    desk.now += timedelta(days=365_000)
    desk.ask("GET", "/products")


def test_tokens_differ_and_are_secrets_whatever_the_seed() -> None:
    """D4: random; two desks have the same seed."""
    assert len({json.loads(desk.sign_in().body)["access_token"] for desk in (Desk(), Desk()) for _ in range(2)}) == 4


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("ID:wrong"),
        basic("other:secret"),
        basic("ID"),
        basic(b"\xff\xfe"),
        {"authorization": "Basic !!!"},
        {"authorization": basic("ID:secret")["authorization"].replace("Basic", "Bearer")},
    ],
)
def test_a_wrong_id_or_secret_is_answered_with_401_and_a_challenge(headers: dict[str, str]) -> None:
    """Facts §4 and §7."""
    reply = Desk().send("POST", "/api/v1/auth/token", headers=headers)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Basic"


def test_whatever_comes_with_the_token_call_is_ignored() -> None:
    """Facts §4: one client sends an empty form."""
    headers = {**basic("ID:secret"), "content-type": "application/x-www-form-urlencoded"}
    assert Desk().send("POST", "/api/v1/auth/token", b"grant_type=x", headers).status == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nonsense", "Bearer a.b.c.d", "Basic {token}"])
def test_without_a_token_that_counts_nothing_is_answered(header: str | None) -> None:
    """Facts §7: missing or unknown."""
    desk = Desk()
    desk.sign_in()
    headers = {} if header is None else {"authorization": header.replace("{token}", desk.token)}
    reply = desk.send("GET", "/api/v1/products", headers=headers)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"


def test_revoked_tokens_count_no_more_and_new_ones_do() -> None:
    """D4: the switch that forces clients to sign in again, as often as it is used."""
    desk = Desk()
    for _ in range(3):
        desk.sign_in()
        desk.ask("GET", "/products")
        desk.revoke()
        desk.ask("GET", "/products", expect=401)


def test_a_token_that_was_changed_is_none() -> None:
    """This SDK: it is signed, so nothing in it can be changed."""
    desk = Desk()
    token = make_token(KEYS, desk.now, 0, "aa")
    assert expiry_of(KEYS, token, 0) == desk.now
    assert expiry_of(KEYS, token, 1) is None
    assert expiry_of(ClientKeys("ID", "other"), token, 0) is None
    assert all(expiry_of(KEYS, token[:place] + "~" + token[place + 1 :], 0) is None for place in range(len(token)))


def test_keys_are_not_shown() -> None:
    """The house: no credential in a repr."""
    assert "secret'" not in repr(KEYS)
