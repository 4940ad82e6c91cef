"""Docstrings for the site: what stands after ``name :`` is prose here, as types are annotations.

numpydoc takes the words after the colon for a type. This Griffe extension moves them into the
description before they are read, so that the site shows the type of the signature and whole
sentences.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_SECTION = re.compile(
    r"^(?P<head>(?:Parameters|Attributes)\n-+\n)(?P<body>.*?)(?=^\w[\w ]*\n-{3,}\n|\Z)",
    re.MULTILINE | re.DOTALL,
)
_ENTRY = re.compile(r"^(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*) : (?P<text>.+)$", re.MULTILINE)


class Prose(griffe.Extension):
    """Rewrites the docstring of every object."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:  # noqa: ARG002
        """Move words after a colon into the description."""
        if obj.docstring:
            obj.docstring.value = _SECTION.sub(_with_prose, obj.docstring.value)


def _with_prose(section: re.Match[str]) -> str:
    body = re.sub(r"; (\w+ : )", r"\n\1", section["body"])  # two entries on one line
    return section["head"] + _ENTRY.sub(_below_its_name, body)


def _below_its_name(entry: re.Match[str]) -> str:
    return f"{entry['names']}\n    {entry['text']}"
