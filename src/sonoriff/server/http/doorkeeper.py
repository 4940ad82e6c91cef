"""Access control: hosts, origins, API keys, rate limits and upload quotas."""

from __future__ import annotations

import hmac
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from sonoriff.server.config import LOOPBACK_HOSTS, ServerConfig

_MAX_CLIENTS = 10_000


class TokenBucket:
    """Token bucket: a sustained rate with a burst.

    Parameters
    ----------
    rate : tokens per second
    burst : capacity
    clock : returns seconds
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    @property
    def is_empty(self) -> bool:
        """Whether no token is available."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens < 1.0

    def take(self) -> bool:
        """Take a token; False if none is available."""
        if self.is_empty:
            return False
        self._tokens -= 1.0
        return True


class Buckets:
    """One bucket per client; the least recently used are evicted.

    Parameters
    ----------
    per_minute : rate per client
    at_once : burst per client; defaults to a sixth of the rate per minute
    """

    def __init__(
        self, per_minute: float, clock: Callable[[], float], at_once: float | None = None
    ) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._at_once = per_minute / 6.0 if at_once is None else at_once
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, client: str) -> TokenBucket:
        """The bucket of a client."""
        if client not in self._buckets:
            rate = self._per_minute / 60.0
            self._buckets[client] = TokenBucket(rate, self._at_once, self._clock)
            if len(self._buckets) > _MAX_CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        return self._buckets[client]

    def take(self, client: str) -> bool:
        """Count a request; False if the client is over its limit."""
        return self.of(client).take()


class Holdings:
    """Bytes held for clients: bodies being received and sources of queued riffs.

    Parameters
    ----------
    most, most_of_client : limits in bytes, in total and per client
    """

    def __init__(self, most: int, most_of_client: int) -> None:
        self._most, self._most_of_client = most, most_of_client
        self._held: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Bytes currently held."""
        return self._held.total()

    def take(self, client: str, n_bytes: int) -> bool:
        """Reserve bytes; False if a limit would be exceeded."""
        if self._held[client] + n_bytes > self._most_of_client or self.total + n_bytes > self._most:
            return False
        self._held[client] += n_bytes
        return True

    def give_back(self, client: str, n_bytes: int) -> None:
        """Release reserved bytes."""
        self._held[client] -= n_bytes
        if self._held[client] <= 0:
            del self._held[client]


class TooManyKeys(Exception):
    """A client has tried too many invalid keys."""


class Doorkeeper:
    """Checks hosts, origins and keys against the configuration."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._hosts = {*LOOPBACK_HOSTS, *(name.lower() for name in config.allowed_hosts)}
        rate = config.limits.wrong_keys_per_minute
        self._wrong = Buckets(rate, time.monotonic, at_once=rate)

    def knows_host(self, host: str | None) -> bool:
        """Whether a Host header names this server; case-insensitive."""
        if not self._config.on_loopback:
            return True
        return host is not None and _without_port(host.lower()).rstrip(".") in self._hosts

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether an Origin header is allowed; clients that are not browsers send none."""
        allowed = self._config.allowed_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        try:
            return urlsplit(origin).netloc == (host or "").lower()
        except ValueError:
            return False

    def known(self, key: str | None) -> bytes | None:
        """The configured key that equals a client's key, or None.

        Keys are compared as bytes: header values arrive decoded as Latin-1.
        """
        given = [form for form in (_encoded(key, "utf-8"), _encoded(key, "latin-1")) if form]
        found = None
        # Compare with every key, so that timing reveals nothing.
        for known in self._config.keys:
            for form in given:
                if hmac.compare_digest(form, known.encode()):
                    found = known.encode()
        return found

    def knows_key(self, key: str | None) -> bool:
        """Whether a key is valid; always true if no keys are configured."""
        return not self._config.keys or self.known(key) is not None

    def lets_in(self, client: str, key: str | None) -> bool:
        """Like `knows_key`, with a limit per client; raises TooManyKeys beyond it."""
        if not self._config.keys:
            return True
        wrong = self._wrong.of(client)
        if wrong.is_empty:
            raise TooManyKeys
        if self.known(key) is not None:
            return True
        if key:
            wrong.take()
        return False


def _encoded(key: str | None, encoding: str) -> bytes:
    try:
        return (key or "").encode(encoding)
    except UnicodeEncodeError:
        return b""


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
