"""OAuth 2.0 at a vendor's token address: Authlib speaks, the HTTP seam carries (RFC 6749, 7009, 7636, 8628)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from aios_connect.errors import AuthError, ProviderError, TruncatedError

from .classify import vendor_words
from .http import Http, Timeouts
from .redaction import remember
from .response import Response
from .spec import Auth

__all__ = ["DeviceCode", "Grant", "OAuthRefusedError", "TokenEndpoint", "token_http"]

_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_OURS = frozenset({"invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type", "invalid_request"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token address gave.

    Attributes:
        access_token: Signs requests.
        refresh_token: Gets the next access token; empty if there is none, or the one used stays good.
        expires_at: Epoch seconds, if the vendor says.
        lifetime: Seconds the access token lives, if the vendor says.
        more: What else came as text, such as the address of the account's own server.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float | None
    lifetime: float | None
    more: Mapping[str, str] = field(default_factory=dict, repr=False)

    def values(self) -> dict[str, str]:
        """As it is kept in the token store."""
        values = {**self.more, "access_token": self.access_token}
        if self.refresh_token:
            values["refresh_token"] = self.refresh_token
        if self.lifetime is not None:
            values["lifetime"] = str(self.lifetime)
        return values


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a vendor says when consent is to come from another device (RFC 8628, 3.2).

    Attributes:
        device_code: Stands for this attempt; a secret.
        user_code: What the person types.
        address: Where the person types it.
        direct: An address that has the code in it already; empty if there is none.
        lifetime: Seconds both codes are good for.
        interval: Seconds between two questions whether it was typed.
    """

    device_code: str = field(repr=False)
    user_code: str
    address: str
    direct: str
    lifetime: float
    interval: float


class OAuthRefusedError(AuthError):
    """The token address said no.

    Attributes:
        code: In the words of RFC 6749, 5.2: ``invalid_grant``, ``invalid_client``, ...
    """

    code = ""

    @property
    def lost(self) -> bool:
        """The grant itself is no longer good: only a person can connect again. Else our client is set up wrongly."""
        return self.code not in _OURS


def token_http(provider: str, **settings: Any) -> Http:
    """The way to a token address: impatient, so that no refresh outlasts its lease.

    Args:
        provider: Slug.
        **settings: ``transport``, ``verify``, ``proxy``, ``trust_env``, ``now``, ``sleep`` as for :class:`Http`.
    """
    return Http(provider=provider, timeout=Timeouts(connect=5, read=10, total=15), max_wait=5, attempts=2, **settings)


class TokenEndpoint:
    """One vendor's token address, spoken to as one client.

    Args:
        auth: The ``oauth2`` entry of the connector's spec.
        http: See :func:`token_http`.
        client_id: Of our application at the vendor.
        client_secret: Of our application; empty for a public client.
        settings: Fill ``{name}`` in the addresses of ``auth``.
        now: The clock.
    """

    def __init__(
        self,
        auth: Auth,
        http: Http,
        *,
        client_id: str,
        client_secret: str,
        now: Callable[[], datetime],
        settings: Mapping[str, str] | None = None,
    ) -> None:
        from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]

        remember(client_secret)
        self._http = http
        self._now = now
        self._fill = settings or {}
        self._auth = auth
        self._session = _Session(http)
        method = "none" if not client_secret else "client_secret_basic" if auth.client_auth == "basic" else "client_secret_post"
        self._client = OAuth2Client(
            session=self._session,
            client_id=client_id,
            client_secret=client_secret or None,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            code_challenge_method="S256",
        )

    def authorize_url(self, *, redirect_uri: str, state: str, verifier: str) -> str:
        """Where a person consents, with PKCE."""
        url, _ = self._client.create_authorization_url(
            self._auth.authorize_url.format(**self._fill),
            state=state,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
            scope=" ".join(self._auth.asked(self._fill)) or None,
        )
        return str(url)

    def from_code(self, code: str, *, redirect_uri: str, verifier: str) -> Grant:
        """The grant a person consented to.

        Raises:
            OAuthRefusedError: The vendor refuses.
        """
        remember(code, verifier)
        return self._fetch("authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)

    def from_client(self) -> Grant:
        """A grant for the client itself.

        Raises:
            OAuthRefusedError: The vendor refuses.
        """
        scope = {"scope": " ".join(scopes)} if (scopes := self._auth.asked(self._fill)) else {}
        return self._fetch("client_credentials", **scope)

    def refresh(self, refresh_token: str) -> Grant:
        """The next access token. The scope is not asked for again: strict servers refuse what was not granted to the letter.

        Raises:
            OAuthRefusedError: The vendor refuses; :attr:`OAuthRefusedError.lost` says whether a person is needed.
        """
        return self._fetch("refresh_token", refresh_token=refresh_token)

    def device(self) -> DeviceCode:
        """Begin a consent on another device.

        Raises:
            OAuthRefusedError: The vendor refuses.
        """
        proof = self._client.client_auth(self._client.token_endpoint_auth_method)
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        scope = {"scope": " ".join(scopes)} if (scopes := self._auth.asked(self._fill)) else {}
        url = self._auth.device_url.format(**self._fill)
        told = self._session.post(url, data=scope, headers=headers, auth=proof).json()
        try:
            asked = DeviceCode(
                device_code=str(told["device_code"]),
                user_code=str(told["user_code"]),
                # Google spells it with an l: https://developers.google.com/identity/protocols/oauth2/limited-input-device
                address=str(told.get("verification_uri") or told["verification_url"]),
                direct=str(told.get("verification_uri_complete") or ""),
                lifetime=float(told["expires_in"]),
                interval=float(told.get("interval") or 5),
            )
        except (KeyError, TypeError, ValueError):
            provider = self._http.provider
            raise TruncatedError(f"the device address of {provider} answered without a code", provider=provider) from None
        remember(asked.device_code)
        return asked

    def from_device(self, device_code: str) -> Grant:
        """The grant a person consented to on another device.

        Raises:
            OAuthRefusedError: The vendor refuses, or nobody consented yet (``authorization_pending``, ``slow_down``).
        """
        return self._fetch(_DEVICE, device_code=device_code)

    def revoke(self, token: str) -> None:
        """Tell the vendor to forget a token (RFC 7009), where it offers that.

        Raises:
            OAuthRefusedError: The vendor refuses.
        """
        if self._auth.revoke_url:
            self._client.revoke_token(self._auth.revoke_url.format(**self._fill), token=token)

    def _fetch(self, grant_type: str, **values: str) -> Grant:
        token = self._client.fetch_token(self._auth.token_url.format(**self._fill), grant_type=grant_type, **values)
        return self._read(token)

    def _read(self, token: Mapping[str, Any]) -> Grant:
        access = token.get("access_token")
        if not isinstance(access, str) or not access:
            raise TruncatedError(
                f"the token address of {self._http.provider} answered without a token", provider=self._http.provider
            )
        refresh = token.get("refresh_token")
        remember(access, *([refresh] if isinstance(refresh, str) else []))
        try:
            lifetime = float(token["expires_in"])
        except (KeyError, TypeError, ValueError):
            lifetime = None
        known = {"access_token", "refresh_token", "expires_in", "expires_at"}
        return Grant(
            access_token=access,
            refresh_token=refresh if isinstance(refresh, str) else "",
            expires_at=None if lifetime is None else self._now().timestamp() + lifetime,
            lifetime=lifetime,
            more={name: value for name, value in token.items() if name not in known and isinstance(value, str)},
        )


class _Session:
    """What Authlib takes for an HTTP client: our seam, with the answers it looks at."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Reply:
        """Send a form, signed by Authlib's client authentication.

        It may be sent twice: if the first one got through, the refresh token it carried is used up whether we ask again or not.
        """
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        response = self._http.request("POST", url, content=body.encode(), headers=headers, safe=True, classify=_refusal)
        return _Reply(response)


class _Reply:
    def __init__(self, response: Response) -> None:
        self.status_code = response.status
        self._response = response

    def json(self) -> Any:
        body = self._response.json()
        if not isinstance(body, dict):
            provider = self._response.provider
            raise TruncatedError(f"the token address of {provider} answered without a token", provider=provider)
        return body

    def raise_for_status(self) -> None:
        """Nothing to raise: the seam has raised already."""


def _refusal(response: Response) -> ProviderError | None:
    if response.status >= 500 or response.status == 429:
        return None
    body = response.json_or_none() if response.content else None
    code = body.get("error") or body.get("status") if isinstance(body, dict) else None
    if response.status < 400 and not (isinstance(body, dict) and body.get("error")):
        return None
    error = OAuthRefusedError(
        f"the token address of {response.provider} refused: {vendor_words(response) or response.status}",
        provider=response.provider,
        status=response.status,
        request_id=response.request_id,
    )
    error.code = code if isinstance(code, str) else ""
    return error
