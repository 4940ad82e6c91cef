"""A plan in a notebook: its sections as a timeline, with their energy."""

from __future__ import annotations

import html

from sonoriff.songs.plan import Song

_WIDTH, _HEIGHT, _TOP = 900.0, 90.0, 24.0


def html_from_song(song: Song) -> str:
    """HTML that needs nothing from outside; each block is as wide as its section is long."""
    blocks, starts = [], song.first_bars()
    for i in range(len(song.sections)):
        left, right = (_WIDTH * bar / song.bars for bar in starts[i : i + 2])
        blocks.append(_block(song, i, left, right))
    about = f"{song.title or song.style}: {song.bars} bars at {song.bpm:g} bpm"
    caption = html.escape(about + (f" in {song.key}" if song.key else ""), quote=True)
    picture = (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{caption}" '
        f'style="max-width: 100%; font: 12px sans-serif">{"".join(blocks)}</svg>'
    )
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _block(song: Song, index: int, left: float, right: float) -> str:
    section = song.resolved(index)
    levels = section.energy or (3.0, 3.0)
    tops = [_HEIGHT - (_HEIGHT - _TOP) * level / 5.0 for level in levels]
    points = f"{left:.1f},{_HEIGHT:g} {left:.1f},{tops[0]:.1f} {right:.1f},{tops[1]:.1f} "
    like = f", like {section.like}" if section.like else ""
    energy = "" if section.energy is None else f", energy {levels[0]:g} to {levels[1]:g}"
    told = html.escape(f"{section.name}{like}: {section.bars} bars{energy}", quote=True)
    longest = max(1, int((right - left) / 7))
    name = section.name if len(section.name) <= longest else section.name[: longest - 1] + "…"
    return (
        f"<g><title>{told}</title>"
        f'<polygon points="{points}{right:.1f},{_HEIGHT:g}" fill="#ff9a5c" fill-opacity="0.5"/>'
        f'<rect x="{left:.1f}" y="0.5" width="{right - left:.1f}" height="{_HEIGHT - 1:g}" '
        'fill="none" stroke="gray"/>'
        f'<text x="{left + 4:.1f}" y="15" fill="currentColor">{html.escape(name)}</text></g>'
    )
