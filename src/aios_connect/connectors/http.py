"""The one way to the network: retries, limits, credentials and errors, the same for every connector.

What may be sent twice is sent again when nobody answers. What may not (``safe=False``) is sent again only when it was certainly
not processed: nobody took the connection, or the vendor said so (429, or 503 with ``Retry-After``). Anything else that happens to
it after it was sent is an :class:`~aios_connect.errors.AmbiguousWriteError`: look it up.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import tenacity

from aios_connect.errors import (
    AmbiguousWriteError,
    AuthError,
    ConfigError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)

from .budget import Allowance, applying
from .classify import REDIRECTS, by_status, retry_after, said_left
from .exchange import Answer, BrokenError, Params, Timeouts, UnreachedError, Wire
from .redaction import redact
from .response import Response

if TYPE_CHECKING:
    import httpx2

    from .budget import Budget
    from .spec import Limit

__all__ = ["PLAN_LINES", "Http", "Signer", "Timeouts"]

_log = logging.getLogger("aios_connect.http")

PLAN_LINES: Final = "Aios-Plan-Line"
"""The header that names the plan lines a request carries out: ``a,b,+1998``, the number standing for those that did not fit."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0
_DAY: Final = 86_400.0
_LARGEST: Final = 64 * 2**20
_LINES_LENGTH: Final = 4000  # many servers refuse headers beyond 8 kB


class Signer(Protocol):
    """What :class:`Http` needs of credentials."""

    def headers(self) -> Mapping[str, str]:
        """Headers that prove who we are, refreshed before they expire."""

    def refresh(self, rejected: Mapping[str, str]) -> bool:
        """Get newer ones after these were rejected. False if there are none to get."""


@dataclass(slots=True)
class _Call:
    method: str
    url: str
    params: Params | None
    content: bytes | None
    headers: dict[str, str]
    safe: bool
    signer: Signer | None
    scope: str
    cost: int
    object: str
    classify: Callable[[Response], ProviderError | None] | None
    renewed: bool = False


class _FailedError(Exception):
    """An attempt that failed, whether another one is permitted, and the seconds the vendor asks to wait."""

    def __init__(self, error: ProviderError, again: bool, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.again = again
        self.wait = wait


class Http:
    """One account's way to one provider. Opens nothing before the first request; safe to use from several threads.

    Args:
        provider: Slug, for errors and the user agent.
        base_url: Where relative addresses start. Credentials go to this origin only; with ``""`` they go wherever a request goes.
        credentials: Who signs the requests, if anybody.
        limits: The provider's rates and quotas.
        budget: Who keeps them; without one they are not kept.
        account: Whose limits these are; the provider and its origin, unless given.
        transport: An httpx2 transport instead of the network: a cassette, a sandbox, ``httpx2.MockTransport``.
        timeout: How long to be patient; a number is the time to read.
        verify: Check certificates: with the machine's authorities (``True``), those of a PEM file or folder, or not (``False``).
        proxy: Address of a proxy.
        trust_env: Let ``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` have a say.
        now: The clock.
        sleep: How to wait, in seconds.
        max_wait: Seconds one request waits between its attempts, all together.
        attempts: How often one request is tried at most.
        max_size: Bytes of the largest answer, decompressed.
        jitter: A number in [0, 1), so that processes do not retry in step.

    Attributes:
        odd_bodies: How many bodies broke the rules of JSON and were read leniently.
    """

    def __init__(
        self,
        *,
        provider: str,
        base_url: str = "",
        credentials: Signer | None = None,
        limits: Sequence[Limit] = (),
        budget: Budget | None = None,
        account: str = "",
        transport: httpx2.BaseTransport | None = None,
        timeout: Timeouts | float = Timeouts(),
        verify: bool | str | Path = True,
        proxy: str | None = None,
        trust_env: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        max_wait: float = 120.0,
        attempts: int = 6,
        max_size: int = _LARGEST,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.provider = provider
        self.base_url = base_url.rstrip("/")
        self.account = account or f"{provider}:{_origin(base_url)}"
        self.odd_bodies = 0
        self._credentials = credentials
        self._limits = tuple(limits)
        self._budget = budget if self._limits else None
        self._now = now
        self._sleep = sleep
        self._max_wait = max_wait
        self._attempts = attempts
        self._jitter = jitter
        self._wire = Wire(
            agent=f"aios-connect/{_version()} ({provider})",
            transport=transport,
            timeouts=timeout if isinstance(timeout, Timeouts) else Timeouts(read=timeout),
            verify=verify,
            proxy=proxy,
            trust_env=trust_env,
            largest=max_size,
        )

    def __repr__(self) -> str:
        return f"<Http {redact(self.account)}>"

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        json: Any = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
        lines: Sequence[str] = (),
        scope: str = "",
        cost: int = 1,
        object: str = "",
        classify: Callable[[Response], ProviderError | None] | None = None,
    ) -> Response:
        """Send one request and bring its answer, or the error it stands for.

        Args:
            method: ``GET``, ``POST``, ...
            url: Relative to ``base_url``, or whole.
            params: Query parameters.
            json: A body as JSON; :class:`~decimal.Decimal` goes out as a number, digit by digit.
            content: A body as bytes.
            form: A body as a form.
            headers: More headers. An ``Authorization`` here stands in for the credentials.
            safe: It may be sent again without harm. ``GET``, ``HEAD`` and ``OPTIONS`` are; a search by ``POST`` must say so.
            lines: Ids of the plan lines that this request carries out.
            scope: Label of the limit that this call falls under.
            cost: Calls, or units, that it counts as: of a batch, what is in it.
            object: The vendor's object, for errors.
            classify: What this answer means at this vendor, asked before the status is looked at: the error it is, or ``None``.

        Raises:
            ProviderError: One of its kinds; see :mod:`aios_connect.errors`.
        """
        sent = {"accept": "application/json"} | {name.lower(): value for name, value in (headers or {}).items()}
        if json is not None:
            content = self._encode(json, object)
            sent.setdefault("content-type", "application/json")
        elif form is not None:
            content = urlencode(form).encode()
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        if lines:
            sent[PLAN_LINES] = _join(lines)
        whole = url if "://" in url else f"{self.base_url}/{url.lstrip('/')}" if url else self.base_url
        ours = not self.base_url or _origin(whole) == _origin(self.base_url)
        call = _Call(
            method=method.upper(),
            url=whole,
            params=params,
            content=content,
            headers=sent,
            safe=method.upper() in _SAFE if safe is None else safe,
            signer=self._credentials if ours and "authorization" not in sent else None,
            scope=scope,
            cost=cost,
            object=object,
            classify=classify,
        )
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, _FailedError) and error.again),
            wait=self._wait,
            stop=self._stop,
            sleep=self._sleep,
            before_sleep=_say,
            reraise=True,
        )
        try:
            return retrying(self._attempt, call)
        except _FailedError as failed:
            raise failed.error from None

    def allowance(self) -> Allowance | None:
        """What the provider lets this account do in a day; ``None`` if it says nothing of days."""
        days = [limit for limit in self._limits if limit.seconds >= _DAY and not limit.scope]
        if self._budget is None or not days:
            return None
        day = min(days, key=lambda limit: limit.seconds)
        daily = self._budget.allowed(self.account, day)
        return Allowance(self.account, daily, self._budget.used(self.account, day), int(daily * day.reserve))

    def close(self) -> None:
        """Give back the connections. Safe to call twice; the next request opens new ones."""
        self._wire.close()

    def _attempt(self, call: _Call) -> Response:
        self._wire.open()  # it takes a moment, which must not pass between counting a call and sending it
        since = self._budget.acquire(self.account, call.scope, self._limits, call.cost) if self._budget else 0.0
        signature = dict(call.signer.headers()) if call.signer else {}
        try:
            response = self._send(call, signature)
        finally:
            if self._budget:
                self._budget.answered(self.account, call.scope, self._limits, since=since, cost=call.cost)
        error = call.classify(response) if call.classify else None
        if error is not None:
            known = True
        else:
            known = False
            error = by_status(response, now=self._now())
            # a 404 that is a web page stays a 404: HubSpot itself sends such; where a vendor does not, `classify` says so
            if error is None and response.is_web_page and "json" in call.headers["accept"]:
                error = response.web_page()
        if error is None:
            self._listen(call, response)
            return response
        error.object = error.object or call.object
        if isinstance(error, AuthError) and 401 in (response.status, error.status) and call.signer and not call.renewed:
            call.renewed = True
            if call.signer.refresh(signature):
                return self._attempt(call)
        wait = retry_after(response.headers, self._now())
        if isinstance(error, RateLimitedError):
            wait = error.retry_after = error.retry_after if error.retry_after is not None else wait
            if self._budget and wait:
                self._budget.close(self.account, call.scope, self._limits, seconds=wait)
            raise _FailedError(error, again=True, wait=wait)
        if not isinstance(error, UnavailableError | TruncatedError):
            raise _FailedError(error, again=False)
        moved = response.status in REDIRECTS
        refused = response.status == 503 and wait is not None
        if call.safe or known or refused or moved:
            raise _FailedError(error, again=(call.safe or refused) and not moved, wait=wait)
        raise _FailedError(self._ambiguous(call, error.message, response.status, response.request_id), again=False)

    def _send(self, call: _Call, signature: Mapping[str, str]) -> Response:
        started = time.monotonic()
        try:
            answer = self._wire.exchange(call.method, call.url, call.params, call.content, {**call.headers, **signature})
        except UnreachedError as unreached:
            error = UnavailableError(
                f"{self.provider}: {unreached}", hint=unreached.hint, provider=self.provider, object=call.object
            )
            raise _FailedError(error, again=unreached.again) from None
        except BrokenError as broken:
            if broken.answer is None or broken.answer.status < 400:
                raise self._broken(call, broken) from None
            answer = broken.answer  # it failed; that the explanation is cut off does not matter
        response = self._response(answer, call.object)
        if _log.isEnabledFor(logging.DEBUG):
            took = time.monotonic() - started
            _log.debug("%s %s -> %d, %d bytes, %.3f s", call.method, call.url, answer.status, len(answer.content), took)
        return response

    def _broken(self, call: _Call, broken: BrokenError) -> _FailedError:
        message = f"{self.provider}: {broken}"
        response = self._response(broken.answer or Answer(0, {}, b""), call.object)
        if not call.safe:
            return _FailedError(self._ambiguous(call, message, response.status, response.request_id), again=False)
        error = broken.kind(
            message, provider=self.provider, object=call.object, status=response.status, request_id=response.request_id
        )
        return _FailedError(error, again=broken.again)

    def _response(self, answer: Answer, object: str) -> Response:
        return Response(answer.status, answer.headers, answer.content, provider=self.provider, object=object, odd=self._count_odd)

    def _ambiguous(self, call: _Call, message: str, status: int, request_id: str) -> AmbiguousWriteError:
        return AmbiguousWriteError(
            f"{message}; whether the {call.method} was carried out is not known",
            hint="look the record up before anything is sent again",
            provider=self.provider,
            object=call.object,
            status=status,
            request_id=request_id,
        )

    def _listen(self, call: _Call, response: Response) -> None:
        """Let the budget be what the vendor says: what it allows, and what is left of it."""
        if self._budget:
            limits = applying(self._limits, call.scope)
            for said in said_left(response.headers, limits, self._now()):
                self._budget.observe(self.account, said.limit, remaining=said.remaining, seconds=said.seconds, calls=said.calls)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        failed = _failed(state)
        if failed.wait is not None:
            return failed.wait + self._jitter() * 0.1
        longest: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (state.attempt_number - 1))
        return longest * (0.5 + self._jitter() / 2)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= self._attempts or state.idle_for + state.upcoming_sleep > self._max_wait

    def _encode(self, value: Any, object: str) -> bytes:
        import msgspec

        try:
            return msgspec.json.Encoder(decimal_format="number").encode(value)
        except UnicodeEncodeError:
            raise RejectedError(
                "a text holds half a character (a lone surrogate) and cannot be sent", provider=self.provider, object=object
            ) from None

    def _count_odd(self) -> None:
        self.odd_bodies += 1


@cache
def _version() -> str:
    """Ours. Looked up once: it is read from a file."""
    return version("aios-connect")


def _failed(state: tenacity.RetryCallState) -> _FailedError:
    failed = state.outcome.exception() if state.outcome else None
    assert isinstance(failed, _FailedError)  # only these are retried
    return failed


def _say(state: tenacity.RetryCallState) -> None:
    _log.info("%s; attempt %d follows in %.1f s", _failed(state).error, state.attempt_number + 1, state.upcoming_sleep)


def _origin(url: str) -> str:
    """Scheme, host and port, or nothing for a relative address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise ConfigError(f"{redact(url)!r} is not an address: {error}", hint="correct the url of the connection") from None
    if not parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def _join(lines: Sequence[str]) -> str:
    size = 0
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > _LINES_LENGTH:
            return ",".join([*lines[:number], f"+{len(lines) - number}"])
    return ",".join(lines)
