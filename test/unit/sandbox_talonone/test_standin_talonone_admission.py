"""Who may ask the stand-in: by a key, or by a signature over the bytes as they came."""

from __future__ import annotations

import hmac
import json

import pytest
from talon_one_desk import KEY, SIGNING_KEY, Desk

from elarian_trio.sandbox.talonone.rules.deployment import Application

PATH = "/v1/customer_sessions/s"
VECTORS = {
    b"": "0dbc664752c37541281e3eef8eee0d2d",
    b"{}": "0ab22833fdd54e7d6f6a95dffd158d9e",
    b'{"state":"closed"}': "1648e5991cbd1f05df8348be2f43992a",
    '{"attributes":{"Name":"Val é"}}'.encode(): "e92b9db5b27eea7b720344f6488a203b",
}


@pytest.mark.parametrize(("body", "signature"), VECTORS.items())
def test_signature_over_the_raw_bytes_is_taken(body: bytes, signature: str) -> None:
    """The facts, section 2: the four vectors, the empty body included; parts in any order, spaces trimmed."""
    for header in (f"signer=1; signature={signature}", f" signature = {signature} ;signer= 1; more"):
        assert Desk().ask("PUT", PATH, body, headers={"content-signature": header}).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "signer=1",
        "signature=0ab22833fdd54e7d6f6a95dffd158d9e",
        "signer=2; signature=0ab22833fdd54e7d6f6a95dffd158d9e",
        "signer=1; signature=0dbc664752c37541281e3eef8eee0d2d",
        "signer=1; signature=é\ud800",
        "signer=; signature=",
    ],
)
def test_signature_that_is_another_is_refused_in_the_services_words(header: str) -> None:
    """The facts, section 2: 400, and an unknown signer is told no more."""
    reply = Desk().ask("PUT", PATH, b"{}", headers={"content-signature": header})
    assert (reply.status, json.loads(reply.body)) == (400, {"message": "HMAC signature mismatch."})


def test_signer_that_is_not_known_cannot_sign_with_no_key_at_all() -> None:
    """The house: who is not known stays out, whatever the signature is right for."""
    signature = hmac.new(b"", b"{}", "md5").hexdigest()
    header = f"signer=2; signature={signature}"
    assert Desk().ask("PUT", PATH, b"{}", headers={"content-signature": header}).status == 400


def test_signature_of_other_bytes_with_the_same_meaning_is_refused() -> None:
    """The facts, section 2: whatever the bytes are, they are what is signed."""
    header = "signer=1; signature=0ab22833fdd54e7d6f6a95dffd158d9e"
    assert Desk().ask("PUT", PATH, b"{ }", headers={"content-signature": header}).status == 400


@pytest.mark.parametrize(
    "value", ["", KEY, "ApiKey-v1", f"apikey-v1 {KEY}", f"ApiKey-v1  {KEY}", "ApiKey-v1 x", "Bearer x"]
)
def test_key_that_is_another_or_bare_is_refused(value: str) -> None:
    """The facts, section 2: generated clients send the bare key when no prefix is set, and get 401."""
    reply = Desk().ask("PUT", PATH, {}, headers={"authorization": value})
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "ApiKey-v1")  # as RFC 9110 §15.5.2 demands
    assert KEY not in reply.body.decode()


def test_request_that_says_nothing_of_itself_is_refused() -> None:
    """The facts, D1: no auth header is 401."""
    desk = Desk()
    reply = desk.ask("PUT", PATH, {}, headers={})
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "ApiKey-v1")
    assert desk.shelf.texts == {}


def test_key_counts_where_there_are_both() -> None:
    """The facts, D1: the API key wins, for better or worse."""
    wrong = {"content-signature": "signer=1; signature=0"}
    assert Desk().ask("PUT", PATH, {}, headers={"authorization": f"ApiKey-v1 {KEY}", **wrong}).status == 200
    right = {"content-signature": f"signer=1; signature={VECTORS[b'{}']}"}
    assert Desk().ask("PUT", PATH, b"{}", headers={"authorization": "ApiKey-v1 x", **right}).status == 401


def test_credential_says_which_application_asks() -> None:
    """The facts, section 2: the key itself, or the signer."""
    desk = Desk(
        applications=[
            Application(application_id=7, api_key="k7", application_key="00"),
            Application(application_id=8, api_key="k8", application_key=SIGNING_KEY),
        ]
    )
    for headers, number in (
        ({"authorization": "ApiKey-v1 k7"}, 7),
        ({"authorization": "ApiKey-v1 k8"}, 8),
        ({"content-signature": f"signer=8; signature={VECTORS[b'{}']}"}, 8),
    ):
        said = json.loads(desk.ask("PUT", PATH, b"{}", headers=headers).body)
        assert said["session"]["applicationId"] == said["event"]["applicationId"] == number


def test_keys_show_in_no_repr() -> None:
    """The design, promise 4."""
    assert KEY not in repr(Application(api_key=KEY, application_key=SIGNING_KEY))
    assert SIGNING_KEY not in repr(Application(api_key=KEY, application_key=SIGNING_KEY))
    with pytest.raises(ValueError, match="must be an even number of hexadecimal digits"):
        Application(application_key="secret")
