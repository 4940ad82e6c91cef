"""A sonogram in a notebook: its picture with axes, and a player."""

from __future__ import annotations

import base64
import html

from sonoriff.sonogram.sonogram import Sonogram

# Notebooks keep what is shown; a player of ten minutes would take ten megabytes.
_PLAYER_LIMIT_S = 120.0


def html_from_sonogram(sonogram: Sonogram) -> str:
    """HTML that needs nothing from outside; the player is left out for a long sonogram."""
    from sonoriff.sonogram.plot import axes_png

    picture = _data_url("image/png", axes_png(sonogram))
    about = html.escape(repr(sonogram), quote=True)
    shown = f'<img src="{picture}" alt="{about}" style="max-width: 100%">'
    return f"<figure>{shown}<figcaption>{about}</figcaption>{_player(sonogram)}</figure>"


def _player(sonogram: Sonogram) -> str:
    if sonogram.duration_s > _PLAYER_LIMIT_S:
        return ""
    from sonoriff.audio import audio_bytes, turned_down
    from sonoriff.sonogram.codec import decode

    waveform = turned_down(decode(sonogram))
    data = audio_bytes(waveform, sonogram.params.sample_rate, ".mp3")
    return f'<audio controls src="{_data_url("audio/mpeg", data)}"></audio>'


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
