"""Write constraints.txt: the versions of this environment, for all that Sonoriff may install.

Usage: python scripts/make_constraints.py

Run it in an environment in which the whole test suite has passed. The torchaudio extra is left
out, since its builds bind their own version of torch.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

TARGET = Path(__file__).resolve().parents[1] / "constraints.txt"
ROOTS = ("sonoriff", "sonoriff-composer")
LEFT_OUT = {"torchaudio", *ROOTS}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
HEAD = """\
# The versions that the tests passed with, for `pip install -c constraints.txt`.
# Written by `python scripts/make_constraints.py`; do not edit. Torch bears no "+cpu": the same
# pin serves the CPU build and the CUDA build, whichever the package index offers.
"""


def _closure(root: str) -> set[str]:
    """Every installed distribution that `root` with all its extras may ask for."""
    found: set[str] = set()
    waiting = [(root, tuple(_extras(root)))]
    while waiting:
        name, extras = waiting.pop()
        try:
            requirements = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add(canonicalize_name(name))
        for requirement in map(Requirement, requirements):
            wanted = requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
            )
            inner = canonicalize_name(requirement.name)
            if wanted and inner not in found:
                waiting.append((inner, tuple(requirement.extras)))
    return found


def _extras(name: str) -> list[str]:
    return distribution(name).metadata.get_all("Provides-Extra") or []


def _line(name: str) -> str:
    """``name==version``, with a marker where that version is not for every Python."""
    package = distribution(name)
    version = package.version.split("+")[0]
    pythons = SpecifierSet(package.metadata.get("Requires-Python") or "")
    fitting = [python for python in PYTHONS if pythons.contains(f"{python}.99")]
    if fitting == list(PYTHONS):
        return f"{name}=={version}"
    return f'{name}=={version}; python_version >= "{fitting[0]}"'


def main() -> None:
    """Write the file."""
    names = sorted(set().union(*map(_closure, ROOTS)) - LEFT_OUT)
    TARGET.write_text(HEAD + "".join(f"{_line(name)}\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main()
