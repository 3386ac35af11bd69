"""No secret is in a text: neither what looks like one, nor one that is in use, in whatever form it is echoed."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.connectors import redaction
from aios_connect.connectors.redaction import MASK, RedactingFilter, redact, remember


@pytest.fixture(autouse=True, scope="module")
def _forgotten_afterwards() -> Iterator[None]:
    """Secrets made known here are not masked in other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_remembered", redaction._Remembered())
        yield


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer SECRETvalue123",
        "{'authorization': 'Bearer SECRETvalue123'}",
        "authorization=SECRETvalue123; path=/",
        "sent Basic U0VDUkVUdmFsdWUxMjM= to it".replace("U0VDUkVUdmFsdWUxMjM=", "SECRETvalue123="),
        "GET https://acme.example/v1?limit=5&access_token=SECRETvalue123&x=1",
        "GET https://acme.example/v1?hapikey=SECRETvalue123",
        "https://acme.example/cb?code=SECRETvalue123&state=x",
        '{"refresh_token": "SECRETvalue123", "scope": "deals"}',
        "{'client_secret': 'SECRETvalue123'}",
        '"{\\"password\\": \\"SECRETvalue123\\"}"',
        '{"password": "with \\" quote SECRETvalue123"}',
        "postgresql://ada:SECRETvalue123@db.example/crm",
        "client_id=a&client_secret=SECRETvalue123&grant_type=x",
        "api_key=SECRETvalue123",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUNSRVQifQ.SECRETvalue123",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "SECRETvalue123" not in redact(text)
    assert MASK in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "acme answered with a web page instead of data",
        "GET https://acme.example/deals?limit=100&after=abc",
        "the password is wrong",
        "a basic question about the session and its bearer",
        "token expired",
        "http://127.0.0.1:8000/x: nobody answers",
        "the key: property dealname was not found",
        "https://acme.example/a:b@c",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(min_size=8, max_size=40, alphabet=st.characters(codec="utf-8")))
def test_a_secret_in_use_is_masked_in_every_form(secret: str) -> None:
    remember(secret)
    raw = secret.encode()
    forms = [secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], base64.b64encode(raw).decode()]
    for form in forms:
        assert form not in redact(f"echo <{form}> end")


def test_short_words_are_not_masked_everywhere() -> None:
    remember("", "a", "abc")
    assert redact("abc and a") == "abc and a"


def test_the_longest_secret_wins() -> None:
    remember("prefix-one", "prefix-one-and-more")
    assert redact("say prefix-one-and-more") == f"say {MASK}"


def test_a_log_record_is_masked_with_its_values(caplog: pytest.LogCaptureFixture) -> None:
    remember("pl4nted-in-log")
    logger = logging.getLogger("test_redaction")
    logger.addFilter(RedactingFilter())
    with caplog.at_level(logging.INFO):
        logger.info("sent %s to %s", "pl4nted-in-log", "acme")
        logger.info("no values: 100%")
    assert caplog.messages == [f"sent {MASK} to acme", "no values: 100%"]
