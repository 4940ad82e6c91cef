"""Debian packages as sources of sound: downloaded and unpacked, never installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from sonoriff.errors import SetupError

SOURCES = Path.home() / ".cache" / "sonoriff" / "sources"
AUDIO_SUFFIXES = (".ogg", ".mp3", ".opus", ".flac", ".wav")


def _run(command: list[str], folder: Path) -> None:
    """Run a program; its failure as one clear line."""
    if shutil.which(command[0]) is None:
        raise SetupError(f"the program {command[0]} is missing: this needs a Debian system")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).split())[-300:]
        raise SetupError(f"{' '.join(command)} failed: {last}")


def fetch(package: str, sources: Path) -> Path:
    """Download and unpack one package, once; the folder it lies in.

    Parameters
    ----------
    package : its name
    sources : where packages are kept

    Raises
    ------
    SetupError
        apt-get or dpkg-deb is missing or fails, as without a network or with a full disk
    """
    target = sources / "unpacked" / package
    if target.exists():
        return target
    archives = sources / "deb"
    archives.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    found = sorted(archives.glob(f"{package}_*.deb")) or _downloaded(package, archives)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        _run(["dpkg-deb", "-x", str(found[-1]), folder], archives)
        for archive in [p for p in Path(folder).rglob("*") if p.suffix in (".pk3", ".zip")]:
            _unzip(archive)
        if not target.exists():  # another process may have been quicker
            Path(folder).replace(target)
            Path(folder).mkdir()  # for the context manager to remove
    return target


def _downloaded(package: str, archives: Path) -> list[Path]:
    """Download a package's archive; it appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=archives, prefix=".") as folder:
        _run(["apt-get", "download", "-q", package], Path(folder))
        made = [path.replace(archives / path.name) for path in Path(folder).glob("*.deb")]
    if not made:
        raise SetupError(f"apt-get download {package} gave no archive")
    return made


def _unzip(archive: Path) -> None:
    """Unpack the music of a game's archive beside it; names cannot lead out of the folder."""
    with zipfile.ZipFile(archive) as file:
        for name in file.namelist():
            if name.lower().endswith(AUDIO_SUFFIXES):
                target = archive.parent / "music" / Path(name).name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(file.read(name))
