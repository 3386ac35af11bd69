"""How Google is spoken to: one request at a time, or fifty as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from aios_connect.connectors import (
    AmbiguousWriteError,
    Context,
    ProviderError,
    RateLimitedError,
    Response,
    TruncatedError,
    UnavailableError,
)
from aios_connect.connectors.classify import by_status, retry_after

from ._apis import Api
from ._batch import BOUNDARY, MOST, Ask, decode, encode
from ._errors import classifier

__all__ = ["Told", "Wire"]

Told: TypeAlias = "dict[str, Any] | ProviderError"
"""What became of one request of a batch: its answer, or the error that it stands for."""

_WAITS: Final = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds until what was put off is sent again; together longer than the minute that Google's limits are for."""

_LONGEST: Final = 60.0
_PAIRS: TypeAlias = Mapping[str, "str | Sequence[str]"]


class Wire:
    """One account's way to Google's APIs.

    Args:
        context: Of the connection. With the setting ``url`` all APIs are there: a fake, a proxy.
    """

    def __init__(self, context: Context) -> None:
        self._http = context.http
        self._url = context.settings.get("url", "").rstrip("/")
        self._now = context.now
        self._sleep = context.sleep

    def get(self, api: Api, path: str, object: str, *, params: _PAIRS | None = None, cost: int = 1) -> dict[str, Any]:
        """An answer to a question."""
        return self.send(api, "GET", path, object, params=params, safe=True, cost=cost)

    def send(
        self,
        api: Api,
        method: str,
        path: str,
        object: str,
        body: Any = None,
        *,
        params: _PAIRS | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool = False,
        lines: Sequence[str] = (),
        cost: int = 1,
    ) -> dict[str, Any]:
        """An answer to a request; empty where Google answers without one.

        Args:
            api: Which API.
            method: ``GET``, ``POST``, ...
            path: Below the root of the API.
            object: What it is about.
            body: As JSON.
            params: Query parameters.
            headers: More headers.
            safe: It may be sent twice without harm; it is no write.
            lines: Ids of the plan lines that it carries out.
            cost: What it counts as.
        """
        response = self._http.request(
            method,
            f"{self._url or api.host}/{api.root}/{path}",
            params=params,
            json=body,
            headers=headers,
            object=object,
            safe=safe,
            lines=lines,
            scope=api.name,
            cost=cost,
            classify=classifier(object, write=not safe),
        )
        return _body(response, object)

    def batch(self, api: Api, asks: Sequence[Ask], object: str, *, safe: bool = False, cost: int = 1) -> list[Told]:
        """What became of each request, in the order given. Those that Google puts off are sent again, and only those.

        Args:
            api: Which API; one batch goes to one.
            asks: Any number for questions; at most :data:`MOST` for writes, so that an error means that nothing was written.
            object: What they are about.
            safe: They may be sent twice without harm; they are no writes.
            cost: What each of them counts as.

        Raises:
            ProviderError: There is no answer at all.
        """
        told: list[Told] = []
        for start in range(0, len(asks), MOST):
            told += self._part(api, asks[start : start + MOST], object, safe, cost)
        return told

    def _part(self, api: Api, asks: Sequence[Ask], object: str, safe: bool, cost: int) -> list[Told]:
        told = self._round(api, asks, object, safe, cost)
        for wait in _WAITS:
            again = [place for place, one in enumerate(told) if _is_put_off(one, safe)]
            if not again:
                break
            asked = max((one.retry_after or 0.0 for one in told if isinstance(one, RateLimitedError)), default=0.0)
            if asked > _LONGEST:
                break
            self._sleep(max(wait, asked))
            try:
                news = self._round(api, [asks[place] for place in again], object, safe, cost)
            except (AmbiguousWriteError, TruncatedError) as error:
                news = [error] * len(again)
            except ProviderError:
                if safe:
                    raise
                break  # they stay put off
            for place, one in zip(again, news, strict=True):
                told[place] = one
        return told

    def _round(self, api: Api, asks: Sequence[Ask], object: str, safe: bool, cost: int) -> list[Told]:
        classify = classifier(object, write=not safe)
        found: dict[int, Response] = {}

        def whole(response: Response) -> ProviderError | None:
            if response.status != 200:
                return classify(response)
            try:
                found.update(decode(response, object))
            except TruncatedError as error:
                return error
            return None

        self._http.request(
            "POST",
            f"{self._url or api.host}/{api.batch}",
            content=encode(asks, api.root),
            headers={"Content-Type": f'multipart/mixed; boundary="{BOUNDARY}"', "Accept": "multipart/mixed"},
            object=object,
            safe=safe,
            lines=[ask.line for ask in asks if ask.line],
            scope=api.name,
            cost=cost * len(asks),
            classify=whole,
        )
        return [self._one(found.get(number), classify, object) for number in range(len(asks))]

    def _one(self, response: Response | None, classify: Any, object: str) -> Told:
        if response is None:
            return TruncatedError("google does not say what became of it", provider="google", object=object)
        error: ProviderError | None = classify(response) or by_status(response, now=self._now())
        if isinstance(error, RateLimitedError) and error.retry_after is None:
            error.retry_after = retry_after(response.headers, self._now())
        if error is not None:
            return error
        try:
            return _body(response, object)
        except ProviderError as broken:
            return broken


def _is_put_off(told: Told, safe: bool) -> bool:
    """It was certainly not carried out, or it does no harm to ask again."""
    return isinstance(told, RateLimitedError) or (safe and isinstance(told, UnavailableError | TruncatedError))


def _body(response: Response, object: str) -> dict[str, Any]:
    if response.status == 204:
        return {}
    body = response.json()
    if not isinstance(body, dict):
        raise TruncatedError("an answer of google is not an object", provider="google", object=object)
    return body
