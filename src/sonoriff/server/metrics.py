"""Prometheus metrics of one server."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sonoriff.server.workers.worker_pool import WorkerPool

_SOON = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


class Metrics:
    """Counters and gauges under the prefix ``sonoriff_``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.requests = Counter(
            "sonoriff_requests", "HTTP requests.", ("method", "route", "status"), registry=r
        )
        self.streams = Gauge("sonoriff_streams", "Streams with a connection.", registry=r)
        self.sound_made = Counter(
            "sonoriff_sound_made_seconds", "Seconds of sound made for streams.", registry=r
        )
        self.speed = Gauge(
            "sonoriff_speed", "Seconds of sound a second, of the last window.", registry=r
        )
        self.first_sound = Histogram(
            "sonoriff_time_to_first_sound_seconds",
            "From the first message of a stream to its first sound.",
            buckets=_SOON,
            registry=r,
        )
        self.underruns = Counter(
            "sonoriff_underruns", "Times that players ran dry, as they report.", registry=r
        )
        self.jobs = Counter(
            "sonoriff_riffs", "Riffs by how they ended.", ("verb", "state"), registry=r
        )

    def watch(self, pool: WorkerPool) -> None:
        """Export a pool's queue length and worker restarts."""
        for name, what, value in (
            ("queue_length", "Tasks that wait", lambda: pool.waiting),
            ("worker_restarts", "Workers that were replaced", lambda: pool.restarts),
        ):
            gauge = Gauge(
                f"sonoriff_{name}_{pool.name}", f"{what}, {pool.name}.", registry=self.registry
            )
            gauge.set_function(value)

    def text(self) -> bytes:
        """Metrics in Prometheus text format."""
        return generate_latest(self.registry)
