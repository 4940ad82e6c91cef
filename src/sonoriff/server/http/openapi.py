"""What FastAPI cannot derive for the OpenAPI document: conditions between fields, and forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sonoriff.music import USUAL_BPM, bar_seconds
from sonoriff.server.config import Limits
from sonoriff.server.http.schemas import (
    ExtendBody,
    InpaintBody,
    LoopBody,
    MorphBody,
    RemixBody,
    RiffBody,
)
from sonoriff.server.http.song_schemas import SongBody

Schema = dict[str, Any]
_REF = "#/components/schemas/{model}"
_FILE: Schema = {"type": "string", "contentMediaType": "application/octet-stream", "minLength": 1}
_FORMS: dict[str, type[RiffBody]] = {
    "remix": RemixBody,
    "extend": ExtendBody,
    "inpaint": InpaintBody,
}
_FORM = "multipart/form-data"


def document_of(app: FastAPI, limits: Limits, seed_ids: Sequence[str]) -> Schema:
    """The OpenAPI document: it allows nothing that the server would always refuse.

    Parameters
    ----------
    seed_ids : ids of the seed and mask images that this server has
    """
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
    )
    kinds = document["components"]["schemas"]
    for model in _FORMS.values():
        inner = model.model_json_schema(ref_template=_REF)
        kinds[model.__name__] = inner
    for verb in _FORMS:
        kinds.pop(f"Body_{verb}_api_v1_riffs_{verb}_post", None)
        content = document["paths"][f"/api/v1/riffs/{verb}"]["post"]["requestBody"]["content"]
        content[_FORM] = {
            "schema": _form(verb),
            "encoding": {"settings": {"contentType": "application/json"}},
        }
    kinds.pop("Body_analyse_api_v1_analyse_post", None)
    document["paths"]["/api/v1/analyse"]["post"]["requestBody"] = {
        "required": True,
        "content": {_FORM: {"schema": _source_form()}},
    }
    kinds[LoopBody.__name__]["anyOf"] = _loops(limits)
    kinds[MorphBody.__name__]["anyOf"] = _morphs()
    kinds[SongBody.__name__]["oneOf"] = _either("plan", "song")
    kinds[InpaintBody.__name__]["properties"].update(
        time_s=_span("Seconds, rising."), band_hz=_span("Hz, rising.")
    )
    _name_images(document, seed_ids)
    return document


def _source_form() -> Schema:
    """A form with either a file or the id of a riff as the source."""
    fields: Schema = {
        "source": {**_FILE, "description": "Sound, or sonogram picture."},
        "riff": {
            "type": "string",
            "minLength": 1,
            "maxLength": 40,
            "description": "Of the history, as the source.",
        },
    }
    return {
        "type": "object",
        "properties": fields,
        "additionalProperties": False,
        "oneOf": [{"required": ["source"]}, {"required": ["riff"]}],
    }


def _form(verb: str) -> Schema:
    """A source, and settings as JSON."""
    form = _source_form()
    form["required"] = ["settings"]
    fields = form["properties"]
    fields["settings"] = {"$ref": _REF.format(model=_FORMS[verb].__name__)}
    if verb == "inpaint":
        fields["mask"] = {**_FILE, "description": "White is repainted."}
        spans = [
            {"properties": {"settings": {"required": [name], "properties": {name: _PAIR}}}}
            for name in ("time_s", "band_hz")
        ]
        form["anyOf"] = [{"required": ["mask"]}, *spans]
    return form


_PAIR: Schema = {
    "type": "array",
    "items": {"type": "number", "minimum": 0, "maximum": 1e6},
    "minItems": 2,
    "maxItems": 2,
}


def _span(about: str) -> Schema:
    return {"anyOf": [_PAIR, {"type": "null"}], "description": about}


def _either(first: str, second: str) -> list[Schema]:
    """One of two fields, the other null or left out."""
    pairs = ((first, second), (second, first))
    return [
        {
            "required": [given],
            "properties": {given: {"not": {"type": "null"}}, other: {"type": "null"}},
        }
        for given, other in pairs
    ]


def _loops(limits: Limits) -> list[Schema]:
    """The more bars, the faster they have to be: a loop has a greatest length."""
    model = LoopBody.model_json_schema()["properties"]
    most = int(model["bars"]["maximum"])
    slowest, fastest = (model["bpm"]["anyOf"][0][end] for end in ("minimum", "maximum"))
    alternatives: list[Schema] = []
    usual = int(limits.max_duration_s / bar_seconds(USUAL_BPM))
    for bars in range(1, most + 1):
        bpm = bars * bar_seconds(1.0) / limits.max_duration_s
        if bpm <= slowest:
            alternatives = [{"properties": {"bars": {"maximum": bars}}}]
        elif bars <= usual:
            tempo: Schema = {"anyOf": [{"type": "number", "minimum": bpm}, {"type": "null"}]}
            alternatives.append({"properties": {"bars": {"maximum": bars}, "bpm": tempo}})
        elif bpm <= fastest:
            tempo = {"type": "number", "minimum": bpm}
            properties = {"bars": {"maximum": bars}, "bpm": tempo}
            alternatives.append({"required": ["bpm"], "properties": properties})
    return alternatives


def _morphs() -> list[Schema]:
    """There are at least as many clips as points."""
    fields = MorphBody.model_fields
    usual = int(fields["clips"].default)
    most = int(MorphBody.model_json_schema()["properties"]["points"]["maxItems"])
    return [
        {
            "required": ["clips"] if points > usual else [],
            "properties": {"points": {"maxItems": points}, "clips": {"minimum": points}},
        }
        for points in range(3, most + 1)
    ]


def _name_images(document: Schema, ids: Sequence[str]) -> None:
    """Riffusion's call knows the images that there are."""
    ask = document["paths"]["/run_inference/"]["post"]["requestBody"]["content"]
    fields = ask["application/json"]["schema"]["properties"]
    fields["seed_image_id"] = {"enum": list(ids), "default": "og_beat"}
    fields["mask_image_id"] = {"enum": [*ids, "", None], "default": None}
