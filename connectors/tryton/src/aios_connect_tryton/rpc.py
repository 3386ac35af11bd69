"""One account's conversation with one Tryton database.

A session is opened with the password and used from then on: Tryton checks a password slowly, on purpose, and it would do so on every
call.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from aios_connect.connectors import (
    AmbiguousWriteError,
    AuthError,
    Context,
    NotFoundError,
    ProviderError,
    RejectedError,
    Response,
    TruncatedError,
)
from aios_connect.connectors.redaction import remember

from .wire import decoded, refusal

__all__ = ["Rpc"]


class Rpc:
    """Calls methods, signs in when it has to, and keeps an eye on the server's clock.

    Args:
        context: What the connection hands in. The settings ``database`` and ``user`` are needed.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._provider = context.http.provider
        self._path = f"{quote(context.settings['database'])}/rpc/"
        self._session = ""
        self._skew = timedelta(0)
        self._count = 0
        self._preferences: dict[str, Any] | None = None
        self._fields: dict[str, dict[str, Any]] = {}

    def call(
        self,
        method: str,
        *params: Any,
        object: str = "",
        safe: bool = True,
        lines: Sequence[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a method; the result as plain JSON.

        Args:
            method: Tryton's name of it: ``model.party.party.read``.
            *params: What it takes, without the context at the end.
            object: Ours, for errors.
            safe: It changes nothing, so it may be sent again.
            lines: Ids of the plan lines it carries out.
            context: Tryton's context.

        Raises:
            ProviderError: It was refused, or it is not known what became of it.
        """
        body = {"method": method, "params": [*params, dict(context or {})]}
        if not self._session:
            self._sign_in()
        try:
            return self._send(body, {"Authorization": self._session}, object, safe, lines)
        except AuthError as error:
            if error.status != 401:
                raise
        self._sign_in()  # the session has ended; nothing was done
        return self._send(body, {"Authorization": self._session}, object, safe, lines)

    def series(self) -> str:
        """The server's series, ``"8.2"``. Needs no sign-in."""
        return str(self._post("rpc/", {"method": "common.server.version", "params": []}, {}, "", True, ()))

    def company(self) -> dict[str, Any]:
        """The context of a company's records: the user's own company and employee."""
        preferences = self.preferences()
        return {name: preferences[name] for name in ("company", "employee") if preferences.get(name) is not None}

    def preferences(self) -> dict[str, Any]:
        """What the user has chosen, as Tryton keeps it."""
        if self._preferences is None:
            self._preferences = dict(self.call("model.res.user.get_preferences", True))
        return self._preferences

    def fields(self, model: str, object: str = "") -> dict[str, Any]:
        """Tryton's live description of a model's fields, asked for once."""
        if model not in self._fields:
            self._fields[model] = self.call(f"model.{model}.fields_get", None, object=object)
        return self._fields[model]

    def clock(self) -> datetime:
        """The server's present instant, or a little earlier; never later.

        From the ``Date`` of its last answer, which has no fractions of a second, and our own clock since.
        """
        return self._context.now() + self._skew

    def _sign_in(self) -> None:
        user, password = self._context.settings["user"], self._context.credentials.secret("password")
        ask = {"method": "common.db.login", "params": [user, {"password": password}]}
        try:
            try:
                session = self._send(ask, {}, "", True, ())
            except RejectedError:
                # A server that was just started takes no login before it has loaded the database; any other call makes it do so.
                basic = base64.b64encode(f"{user}:{password}".encode()).decode()
                remember(basic)
                load = {"method": "model.res.user.get_preferences", "params": [True, {}]}
                self._send(load, {"Authorization": f"Basic {basic}"}, "", True, ())
                session = self._send(ask, {}, "", True, ())
        except AuthError as error:
            raise AuthError(
                f"Tryton did not accept the password of {user!r} for the database {self._context.settings['database']!r}",
                hint=f"aios connect {self._context.connection}",
                provider=self._provider,
                status=error.status,
            ) from None
        if not isinstance(session, list) or len(session) < 2:
            raise TruncatedError("Tryton answered a sign-in without a session", provider=self._provider)
        token = base64.b64encode(f"{user}:{session[0]}:{session[1]}".encode()).decode()
        remember(str(session[1]), token)
        self._session = f"Session {token}"

    def _send(self, body: Mapping[str, Any], headers: Mapping[str, str], object: str, safe: bool, lines: Sequence[str]) -> Any:
        return self._post(self._path, body, headers, object, safe, lines)

    def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str], object: str, safe: bool, lines: Sequence[str]
    ) -> Any:
        self._count += 1
        number, results = self._count, []

        def classify(response: Response) -> ProviderError | None:
            if response.status != 200:
                return self._no_database(response)
            try:
                body = _envelope(response, number)
            except ProviderError as error:
                return error if safe else _unknown(error)
            if "error" in body:
                return refusal(body["error"], self._provider, object)
            results.append(body["result"])
            return None

        response = self._context.http.request(
            "POST",
            path,
            json={"id": number, **body},
            headers=headers,
            safe=safe,
            lines=lines,
            object=object,
            classify=classify,
        )
        self._look_at_the_clock(response)
        if not results:
            raise TruncatedError(
                f"Tryton answered {response.status} without a result",
                provider=self._provider,
                object=object,
                status=response.status,
            )
        return decoded(results[-1])

    def _no_database(self, response: Response) -> ProviderError | None:
        if response.status == 404 or (response.status == 503 and "exist" in response.text):
            return NotFoundError(
                f"Tryton has no database {self._context.settings['database']!r}",
                hint="correct database, or url, in the settings of the connection",
                provider=self._provider,
                status=response.status,
            )
        return None

    def _look_at_the_clock(self, response: Response) -> None:
        try:
            date = parsedate_to_datetime(response.headers.get("date", ""))
        except (TypeError, ValueError):
            return
        self._skew = (date if date.tzinfo else date.replace(tzinfo=UTC)) - self._context.now()


def _envelope(response: Response, number: int) -> dict[str, Any]:
    """The answer to request ``number``: with a ``result`` or an ``error``."""
    body = response.json()
    if isinstance(body, dict) and body.get("id") == number and ("result" in body or "error" in body):
        return body
    raise TruncatedError(
        "Tryton's answer does not belong to the question",
        provider=response.provider,
        object=response.object,
        status=response.status,
    )


def _unknown(error: ProviderError) -> AmbiguousWriteError:
    return AmbiguousWriteError(
        f"{error.message}; whether the call was carried out is not known",
        hint="look the record up before anything is sent again",
        provider=error.provider,
        object=error.object,
        status=error.status,
    )
