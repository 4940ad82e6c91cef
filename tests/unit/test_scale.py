"""The simulation of nodes serves what one was measured to serve, and finds what is full."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.scale import Times, most, simulated


def test_one_node_serves_as_many_as_were_measured() -> None:
    alone = most(replace(Times(), every=1e9), 1, seconds=120.0, seed=1)
    assert 10 <= alone <= 12


def test_the_same_seed_gives_the_same() -> None:
    runs = [simulated(Times(), 2, 15, seconds=60.0, seed=3) for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0].windows > 15 * 60 / 3.7 / 2
    assert runs[0].changes
    assert 0.0 < min(runs[0].changes) <= Times().kept


def test_a_front_server_is_full_where_its_nodes_are_not() -> None:
    one, two = (most(Times(), nodes, seconds=60.0, seed=1) for nodes in (50, 100))
    assert one == two < 1.0 / Times().front
    heard = simulated(Times(), 50, one, seconds=60.0, seed=1)
    assert heard.passing > heard.painting
