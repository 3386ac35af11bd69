"""Ways to sign in, without a project: the argument chooses, and what does not fit is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import REFRESH, TOKEN, HubSpotVendor, furnish
from aios_connect_mail import Mail

import aios_connect
from aios_connect.connection.settings import needed_settings, plain_settings, secret_names, setting_names, way_of
from aios_connect.connectors import Auth
from aios_connect.errors import ConfigError
from aios_connect.sandbox import transport

BOX = {"host": "imap.example.com", "user": "nora"}


def signed(vendor: HubSpotVendor, path: str) -> list[str]:
    """The header lines that signed the requests of a path."""
    return [entry.call.headers.get("authorization", "") for entry in vendor.log if path in entry.call.path]


def test_the_first_way_is_taken_unless_another_is_named() -> None:
    vendor = furnish(HubSpotVendor())
    with aios_connect.connect("hubspot", transport=transport(vendor), key=TOKEN) as crm:
        assert len(list(crm.read("company"))) > 5
    assert set(signed(vendor, "/companies")) == {f"Bearer {TOKEN}"}


def test_hubspot_is_read_with_a_refresh_token() -> None:
    vendor = furnish(HubSpotVendor())
    ours: dict[str, Any] = {"client_id": "our-app", "client_secret": "our-s3cret", "refresh_token": REFRESH}
    with aios_connect.connect("hubspot", transport=transport(vendor), sign_in="oauth2", **ours) as crm:
        assert len(list(crm.read("company"))) > 5
    assert set(signed(vendor, "/companies")) == {"Bearer access-1"}
    (form,) = (entry.call.body.decode() for entry in vendor.log if entry.call.path == "/oauth/v3/token")
    assert "client_id=our-app" in form
    assert "client_secret=our-s3cret" in form  # HubSpot takes it in the form


@pytest.mark.parametrize(
    ("provider", "settings", "message", "hint"),
    [
        ("hubspot", {"sign_in": "oauth"}, "not signed in to by 'oauth'", "did you mean 'oauth2'?"),
        ("hubspot", {"sign_in": "password"}, "not signed in to by 'password'", "use one of key, oauth2"),
        ("hubspot", {"client_id": "us"}, "client_id is for oauth2", "take client_id out"),
        ("google", {"sign_in": "oauth2"}, "has no setting 'sign_in'", ""),
        ("kinto", {"client_id": "us"}, "has no setting 'client_id'", ""),
        ("mail", {**BOX, "sign_in": "oauth2"}, "needs token_url", "give token_url"),
    ],
)
def test_what_does_not_fit_is_said(provider: str, settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        aios_connect.connect(provider, **settings)
    assert hint in caught.value.hint


def test_a_way_needs_what_its_addresses_are_made_of() -> None:
    password, oauth = Mail.spec.auth
    assert "token_url" not in {one.name for one in needed_settings(Mail.spec, password)}
    assert "token_url" in {one.name for one in needed_settings(Mail.spec, oauth)}
    assert plain_settings(Mail.spec, BOX)["sign_in"] == "password"


def test_every_provider_with_oauth_takes_a_client_id() -> None:
    assert "client_id" in setting_names(HubSpot.spec)
    assert not {"sign_in", "client_id"} & set(setting_names(replace(HubSpot.spec, auth=HubSpot.spec.auth[:1])))
    assert "sign_in" not in setting_names(replace(HubSpot.spec, auth=HubSpot.spec.auth[1:]))


def test_a_secret_of_any_way_stays_a_secret() -> None:
    assert {"key", "client_secret", "refresh_token"} <= set(secret_names(HubSpot.spec))


def test_a_provider_may_let_in_who_does_not_sign_in() -> None:
    spec = replace(HubSpot.spec, auth=(Auth("key", "A key."), Auth("none", "Anybody may read.")))
    assert (way_of(spec, {}).kind, way_of(spec, {"sign_in": "none"}).kind) == ("key", "none")
