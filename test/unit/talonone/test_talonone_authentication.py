"""How requests say who asks: the published vectors of the signature, the key's header, and that neither shows."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from elarian_trio.talonone import ApiKeyAuth, SignatureAuth

KEY = "fefecafedeadbeef"  # the vendor's public sample value
VECTORS = {
    b"": "0dbc664752c37541281e3eef8eee0d2d",
    b"{}": "0ab22833fdd54e7d6f6a95dffd158d9e",
    b'{"state":"closed"}': "1648e5991cbd1f05df8348be2f43992a",
    '{"attributes":{"Name":"Val é"}}'.encode(): "e92b9db5b27eea7b720344f6488a203b",
}


@pytest.mark.parametrize(("content", "signature"), VECTORS.items())
def test_signature_is_that_of_the_vectors(content: bytes, signature: str) -> None:
    """The facts, section 2: HMAC-MD5 with the decoded key over the very bytes."""
    assert SignatureAuth(12, KEY).headers(content) == {"content-signature": f"signer=12; signature={signature}"}


def test_digits_of_the_key_may_be_capitals() -> None:
    """This SDK: the key is the bytes that the digits stand for."""
    assert SignatureAuth("12", KEY.upper()).headers(b"{}") == SignatureAuth(12, KEY).headers(b"{}")


def test_api_key_goes_out_behind_its_prefix() -> None:
    """The facts, section 2: prefix, one space, key, whatever the body is."""
    assert ApiKeyAuth("abc").headers(b"{}") == {"authorization": "ApiKey-v1 abc"}


@pytest.mark.parametrize("auth", [ApiKeyAuth("deadbeef"), SignatureAuth(12, "deadbeef")], ids=["key", "signature"])
def test_secret_shows_nowhere_and_is_taken_out_of_what_the_service_says(auth: ApiKeyAuth | SignatureAuth) -> None:
    """The design, promise 4: credentials in no repr; a service may repeat the key that it does not know."""
    assert "deadbeef" not in repr(auth)
    assert "deadbeef" not in str(vars(auth))
    assert auth.redact(b"unknown key deadbeef") == b"unknown key <secret>"


@pytest.mark.parametrize("key", ["", " ", "a b", "a\nb", "schlüssel", "\ud800"])
def test_key_that_no_header_can_carry_is_refused_unseen(key: str) -> None:
    """This SDK: a bad argument is a ValueError that does not repeat the secret."""
    with pytest.raises(ValueError, match="api_key must be ASCII") as caught:
        ApiKeyAuth(key)
    with pytest.raises(ValueError, match="application_key must be"):
        SignatureAuth(1, key)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["abc", "xyz0", "fe fe"])
def test_signing_key_that_is_not_hexadecimal_is_refused_unseen(key: str) -> None:
    """This SDK: the same, and the traceback does not show it either."""
    with pytest.raises(ValueError, match="application_key must be") as caught:
        SignatureAuth(1, key)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in told.stack if "elarian_trio" in frame.filename and "test_" not in frame.filename]
    assert ours
    assert not [frame for frame in ours if key in str({**(frame.locals or {}), "digits": ""})]


@pytest.mark.parametrize("key", [None, 7, b"abc"])
def test_key_that_is_no_str_is_refused(key: Any) -> None:  # noqa: ANN401 - bad on purpose
    """This SDK: a TypeError that says what it was."""
    with pytest.raises(TypeError, match=f"must be a str, got {type(key).__name__}"):
        ApiKeyAuth(key)
    with pytest.raises(TypeError, match=f"must be a str, got {type(key).__name__}"):
        SignatureAuth(1, key)


@pytest.mark.parametrize("signer", ["", "1; signature=0", "é", "1 2"])
def test_signer_that_would_break_the_header_is_refused(signer: str) -> None:
    """This SDK: the header's value is ``k=v`` parts with semicolons between."""
    with pytest.raises(ValueError, match="application_id must be a number"):
        SignatureAuth(signer, KEY)


@pytest.mark.parametrize("signer", [None, True, 1.0, b"1"])
def test_signer_of_the_wrong_type_is_refused(signer: Any) -> None:  # noqa: ANN401 - bad on purpose
    """A past bug: requests were signed by an application called None."""
    with pytest.raises(TypeError, match=f"application_id must be one of int, str, got {type(signer).__name__}"):
        SignatureAuth(signer, KEY)
