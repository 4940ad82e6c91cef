"""`sonoriff evaluate`: measures of a model's music."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sonoriff.cli.evaluate_codec import evaluate_codec_command
from sonoriff.cli.evaluate_options import progress, sampling
from sonoriff.cli.evaluate_own import evaluate_own_command
from sonoriff.cli.evaluate_pipeline import evaluate_pipeline_command
from sonoriff.cli.evaluate_song import evaluate_song_command
from sonoriff.errors import ParameterError

if TYPE_CHECKING:
    from sonoriff.evaluation.judges.classifier_training import ClassifierConfig
    from sonoriff.evaluation.model.evaluate import EvaluationSettings
    from sonoriff.models.small.model import SmallModel
    from sonoriff.training.data.pictures import PictureSet

app = typer.Typer(
    help="""Measure how good the sound is.

    \b
    Examples:
      sonoriff evaluate codec my-music/
      sonoriff evaluate pipeline --model my-model
      sonoriff evaluate song
      sonoriff evaluate model --corpus CORPUS
      sonoriff evaluate model --model my-model --corpus CORPUS -o table.json --sheet sheet/
      sonoriff evaluate own ~/Music/mine my-style
    """,
    no_args_is_help=True,
)
app.command("codec")(evaluate_codec_command)
app.command("pipeline")(evaluate_pipeline_command)
app.command("song")(evaluate_song_command)
app.command("own")(evaluate_own_command)

CorpusFolder = Annotated[
    Path, typer.Option("--corpus", help="Corpus folder, see `sonoriff corpus`.", file_okay=False)
]
Work = Annotated[
    Path,
    typer.Option(
        help="Where pictures, the classifier and the measures of clips are kept between runs.",
        metavar="FOLDER",
        file_okay=False,
        show_default="~/.cache/sonoriff",
    ),
]
ClassifierSteps = Annotated[
    int | None, typer.Option(help="Training steps of the classifier.", min=1, show_default=False)
]
FewestClips = Annotated[
    int | None,
    typer.Option(
        help="Training clips that a genre or instrument needs to be judged.",
        min=1,
        show_default=False,
    ),
]
WORK = Path.home() / ".cache" / "sonoriff"


@app.command("model")
def evaluate_model_command(
    corpus: CorpusFolder,
    model: Annotated[
        str | None, typer.Option(help="Model folder [default: the bundled model].")
    ] = None,
    clips: Annotated[int, typer.Option(help="Held-out captions to answer.", min=10)] = 1000,
    split: Annotated[str, typer.Option(help="test or validation.")] = "test",
    rows: Annotated[
        str, typer.Option(help="Rows of the table: real, codec, ceiling, model.", metavar="LIST")
    ] = "real,ceiling,model",
    work: Work = WORK,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write every figure as JSON.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Write 24 prompts x 4 seeds as pictures and sounds.", file_okay=False),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.", min=1)] = None,
    guidance: Annotated[
        float | None, typer.Option(help="How hard the model follows the prompt.")
    ] = None,
    classifier_steps: ClassifierSteps = None,
    fewest_clips: FewestClips = None,
    seed: Annotated[int, typer.Option(help="Of the choice of clips and captions.", min=0)] = 0,
) -> None:
    """Compare what the model makes with real music.

    The table has a row for real test clips, one for the same clips through autoencoder and codec,
    which is the best that the model could do, and one for the model. A run that is stopped goes
    on when the same command is given again.
    """
    from sonoriff.evaluation.model.evaluate import EvaluationSettings, evaluate_model
    from sonoriff.evaluation.model.sheet import PROMPTS
    from sonoriff.files import write_text

    settings = EvaluationSettings(
        n_prompts=clips,
        split=split,
        rows=tuple(name.strip() for name in rows.split(",") if name.strip()),
        seed=seed,
        sampling=sampling(steps, guidance),
        classifier=_classifier_config(classifier_steps, fewest_clips),
        # Four clips for each of these take no longer than the rest of a short run.
        n_seed_prompts=max(2, min(len(PROMPTS), clips // 10)),
    )
    if output is not None and not output.parent.is_dir():
        raise ParameterError(f"the folder {output.parent} does not exist: make it first")
    loaded = _load_model(model, settings, sheet)
    pictures = _pictures(corpus, work)
    with progress() as on_progress:
        table = evaluate_model(
            loaded,
            corpus,
            pictures,
            work / "evaluation",
            settings,
            on_clip=on_progress,
            on_step=lambda done, total, loss: on_progress(
                f"classifier, loss {loss:.2f}", done, total
            ),
        )
    typer.echo(table.to_text(), nl=False)
    if output is not None:
        write_text(output, table.to_json())
    if sheet is not None and loaded is not None:
        _write_sheet(loaded, settings, sheet)


@app.command("classifier")
def evaluate_classifier_command(
    corpus: CorpusFolder,
    work: Work = WORK,
    classifier_steps: ClassifierSteps = None,
    fewest_clips: FewestClips = None,
) -> None:
    """Train the classifier that judges the model, and say how well it does on real clips.

    `evaluate model` does it by itself when there is none for the corpus.
    """
    from sonoriff.evaluation.judges.classifier_training import classifier_for_corpus

    config = _classifier_config(classifier_steps, fewest_clips)
    pictures = _pictures(corpus, work)
    with progress() as on_progress:
        classifier, facts = classifier_for_corpus(
            pictures,
            work / "evaluation",
            config,
            on_step=lambda done, total, loss: on_progress(
                f"classifier, loss {loss:.2f}", done, total
            ),
        )
    labels = classifier.labels
    typer.echo(f"{len(labels.genres)} genres, {len(labels.instruments)} instruments")
    for name in ("training_clips", "validation_clips"):
        typer.echo(f"{name.replace('_', ' ')}: {facts[name]}")
    for name in ("validation_genre_top1", "validation_instrument_recall"):
        typer.echo(f"{name.replace('_', ' ')}: {facts[name]}")


def _classifier_config(steps: int | None, fewest_clips: int | None) -> ClassifierConfig:
    from sonoriff.evaluation.judges.classifier_training import ClassifierConfig

    given = {"steps": steps, "fewest_clips": fewest_clips}
    return ClassifierConfig(**{k: v for k, v in given.items() if v is not None})


def _load_model(
    name: str | None, settings: EvaluationSettings, sheet: Path | None
) -> SmallModel | None:
    from sonoriff.evaluation.judges.musicnn import weights_folder
    from sonoriff.models.registry import load_model
    from sonoriff.models.small.model import SmallModel

    weights_folder()  # fails before the long work if it is not installed
    if not settings.needs_model and sheet is None:
        return None
    loaded = load_model(name)
    if not isinstance(loaded, SmallModel):
        raise ParameterError(f"{loaded.name} is of another kind: only small models are rated")
    return loaded


def _pictures(corpus: Path, work: Path) -> PictureSet:
    from sonoriff.training.data.caches import pictures_folder
    from sonoriff.training.data.pictures import load_pictures, prepare_pictures

    folder = pictures_folder(corpus, work)
    with progress() as on_progress:
        prepare_pictures(corpus, folder, progress=lambda i, n: on_progress("pictures", i, n))
    return load_pictures([folder])


def _write_sheet(model: SmallModel, settings: EvaluationSettings, folder: Path) -> None:
    from sonoriff.evaluation.model.sheet import sheet_settings, write_sheet

    with progress() as on_progress:
        write_sheet(model, sheet_settings(settings.sampling), folder, on_clip=on_progress)
    typer.echo(f"pictures and sounds are in {folder / 'index.html'}", err=True)
