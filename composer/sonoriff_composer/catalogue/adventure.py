"""Music of adventures and of history: fantasy, folk and orchestra."""

from __future__ import annotations

from sonoriff_composer.catalogue.album import Album, tracks

_WESNOTH = tracks(
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
_HYPERROGUE = tracks(
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
_FLARE = tracks(
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
_ZERO_AD = tracks(
    "|folk|ancient world music||| historical strategy game soundtrack",
    """
Alba_Longa_Burns.ogg|orchestral||solemn,slow|strings|slow solemn strings
Albian_Nocturne.ogg|ambient||calm,slow||calm slow nocturne; night ambience with soft strings
Along_the_Nile.ogg|||||ancient egyptian music with drums and plucked strings
Ammon-Ra.ogg|||||ancient egyptian music with drums and plucked strings
An_old_Warhorse_goes_to_Pasture.ogg|folk|acoustic|slow,tender|acoustic guitar|slow solo guitar; gentle plucked solo
As_Seasons_Change.ogg|folk|acoustic|calm,slow||quiet plucked strings; calm acoustic music
Bandit_Country.ogg||||flute,drums|flute over hand drums
Beyond_The_Indus.ogg|||slow,calm||slow music of ancient india
Calm_Before_the_Storm.ogg|||slow,tense||sparse slow plucked notes with silence between them
Celtic_Pride.ogg|celtic||proud||celtic music with drums
Celtica.ogg|celtic||||celtic folk music
Cisalpine_Gaul.ogg|||calm||quiet ancient folk music
Cradle_of_Civilization.ogg|||slow,mysterious||slow ancient mesopotamian music
Dried_Tears.ogg|orchestral||sad,slow||sad slow orchestral music
Eastern_Dreams.ogg||||drums|eastern music with a steady drum
Elysian_Fields.ogg|orchestral||peaceful,slow||peaceful slow strings
Epitaph.ogg|||solemn||solemn ancient music with drums
Expedition.ogg|||adventurous||adventurous ancient music
Forging_a_City-State.ogg|||||ancient greek music
From_Every_Corner.ogg|||||ancient persian music with a steady pulse
Harsh_Lands_Rugged_People.ogg||||drums|drums and ancient folk instruments
Harvest_Festival.ogg|folk||merry,lively||merry folk dance of a harvest festival
Harvest_Moon.ogg|folk||calm||calm folk melody
Helen_Leaves_Sparta.ogg|||sad||sad ancient greek music
Highland_Mist.ogg|celtic||calm,slow||calm slow celtic music
Hill_of_Sorrows.ogg|||sad||mournful ancient music
Honor_Bound.ogg|orchestral||solemn,slow||solemn slow orchestral music
In_the_Shadow_of_Olympus.ogg||||drums|ancient greek music with drums
Juno_Protect_You.ogg|||||ancient roman music
Karmic_Confluence.ogg||||drums|ancient indian music with drums
Land_Between_Rivers.ogg|||slow,mysterious||slow low winds; mysterious ancient music
Land_between_the_two_Seas.ogg||||drums|ancient music with quick drums
Mediterranean_Waves.ogg|||||mediterranean music with plucked strings
Midwinter.ogg|||calm,slow||calm winter music
Mirage.ogg|||mysterious,slow||mysterious desert music
Mountain_Idyll.ogg|orchestral||peaceful,slow||peaceful slow orchestral music
Northern_Frontier.ogg|||||ancient music of a northern frontier
Only_300_Stood.ogg|orchestral||solemn,slow||solemn orchestral music after a battle
Peaks_of_Atlas.ogg|||||north african music
Point_of_No_Return.ogg|||slow||slow ancient music
Red_Dawn.ogg|orchestral||dramatic||dramatic ancient battle music
Rise_of_Macedon.ogg||||drums|slow heavy drum strokes; ancient macedonian music
Roman_Ingenuity.ogg|orchestral||slow||slow orchestral roman music
Sands_of_Time.ogg||||drums|desert music with a steady drum
Solstice_Festival.ogg|celtic||||celtic festival music
Sunrise.ogg|||calm,slow||calm sunrise music
Taiko_1.ogg|drums|taiko|powerful|drums|taiko drums; powerful drum ensemble, no melody
Taiko_2.ogg|drums|taiko|powerful|drums|taiko drums; fast powerful drum ensemble, no melody
Tale_of_Warriors.ogg|||heroic||tale of warriors, ancient music
Tavern_in_the_Mist.ogg|folk|medieval folk|||tavern folk music
The_Fledgling_Kingdom.ogg|||calm||calm ancient music
The_Governor.ogg|orchestral||slow||slow noble orchestral music
The_Hellespont.ogg||||drums|ancient persian music with drums
The_Pillars_of_Hercules.ogg|||||ancient carthaginian music
The_Road_Ahead.ogg|orchestral||slow||slow orchestral music of a journey
Upstart_King.ogg|||||ancient music of a king
Valley_of_the_Nile.ogg||||drums|ancient egyptian music with drums
Water's_Edge.ogg|||calm||calm ancient music at the water
Whistler.ogg|folk||slow,calm||slow quiet whistle melody
You_are_Victorious!.ogg|orchestral||triumphant||triumphant music of victory
""",  # noqa: E501
)
_WIDELANDS = tracks(
    "|folk|medieval folk||| settlers' game music; medieval village game music",
    """
ingame_00.ogg|||calm|recorder|calm recorder tune
ingame_01.ogg|||||hard work of settlers
ingame_02.ogg|||calm||calm mountain music
ingame_03.ogg|||calm,slow||tranquil forest music
ingame_04.ogg|||||desert music
ingame_05.ogg|||||settlers' game theme|Barry van Oudtshoorn
ingame_06.ogg|||||settlers' game theme|Barry van Oudtshoorn
ingame_07.ogg|||||settlers' game theme|Barry van Oudtshoorn
ingame_08.ogg
ingame_09.ogg|||lively||renaissance village dance
ingame_10.ogg|||||desert music
ingame_11.ogg|||||desert music
ingame_12.ogg|||||between peace and war
ingame_13.ogg|||||music of a castle
ingame_14.ogg
ingame_15.ogg|metal|thrash metal|driving,loud|electric guitar,drums|thrash metal; heavy metal guitars and drums|MiddleFinger
ingame_16.ogg|metal|thrash metal|driving,loud|electric guitar,drums|thrash metal; heavy metal guitars and drums|MiddleFinger
ingame_17.ogg|metal|thrash metal|driving,loud|electric guitar,drums|thrash metal; heavy metal guitars and drums|MiddleFinger
ingame_18.ogg|orchestral||||orchestral game music
ingame_19.ogg|orchestral||tense||tense orchestral music
ingame_20.ogg|orchestral||tense||tense orchestral music
ingame_21.ogg
ingame_22.ogg|orchestral||||from scotland to rome, orchestral game music|Joshua O'Leary
ingame_23.ogg|||||silkweaver's song|Klaus Halfmann
ingame_24.ogg|orchestral||||orchestral theme|Stuart Marshall|CC-BY-SA-3.0
ingame_25.ogg|orchestral||||music of work in the vineyards|Stuart Marshall|CC-BY-SA-3.0
ingame_26.ogg|orchestral||||orchestral game music|Stuart Marshall|CC-BY-SA-3.0
ingame_27.ogg|||||scout's tune|Stuart Marshall
ingame_28.ogg|folk||||folk music of a flat land|Klaus Halfmann
intro.ogg|||||game intro music
menu.ogg|||||game menu music
""",  # noqa: E501
)
_HORIZONS = tracks(
    "|orchestral|adventure|||seafaring strategy game music; orchestral game soundtrack",
    """
battle.ogg||battle music|dramatic,tense||battle music
beware_the_ships_kobold.ogg|||||ship's kobold, orchestral game music|Tobias Escher
goldenvalley.ogg|||peaceful||peaceful golden valley music
irelands_coast.ogg|celtic||||irish coast, celtic game music
main_theme.ogg|||adventurous||adventurous main theme|Tobias Escher
music.ogg
music2.ogg
newfrontier.ogg|||adventurous||new frontier theme
nightdream.ogg|||calm||calm night music
seafight.ogg||battle music|dramatic||sea battle music
uh_gameplay2.ogg|||||orchestral game music|Tobias Escher
uh_gameplay3.ogg|||||orchestral game music|Tobias Escher
uh_gameplay4.ogg|||||orchestral game music|Tobias Escher
waves.ogg|||calm||calm sea music
""",
)
_MEGAGLEST = tracks(
    "|||||strategy game music",
    """
menu_music.ogg|orchestral||||game menu music
asak-jadeflange.ogg|middle eastern||||egyptian game music
music_indian.ogg|||||native american game music with drums
music_magic.ogg|orchestral|fantasy|||fantasy game music
manolo_camp-medieval.ogg|folk|medieval folk|||medieval music
aminos-together_together.ogg|middle eastern||||persian game music
romans.ogg|orchestral||||roman orchestral game music|Eliminator
music_tech.ogg|orchestral|fantasy|||medieval fantasy game music
""",
)
_FREEDROID = tracks(
    "|electronic|dark electronic|dark|| science fiction role-playing game music",
    """
Ambience.ogg|ambient|dark ambient|dark,atmospheric||dark science fiction ambience
AmbientBattle.ogg|||tense||tense electronic battle music
HellFortressEntrance.ogg|ambient|dark ambient|dark,menacing||entrance of a dark fortress
HellFortressTwo.ogg|||dark,menacing||dark fortress music
Hyperbattle.ogg|||driving,tense||driving electronic battle music
ImperialArmy.ogg|||menacing||imperial army, menacing electronic music|Arvid Picciani
NewTutorialStage.ogg|||||electronic game music
Suspicion.ogg|||tense,dark||suspicious dark electronic music
TechBattle.ogg|||driving,tense||technological battle music
hellforce.ogg|||dark||dark electronic music
menu.ogg|||||dark electronic menu theme
temple.ogg|drum and bass||||drum and bass; breakbeats|Arvid Picciani
town.ogg|||calm||electronic town music|Arvid Picciani
underground.ogg|||dark||dark underground electronic music
""",
)
_ARDENTRYST = tracks(
    "|orchestral|fantasy||| fantasy adventure game music with synthesised instruments",
    """
Sempridge.ogg|||||village music of a fantasy game
Sempridge2.ogg|||||village music of a fantasy game
Snodom.ogg|||wintry||winter land music
Story.ogg|||||story music
World_Map.ogg|||adventurous||world map theme
World_Map2.ogg|||adventurous||world map theme
battle.ogg||battle music|tense,fast||fast battle music
battle2.ogg||battle music|tense,fast||fast battle music
castle.ogg|||||castle music
castle2.ogg|||||castle music
holy.ogg|||solemn||solemn holy music
shop.ogg|||cheerful||cheerful shop music
theme1.ogg|||adventurous||adventurous fantasy theme
""",
)

ALBUMS: tuple[Album, ...] = (
    Album("wesnoth-1.16-music", "The Battle for Wesnoth", "GPL-2.0-or-later", "", _WESNOTH, 30),
    Album("hyperrogue-music", "HyperRogue", "CC-BY-SA-3.0", "Shawn Parrotte", _HYPERROGUE),
    Album("flare-game", "Flare: Empyrean Campaign", "CC-BY-SA-3.0", "Flare team", _FLARE, 36),
    Album("0ad-data", "0 A.D.", "CC-BY-SA-3.0", "Wildfire Games", _ZERO_AD, held_out=5),
    Album(
        "widelands-data",
        "Widelands",
        "GPL-2.0-or-later",
        "Widelands Development Team",
        _WIDELANDS,
    ),
    Album(
        "unknown-horizons",
        "Unknown Horizons",
        "GPL-2.0-or-later",
        "Unknown Horizons Team",
        _HORIZONS,
    ),
    Album("megaglest-data", "MegaGlest", "CC-BY-SA-3.0", "MegaGlest Team", _MEGAGLEST),
    Album("freedroidrpg-data", "FreedroidRPG", "GPL-2.0-or-later", "Freedroid team", _FREEDROID),
    Album("ardentryst", "Ardentryst", "CC-BY-SA-3.0", "Jordan Trudgett", _ARDENTRYST),
)
