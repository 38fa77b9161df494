"""Credentials that show no key, and the door that judges setups."""

from __future__ import annotations

import re
from typing import Any

import pytest

from elarian_trio._rsocket import ErrorCode
from elarian_trio._wire.setup import Credentials as SetupCredentials
from elarian_trio.errors import SetupRejected
from elarian_trio.sandbox.credentials import Credentials, Door, SandboxApp

KEY = "el_k_test_secret"
APPS = (SandboxApp("org", "app", KEY), SandboxApp("org", "other", "another-key"))


def a_door(*, is_open: bool = False) -> Door:
    """Give a door with two apps, at which one token counts."""
    return Door(APPS, is_open=is_open, is_valid_token=lambda org_id, token: (org_id, token) == ("org", "token"))


def setup(
    org_id: str = "org",
    app_id: str = "app",
    api_key: str | None = None,
    auth_token: str | None = None,
    *,
    simulator_mode: bool = False,
) -> SetupCredentials:
    """Give what a client says at the door."""
    return SetupCredentials(
        org_id=org_id, app_id=app_id, api_key=api_key, auth_token=auth_token, simulator_mode=simulator_mode
    )


@pytest.mark.parametrize(
    "known",
    [
        setup(api_key=KEY),
        setup(app_id="other", api_key="another-key"),
        setup(auth_token="token"),
        setup(app_id="of the same organisation", auth_token="token"),
        setup(app_id="other", api_key=KEY, simulator_mode=True),
    ],
    ids=repr,
)
def test_the_door_opens_for_an_apps_own_key_and_for_its_organisations_tokens(known: SetupCredentials) -> None:
    """Facts, section 1 and decision 45: a key is its app's, a token its organisation's, and a simulator takes any."""
    a_door().judge(known)


@pytest.mark.parametrize(
    "unknown",
    [
        setup(api_key="wrong"),
        setup(app_id="other", api_key=KEY),
        setup(app_id="none", api_key=KEY),
        setup(org_id="else", api_key=KEY),
        setup(api_key="wrong", simulator_mode=True),
        setup(app_id="none", api_key=KEY, simulator_mode=True),
        setup(org_id="else", api_key=KEY, simulator_mode=True),
        setup(auth_token="wrong"),
        setup(org_id="else", auth_token="token"),
        setup(app_id="", auth_token="token"),
        setup(api_key=""),
        setup(),
    ],
    ids=repr,
)
def test_the_door_stays_shut_for_everybody_else_and_does_not_say_why(unknown: SetupCredentials) -> None:
    """Facts, decision 1: a short reason; which part was wrong is nobody's business."""
    with pytest.raises(SetupRejected) as caught:
        a_door().judge(unknown)
    assert caught.value.code == ErrorCode.REJECTED_SETUP
    assert str(caught.value) == "unknown organisation, app or credential"


def test_an_open_door_asks_for_names_only() -> None:
    """Facts, decision 2: the open mode accepts any non-empty organisation, app and key."""
    door = a_door(is_open=True)
    door.judge(setup("any", "thing", api_key="goes"))
    door.judge(setup("any", "thing", auth_token="goes"))
    with pytest.raises(SetupRejected):
        door.judge(setup("any", "thing"))


def test_credentials_are_arguments_and_show_no_secret() -> None:
    """The design: a Mapping with a redacted repr."""
    credentials = Credentials(org_id="org", app_id="app", api_key=KEY, auth_token="also secret", dial=None)
    assert dict(**credentials)["api_key"] == KEY
    assert len(credentials) == 5
    assert "secret" not in repr(credentials)
    assert "org_id='org'" in repr(credentials)


def test_credentials_for_an_endpoint_leave_the_process_out() -> None:
    """This SDK: a client that comes over the network must not be handed the in-memory way as well."""
    credentials = Credentials(org_id="org", api_key=KEY, dial=print).at("tcp://127.0.0.1:1")
    assert dict(credentials) == {"org_id": "org", "api_key": KEY, "endpoint": "tcp://127.0.0.1:1"}


def test_an_app_without_a_key_gets_one_at_random() -> None:
    """The design: a key made at random, in the form of Elarian's test keys, and never in a repr."""
    first, second = SandboxApp("org", "app"), SandboxApp("org", "app")
    assert re.fullmatch("el_k_test_[0-9a-f]{64}", first.api_key)
    assert first.api_key != second.api_key
    assert first.api_key not in repr(first)


@pytest.mark.parametrize("missing", ["org_id", "app_id", "api_key"])
def test_an_app_must_have_names_and_a_key(missing: str) -> None:
    """This SDK: an empty key is no secret."""
    with pytest.raises(ValueError, match=missing):
        SandboxApp(**({"org_id": "org", "app_id": "app", "api_key": "key"} | {missing: ""}))


@pytest.mark.parametrize("name", ["org_id", "app_id", "api_key"])
@pytest.mark.parametrize(
    ("given", "error"), [(None, TypeError), (b"key", TypeError), ("\ud800", ValueError)], ids=ascii
)
def test_an_apps_names_and_key_are_text(name: str, given: object, error: type[Exception]) -> None:
    """A past bug: with a key of bytes judging every SETUP of that app failed in the server."""
    names: dict[str, Any] = {"org_id": "org", "app_id": "app", "api_key": "key"} | {name: given}
    with pytest.raises(error, match=name):
        SandboxApp(**names)
