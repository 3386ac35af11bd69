"""A webhook is believed only with its signature, over its raw bytes, of this moment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.connectors import redaction
from aios_connect.connectors.webhooks import sign, verify, verify_standard
from aios_connect.errors import AuthError

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = b'{"id": 1,  "text": "caf\xc3\xa9"}'


@pytest.fixture(autouse=True, scope="module")
def _forgotten_afterwards() -> Iterator[None]:
    """Secrets made known here are not masked in other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_remembered", redaction._Remembered())
        yield


@given(body=st.binary(max_size=200), secret=st.text(min_size=1))
def test_what_was_signed_is_believed(body: bytes, secret: str) -> None:
    verify(sign(secret, body, NOON), body, secret, now=NOON)


@given(body=st.binary(max_size=50), at=st.integers(0, 10**6), data=st.data())
def test_one_changed_byte_is_seen(body: bytes, at: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body)))
    changed = body[:place] + b"x" + body[place:]
    with pytest.raises(AuthError, match="wrong"):
        verify(sign("s3cret", body, NOON), changed, "s3cret", now=NOON)


@pytest.mark.parametrize("age", [-301, 301, 10**6])
def test_an_old_request_and_one_from_the_future_are_refused(age: int) -> None:
    at = NOON - timedelta(seconds=age)
    header = sign("s3cret", BODY, at)
    verify(header, BODY, "s3cret", now=at + timedelta(seconds=300))
    with pytest.raises(AuthError, match="not of this moment"):
        verify(header, BODY, "s3cret", now=NOON)


def test_while_a_secret_is_replaced_both_are_good() -> None:
    new, old = sign("new", BODY, NOON), sign("old", BODY, NOON)
    verify(f"{old},v1={new.rpartition('=')[2]}", BODY, "new", now=NOON)
    verify(old, BODY, ["new", "old"], now=NOON)
    with pytest.raises(AuthError):
        verify(old, BODY, "new", now=NOON)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=00",
        "t=1795262400",
        "t=1795262400,v0=00",
        "t=1795262400,v1=zz",
        "t=1795262400,v1=",
        "t=,v1=00",
        "t=1,t=2,v1=00",
        "é,=,,",
    ],
)
def test_a_header_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(AuthError):
        verify(header, BODY, "s3cret", now=NOON)


@pytest.mark.parametrize("secret", ["", [], ["s3cret", ""]])
def test_without_a_secret_nothing_is_believed(secret: Any) -> None:
    with pytest.raises(AuthError, match="no secret"):
        verify(sign("s3cret", BODY, NOON), BODY, secret, now=NOON)
    with pytest.raises(AuthError, match="not in base64"):
        verify_standard({"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AA=="}, BODY, "whsec_!", now=NOON)


def vectors(vendor: str) -> list[dict[str, Any]]:
    folder = os.environ.get("AIOS_SAMPLES")
    if not folder:
        pytest.skip("AIOS_SAMPLES names the folder with signature vectors")
    told = json.loads((Path(folder) / "webhooks" / "signature-vectors.json").read_text(encoding="utf-8"))
    found = [vector for vector in told["vectors"] if vector["vendor"] == vendor]
    assert found
    return found


def test_the_published_vectors_of_the_common_scheme() -> None:
    for vector in vectors("stripe"):
        at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
        body = vector["body"].encode()
        verify(vector["expected"], body, vector["client_secret"], now=at)
        assert sign(vector["client_secret"], body, at) == vector["expected"]
        with pytest.raises(AuthError):
            verify(vector["expected"], body + b" ", vector["client_secret"], now=at)


def test_the_published_vectors_of_standard_webhooks() -> None:
    for vector in vectors("standard-webhooks"):
        at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
        headers = {
            "webhook-id": vector["id"],
            "webhook-timestamp": vector["timestamp"],
            "webhook-signature": f"v1a,zzzz {vector['expected']}",
        }
        body = vector["body"].encode()
        assert verify_standard(headers, body, vector["client_secret"], now=at) == vector["id"]
        with pytest.raises(AuthError, match="wrong"):
            verify_standard({**headers, "webhook-id": "other"}, body, vector["client_secret"], now=at)
        with pytest.raises(AuthError, match="moment"):
            verify_standard(headers, body, vector["client_secret"], now=at + timedelta(hours=1))
        with pytest.raises(AuthError, match="no signature"):
            verify_standard({}, body, vector["client_secret"], now=at)
