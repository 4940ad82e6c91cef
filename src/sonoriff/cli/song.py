"""`sonoriff song`: pieces of minutes with a form, planned in a small file and rendered from it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonoriff.cli import painting, song_edits
from sonoriff.cli.song_edits import Plan
from sonoriff.errors import ParameterError
from sonoriff.songs.forms import FORMS
from sonoriff.songs.menu import MOODS, TEMPI, THEMES, names

if TYPE_CHECKING:
    from sonoriff.pipeline.settings import Sampling
    from sonoriff.songs.plan import Song

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Songs: plan, check, render, change."
)
PlanOrPicture = Annotated[
    Path,
    typer.Argument(metavar="SONG", help="Plan of a song, or the picture of one to render again."),
]
PlanOutput = Annotated[Path, typer.Option("--output", "-o", help="Plan to write.")]


def _one_of(choices: Iterable[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}"


_ENERGY_MARKS = " ▁▃▅▆█"


@app.command()
def new(
    wish: Annotated[
        str, typer.Argument(help="What the song is; may name a tempo and a key.", metavar="WISH")
    ],
    output: PlanOutput = Path("song.toml"),
    length: Annotated[str, typer.Option(help="2:00, or seconds.", metavar="M:SS")] = "2:00",
    form: Annotated[
        str | None,
        typer.Option(
            help=f"{_one_of(FORMS)} [default: what suits the wish].",
            show_default=False,
        ),
    ] = None,
    mood: Annotated[str | None, typer.Option(help=f"{_one_of(names(MOODS))}.")] = None,
    theme: Annotated[str | None, typer.Option(help=f"{_one_of(names(THEMES))}.")] = None,
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="Added to the style; may be given again. sonoriff song menu lists them."),
    ] = None,
    tempo: Annotated[
        str | None, typer.Option(help=f"{_one_of(TEMPI)}, where no tempo is named.")
    ] = None,
    energy: Annotated[str, typer.Option(help="Course: form, rising, falling or steady.")] = "form",
    bpm: painting.Bpm = None,
    key: painting.Key = None,
    seed: painting.Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a plan that exists.")] = False,
) -> None:
    """Write the plan of a song: sections with lengths, energies and prompts, to be edited.

    \b
    Examples:
      sonoriff song new "lo-fi hip hop, rainy night" --length 2:00 -o night.toml
      sonoriff song new "techno, 132 bpm" --energy rising --key "A minor"
      sonoriff song new "jazz" --instrument piano --instrument bass --mood calm --theme study
    """
    from sonoriff.songs.document import save_song
    from sonoriff.songs.wish import parse_length, plan_song

    if output.suffix.lower() != ".toml":
        raise ParameterError(f"a plan is a .toml file, not {output.name}")
    if output.exists() and not force:
        raise ParameterError(f"{output} exists: name another file with -o, or give --force")
    asked_s = parse_length(length)
    song = plan_song(
        wish,
        length_s=asked_s,
        form=form,
        mood=mood,
        theme=theme,
        instruments=instrument or (),
        tempo=tempo,
        energy=energy,
        bpm=bpm,
        key=key,
        seed=seed,
    )
    save_song(output, song)
    _show(song)
    if abs(song.duration_s - asked_s) >= 0.5:
        typer.echo(f"whole bars at {song.bpm:g} bpm make {song.duration_s:.1f} s of {asked_s:g} s")
    typer.echo(f"{output}: edit it, then sonoriff song render {output}")


@app.command("menu")
def show_menu() -> None:
    """Print what can be chosen instead of written: genres, moods, themes, instruments and more.

    \b
    Example:
      sonoriff song menu
    """
    from sonoriff.songs.menu import menu

    for title, entries in menu().items():
        typer.echo(f"{title}: {', '.join(_shown(entry) for entry in entries)}")


def _shown(entry: str | dict[str, Any]) -> str:
    if isinstance(entry, str):
        return entry
    span = f" ({entry['bpm'][0]}-{entry['bpm'][1]} bpm)" if "bpm" in entry else ""
    return f"{entry['name']}{span}"


@app.command()
def check(plan: Plan) -> None:
    """Say what is wrong in a plan, by line, or show its sections.

    \b
    Example:
      sonoriff song check night.toml
    """
    from sonoriff.songs.document import load_song

    _show(load_song(plan))


@app.command()
@painting.with_options
def render(
    plan: PlanOrPicture,
    output: painting.Output = Path("song.wav"),
    loudness: Annotated[
        float,
        typer.Option(help="Of the whole song; true peaks stay below -1 dB.", metavar="LUFS"),
    ] = -14.0,
    mastered: Annotated[
        bool, typer.Option("--master/--no-master", help="Bring the song to --loudness.")
    ] = True,
    steps: painting.Steps = None,
    guidance: painting.Guidance = None,
    sampler: painting.Sampler = None,
    kind: painting.Kind = None,
    *,
    written: painting.SoundOptions,
    chosen: painting.ModelOptions,
) -> None:
    """Render a plan: a sound file and its sonogram, which holds the plan.

    What an edit does not change is taken from a cache, so that a second render paints only the
    section that changed and the joins beside it. Ctrl-C keeps what is done.

    \b
    Examples:
      sonoriff song render night.toml -o night.wav
      sonoriff song render night.toml -o night.mp3 --loudness -16
    """
    from sonoriff.pipeline.settings import Sampling
    from sonoriff.pipeline.sound_file import save_sound
    from sonoriff.songs import mastering
    from sonoriff.songs.document import load_song
    from sonoriff.songs.render import render_song
    from sonoriff.sonogram import decode

    painting.check_output(output, plan, sound=written)
    song, sampling = _of_picture(plan) if _is_picture(plan) else (load_song(plan), Sampling())
    wishes = painting.given(
        num_inference_steps=steps, guidance_scale=guidance, sampler=sampler, kind=kind
    )
    loaded = chosen.load()
    with painting.progress() as on_progress:
        clip = render_song(
            loaded,
            song,
            replace(sampling, **wishes),
            cache=cache_folder(),
            on_progress=on_progress,
        )
    if output.suffix.lower() == ".png":
        clip.save(output)
    else:
        # Not the clip's own, which would be kept beside the mastered one.
        sound = decode(clip.sonogram)
        if mastered:
            sound = mastering.mastered(sound, clip.sample_rate, loudness)
        rate, bits = written.sample_rate, written.bits
        save_sound(output, sound, clip.sonogram, sample_rate=rate, bits=bits)
        clip.save(output.with_suffix(".png"))
    typer.echo(f"{output}: {clip.sonogram.duration_s:.2f} s, {len(song.sections)} sections")


app.command("reroll")(song_edits.reroll)
app.command("extend")(song_edits.extend)
app.command("shorten")(song_edits.shorten)
app.command("replace")(song_edits.replace_section)


def cache_folder() -> Path:
    """Where latents of sections lie: SONORIFF_SONGS, or below ~/.cache."""
    given = os.environ.get("SONORIFF_SONGS")
    return Path(given) if given else Path.home() / ".cache" / "sonoriff" / "songs"


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() == ".png" and path.is_file()


def _of_picture(path: Path) -> tuple[Song, Sampling]:
    """The plan that a picture holds, and how it was painted."""
    from sonoriff.pipeline.clip import Clip
    from sonoriff.pipeline.settings import Sampling
    from sonoriff.songs.document import song_from_toml

    settings = Clip.load(path).settings
    plan = settings.get("plan")
    if not isinstance(plan, str):
        raise ParameterError(f"{path.name} holds no plan of a song")
    return song_from_toml(plan, name=path.name), Sampling.from_dict(settings)


def _show(song: Song) -> None:
    minutes, seconds = divmod(round(song.duration_s), 60)
    typer.echo(
        f"{song.title or 'song'}: {minutes}:{seconds:02} min, {song.bars} bars at "
        f"{song.bpm:g} bpm{f' in {song.key}' if song.key else ''}"
    )
    for i, bar in enumerate(song.first_bars()[:-1]):
        section = song.resolved(i)
        levels = section.energy or (0, 0)
        marks = "".join(_ENERGY_MARKS[round(level)] for level in levels)
        like = f", like {section.like}" if section.like else ""
        typer.echo(
            f"{i + 1:3}  bar {bar + 1:3}  {section.bars:3} bars  {marks}  {section.name}"
            f"{like}{': ' + section.prompt if section.prompt else ''}"
        )
