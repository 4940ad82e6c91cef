"""Captions of many forms, written from a clip's facts and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from sonoriff.corpus.manifest import ClipLabels
from sonoriff.corpus.vocabulary import GENRE_SYNONYMS, INSTRUMENT_SYNONYMS
from sonoriff_composer.instruments import PERCUSSION

_GENRE_MOODS: dict[str, tuple[str, ...]] = {
    "bossa nova": ("smooth", "relaxed", "tropical", "warm"),
    "samba": ("lively", "carnival", "joyful"),
    "salsa": ("hot", "danceable", "energetic"),
    "mambo": ("hot", "festive", "danceable"),
    "cha cha": ("playful", "danceable"),
    "rumba": ("romantic", "danceable"),
    "bolero": ("romantic", "tender"),
    "beguine": ("romantic", "elegant"),
    "merengue": ("festive", "danceable"),
    "son cubano": ("cuban", "warm", "danceable"),
    "calypso": ("tropical", "sunny", "caribbean"),
    "tango": ("passionate", "dramatic"),
    "ska": ("bouncy", "upbeat"),
    "reggae": ("laid-back", "sunny", "relaxed"),
    "dub": ("spacious", "laid-back", "echoing"),
    "bebop": ("fast", "virtuosic"),
    "big band": ("brassy", "swinging"),
    "swing": ("swinging",),
    "cool jazz": ("mellow", "smooth", "intimate"),
    "jazz": ("sophisticated",),
    "gypsy jazz": ("lively", "virtuosic"),
    "dixieland": ("lively", "old-time"),
    "ragtime": ("playful", "old-time"),
    "charleston": ("roaring twenties", "playful"),
    "boogie woogie": ("rollicking", "lively"),
    "blues": ("bluesy",),
    "country blues": ("bluesy", "rustic"),
    "country": ("rustic", "homely"),
    "bluegrass": ("lively", "rustic"),
    "folk": ("acoustic", "simple"),
    "metal": ("heavy", "aggressive"),
    "punk": ("raw", "aggressive", "energetic"),
    "rock": ("driving",),
    "rock and roll": ("rocking", "retro"),
    "surf rock": ("retro", "sunny"),
    "funk": ("groovy", "funky"),
    "disco": ("danceable", "glittering", "groovy"),
    "soul": ("soulful", "warm"),
    "rhythm and blues": ("soulful",),
    "hip hop": ("laid-back", "urban"),
    "trip hop": ("moody", "downtempo"),
    "lo-fi": ("chill", "relaxed", "mellow"),
    "house": ("danceable", "driving"),
    "techno": ("driving", "hypnotic", "pounding"),
    "acid techno": ("squelching", "hypnotic", "driving"),
    "trance": ("uplifting", "euphoric", "driving"),
    "drum and bass": ("fast", "energetic", "breakneck"),
    "dubstep": ("heavy", "wobbling", "dark"),
    "eurodance": ("danceable", "energetic"),
    "ambient": ("calm", "dreamy", "atmospheric", "floating"),
    "synthwave": ("retro", "nostalgic", "neon"),
    "chiptune": ("retro", "playful", "bleepy"),
    "electro": ("robotic", "punchy"),
    "gospel": ("soulful", "uplifting"),
    "hymn": ("solemn", "reverent"),
    "lullaby": ("gentle", "soothing", "sleepy"),
    "march": ("proud", "military"),
    "polka": ("jolly", "bouncy"),
    "waltz": ("elegant", "graceful"),
    "viennese waltz": ("elegant", "swirling"),
    "musette": ("french", "charming"),
    "klezmer": ("expressive",),
    "celtic": ("folky",),
    "new age": ("peaceful", "flowing", "meditative"),
    "ballad": ("emotional", "tender"),
    "piano ballad": ("emotional", "tender"),
    "rock ballad": ("emotional", "powerful"),
    "smooth jazz": ("smooth", "silky"),
    "baroque": ("ornate",),
    "zydeco": ("festive", "rustic"),
    "twist": ("retro", "danceable"),
    "trap": ("dark", "booming"),
    "downtempo": ("chill", "laid-back"),
    "uk garage": ("skipping", "danceable"),
    "breakbeat": ("gritty", "funky"),
    "industrial": ("harsh", "mechanical"),
    "hardstyle": ("pounding", "aggressive"),
    "grunge": ("raw", "heavy"),
    "indie rock": ("jangly",),
    "post-rock": ("atmospheric", "spacious"),
    "flamenco": ("passionate", "fiery"),
    "mariachi": ("festive", "proud"),
    "rockabilly": ("retro", "rocking"),
    "middle eastern": ("exotic", "mysterious"),
    "afrobeat": ("groovy", "danceable"),
    "cumbia": ("danceable", "festive"),
    "orchestral": ("cinematic",),
    "choral": ("solemn", "sacred"),
    "indian classical": ("meditative", "exotic"),
    "japanese traditional": ("meditative", "traditional"),
    "andean": ("traditional",),
    "latin jazz": ("warm",),
    "reel": ("lively", "danceable", "folky"),
    "jig": ("lively", "danceable", "folky"),
    "slip jig": ("lilting", "danceable", "folky"),
    "hornpipe": ("jaunty", "danceable", "folky"),
    "strathspey": ("proud", "folky"),
    "irish air": ("lyrical", "folky"),
    "renaissance": ("flowing", "austere"),
}
_CALM = frozenset(
    (
        "ambient",
        "new age",
        "lullaby",
        "hymn",
        "bossa nova",
        "cool jazz",
        "lo-fi",
        "ballad",
        "piano ballad",
        "bolero",
        "classical",
        "folk",
        "irish air",
        "renaissance",
    )
)
# Dances whose felt beat is slow and full of notes: no tempo makes them slow or calm.
_DANCES = frozenset(("reel", "jig", "slip jig", "hornpipe", "strathspey"))
# Genres that do not become cheerful by being fast and in a major key.
_SERIOUS = frozenset(
    (
        "hymn",
        "metal",
        "march",
        "tango",
        "bolero",
        "bebop",
        "cool jazz",
        "flamenco",
        "middle eastern",
        "dub",
        "techno",
        "acid techno",
        "industrial",
        "hardstyle",
        "drum and bass",
        "dubstep",
        "trap",
        "ambient",
        "downtempo",
        "post-rock",
        "grunge",
        "choral",
        "baroque",
        "indian classical",
        "japanese traditional",
        "renaissance",
    )
)


def moods_of(facts: ClipLabels) -> tuple[str, ...]:
    """Adjectives that follow from genre, tempo, mode and players."""
    moods = list(_GENRE_MOODS.get(facts.genre or "", ()))
    bpm = facts.bpm or 0.0
    minor = facts.mode in ("minor", "harmonic minor", "phrygian")
    major = facts.mode == "major"
    dance = facts.genre in _DANCES
    if facts.bpm and not dance:
        if bpm < 72:
            moods += ["slow"]
        elif bpm > 168:
            moods += ["fast"]
        if bpm > 135 and facts.drums:
            moods += ["energetic"]
        if bpm < 92 and not facts.drums and "distorted guitar" not in facts.instruments:
            moods += ["calm", "melancholic" if minor else "peaceful"]
        if minor and bpm < 84:
            moods += ["sad"]
    if major and (bpm > 112 or dance) and facts.genre not in _SERIOUS:
        moods += ["happy", "cheerful"]
    if minor and facts.genre in (
        "techno",
        "dubstep",
        "drum and bass",
        "metal",
        "trip hop",
        "acid techno",
    ):
        moods += ["dark"]
    if len(facts.instruments) == 1 and facts.drums is False and bpm < 108 and not dance:
        moods += ["intimate"]
    out = tuple(dict.fromkeys(moods))
    if set(out) & {"happy", "cheerful"} and set(out) & {"melancholic", "sad", "dark"}:
        out = tuple(m for m in out if m not in ("happy", "cheerful"))
    if bpm > 132 and facts.genre in _CALM:
        out = tuple(m for m in out if m not in ("relaxed", "calm", "mellow", "tender", "gentle"))
    return out


_TEMPO_WORDS = (
    (60, "very slow"),
    (80, "slow"),
    (108, "moderate tempo"),
    (132, "medium tempo"),
    (165, "fast"),
)


def _tempo_word(bpm: float) -> str:
    """A word for a tempo."""
    for limit, word in _TEMPO_WORDS:
        if bpm < limit:
            return word
    return "very fast"


def _call(rng: random.Random, name: str) -> str:
    """An instrument's name or one of its synonyms."""
    options = INSTRUMENT_SYNONYMS.get(name)
    return rng.choice(options) if options and rng.random() < 0.45 else name


def _join(names: list[str]) -> str:
    """a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


# Names of more than one player: nobody calls them a solo.
_MANY = frozenset(("drums", "orchestra", "strings", "synth strings", "choir", "brass section"))
_STRUCK = frozenset((*PERCUSSION.values(), "drums", "timpani", "taiko"))
_FILLERS = frozenset(
    ("very", "slow", "fast", "moderate", "medium", "tempo", "bpm", "in", "instrumental", "music")
)


class _Writer:
    """The words for one clip; each method is one form of caption, or gives '' if it cannot."""

    def __init__(self, rng: random.Random, facts: ClipLabels) -> None:
        self.rng, self.facts = rng, facts
        self.tonal = [i for i in facts.instruments if i not in ("drums",)]

    def genre(self) -> str:
        """The genre or style by one of its names."""
        if not self.facts.genre:
            return ""
        names = GENRE_SYNONYMS.get(self.facts.genre, (self.facts.genre,))
        if self.facts.style and self.rng.random() < 0.3:
            return self.facts.style
        return self.facts.genre if self.rng.random() < 0.5 else self.rng.choice(names)

    def mood(self, besides: str = "") -> str:
        """One adjective, not one that says a word of `besides` again: no bluesy blues."""
        stems = {word[:4] for word in besides.lower().replace("-", " ").split()}
        fresh = [m for m in self.facts.moods if m[:4] not in stems]
        return self.rng.choice(fresh) if fresh else ""

    def praised(self) -> str:
        """relaxed bossa nova"""
        genre = self.genre()
        return _words(self.mood(genre), genre)

    def tempo(self) -> str:
        """A tempo as number or word."""
        if not self.facts.bpm:
            return ""
        if self.rng.random() < 0.65 or self.facts.genre in _DANCES:
            return f"{round(self.facts.bpm)} {self.rng.choice(('bpm', 'bpm', 'BPM'))}"
        return _tempo_word(self.facts.bpm)

    def key(self) -> str:
        """in D minor"""
        key, mode = self.facts.key, self.facts.mode
        if not key or mode not in (
            "major",
            "minor",
            "dorian",
            "mixolydian",
            "harmonic minor",
            "lydian",
        ):
            return f"in {key}" if key and mode == "blues" else ""
        spoken = (
            key.replace("b", " flat").replace("#", " sharp") if self.rng.random() < 0.3 else key
        )
        return f"in {spoken} {'minor' if mode == 'harmonic minor' else mode}"

    def players(self, most: int = 3, besides: str = "") -> str:
        """piano, upright bass and drums; nobody whom `besides` names already"""
        there = [n for n in self.facts.instruments if not _names(besides, n)]
        names = there[: self.rng.randint(1, most)]
        return _join(list(dict.fromkeys(_call(self.rng, n) for n in names)))

    def solo(self, besides: str = "") -> str:
        """saxophone solo, or solo piano; nobody whom `besides` names already"""
        if len(self.facts.instruments) == 1 and self.facts.instruments[0] not in _MANY:
            if _names(besides, self.facts.instruments[0]):
                return ""
            name = _call(self.rng, self.facts.instruments[0])
            return self.rng.choice((f"solo {name}", f"{name} alone", f"unaccompanied {name}"))
        if self.facts.lead and not _names(besides, self.facts.lead):
            name = _call(self.rng, self.facts.lead)
            forms = [f"{name} solo", f"{name} melody"]
            if "lead" not in name.split():
                forms += [f"lead {name}", f"{name} lead"]
            return self.rng.choice(forms)
        return ""

    def without(self) -> str:
        """no drums, or drums only"""
        if self.facts.drums is False and not _STRUCK & set(self.facts.instruments):
            return self.rng.choice(("no drums", "without drums", "no percussion"))
        if self.facts.drums and not self.facts.lead and set(self.facts.instruments) == {"drums"}:
            return self.rng.choice(("drums only", "drum loop", "drum beat", "just drums"))
        return ""


def _words(*parts: str) -> str:
    """The parts in a row; a word that ends one and begins the next is said once."""
    words: list[str] = []
    for part in parts:
        new = part.split()
        words += new[1:] if words and new and words[-1] == new[0] else new
    return " ".join(words)


def _names(text: str, instrument: str) -> bool:
    """Whether a genre or style names an instrument, if only by its kind: flamenco guitar."""
    kind = instrument.split()[-1]
    words = text.lower().split()
    return kind not in ("bass", "drums") and any(
        w.startswith(kind) or w.endswith(kind) or w == kind[:-1] for w in words
    )


def _list(*parts: str) -> str:
    """The given words with commas."""
    return ", ".join(part for part in parts if part)


_Form = Callable[[_Writer], str]


def _with(w: _Writer) -> str:
    """jazz with piano and drums"""
    genre = w.genre()
    players = w.players(3, genre)
    return _words(genre, "with", players) if genre and players else ""


def _with_solo(w: _Writer) -> str:
    """jazz with saxophone solo"""
    genre = w.genre()
    solo = w.solo(genre)
    return _words(genre, "with", solo) if genre and solo and w.facts.lead else solo


def _counted(w: _Writer, most: int, *more: Callable[[], str], players_first: bool = False) -> str:
    """jazz, piano and drums, and what `more` adds"""
    genre = w.genre()
    parts = [genre, w.players(most, genre)]
    return _list(*(reversed(parts) if players_first else parts), *(say() for say in more))


def _adjectives(w: _Writer) -> str:
    """smooth, warm, bossa nova"""
    genre = w.genre()
    return _list(*dict.fromkeys((w.mood(genre), w.mood(genre), genre)))


_FORMS: tuple[tuple[float, _Form], ...] = (
    (2.0, lambda w: w.genre()),
    (1.0, lambda w: w.players(2)),
    (1.5, lambda w: w.praised()),
    (1.5, lambda w: _counted(w, 3)),
    (1.2, _with),
    (1.2, _with_solo),
    (1.0, lambda w: _list(w.genre(), w.tempo())),
    (0.8, lambda w: _words(w.praised(), w.key())),
    (0.8, lambda w: _list(w.genre(), w.tempo(), w.key())),
    (0.8, lambda w: _counted(w, 3, w.without)),
    (0.5, lambda w: _list(w.players(2), w.without())),
    (0.6, _adjectives),
    (0.5, lambda w: _list(w.mood(), w.players(2))),
    (0.5, lambda w: _words(w.mood(), w.solo())),
    (0.4, lambda w: _words(w.tempo(), w.praised())),
    (0.6, lambda w: _sentence(w)),
    (0.5, lambda w: _counted(w, 4, w.tempo, players_first=True)),
    (0.4, lambda w: _list(w.tempo(), w.key(), w.players(2))),
    (0.4, lambda w: _words(w.genre(), "loop") if w.facts.loop else ""),
    (0.5, lambda w: _words(w.genre(), "music") if w.facts.genre else ""),
    (0.8, lambda w: _genre_player(w)),
    (0.4, lambda w: _instrumental(w)),
)


def _article(text: str) -> str:
    """The text with a or an before it."""
    return ("an " if text[:1].lower() in "aeiou" else "a ") + text


def _instrumental(w: _Writer) -> str:
    """instrumental reggae, 78 bpm"""
    if not w.facts.genre or "choir" in w.facts.instruments:
        return ""
    return _list(_words("instrumental", w.genre()), w.tempo())


def _drumless(w: _Writer, listed: bool) -> str:
    """The end of a sentence on a clip without drums."""
    if w.facts.drums is not False or not w.without():
        return ""
    return " and no drums" if listed else " without drums"


def _sentence(w: _Writer) -> str:
    """A whole sentence."""
    genre = w.genre()
    if not genre:
        return ""
    kind = w.rng.choice(("piece", "track", "tune", "groove")) if w.facts.drums else "piece"
    start = _article(_words(w.mood(genre), genre, kind))
    players = w.players(3, genre)
    body = f" with {players}" if players else ""
    tail = w.rng.choice((
        f", {w.key()}" if w.key() else "",
        f" at {round(w.facts.bpm)} beats per minute" if w.facts.bpm else "",
        "",
        _drumless(w, bool(body)),
    ))  # fmt: skip
    text = start + body + tail
    return text[0].upper() + text[1:] + "."


def _genre_player(w: _Writer) -> str:
    """jazz piano, reggae bass, techno drums"""
    if not w.facts.genre or not w.facts.instruments:
        return ""
    name = _call(w.rng, w.rng.choice(w.facts.instruments[:3]))
    genre = w.facts.genre
    return (
        ""
        if name in genre or genre in name or _names(genre, name)
        else _words(w.mood(genre) if w.rng.random() < 0.3 else "", genre, name)
    )


def _first(w: _Writer) -> str:
    """The main caption: mood, genre, who plays, sometimes tempo and key."""
    head = w.praised() if w.rng.random() < 0.6 else w.genre()
    solo = w.solo(head) if w.rng.random() < 0.6 else ""
    alone = solo and len(w.facts.instruments) == 1
    players = "" if alone else w.players(3, f"{head} {w.facts.lead if solo else ''}")
    tail = [w.tempo() if w.rng.random() < 0.45 else "", w.key() if w.rng.random() < 0.3 else ""]
    absent = w.without() if w.rng.random() < 0.5 else ""
    if w.rng.random() < 0.5 and head and players:
        return _list(f"{head} with {players}", solo, absent, *tail)
    return _list(head, solo, players if not solo or w.rng.random() < 0.5 else "", absent, *tail)


def _says_something(caption: str, facts: ClipLabels) -> bool:
    """Whether a caption names more than moods, tempo and key."""
    known = {word for mood in facts.moods for word in mood.split()} | _FILLERS
    known |= {"flat", "sharp", (facts.key or "").lower(), *(facts.mode or "").split()}
    words = caption.lower().replace(",", " ").replace(".", " ").split()
    return any(len(w) > 1 and not w.isdigit() and w not in known for w in words)


def captions_for(
    rng: random.Random, facts: ClipLabels, extra: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Four to six captions; the first is of medium length, the others take many forms.

    Parameters
    ----------
    rng : chooses forms and synonyms, never what is said
    facts : the only source of statements
    extra : phrases known to be true of the clip, used as captions too
    """
    if not facts.moods:
        facts = replace(facts, moods=moods_of(facts))
    writer = _Writer(rng, facts)
    wanted = rng.randint(4, 6)
    out = [caption for caption in (_first(writer),) if _says_something(caption, facts)]
    out += extra[:3]
    forms, weights = [form for _, form in _FORMS], [weight for weight, _ in _FORMS]
    for _ in range(60):
        if len(out) >= wanted:
            break
        caption = rng.choices(forms, weights)[0](writer).strip(" ,")
        on_progress = caption.lower() in (other.lower() for other in out)
        if not on_progress and _says_something(caption, facts):
            out.append(caption)
    return tuple(out)
