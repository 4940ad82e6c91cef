"""What is known of the recorded music in Debian's game packages: written by hand, album by album.

Only what holds for a whole track is said, so that every clip of it is described rightly. Titles,
tags of the files and their sonograms were looked at; where these do not agree, a fact is left out.
"""

from __future__ import annotations

from sonoriff_composer.catalogue import adventure, arcade, space
from sonoriff_composer.catalogue.album import Album, Track

__all__ = ["LEFT_OUT", "PACKAGES", "Album", "Track"]

PACKAGES: tuple[Album, ...] = (*adventure.ALBUMS, *space.ALBUMS, *arcade.ALBUMS)

# Music of these packages that is not taken, and why.
LEFT_OUT: dict[str, str] = {
    "supertux-data: greatgigantic.ogg": "after a title theme of another game",
    "supertux-data: beneath_the_rabbit_hole.ogg": "also in SuperTuxKart, which is held out",
    "supertux-data: tux_rap.ogg": "speech",
    "unknown-horizons: Peer Gynt": "a recording of another project, whose licence is not named",
    "freedroidrpg-data: Bleostrada.ogg, TheBeginning.ogg": "of a net label; no licence of its own",
    "starfighter-data": "the licences of its tracks are not told apart from those of its pictures",
    "btanks-data": "a licence of its own",
    "krank": "its sounds have no licence",
    "drascula-music, trackballs-data": "licences of their own",
}
