"""Who may come in, and how often: hosts, origins, keys, rates, and what all may hold at a time."""

from __future__ import annotations

import hmac
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from sonoriff.server.config import LOOPBACK_HOSTS, ServerConfig

_MAX_CLIENTS = 10_000


class TokenBucket:
    """So many a second, and a few at once.

    Parameters
    ----------
    rate : a second
    burst : at once
    clock : seconds
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    @property
    def is_empty(self) -> bool:
        """Whether there is none to take."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens < 1.0

    def take(self) -> bool:
        """Take one; False where there is none."""
        if self.is_empty:
            return False
        self._tokens -= 1.0
        return True


class Buckets:
    """A bucket for each client; those not seen for longest are forgotten.

    Parameters
    ----------
    per_minute : of one client
    at_once : of one client; a sixth of those of a minute, unless told otherwise
    """

    def __init__(
        self, per_minute: float, clock: Callable[[], float], at_once: float | None = None
    ) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._at_once = per_minute / 6.0 if at_once is None else at_once
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, client: str) -> TokenBucket:
        """A client's."""
        if client not in self._buckets:
            rate = self._per_minute / 60.0
            self._buckets[client] = TokenBucket(rate, self._at_once, self._clock)
            if len(self._buckets) > _MAX_CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        return self._buckets[client]

    def take(self, client: str) -> bool:
        """Whether a client may make another request."""
        return self.of(client).take()


class Holdings:
    """Bytes of clients that are held at a time: bodies that come, and sources that wait.

    Parameters
    ----------
    most, most_of_client : bytes, of all and of one
    """

    def __init__(self, most: int, most_of_client: int) -> None:
        self._most, self._most_of_client = most, most_of_client
        self._held: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Bytes held."""
        return self._held.total()

    def take(self, client: str, n_bytes: int) -> bool:
        """Hold some more; False where that is too much."""
        if self._held[client] + n_bytes > self._most_of_client or self.total + n_bytes > self._most:
            return False
        self._held[client] += n_bytes
        return True

    def give_back(self, client: str, n_bytes: int) -> None:
        """They are no longer held."""
        self._held[client] -= n_bytes
        if self._held[client] <= 0:
            del self._held[client]


class TooManyKeys(Exception):
    """A client has tried too many wrong keys."""


class Doorkeeper:
    """Hosts, origins and keys of a configuration."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._hosts = {*LOOPBACK_HOSTS, *(name.lower() for name in config.allowed_hosts)}
        rate = config.limits.wrong_keys_per_minute
        self._wrong = Buckets(rate, time.monotonic, at_once=rate)

    def knows_host(self, host: str | None) -> bool:
        """Whether this server goes by that name; names have no case."""
        if not self._config.on_loopback:
            return True
        return host is not None and _without_port(host.lower()).rstrip(".") in self._hosts

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of that origin may use this server; programs have none."""
        allowed = self._config.allowed_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        try:
            return urlsplit(origin).netloc == (host or "").lower()
        except ValueError:
            return False

    def known(self, key: str | None) -> bytes | None:
        """The key that a client means, or None where it is none of ours.

        Keys are bytes. What stood in a header comes as if each of its bytes were a character.
        """
        given = [form for form in (_encoded(key, "utf-8"), _encoded(key, "latin-1")) if form]
        found = None
        # Every key is compared, so that the time tells nothing.
        for known in self._config.keys:
            for form in given:
                if hmac.compare_digest(form, known.encode()):
                    found = known.encode()
        return found

    def knows_key(self, key: str | None) -> bool:
        """Whether a key opens this server; without keys everyone may come in."""
        return not self._config.keys or self.known(key) is not None

    def lets_in(self, client: str, key: str | None) -> bool:
        """As `knows_key`, of a client; TooManyKeys where it has tried too many wrong ones."""
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
