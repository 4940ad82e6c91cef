"""Music of arcade, puzzle and sports games: bands, tunes and chips."""

from __future__ import annotations

from sonoriff_composer.catalogue.album import Album, tracks

_KART = tracks(
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
_FILLETS = tracks(
    "||||| puzzle game music; underwater adventure game music",
    "\n".join(f"rybky{number:02d}.ogg" for number in (*range(1, 8), 9, 10, 11, 13, 14, 15)),
)
_BLUPI = tracks(
    "|||playful||playful cartoon game music; children's game music with synthesised instruments",
    "\n".join(f"music{number:03d}.ogg" for number in range(10)),
)
_SUPERTUX = tracks(
    "||||| platform game music; cartoon jump and run game soundtrack",
    """
airship_2.ogg|electronic||||electronic music of an airship|Jason Lavallée
airship_remix.ogg|orchestral||adventurous||orchestral music of an airship|Bart Kelsey
arctic_breeze.ogg|||calm,wintry||icy breeze, winter game music with drums
arctic_cave.ogg|electronic||mysterious||mysterious cave music|Jason Lavallée
bossattack.ogg|rock||tense|electric guitar,drums|boss battle rock
cave.ogg|||mysterious||slow cave music with drums
chipdisko.ogg|chiptune|chip disco|cheerful,fast|synthesizer,drums|fast chip disco|Mortimer Twang
jewels.ogg|ambient|new age|calm|synthesizer|calm synthesizer bells; glittering ambient
salcon.ogg|electronic||fast||fast electronic game music
voc-daytime.ogg|||calm,wintry||calm winter day music
voc-daytime2.ogg|||calm|piano|calm piano and synthesizer
voc-night.ogg|||calm|piano|calm night music with piano
darkforestkeep.ogg|orchestral||dark|strings|dark castle music with strings
fortress.ogg|rock|||guitar,drums|fortress music with guitar and drums
bright_thunders.ogg|||||stormy game music|Chris Leutwyler
call_of_the_winding_path.ogg|||||long winding forest music with guitar and drums
clavelian_march.ogg|march|||piano,drums|march with piano and drums|Treskalle
forest-cave.ogg|electronic||calm||calm cave music with drums
forest-sprint.ogg|electronic||||running music with drums
forest.ogg|||cheerful||forest dance
forest2.ogg|||calm||slow forest music
forest3.ogg|||||riding the wind, music with strings and drums
forest_theme.ogg|folk||cheerful,fast||fast cheerful forest theme with piano and guitar
ghostforest.ogg|||spooky,slow||slow ghost forest music
ghostforest2.ogg|ambient|dark ambient|spooky,slow||slow spooky ambience
ghostforest_map.ogg|electronic||spooky|synthesizer|spooky electronic music
new_forest_map.ogg|||||forest map music with drums
shallow-green.ogg|||calm|guitar|stroll in the forest|Jason Lavallée
treeboss.ogg|||tense||boss fight in the forest
wisphunt.ogg|||||will-o'-the-wisp hunt
battle_theme.ogg|orchestral|orchestral battle|dramatic|strings|orchestral battle theme|remaxim
christmas_theme.ogg|||wintry,gentle|guitar|christmas game music
credits.ogg|||gentle|piano|credits music with piano
halloween_1.ogg|ambient|dark ambient|spooky||halloween ambience
theme.ogg|||cheerful|guitar|cheerful theme of a platform game
cave_old.ogg|electronic|||synthesizer|old game cave music
classic.ogg|electronic|||synthesizer,drums|old game music
fortress_old.ogg|||||old game fortress music with drums
ice_music.ogg|electronic|techno|fast|synthesizer,drums|fast techno game music
worldmap_old.ogg|electronic||||old game map music
saharan_penguin.ogg|||||desert game music with guitar and drums
tropicalbreeze.ogg|||calm|flute,drums|tropical breeze with flute and drums|Flan
""",
)
_CLONK = tracks(
    "|||||action game music",
    """
@CrushedIceCocktail.ogg|house||cheerful|drums|house music at the beach
Cavern.ogg|electronic||mysterious|drums|underground cavern music
IslandDreams.ogg|reggae||relaxed||reggae of an island
LucidDream.ogg|ambient||calm,slow||calm night ambient
Motorway.ogg|rock||driving|drums|rock of the motorway
Offshore.ogg|electronic||||underwater music
TheSkylands.ogg|rock||||rock music of the sky
UrbanBolero.ogg|orchestral|||guitar,drums|bolero with guitar and orchestra
""",
)
_MULDJORD = tracks(
    "|metal|death metal|aggressive,loud||heavy metal band; death metal",
    """
armygeddon/song.ogg||||bass guitar,drums,electric guitar|metal band with fast drums
chaos_god/song.ogg||||bass guitar,drums,electric guitar|metal band with fast drums
internal_degeneration/song.ogg||||bass guitar,drums,electric guitar|metal band with fast drums
mutilated_mime/song.ogg||||bass guitar,drums,electric guitar|metal band with fast drums
armygeddon/guitar.ogg||||electric guitar|distorted electric guitars alone
chaos_god/guitar.ogg||||electric guitar|distorted electric guitars alone
internal_degeneration/guitar.ogg||||electric guitar|distorted electric guitars alone
mutilated_mime/guitar.ogg||||electric guitar|distorted electric guitars alone
""",
)
_SECTOID = tracks(
    "|rock|||| instrumental rock; rock backing track",
    """
Escape from chaosland/song.ogg|metal||driving,fast|electric guitar,bass guitar,drums|fast instrumental metal
Feelings/song.ogg|rock|rock ballad|slow|guitar,bass guitar,drums|slow rock ballad with guitars
Metal madness/song.ogg|metal||driving,fast|electric guitar,bass guitar,drums|fast instrumental metal
War of freedom/song.ogg|metal||driving,loud|electric guitar,bass guitar,drums|loud instrumental metal
Escape from chaosland/guitar.ogg|rock|||electric guitar|solo electric guitar with distortion
Feelings/guitar.ogg|rock|||electric guitar|solo electric guitar, slow lead
Metal madness/guitar.ogg|rock|||electric guitar|solo electric guitar with distortion
War of freedom/guitar.ogg|rock|||electric guitar|solo electric guitar with distortion
""",  # noqa: E501
)
_HEDGEWARS = tracks(
    "||||| comic game music",
    """
Art.ogg|||playful|drums|playful music with drums
Beach.ogg|||relaxed||relaxed beach music
Brick.ogg|rock|||guitar,drums|rock with guitar and drums
Castle.ogg|rock|hard rock|loud|electric guitar,drums|loud rock with distorted guitars
City.ogg|rock|blues rock||guitar,drums|blues rock with guitar and drums
Compost.ogg|rock|||guitar|rock with guitar
Desert.ogg||||drums,guitar|desert music with drums
EarthRise.ogg|ambient|electronic|calm,slow|synthesizer|calm space synthesizer
Freeway.ogg|electronic|synth||synthesizer,drums|electronic freeway music
Fruit.ogg|electronic||calm||calm electronic tune
Golf.ogg|electronic||playful||playful electronic music
Halloween.ogg|electronic||spooky||spooky electronic halloween music
Jungle.ogg||||guitar,drums|jungle music with drums
Nature.ogg|ambient||calm,peaceful,slow||quiet peaceful nature music|Tiyuri
Olympics.ogg|electronic|||drums|electronic beat
Rock.ogg|metal|hard rock|loud,driving|electric guitar,drums|hard rock; heavy guitars and drums
Sheep.ogg|||gentle|flute|gentle pastoral tune
bath.ogg|||||music with a steady drum beat
hell.ogg|ambient|dark ambient|dark,menacing||dark infernal soundscape
main_theme.ogg|||cheerful||cheerful main theme
olympics_sd.ogg||||drums|slow heavy drum strokes
oriental.ogg|ambient||calm,slow||calm oriental music
pirate.ogg|orchestral||adventurous||pirate music
sdmusic.ogg|electronic||fast,tense|drums|fast electronic music with drums
snow.ogg|ambient||wintry,slow|synthesizer|slow wintry synthesizer
underwater.ogg|jazz||slow||slow underwater jazz
""",
)
_ENIGMA = tracks(
    "||||| puzzle game music",
    """
across_the_ice.ogg|||wintry||ice music of a puzzle game
in_space.ogg|ambient||||space music
meditation.ogg|ambient||calm,slow||meditation music
on_the_water.ogg|||calm||calm music on the water
puzzle.ogg|||playful||playful puzzle music
skull_stones.ogg|||dark||dark stone music
swamp.ogg|||||swamp music
enigma_rag.ogg|ragtime||playful|piano|ragtime
esprit.ogg
""",
)
_FROZEN = tracks(
    "|electronic||playful||playful puzzle game music",
    "frozen-mainzik-1p.ogg\nfrozen-mainzik-2p.ogg\nintrozik.ogg",
)
_XMOTO = tracks(
    "||||| motorbike game music",
    """
MadeiraStew.ogg|||||game music|Jens Erler
batcave.ogg|||dark||dark cave game music
foxrun.ogg|||||game music|Cubulo
legolodio.ogg|||||game music|Jens Erler
menu.ogg|||||game menu music|Jens Erler
ridealong.ogg|||||ride-along game music|Jens Erler
speeditup.ogg|||fast||fast game music
""",
)
_LINCITY = tracks(
    "||||| city building game music",
    """
01 - pronobozo - lincity.ogg|electronic||||electronic music of a city|pronobozo
02 - Robert van Herk - City Blues.ogg|blues||||city blues|Robert van Herk
03 - Robert van Herk - Architectural Contemplations.ogg|||calm||contemplative music|Robert van Herk
""",
)
_NEVERBALL = tracks(
    "||||| ball game music",
    "title.ogg\n" + "\n".join(f"track{number}.ogg" for number in range(1, 7)),
)
_ETR = tracks(
    "|||wintry|| winter sports game music",
    """
calmrace-ks.ogg|||calm||calm race music
credits1-cp.ogg|||||credits music|Kristian Picon
freezingpoint.ogg|||||freezing race music|Grady O'Connell
race1-jt.ogg|||||race music
spunkyrace-ks.ogg|||fast||spunky race music
start1-jt.ogg|||||start music
""",
)

ALBUMS: tuple[Album, ...] = (
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
    Album("supertux-data", "SuperTux", "GPL-2.0-or-later", "Marek Moeckel (Wansti)", _SUPERTUX),
    Album("openclonk-data", "OpenClonk", "CC-BY-3.0", "K-Pone", _CLONK, held_out=1),
    Album(
        "fretsonfire-songs-muldjord",
        "songs for Frets on Fire",
        "CC-BY-SA-3.0",
        "Muldjord (El Senator)",
        _MULDJORD,
        held_out=1,
    ),
    Album(
        "fretsonfire-songs-sectoid",
        "songs for Frets on Fire",
        "MIT",
        "Carlos Viola Iborra",
        _SECTOID,
    ),
    Album("hedgewars-data", "Hedgewars", "GPL-2.0-only", "Hedgewars Project", _HEDGEWARS),
    Album("enigma-data", "Enigma", "GPL-2.0-only", "Clifford J. Tasner", _ENIGMA),
    Album("frozen-bubble-data", "Frozen Bubble", "GPL-2.0-only", "Frozen-Bubble Team", _FROZEN, 48),
    Album("xmoto-data", "X-Moto", "GPL-2.0-or-later", "X-Moto Development Team", _XMOTO),
    Album("lincity-ng-data", "LinCity-NG", "GPL-2.0-or-later", "LinCity-NG team", _LINCITY),
    Album(
        "neverball-common", "Neverball", "GPL-2.0-or-later", "Neverball contributors", _NEVERBALL
    ),
    Album(
        "extremetuxracer-data",
        "Extreme Tux Racer",
        "GPL-2.0-or-later",
        "Extreme Tux Racer Team",
        _ETR,
    ),
)
