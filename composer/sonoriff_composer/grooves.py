"""Which of mma's grooves make which genre, at what tempo, with which harmony and soloists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sonoriff.errors import SetupError

LIBRARY = Path("/usr/share/mma/lib")


@dataclass(frozen=True)
class Style:
    """One row of the table: a genre as one set of groove files plays it.

    `slow` and `fast` bound the felt tempo (beats a minute); `leads` are `VOICES` names.
    """

    genre: str
    name: str
    family: str
    slow: float
    fast: float
    files: tuple[str, ...]
    leads: tuple[str, ...]
    grooves: str = ""
    swing: bool = False


_JAZZ = (
    "tenor saxophone,alto saxophone,trumpet,muted trumpet,piano,jazz guitar,vibraphone,clarinet,"
    "flute,trombone"
)
_LATIN = "trumpet,flute,nylon guitar,piano,trombone,tenor saxophone,vibraphone,marimba"
_POP = (
    "electric guitar,piano,synth lead,alto saxophone,acoustic guitar,flute,strings,electric piano"
)
_ROCK = "distorted guitar,overdriven guitar,electric guitar,organ"
_SYNTH = "synth lead,square lead,electric piano,piano"
_COUNTRY = "fiddle,acoustic guitar,harmonica,banjo,electric guitar"
_FOLK = "acoustic guitar,harmonica,flute,fiddle,nylon guitar,recorder,whistle"
_BALLAD = "piano,soprano saxophone,alto saxophone,flute,violin,nylon guitar,oboe,strings,cello"

# genre | style | harmony | slow-fast | files | leads | groove pattern (optional) ; * = swung
_TABLE = f"""
bossa nova | bossa nova | jazz | 108-152 | stdlib/bossanova kara/kbossa yamaha/jazzbossa | flute,nylon guitar,tenor saxophone,piano,vibraphone,jazz guitar,trumpet
samba | samba | latin | 150-205 | stdlib/samba | flute,trumpet,nylon guitar,piano,tenor saxophone
salsa | salsa | latin | 165-215 | stdlib/salsa yamaha/salsa1 yamaha/salsa2 | trumpet,trombone,flute,piano,vibraphone
mambo | mambo | latin | 160-205 | stdlib/mambo yamaha/mambo | trumpet,trombone,tenor saxophone,piano,flute
cha cha | cha cha | latin | 108-132 | stdlib/chacha | flute,trumpet,piano,violin,vibraphone
rumba | rumba | latin | 92-128 | stdlib/rhumba stdlib/jazzrhumba | {_LATIN}
bolero | bolero | latin | 70-104 | stdlib/bolero stdlib/slowbolero | nylon guitar,trumpet,violin,piano,flute,alto saxophone
beguine | beguine | latin | 100-128 | stdlib/beguine | {_LATIN},violin,clarinet
merengue | merengue | latin | 125-165 | stdlib/merengue | trumpet,alto saxophone,accordion,trombone,piano
son cubano | son cubano | latin | 150-195 | stdlib/son stdlib/cubanguitar | trumpet,nylon guitar,flute,piano,trombone
afro-cuban jazz | afro-cuban | jazz | 90-130 | stdlib/afro-cuban | trumpet,tenor saxophone,flute,piano,trombone
calypso | calypso | latin | 160-205 | stdlib/calypso | steel drums,trumpet,alto saxophone,steel drums,marimba
latin jazz | latin fusion | jazz | 95-135 | stdlib/lfusion casio/latinfusion stdlib/latinwaltz yamaha/quando-g.s280 | {_LATIN}
tango | tango | tango | 108-134 | stdlib/tango stdlib/lighttango | bandoneon,violin,bandoneon,piano,accordion,cello
ska | ska | pop | 125-165 | stdlib/ska | trumpet,trombone,tenor saxophone,alto saxophone,organ
swing | swing | swing | 130-205 | stdlib/swing yamaha/jazzswing casio/swing casio/slowswing stdlib/easyswing yamaha/jazzbouncy stdlib/68swing | {_JAZZ} | | *
bebop | bebop | jazz | 190-275 | stdlib/bebop stdlib/fastswing | alto saxophone,trumpet,tenor saxophone,piano,jazz guitar | | *
big band | big band | swing | 120-200 | stdlib/bigband casio/fastbigband casio/middlebigband casio/slowbigband yamaha/jazzbasie | trumpet,tenor saxophone,trombone,clarinet,alto saxophone,piano | | *
cool jazz | mellow jazz | jazz | 70-120 | stdlib/evansish stdlib/mellowjazz stdlib/slowjazz stdlib/nitejazz stdlib/descendingjazz | muted trumpet,tenor saxophone,piano,vibraphone,jazz guitar,flute,alto saxophone | | *
jazz | jazz combo | jazz | 110-185 | stdlib/jazzcombo stdlib/modernjazz yamaha/jazztrio yamaha/jazzGrtrio casio/jazzcombo casio/modernjazz stdlib/folkyjazz stdlib/jazz-54 | {_JAZZ} | | *
jazz | jazz guitar | jazz | 100-170 | stdlib/jazzguitar | jazz guitar,jazz guitar,vibraphone,tenor saxophone | | *
jazz waltz | jazz waltz | jazz | 120-185 | stdlib/jazzwaltz stdlib/fastjazzwaltz stdlib/modernjazzwaltz yamaha/jazzwaltz casio/jazzwaltz | {_JAZZ} | | *
jazz fusion | jazz fusion | funk | 95-135 | casio/fusion stdlib/jazzrock | electric guitar,soprano saxophone,synth lead,electric piano,alto saxophone,overdriven guitar
gypsy jazz | gypsy jazz | swing | 160-235 | stdlib/gypsyjazz | violin,jazz guitar,acoustic guitar,clarinet,accordion | | *
dixieland | dixieland | ragtime | 165-225 | stdlib/dixie stdlib/dixiemarch | clarinet,trumpet,trombone,banjo | | *
ragtime | ragtime | ragtime | 140-200 | stdlib/ragtime | honky-tonk piano,piano,clarinet,banjo
charleston | charleston | ragtime | 180-230 | stdlib/charleston | clarinet,trumpet,trombone,honky-tonk piano,alto saxophone
boogie woogie | boogie woogie | blues | 125-185 | stdlib/boggiewoggie stdlib/shuffleboggie casio/shuffleboogie | piano,bright piano,tenor saxophone,honky-tonk piano | | *
foxtrot | foxtrot | swing | 110-145 | stdlib/foxtrot casio/foxtrot stdlib/softshoe | clarinet,tenor saxophone,trumpet,violin,piano | | *
quickstep | quickstep | swing | 180-215 | stdlib/quickstep casio/quickstep | clarinet,trumpet,tenor saxophone,trombone | | *
jive | jive | blues | 150-190 | stdlib/jive | tenor saxophone,piano,electric guitar,alto saxophone | | *
blues | blues | blues | 85-150 | stdlib/blues casio/blues stdlib/fastblues | harmonica,electric guitar,tenor saxophone,piano,overdriven guitar,organ | | *
blues | slow blues | blues | 50-82 | stdlib/slowblues stdlib/blues128 stdlib/blues68 | electric guitar,harmonica,tenor saxophone,overdriven guitar,piano | | *
country blues | country blues | blues | 85-130 | stdlib/countryblues stdlib/bluefolk | harmonica,acoustic guitar,fiddle | | *
country | country | country | 90-150 | stdlib/slowcountry stdlib/hillcountry yamaha/western yamaha/jazzcountry kara/kwestballad | {_COUNTRY}
country waltz | country waltz | country | 90-135 | stdlib/countrywaltz | {_COUNTRY}
western swing | western swing | country | 135-190 | stdlib/westernswing stdlib/countryswing | fiddle,electric guitar,accordion,jazz guitar | | *
bluegrass | bluegrass | country | 110-160 | stdlib/bluegrass | banjo,fiddle,acoustic guitar,banjo
folk | folk | folk | 80-130 | stdlib/folk stdlib/folkballad | {_FOLK}
folk rock | folk rock | folk | 95-135 | stdlib/folkrock | harmonica,acoustic guitar,electric guitar,organ
zydeco | zydeco | country | 140-190 | stdlib/zydeco | accordion,fiddle,accordion
rock | rock | rock | 100-150 | stdlib/basicrock casio/rock1 casio/rock2 pflib/rock1 pflib/highfive yamaha/w-rock casio/digitalrock casio/shufflerock casio/poprock1 | {_ROCK}
soft rock | soft rock | pop | 85-120 | stdlib/softrock stdlib/bubblerock casio/poprock2 casio/slow16beat | {_POP}
rock and roll | fifties rock and roll | blues | 140-190 | stdlib/50srock kara/K50s_rock | electric guitar,tenor saxophone,bright piano
rock and roll | sixties rock | rock | 120-160 | stdlib/60srock casio/60srock | electric guitar,organ
twist | twist | blues | 150-180 | stdlib/twist kara/fasttwist kara/twi casio/twist | electric guitar,tenor saxophone,organ
metal | heavy metal | metal | 105-180 | casio/heavymetal pflib/metal1 pflib/metal2 | distorted guitar
rock ballad | rock ballad | pop | 60-88 | stdlib/rockballad pflib/slowrock casio/slowrock stdlib/rock-128 stdlib/rockwaltz | electric guitar,distorted guitar,piano,tenor saxophone,strings
pop | pop | pop | 90-130 | casio/8beat1 casio/8beat2 casio/8beat3 casio/8beatpop1 casio/8beatpop2 casio/8beatpop3 casio/pop pflib/8beat1 pflib/8beat2 pflib/16beat1 pflib/16beat2 casio/16beat1 casio/16beat2 casio/16beat3 stdlib/8beat casio/popshuffle1 casio/popshuffle2 casio/16shuffle1 kara/happyshuffle casio/worldpop | {_POP}
pop | synth-pop | pop | 105-135 | casio/80spop casio/electricpop casio/dancepop1 casio/dancepop2 casio/dancepop3 | {_SYNTH}
ballad | pop ballad | pop | 60-88 | stdlib/ballad stdlib/popballad casio/popballad casio/oldieballad casio/16beatballad1 casio/16beatballad2 casio/16beatballad3 casio/8beatballad1 casio/8beatballad2 casio/8beatballad3 stdlib/ballad128 stdlib/ballad68 casio/68ballad | {_BALLAD}
piano ballad | piano ballad | pop | 58-86 | stdlib/pianoballad | piano,violin,cello,alto saxophone
ballad | guitar ballad | pop | 60-90 | stdlib/guitarballad stdlib/stringballad | nylon guitar,acoustic guitar,flute,violin
soul | soul | soul | 85-120 | stdlib/dsoul casio/soul casio/60ssoul casio/soulpop kara/8beatmotown | tenor saxophone,organ,trumpet,electric guitar,electric piano
rhythm and blues | R&B | soul | 75-115 | stdlib/rb casio/r+b stdlib/rb-ballad casio/mellowrb casio/modernrb | tenor saxophone,electric piano,electric guitar,organ
funk | funk | funk | 92-124 | stdlib/bvfunk kara/Kfunk1 casio/funk1 casio/funk2 stdlib/strut | electric guitar,tenor saxophone,clavinet,trumpet,organ,electric piano
disco | disco | soul | 108-130 | casio/discosoul stdlib/boneym | strings,electric guitar,synth lead,trumpet,electric piano
hip hop | hip hop | edm | 78-104 | alexis/hiphop casio/hip-hop | electric piano,synth lead,flute,piano
trip hop | trip hop | edm | 72-98 | casio/triphop | electric piano,muted trumpet,electric guitar,strings
eurodance | eurodance | edm | 122-145 | casio/dance1 casio/dance2 casio/8beatdance casio/rave | synth lead,piano,square lead
ambient | ambient | ambient | 60-95 | casio/ambient1 casio/ambient2 casio/ambient3 | flute,pan flute,electric piano,synth lead
gospel | gospel | gospel | 66-110 | stdlib/popspiritual stdlib/spiritual stdlib/slowspiritual | organ,piano,choir,tenor saxophone
hymn | hymn | hymn | 66-96 | stdlib/hymn | trumpet,choir,church organ,oboe,flute
lullaby | lullaby | waltz | 60-86 | stdlib/lullaby casio/serenade | music box,celesta,flute,glockenspiel,nylon guitar,violin
march | march | march | 104-132 | stdlib/march stdlib/bwmarch casio/march1 casio/germanmarch stdlib/68march | piccolo,trumpet,clarinet,flute,trombone
polka | polka | march | 112-140 | stdlib/polka casio/polka casio/polkafox casio/poppolka | accordion,clarinet,trumpet,accordion
waltz | waltz | waltz | 120-180 | stdlib/waltz stdlib/fastwaltz casio/popwaltz stdlib/broadwaywaltz stdlib/arpeggiowaltz | violin,flute,clarinet,piano,oboe,strings
viennese waltz | viennese waltz | waltz | 160-190 | stdlib/vienesewaltz | violin,flute,strings,clarinet,oboe
musette | french musette waltz | waltz | 150-190 | stdlib/frenchwaltz | accordion,accordion,clarinet
show tune | show tune | swing | 115-165 | stdlib/broadway stdlib/showtune stdlib/slowbroadway | clarinet,trumpet,violin,flute,piano
new age | new age arpeggios | ambient | 62-100 | stdlib/arpeggio44 stdlib/arpeggio68 | flute,piano,pan flute,violin,oboe,harp
"""  # noqa: E501


def _style(row: str) -> Style:
    """One line of the table as a value."""
    cells = [cell.strip() for cell in row.split("|")]
    cells += [""] * (8 - len(cells))
    slow, fast = (float(number) for number in cells[3].split("-"))
    leads = tuple(cells[5].split(","))
    return Style(
        cells[0], cells[1], cells[2], slow, fast, tuple(cells[4].split()), leads, cells[6],
        cells[7] == "*",
    )  # fmt: skip


STYLES = tuple(_style(row) for row in _TABLE.strip().splitlines())
_SKIP = re.compile(r"intro|fill|ending|end(sus)?\d*$|break|metronome|^none$", re.IGNORECASE)


@cache
def grooves_of(file: str) -> tuple[str, ...]:
    """Library-qualified names of the playing grooves of one file of mma's library.

    Raises
    ------
    SetupError
        mma's library is not installed, or has no such file
    """
    path = LIBRARY / f"{file}.mma"
    if not path.exists():
        raise SetupError(f"{path} is missing: install Debian's package mma (21.09 or newer)")
    names: list[str] = []
    for line in path.read_text("latin-1").splitlines():
        words = line.split()
        if len(words) < 2 or words[0].lower() != "defgroove":
            continue
        name = words[1]
        if _SKIP.search(name) or ("pflib" in file and re.search(r"F(A|B)$|(?<=\d)E$", name)):
            continue
        if name.lower() not in (other.lower() for other in names):
            names.append(name)
    return tuple(f"{file}:{name}" for name in names)
