"""Where what is computed of a corpus is kept between runs."""

from __future__ import annotations

import hashlib
from pathlib import Path


def unique_name(folder: Path) -> str:
    """A folder's name and a digest of its whole path, which tells folders of one name apart."""
    path = folder.resolve()
    mark = hashlib.blake2b(str(path).encode("utf-8", "surrogateescape"), digest_size=4)
    return f"{path.name or 'root'}-{mark.hexdigest()}"


def pictures_folder(corpus: Path, work: Path) -> Path:
    """The pictures of a corpus."""
    return work / "pictures" / unique_name(corpus)
