"""What is known of the recorded music in Debian's game packages: written by hand, album by album.

A row is `file | genre | style | moods | instruments | phrases | credit | licence`, lists divided
by commas, phrases by semicolons; what is empty is not known or taken from the album. Only what
holds for a whole track is said, so that every clip of it is described rightly.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Track:
    """One track: `phrases` are captions as they are, the rest are facts."""

    file: str
    genre: str
    style: str
    moods: tuple[str, ...]
    instruments: tuple[str, ...]
    phrases: tuple[str, ...]
    credit: str = ""
    licence: str = ""
    drums: bool | None = None


@dataclass(frozen=True)
class Album:
    """One Debian package: SPDX licence, whom to credit, at most `most` clips a track.

    Every `held_out`-th track is of the split "test" and never trained on: 1 holds out all.
    """

    package: str
    title: str
    licence: str
    credit: str
    tracks: tuple[Track, ...]
    most: int = 24
    held_out: int = 0


def _split(text: str, mark: str = ",") -> tuple[str, ...]:
    """Parts of a cell."""
    return tuple(part.strip() for part in text.split(mark) if part.strip())


def _track(row: str, common: str) -> Track:
    """One row; empty cells come from the album's common row."""
    cells = [cell.strip() for cell in row.split("|")]
    cells += [""] * (8 - len(cells))
    defaults = [cell.strip() for cell in common.split("|")]
    defaults += [""] * (8 - len(defaults))
    filled = [cell or default for cell, default in zip(cells, defaults, strict=True)]
    phrases = _split(cells[5], ";") + _split(defaults[5], ";")
    return Track(
        cells[0],
        filled[1],
        filled[2],
        _split(filled[3]),
        _split(filled[4]),
        phrases,
        filled[6],
        filled[7],
    )


def _tracks(common: str, rows: str) -> tuple[Track, ...]:
    """All rows of an album."""
    return tuple(_track(row, common) for row in rows.strip().splitlines())


_WESNOTH = _tracks(
    "|orchestral|symphonic fantasy||orchestra|fantasy game soundtrack; orchestral film music",
    """
battle-epic.ogg||epic orchestral|epic,heroic||epic battle music|Doug Kaufman
battle.ogg||battle music|dramatic,tense||battle music for orchestra|Aleksi Aubry-Carlson
breaking_the_chains.ogg||epic orchestral|heroic,adventurous||heroic orchestral adventure|Mattias Westlund
casualties_of_war.ogg||sad orchestral|solemn,sad||mournful orchestral music after a battle|Tyler Johnson
elf-land.ogg|||mysterious,magical||enchanted forest music|Aleksi Aubry-Carlson
elvish-theme.ogg|||magical,gentle||elvish theme, fantasy orchestra|Doug Kaufman
frantic-old.ogg||battle music|frantic,tense||frantic battle music|Aleksi Aubry-Carlson
frantic.ogg||battle music|frantic,tense||urgent orchestral action music|Stephen Rozanc
heroes_rite.ogg|||heroic,noble||noble heroic theme for orchestra|Doug Kaufman
into_the_shadows.ogg|||dark,mysterious||dark orchestral underscore|Tyler Johnson
journeys_end.ogg|||adventurous,noble||end of a long journey, orchestra|Mattias Westlund
knalgan_theme.ogg|||heroic,earthy||dwarven theme, orchestral|Ryan Reilly
knolls.ogg|||mysterious,adventurous||orchestral exploration music|Timothy Pinkham
legends_of_the_north.ogg||epic orchestral|epic,heroic||northern legends, epic orchestra|Mattias Westlund
love_theme.ogg||romantic orchestral|tender,sad||tragic love theme|Ryan Reilly
loyalists.ogg|||noble,heroic||royal heroic orchestral theme|Joseph G. Toscano
main_menu.ogg|||noble,adventurous||main theme of a fantasy game|Aleksi Aubry-Carlson
northern_mountains.ogg|||adventurous,majestic||journey over mountains, orchestra|Mattias Westlund
northerners.ogg||battle music|dark,warlike||warlike orchestral march of orcs|Stephen Rozanc
nunc_dimittis.ogg|||solemn,peaceful||solemn orchestral farewell|Jeremy Nicoll
return_to_wesnoth.ogg|||adventurous,majestic||majestic orchestral theme|Mattias Westlund
revelation.ogg|||mysterious||orchestral revelation|Joseph G. Toscano
sad.ogg||sad orchestral|sad,slow||sad orchestral music|Tyler Johnson
siege_of_laurelmor.ogg||battle music|dramatic,tense||siege music, dramatic orchestra|Doug Kaufman
silvan_sanctuary.ogg|||magical,peaceful||peaceful forest sanctuary, orchestral|Mattias Westlund
suspense.ogg||suspense music|tense,dark||suspenseful orchestral underscore|Ryan Reilly
the_city_falls.ogg|||dramatic,dark||fall of a city, dramatic orchestra|Doug Kaufman
the_dangerous_symphony.ogg||symphonic|dramatic,tense||dangerous symphony|Gianmarco Leone
the_deep_path.ogg|||dark,mysterious||deep underground, dark orchestra|Gianmarco Leone
the_king_is_dead.ogg|||dramatic,solemn||solemn dramatic orchestral music|Mattias Westlund
transience.ogg|||peaceful,noble||calm fantasy theme|Aleksi Aubry-Carlson
traveling_minstrels.ogg|folk|medieval folk|merry,medieval||medieval minstrels; merry renaissance dance|Mattias Westlund
underground.ogg|||dark,mysterious||underground cave music|Aleksi Aubry-Carlson
vengeful.ogg||battle music|tense,driving||vengeful pursuit, orchestral|Jeremy Nicoll
wanderer.ogg|||adventurous,gentle||wandering through the land, orchestral|Timothy Pinkham
weight_of_revenge.ogg|||dark,dramatic||weight of revenge, dark orchestra|Doug Kaufman
""",  # noqa: E501
)
_WARZONE = _tracks(
    "|ambient|dark ambient|dark,brooding,atmospheric||dark science fiction ambient;"
    " post-apocalyptic strategy game soundtrack; industrial soundscape",
    "\n".join(
        ["menu.opus", "menu_enhanced.opus", "track3_enhanced.opus"]
        + [f"track{number}.opus" for number in range(1, 28)]
    ),
)
_UFO = _tracks(
    "||||| science fiction game soundtrack",
    """
AlexFightmare.ogg|ambient|dark ambient|dark,eerie||dark ambient nightmare; horror soundscape|Alex|GPL-2.0-only
Crystan-Battlescape01.ogg|electronic||dark,tense||dark electronic music|Crystan|CC-BY-SA-3.0
Crystan-Battlescape02.ogg|electronic||dark,tense||dark electronic music|Crystan|CC-BY-SA-3.0
Crystan-Battlescape03.ogg|electronic||dark,tense||dark electronic music|Crystan|CC-BY-SA-3.0
Crystan-Battlescape04.ogg|electronic||dark,tense||dark electronic music|Crystan|CC-BY-SA-3.0
Crystan-Battlescape05.ogg|electronic||driving,tense||electronic battle music with a beat|Crystan|CC-BY-SA-3.0
Crystan-Battlescape06.ogg|electronic||driving,tense||electronic battle music with a beat|Crystan|CC-BY-SA-3.0
Crystan-Credits.ogg|electronic||||electronic theme|Crystan|CC-BY-SA-3.0
Crystan-Geosphere02.ogg|electronic||atmospheric||electronic strategy game music|Crystan|CC-BY-SA-3.0
Crystan-Geosphere03.ogg|electronic||atmospheric||electronic strategy game music|Crystan|CC-BY-SA-3.0
Crystan-Geosphere04.ogg|electronic||atmospheric||electronic strategy game music|Crystan|CC-BY-SA-3.0
Crystan-IntroSad.ogg|ambient||sad,slow||sad ambient introduction|Crystan|CC-BY-SA-3.0
Crystan-LooseGame.ogg|ambient||dark,slow||dark slow ending|Crystan|CC-BY-SA-3.0
Crystan-Tutorial.ogg|electronic||||electronic music with a steady beat|Crystan|CC-BY-SA-3.0
Crystan-WinGame.ogg|ambient||||slow ambient ending|Crystan|CC-BY-SA-3.0
David01.ogg|||||fast electronic action music|David Reeves|CC-BY-3.0
David02.ogg|||||electronic action music|David Reeves|CC-BY-3.0
David03.ogg|||||electronic action music|David Reeves|CC-BY-3.0
David04.ogg|||||fast electronic action music|David Reeves|CC-BY-3.0
David05.ogg|||||electronic action music|David Reeves|CC-BY-3.0
Marine01.ogg|electronic||tense||military action game music|Marine|CC-BY-SA-3.0
Marine02.ogg|electronic||tense||military action game music|Marine|CC-BY-SA-3.0
MarineAlienRaid.ogg|electronic||tense,driving||alien raid, tense action music|Marine|CC-BY-SA-3.0
MarineBacktheAttack.ogg|electronic||tense,driving||military action music|Marine|CC-BY-SA-3.0
MarineFireFight.ogg|electronic||tense,driving||fire fight, tense action music|Marine|CC-BY-SA-3.0
MarineIndustrial.ogg|industrial||dark,mechanical||industrial action music|Marine|CC-BY-SA-3.0
MarineStrikingIntoTheUnknown.ogg|electronic||tense||tense action music|Marine|CC-BY-SA-3.0
MarineUrbanWarfare.ogg|electronic||tense,driving||urban warfare, tense action music|Marine|CC-BY-SA-3.0
PsymongN1.ogg|electronic||||electronic soundtrack|Psymong|GPL-2.0-only
PsymongN2.ogg|electronic||||electronic soundtrack|Psymong|GPL-2.0-only
PsymongN3.ogg|ambient||atmospheric||ambient electronic soundtrack|Psymong|GPL-2.0-only
PsymongN4.ogg|electronic||||electronic soundtrack|Psymong|GPL-2.0-only
PsymongN5.ogg|ambient||atmospheric||ambient electronic soundtrack|Psymong|GPL-2.0-only
PsymongO1.ogg|electronic||||electronic soundtrack|Psymong|GPL-2.0-only
PsymongO2.ogg|electronic||||electronic soundtrack|Psymong|GPL-2.0-only
PsymongO3.ogg|ambient||atmospheric||ambient electronic soundtrack|Psymong|GPL-2.0-only
PsymongO4.ogg|electronic||||electronic soundtrack|Psymong|GPL-2.0-only
PsymongO6.ogg|electronic||||fast electronic soundtrack|Psymong|GPL-2.0-only
PsymongR1.ogg|ambient||atmospheric||ambient electronic soundtrack|Psymong|GPL-2.0-only
karlmacklin_geoscape.ogg|||||strategy game theme|Karl Macklin|CC-BY-3.0
van_geoscape.ogg|||atmospheric||cinematic science fiction soundtrack|Manuel Marino|CC-BY-3.0
van_mission.ogg|||tense||cinematic mission music|Manuel Marino|CC-BY-3.0
van_mission2.ogg|||tense||cinematic mission music|Manuel Marino|CC-BY-3.0
van_mission3.ogg|||tense||cinematic mission music|Manuel Marino|CC-BY-3.0
van_mission4.ogg|||tense||cinematic mission music|Manuel Marino|CC-BY-3.0
van_theme.ogg|||||cinematic main theme|Manuel Marino|CC-BY-3.0
""",  # noqa: E501
)
_NEXUIZ = _tracks(
    "|electronic||||arena shooter soundtrack; electronic action game music",
    """
beast-of-insanity.ogg|electronic||driving||electronic track with a hard kick|Braden Walters
brainsukker.ogg|techno||driving,hypnotic|drums|pounding techno|elysis
breakdown-easy.ogg|techno||hypnotic||minimal techno groove|elysis
brokenlight.ogg|||driving,dark||dark electronic track|blkrbt
calling-bogus.ogg|breakbeat||driving|drums|broken electronic beat|elysis
chaos-fog.ogg|techno||hypnotic||dark techno groove|elysis
desert3.ogg|||driving,dark||dark electronic track|blkrbt
digital-pursuit.ogg|||driving||electronic chase music|Parapraxis
infight.ogg|techno||driving,hypnotic|drums|driving techno|elysis
neuronal-diving.ogg|techno||hypnotic|drums|hypnotic techno|elysis
ninesix.ogg|||dark||dark electronic beat|blkrbt
northern-lights.ogg|||||dreamy electronic track|Nexuiz
sixtyfour_.ogg|||driving||driving electronic track|blkrbt
sixtyfour_revisited.ogg|||driving||driving electronic track|blkrbt
stairs.ogg|||driving||electronic track|blkrbt
subcities.ogg|techno||hypnotic,deep||deep techno|elysis
thru-the-mirror.ogg|techno||hypnotic,deep|drums|deep minimal techno|elysis
""",
)
_HYPERROGUE = _tracks(
    "|||||fantasy adventure game music",
    """
hr3-caves.ogg|||mysterious||cave exploration music|Shawn Parrotte
hr3-crossroads.ogg|||||adventure game theme|Shawn Parrotte
hr3-desert.ogg|||||desert level music|Shawn Parrotte
hr3-graveyard.ogg|||spooky,dark||spooky graveyard music|Shawn Parrotte
hr3-hell.ogg|||dark||dark underworld music|Shawn Parrotte
hr3-icyland.ogg|||cold||icy land, cool game music|Shawn Parrotte
hr3-jungle.ogg|||||jungle level music|Shawn Parrotte
hr3-laboratory.ogg|||fast||laboratory level music|Shawn Parrotte
hr3-mirror.ogg|||mysterious||mysterious game music|Shawn Parrotte
hr3-motion.ogg|||||game level music|Shawn Parrotte
hr3-rlyeh.ogg|||slow,dark||dark sunken city music|Shawn Parrotte
hr-domina-hunting.ogg|||tense||hunting music|Lincoln Domina
hr-domina-mountain.ogg|||slow||slow mountain music|Lincoln Domina
hr-savino-caribbean.ogg|||adventurous||pirate adventure music|Will Savino
hr-savino-ivory.ogg|||||elegant palace tower music|Will Savino
hr-savino-ocean.ogg|||||ocean adventure music|Will Savino
hr-savino-palace.ogg|||||oriental palace music|Will Savino
""",
)
_SINGULARITY = _tracks(
    "|electronic||||science fiction strategy game music",
    """
A New Journey.ogg|downtempo||atmospheric||atmospheric electronic music with a beat
Aberrations.ogg|downtempo||atmospheric||atmospheric electronic music with a beat
Advanced Simulacra.ogg|downtempo||atmospheric,calm||calm atmospheric electronic music
Apex Aleph.ogg|||atmospheric||electronic music
Awakening.ogg|ambient||atmospheric,calm||calm ambient synthesizers
By-Product.ogg|downtempo||atmospheric||atmospheric electronic music
Chimes They Fade.ogg|ambient||calm,slow||slow calm ambient chimes
Coherence.ogg|||driving||driving electronic music
Deprecation.ogg|||atmospheric||electronic music
Enemy Unknown.ogg|||dark,tense||dark electronic music
Inevitable.ogg|||||electronic music
March Thee to Dis.ogg|ambient||slow,dark||slow dark ambient
Media Threat.ogg|downtempo||atmospheric||atmospheric electronic music
Nebula.ogg|downtempo||atmospheric||spacey electronic music with a beat
Orbital Elevator.ogg|downtempo||calm,atmospheric||calm spacey electronic music
Through Space.ogg|||||spacey electronic music with a beat
""",
)
_COLOBOT = _tracks(
    "||||| science fiction exploration game music",
    """
music002.ogg|electronic||||electronic music with a steady beat
music003.ogg|ambient||mysterious,atmospheric||mysterious alien soundscape
music004.ogg|ambient||atmospheric||spacey synthesizer chords
music005.ogg|ambient||atmospheric,slow||slow hot desert planet soundscape
music006.ogg|ambient||dark,atmospheric||rumbling volcanic soundscape
music007.ogg|ambient||dark,slow||lonely planet soundscape
music008.ogg|ambient||dark,atmospheric||thunderstorm soundscape
music009.ogg|ambient||peaceful,atmospheric||peaceful nature soundscape with birds and wind
music013.ogg|jazz|electronic jazz|playful||playful jazzy electronic tune
Constructive.ogg|electronic||||electronic music|Emxx52
Humanitarian.ogg|electronic||||electronic arpeggios|Emxx52
Hv2.ogg|electronic||||electronic music|Emxx52
Infinite.ogg|electronic||dark||stormy electronic music|Emxx52
Proton.ogg|electronic||||electronic melody|Emxx52
Prototype.ogg|electronic||driving||driving electronic music|Emxx52
Quite.ogg|electronic||||electronic music|Emxx52
""",
)
_KART = _tracks(
    "||||| kart racing game music",
    """
Boom_boom_boom.ogg|||||upbeat video game music|Keith Baylis|CC-BY-SA-4.0
Lava.ogg|||driving||lava level racing music|Kalsan
Penguin_Party.ogg|||playful||playful penguin party music|Magne Djupvik|GPL-3.0-or-later
SkyVibe-HighFrequency.ogg|trance|psytrance|driving,hypnotic|drums|psychedelic trance; psytrance|Speedsound
Snowy.ogg|||playful,wintry||winter game music|Chris Leutwyler
West.ogg|country|western|||wild west music; western film music|Chris Leutwyler
alien_signal.ogg|electronic||||electronic space game music|Heuchi1|CC-BY-SA-4.0
bay.ogg|||||sunny racing game music|0zone0ne
beneath_the_rabbit_hole.ogg|||||platform game music|Jason Lavallée
celtic.ogg|celtic||lively||lively celtic folk dance; irish jig with drums|0zone0ne, Krobonil
celtic_fast.ogg|celtic||lively,fast||fast celtic folk dance|0zone0ne, Krobonil|GPL-3.0-or-later
cocoa_river.ogg|||||tropical racing game music|0zone0ne|GPL-3.0-or-later
cocoa_river_fast.ogg|||fast||fast tropical racing game music|0zone0ne|GPL-3.0-or-later
demonhill.ogg|||dark||dark hill, spooky racing music|0zone0ne
egypt.ogg|middle eastern|||| egyptian desert music; oriental racing music|0zone0ne
farm.ogg|country||cheerful||cheerful country farm music|0zone0ne, Krobonil
farm_f.ogg|country||cheerful,fast||fast country farm music|0zone0ne, Krobonil|GPL-3.0-or-later
garden.ogg|||calm||zen garden, calm asian electronic music|DJHelium
hacienda.ogg|||||mexican hacienda music, latin flavour|Claude Werner
jumping_to_the_stars_remake.ogg|||||spacey racing music|Heuchi1
jumping_to_the_stars_remake_fast.ogg|||fast||fast spacey racing music|Heuchi1
kart_grand_prix.ogg|||driving||grand prix racing theme|Weirwood
klabauter_dance.ogg|folk|pirate folk|lively||pirate dance; sea shanty on a ship|Krobonil|GPL-2.0-or-later
landing_in_gran_paradiso.ogg|||||mountain racing music|0zone0ne, Krobonil
landing_in_gran_paradiso_fast.ogg|||fast||fast mountain racing music|0zone0ne, Krobonil|GPL-3.0-or-later
menutheme.ogg|||||game menu theme|Claude Werner
overworld.ogg|||||game overworld theme|0zone0ne
ravenbridge_mansion.ogg|||spooky||haunted mansion music; halloween music|0zone0ne, Krobonil
ravenbridge_mansion_fast.ogg|||spooky,fast||fast haunted mansion music|0zone0ne, Krobonil
snowmountain.ogg|||wintry||snow mountain racing music|0zone0ne|GPL-3.0-or-later
subsea.ogg|electronic||||underwater electronic music|Claude Werner
theGreatFair.ogg|||cheerful||village fair music; cheerful fairground|0zone0ne, Krobonil|GPL-3.0-or-later
theGreatFair_fast.ogg|||cheerful,fast||fast fairground music|0zone0ne, Krobonil|GPL-3.0-or-later
valley.ogg|electronic||calm||calm electronic winter valley|DJHelium
win_theme.ogg|||happy||happy victory theme|Claude Werner
xeon6.ogg|electronic||||electronic space racing music|OpenGameArt
""",  # noqa: E501
)
_FILLETS = _tracks(
    "||||| puzzle game music; underwater adventure game music",
    "\n".join(f"rybky{number:02d}.ogg" for number in (*range(1, 8), 9, 10, 11, 13, 14, 15)),
)
_BLUPI = _tracks(
    "|||playful||playful cartoon game music; children's game music with synthesised instruments",
    "\n".join(f"music{number:03d}.ogg" for number in range(10)),
)
_ASC = _tracks(
    "|electronic||||strategy game music; electronic game soundtrack",
    "frontiers.mp3\nmachine_wars.mp3\ntime_to_strike.mp3",
)
_FLARE = _tracks(
    "|orchestral|fantasy||| fantasy role-playing game music; orchestral game soundtrack",
    """
battle_theme.ogg|||dramatic,tense|strings|battle music with strings
boss_theme.ogg|||dark,menacing||dark boss battle music
cave_theme.ogg|ambient|dark ambient|dark,mysterious||cave ambience; dark electronic ambience
dungeon_theme.ogg|||dark,slow|strings|slow dark dungeon music
forest_theme.ogg|ambient|ambient|calm,mysterious||quiet forest music
magical_theme.ogg|||mysterious,slow||slow mysterious magical music
overworld_theme.ogg|||adventurous|violin,strings|adventurous music with strings
safe_room_theme.ogg|||calm,peaceful|piano|quiet piano music; peaceful piano
title_theme.ogg|||calm,slow|guitar|slow quiet guitar
town_theme.ogg|||calm,slow||calm music of a town
unrest_theme.ogg|||slow,tense||slow uneasy music
""",
)

PACKAGES: tuple[Album, ...] = (
    Album("wesnoth-1.16-music", "The Battle for Wesnoth", "GPL-2.0-or-later", "", _WESNOTH, 30),
    Album(
        "warzone2100-music", "Warzone 2100", "GPL-2.0-or-later", "Warzone 2100 Project", _WARZONE
    ),
    Album("ufoai-music", "UFO: Alien Invasion", "GPL-2.0-or-later", "UFO:AI team", _UFO),
    Album("nexuiz-music", "Nexuiz", "GPL-2.0-or-later", "Alientrap", _NEXUIZ, 30),
    Album("hyperrogue-music", "HyperRogue", "CC-BY-SA-3.0", "Shawn Parrotte", _HYPERROGUE),
    Album(
        "singularity-music", "Endgame: Singularity", "CC-BY-SA-3.0", "Max McCracken", _SINGULARITY
    ),
    Album("colobot-common-sounds", "Colobot", "GPL-3.0-or-later", "Daniel Roux", _COLOBOT),
    Album(
        "supertuxkart-data",
        "SuperTuxKart",
        "CC-BY-SA-3.0",
        "SuperTuxKart team",
        _KART,
        held_out=1,
    ),
    Album("fillets-ng-data", "Fish Fillets NG", "GPL-2.0-or-later", "ALTAR interactive", _FILLETS),
    Album(
        "planetblupi-music-ogg", "Planet Blupi", "GPL-3.0-or-later", "Denis Dumoulin", _BLUPI, 60
    ),
    Album(
        "asc-music", "Advanced Strategic Command", "GPL-2.0-or-later", "Michael Kievernagel", _ASC
    ),
    Album("flare-game", "Flare: Empyrean Campaign", "CC-BY-SA-3.0", "Flare team", _FLARE, 36),
)
