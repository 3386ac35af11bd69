"""A real OAuth 2.0 authorization server on loopback: Canaille, as pytest-iam brings it up, in a process of its own.

with iam(folder, progress=print) as server:
    client = server.register(redirect="http://127.0.0.1:8976/callback")

Code with PKCE (RFC 7636), refresh with rotation, revocation (RFC 7009), registration (RFC 7591), and the pages where people sign in,
consent and take their consent back are Canaille's. It offers no device flow: the addresses of RFC 8628 are Authlib's own server part,
put into the same process, with the page where a person types the code.

It keeps everything in SQLite, not in memory as pytest-iam does: of a question with several conditions the memory backend of 0.3.6 takes what
fulfils any of them, so that a consent given to one application counted for all.

Its access tokens are JSON Web Tokens that say the second they were made in and no ``jti``: two of one application and one second are the
same text, and the one that lives is taken for the one that was revoked. So each gets a ``nonce`` here.
"""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .running import Say, installed, nobody, running, version_of

__all__ = ["IamClient", "IamServer", "iam"]

USER: Final = "persephone"
PASSWORD: Final = "only-on-loopback"  # noqa: S105 # of a server that dies with its test
_PINS: Final = Path(__file__).with_suffix(".txt")
_PROGRAM: Final = """
import os, sys, time, uuid

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback

import pytest_iam
from authlib.oauth2 import rfc8628
from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.oidc import provider
from flask import g, redirect, request, session
from joserfc.jwk import JWKRegistry

port, user, password, code_lifetime, token_lifetime = int(sys.argv[1]), *sys.argv[2:4], *map(int, sys.argv[4:6])
home = f"http://127.0.0.1:{port}"
provider.AUTHORIZATION_CODE_LIFETIME = code_lifetime
signed = provider.generate_id_token  # of access tokens only: id tokens are made elsewhere
provider.generate_id_token = lambda **claims: signed(**claims, nonce=str(uuid.uuid4()))
key = JWKRegistry.generate_key("RSA", 2048)
key.ensure_kid()
app = create_app(config={
    "ENV_FILE": None,
    "SECRET_KEY": str(uuid.uuid4()),
    "SERVER_NAME": f"127.0.0.1:{port}",
    "PREFERRED_URL_SCHEME": "http",
    "SESSION_COOKIE_SECURE": False,
    "OAUTH2_TOKEN_EXPIRES_IN": dict.fromkeys(("authorization_code", "refresh_token"), token_lifetime),
    "CANAILLE_SQL": {
        "DATABASE_URI": "sqlite:///" + os.path.abspath("canaille.sqlite"),
        "PASSWORD_SCHEMES": "plaintext",  # of a server that dies with its test
    },
    "CANAILLE": {"DATABASE": "sql", "JAVASCRIPT": False, "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}}},
    "CANAILLE_OIDC": {"DYNAMIC_CLIENT_REGISTRATION_OPEN": True, "REQUIRE_NONCE": False, "ACTIVE_JWKS": [key.as_dict(private=True)]},
})
server = pytest_iam.Server(app, port, Backend.instance, logging=True)
with app.app_context():
    Backend.instance.save(models.User(
        user_name=user, password=password, formatted_name="Persephone Lidell", family_name="Lidell", emails=["persephone@example.org"],
    ))

asked, answered = {}, {}


class Device(rfc8628.DeviceAuthorizationEndpoint):
    INTERVAL = 1

    def get_verification_uri(self):
        return home + "/device"

    def save_device_credential(self, client_id, scope, data):
        until = int(time.time()) + data["expires_in"]
        asked[data["device_code"]] = rfc8628.DeviceCredentialDict(client_id=client_id, scope=scope, expires_at=until, **{
            name: value for name, value in data.items() if name != "expires_in"
        })


class DeviceGrant(rfc8628.DeviceCodeGrant):
    def query_device_credential(self, device_code):
        return asked.get(device_code)

    def query_user_grant(self, user_code):
        return answered.get(user_code)

    def should_slow_down(self, credential):
        return False


granted = models.Client.check_grant_type  # it registers no grant that it does not know
models.Client.check_grant_type = lambda self, name: name == rfc8628.DEVICE_CODE_GRANT_TYPE or granted(self, name)
provider.authorization.register_endpoint(Device)
provider.authorization.register_grant(DeviceGrant)


@app.post("/oauth/device")
def device():
    return provider.authorization.create_endpoint_response(Device.ENDPOINT_NAME)


@app.route("/device", methods=["GET", "POST"])
def typed():
    if not (g.session and g.session.user):
        session["redirect-after-login"] = request.url
        return redirect("/login")
    if "answer" in request.form:
        answered[request.form["user_code"]] = (g.session.user, request.form["answer"] == "accept")
        return "thank you"
    code = request.args.get("user_code", "")
    return f'<form method="post"><input name="user_code" value="{code}"><button name="answer" value="accept">yes</button></form>'


from canaille.app.flask import csrf
csrf.exempt(device)
csrf.exempt(typed)
server.httpd.serve_forever()
"""


@dataclass(frozen=True, slots=True)
class IamClient:
    """An application that is known to the server.

    Attributes:
        id: Its id.
        secret: Its secret; empty for a public one.
    """

    id: str
    secret: str


class IamServer:
    """A running server. People sign in as ``USER`` with ``PASSWORD``.

    Attributes:
        url: Its address.
        title: Its name and version, ``"Canaille 0.3.6"``.
    """

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self.title = f"Canaille {version_of('canaille', _PINS)}"
        self._log = log

    def register(self, *, redirect: str, public: bool = False, scope: str = "openid profile email") -> IamClient:
        """Make an application known.

        Args:
            redirect: Where browsers come back to, to the letter: this server knows no free choice of the port.
            public: It has no secret.
            scope: What it may ask for.
        """
        told: dict[str, Any] = {
            "client_name": "aios-connect",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": scope,
            "token_endpoint_auth_method": "none" if public else "client_secret_basic",
        }
        request = urllib.request.Request(  # noqa: S310 # loopback
            f"{self.url}/oauth/register", json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            made = json.loads(answer.read())
        return IamClient(made["client_id"], "" if public else made["client_secret"])

    def requests(self, path: str) -> int:
        """How many requests came to a path so far."""
        # It takes one request after the other and logs each when it is done: what came before this one is in the log.
        urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=30).close()  # noqa: S310
        return sum(f" {path} HTTP/" in line or f" {path}?" in line for line in self._log.read_text().splitlines())


@contextlib.contextmanager
def iam(folder: Path, *, code_lifetime: int = 300, token_lifetime: int = 3600, progress: Say = nobody) -> Iterator[IamServer]:
    """Start an authorization server, and stop it in the end.

    Args:
        folder: Where its program and its log go; made if missing.
        code_lifetime: Seconds a code is good for; below zero it has expired before anybody can use it.
        token_lifetime: Seconds a token is good for. Canaille's refresh tokens end with their access tokens.
        progress: Is told what is going on, a sentence at a time.

    Raises:
        RuntimeError: It cannot be installed or does not start; the log says why.
    """
    programs = installed("Canaille", _PINS, progress)

    def command(port: int) -> list[str]:
        (folder / "program.py").write_text(_PROGRAM)
        told = [str(port), USER, PASSWORD, str(code_lifetime), str(token_lifetime)]
        return [str(programs / "python"), "-u", "program.py", *told]

    progress("starting Canaille")
    with running("Canaille", command, folder, ready="/.well-known/openid-configuration") as (url, _):
        yield IamServer(url, folder / "server.log")
