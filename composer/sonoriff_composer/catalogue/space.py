"""Music of science fiction and of action: electronic, ambient and metal."""

from __future__ import annotations

from sonoriff_composer.catalogue.album import Album, tracks

_WARZONE = tracks(
    "|ambient|dark ambient|dark,brooding,atmospheric||dark science fiction ambient;"
    " post-apocalyptic strategy game soundtrack; industrial soundscape",
    "\n".join(
        ["menu.opus", "menu_enhanced.opus", "track3_enhanced.opus"]
        + [f"track{number}.opus" for number in range(1, 28)]
    ),
)
_UFO = tracks(
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
_NEXUIZ = tracks(
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
_SINGULARITY = tracks(
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
_COLOBOT = tracks(
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
_ASC = tracks(
    "|electronic||||strategy game music; electronic game soundtrack",
    "frontiers.mp3\nmachine_wars.mp3\ntime_to_strike.mp3",
)
_NAEV = tracks(
    "||||| space trading game music; science fiction soundtrack",
    """
agriculture.ogg|orchestral||calm|strings|calm orchestral science fiction|Vega Strike
cosmostation.ogg|ambient||||space station ambience|Vega Strike
galacticbattle.ogg|electronic||tense,fast||fast space battle music|Vega Strike
machina.ogg|electronic|||synthesizer|machine music with synthesizers|Vega Strike
mission.ogg|electronic|downtempo|atmospheric|synthesizer,drums|atmospheric electronic beat|Vega Strike
ocean.ogg|ambient||calm,slow||calm slow ocean ambience|Vega Strike
peace1.ogg|electronic||||electronic space music|Vega Strike
peace2.ogg|electronic|||drums|electronic space music with a beat|Vega Strike
peace4.ogg|electronic|downtempo||drums|electronic space music with drums|Vega Strike
peace6.ogg|electronic||||electronic space music|Vega Strike
snow.ogg|||||music of an icy planet|Vega Strike
ambient1.ogg|ambient||atmospheric||space ambience|Nikola Whallon|CC-BY-3.0
ambient2.ogg|ambient||atmospheric|synthesizer|space ambience with synthesizers|Nikola Whallon|CC-BY-3.0
ambient2_5.ogg|ambient||atmospheric|synthesizer|space ambience with synthesizers|Nikola Whallon|CC-BY-3.0
ambient3.ogg|ambient||atmospheric,slow||slow space ambience|Nikola Whallon|CC-BY-3.0
automat.ogg|electronic||||electronic machine music|Nikola Whallon|CC-BY-3.0
battlesomething1.ogg|electronic||tense||space battle music|Nikola Whallon|CC-BY-3.0
battlesomething2.ogg|electronic|techno|tense,fast|synthesizer,drums|fast techno space battle|Nikola Whallon|CC-BY-3.0
collective1.ogg|electronic||mechanical||machine collective music|Nikola Whallon|CC-BY-3.0
collective2.ogg|electronic||mechanical||fast machine collective music|Nikola Whallon|CC-BY-3.0
empire1.ogg|electronic||||music of a space empire|Nikola Whallon|CC-BY-3.0
empire2.ogg|electronic||||music of a space empire|Nikola Whallon|CC-BY-3.0
flf_battle1.ogg|rock|electronic rock|driving|electric guitar,drums|battle rock|Nikola Whallon|CC-BY-3.0
intrigue.ogg|||mysterious,slow||slow intrigue|Nikola Whallon|CC-BY-3.0
intro.ogg|orchestral||||orchestral science fiction intro|Nikola Whallon|CC-BY-3.0
nebu_battle1.ogg|electronic||tense||battle in a nebula|Nikola Whallon|CC-BY-3.0
nebu_battle2.ogg|electronic|techno|tense,fast|drums|fast techno battle in a nebula|Nikola Whallon|CC-BY-3.0
sirius1.ogg|ambient||solemn||solemn space ambience|Nikola Whallon|CC-BY-3.0
tension.ogg|||tense||tense science fiction music|Nikola Whallon|CC-BY-3.0
upbeat.ogg|||cheerful||upbeat science fiction music|Nikola Whallon|CC-BY-3.0
zalek1.ogg|electronic||||science fiction laboratory music|Nikola Whallon|CC-BY-3.0
zalek2.ogg|electronic||||science fiction laboratory music|Nikola Whallon|CC-BY-3.0
ambiphonic.ogg|electronic|techno||synthesizer,drums|spacey techno|Zeropage|CC-BY-3.0
void_sensor.ogg|electronic|||synthesizer|spacey electronic music|Zeropage|CC-BY-3.0
ambient4.ogg|orchestral||slow|strings|slow science fiction strings|Askyel|CC-BY-SA-3.0
combat1.ogg|rock|electronic rock|driving|guitar,drums|space combat rock|Askyel|CC-BY-SA-3.0
combat2.ogg|electronic||driving|drums|space combat music with bells and drums|Askyel|CC-BY-SA-3.0
combat3.ogg|rock|electronic rock|driving,fast|guitar,drums|fast space combat rock|Askyel|CC-BY-SA-3.0
dvaered1.ogg|orchestral||warlike,slow|drums|slow warlike theme|Askyel|CC-BY-SA-3.0
dvaered2.ogg|electronic|downtempo||drums|electronic journey|Askyel|CC-BY-SA-3.0
eureka.ogg|electronic|||guitar|electronic music with guitar|Askyel|CC-BY-SA-3.0
sirius2.ogg|electronic||||electronic remix|Askyel|CC-BY-SA-3.0
terminal.ogg|electronic||||electronic music|Askyel|CC-BY-SA-3.0
motherload.ogg|electronic||||electronic game music|iamoneabe|CC-BY-SA-4.0
pirate1_theme1.ogg|orchestral|||strings|space pirates, strings|Olivier Bérubé|CC0-1.0
pirates_orchestra.ogg|orchestral||||space pirates, orchestra|Dizzy Crow|CC0-1.0
heartofmachine.ogg|electronic||atmospheric|synthesizer|heart of a machine|Alexandr Zhelanov|CC-BY-3.0
dark_city.ogg|ambient|dark ambient|dark,slow||dark city|Muncheybobo|CC-BY-3.0
blackmoor_tides.ogg|orchestral||adventurous|drums|cinematic music with drums|Matthew Pablo|CC-BY-3.0
imminent_threat.ogg|rock|cinematic rock|tense,driving|electric guitar,drums|imminent threat, cinematic rock|Matthew Pablo|CC-BY-3.0
""",  # noqa: E501
)
_OBSIDIAN = tracks(
    "|metal|gothic metal|dramatic|electric guitar,drums|symphonic gothic metal band;"
    " metal with keyboards",
    """
menu.ogg|rock|acoustic rock|sad,slow|guitar|slow acoustic ballad of a metal band
01_-_Ezer_Ev.ogg
02_orphanage.ogg|||loud
03_fear.ogg|||loud
06_-_Elveszett_Lelkek.ogg|||loud
06_starfall.ogg|||loud
07_-_Vermocsar.ogg
08_second_birth.ogg|metal|electronic metal
09_wings_of_cruelty.ogg|||loud
10_farewell.ogg
12_-_Misanthropia.ogg|||loud
tutorial.ogg
""",
)
_ECLIPSE = tracks(
    "|electronic||driving||arena shooter soundtrack; electronic action game music",
    "\n".join(f"track_{number:02d}.ogg" for number in range(1, 13)),
)
_ZAZ = tracks(
    "|electronic||atmospheric||electronic music",
    """
mus1.ogg
mus2.ogg|||||contemplative electronic music
mus3.ogg
mus4.ogg
""",
)

ALBUMS: tuple[Album, ...] = (
    Album(
        "warzone2100-music", "Warzone 2100", "GPL-2.0-or-later", "Warzone 2100 Project", _WARZONE
    ),
    Album("ufoai-music", "UFO: Alien Invasion", "GPL-2.0-or-later", "UFO:AI team", _UFO),
    Album("nexuiz-music", "Nexuiz", "GPL-2.0-or-later", "Alientrap", _NEXUIZ, 30),
    Album(
        "singularity-music", "Endgame: Singularity", "CC-BY-SA-3.0", "Max McCracken", _SINGULARITY
    ),
    Album("colobot-common-sounds", "Colobot", "GPL-3.0-or-later", "Daniel Roux", _COLOBOT),
    Album(
        "asc-music", "Advanced Strategic Command", "GPL-2.0-or-later", "Michael Kievernagel", _ASC
    ),
    Album("naev-data", "Naev", "GPL-2.0-or-later", "Vega Strike", _NAEV),
    Album("marsshooter-data", "M.A.R.S.", "CC-BY-SA-3.0", "Obsidian Shell", _OBSIDIAN, 30),
    Album("redeclipse-data", "Red Eclipse", "CC-BY-SA-3.0", "Derek 'JoJo' Stegall", _ECLIPSE),
    Album("zaz-data", "Zaz", "CC-BY-SA-3.0", "Leonard Ritter (paniq)", _ZAZ, 40),
)
