"""Fetches files from hosts that owe us nothing: slowly, one at a time, and no oftener than needed.

A host is asked again only after a pause, later when it says so (429 or 503 with Retry-After) or
fails, and no more at all once it has not answered for several addresses. What is gone for good (404
and the like) is not asked for twice.
"""

from __future__ import annotations

import email.utils
import http.client
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

USER_AGENT = "storyboard-manga (fetches pages for research; one request at a time)"
MAX_BYTES = 64 * 2**20
UNANSWERED = 3
"""After so many addresses in a row without an answer a host is left alone."""

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed later."""

T = TypeVar("T")


class FetchError(Exception):
    """An address could not be fetched. `is_final`: asking again will not help."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        """Say why, without the address."""
        super().__init__(reason)
        self.is_final = is_final


class _TryLaterError(Exception):
    """This attempt failed, the next may not; `wait_s` is how long the host asked to be left."""

    def __init__(
        self, reason: str, *, wait_s: float | None = None, is_silent: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.is_silent = is_silent


@dataclass
class Fetcher:
    """Asks hosts for files.

    Attributes:
        pause_s: least time between two requests to one host.
        attempts: how often one address is tried.
        timeout_s: how long an answer may take.
        max_wait_s: a host that asks for a longer wait is left for another run.
        sleep: waits so many seconds.
        clock: tells the seconds.
    """

    pause_s: float = 0.5
    attempts: int = 4
    timeout_s: float = 30.0
    max_wait_s: float = 600.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _next_at: dict[str, float] = field(default_factory=dict)
    _unanswered: Counter[str] = field(default_factory=Counter)

    def fetch(self, address: str, decode: Callable[[bytes], T]) -> T:
        """Return what `decode` makes of the file at an address.

        Args:
            address: http or https.
            decode: raises ValueError where the bytes are cut short; they are fetched again then.

        Raises:
            FetchError: there is no such file, or every attempt failed.
        """
        host = urlsplit(address).netloc
        if urlsplit(address).scheme not in ("http", "https") or not host:
            raise FetchError(f"not an http address: {address!r}", is_final=True)
        if self._unanswered[host] >= UNANSWERED:
            raise FetchError(f"{host} does not answer")
        for attempt in range(1, self.attempts + 1):
            self._wait_for(host)
            try:
                result = decode(self._ask(address))
            except ValueError as err:
                failure = _TryLaterError(str(err))
            except _TryLaterError as err:
                failure = err
            else:
                self._unanswered[host] = 0
                return result
            wait_s = self._wait_after(attempt) if failure.wait_s is None else failure.wait_s
            if wait_s > self.max_wait_s:
                raise FetchError(f"{failure}; the host asks for {wait_s:.0f} s of rest")
            self._next_at[host] = self.clock() + wait_s
        self._unanswered[host] = self._unanswered[host] + 1 if failure.is_silent else 0
        raise FetchError(f"{failure}, {self.attempts} times")

    def _wait_for(self, host: str) -> None:
        """Wait until the host may be asked again."""
        wait_s = self._next_at.get(host, 0.0) - self.clock()
        if wait_s > 0:
            self.sleep(wait_s)
        self._next_at[host] = self.clock() + self.pause_s

    def _wait_after(self, attempt: int) -> float:
        """Return 1, 2, 4 ... pauses of a second, up to half as long again by chance."""
        return max(self.pause_s, 2.0 ** (attempt - 1)) * random.uniform(1.0, 1.5)

    def _ask(self, address: str) -> bytes:
        request = urllib.request.Request(address, headers={"User-Agent": USER_AGENT})  # noqa: S310  scheme is checked
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:  # noqa: S310  likewise
                return _body(answer)
        except urllib.error.HTTPError as err:
            with err:  # it holds the connection
                if err.code in PASSING:
                    wait_s = retry_after_s(err.headers.get("Retry-After"))
                    raise _TryLaterError(f"status {err.code}", wait_s=wait_s) from err
                raise FetchError(f"status {err.code}", is_final=True) from err
        except http.client.IncompleteRead as err:
            raise _TryLaterError("cut short") from err
        except (OSError, http.client.HTTPException) as err:  # URLError and time-outs are OSErrors
            reason = getattr(err, "reason", None) or err
            raise _TryLaterError(f"no answer: {reason}", is_silent=True) from err


def _body(answer: Any) -> bytes:
    body: bytes = answer.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise FetchError(f"larger than {MAX_BYTES >> 20} MiB", is_final=True)
    expected = answer.headers.get("Content-Length")
    if expected and expected.isdigit() and len(body) < int(expected):
        raise _TryLaterError("cut short")
    return body


def retry_after_s(value: str | None) -> float | None:
    """Return how many seconds a Retry-After header asks for; None where it says nothing.

    It holds seconds or a date (RFC 9110, section 10.2.3).
    """
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())
