"""A page that makes its music itself: files that any web server can hand out."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sonoriff.server
from sonoriff.errors import ParameterError
from sonoriff.export.engine import export_engine
from sonoriff.files import write_bytes
from sonoriff.models.protocol import Model

STATIC = Path(sonoriff.server.__file__).parent / "static"
TAB_FILE = "tab.json"
FORMAT_VERSION = 1
# Raw and compressed bytes of the first load, at most.
MAX_FIRST_LOAD = 62_000_000
MAX_FIRST_LOAD_COMPRESSED = 45_000_000
_MODEL = "model"
_MARKER = f'<meta name="sonoriff-tab" content="./{TAB_FILE}" />'
_NOTHING_KEPT = "const KEPT = null"
# The worker that keeps the others is not kept itself.
_WORKER = "sw.js"
_COMPRESSED = (".br", ".gz")
# The landscape is loaded when it is first wanted, the encoder once music plays.
_LATER = ("assets/relief-", f"{_MODEL}/encoder.")
_WRITING = ("-latin-ext-", "-vietnamese-")


@dataclass(frozen=True)
class Site:
    """What was written; sizes in bytes. `compression` is "brotli", or else "gzip"."""

    files: list[Path]
    first_load: int
    first_load_compressed: int
    compression: str


def export_site(model: Model, folder: Path, storage: str = "int8") -> Site:
    """Write the page, the engine and a model as a static site.

    Parameters
    ----------
    folder : made where it is not there
    storage : as `export_engine` has it

    Raises
    ------
    ParameterError
        the page is not built; a model that `export_engine` does not take

    Notes
    -----
    ``index.html``, which names the rest, is written last, and no file is ever half written.
    """
    page = _page_files()
    engine = export_engine(model, folder / _MODEL, storage)
    contents = {f"{_MODEL}/{file.name}": file.read_bytes() for file in engine}
    contents |= {name: data for name, data in page.items() if name != "index.html"}
    stored = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in contents.items()
        if name != _WORKER
    }
    index = page["index.html"].replace(b"<head>", f"<head>\n    {_MARKER}".encode(), 1)
    tab = json.dumps({"version": FORMAT_VERSION, "model": f"{_MODEL}/", "files": stored})
    contents[TAB_FILE] = tab.encode() + b"\n"
    contents["index.html"] = index
    contents[_WORKER] = _keeping(page[_WORKER].decode(), contents).encode()
    written = [name for name in contents if not name.startswith(f"{_MODEL}/")]
    for name in sorted(written, key=lambda name: name == "index.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / name, contents[name])
    first = {name: data for name, data in contents.items() if _is_first(name)}
    compression, sizes = _compressed_sizes(first)
    return Site(
        [folder / name for name in contents],
        sum(map(len, first.values())),
        sizes,
        compression,
    )


def _page_files() -> dict[str, bytes]:
    """The built page, by names as addresses have them."""
    if not (STATIC / "index.html").is_file():
        raise ParameterError("the page is not built: npm ci && npm run build in web/")
    files = (file for file in sorted(STATIC.rglob("*")) if file.is_file())
    return {
        file.relative_to(STATIC).as_posix(): file.read_bytes()
        for file in files
        if file.suffix not in _COMPRESSED
    }


def _keeping(worker: str, contents: Mapping[str, bytes]) -> str:
    """The service worker with the names of what it keeps; others make it another one."""
    if _NOTHING_KEPT not in worker:
        raise ParameterError("the page was built by another version: npm run build in web/")
    # The engine keeps its weights and its runtime itself, checked.
    names = [
        name
        for name in contents
        if name != _WORKER and not name.endswith((".safetensors", ".onnx", ".wasm"))
    ]
    digest = hashlib.sha256(b"".join(contents[name] for name in names)).hexdigest()
    kept = json.dumps({"version": digest[:16], "files": ["./", *names]})
    return worker.replace(_NOTHING_KEPT, f"const KEPT = {kept}", 1)


def _is_first(name: str) -> bool:
    return not name.startswith(_LATER) and not any(part in name for part in _WRITING)


def _compressed_sizes(contents: Mapping[str, bytes]) -> tuple[str, int]:
    """Compression and bytes of all files, each by itself."""
    if importlib.util.find_spec("brotli") is None:
        return "gzip", sum(len(zlib.compress(data, 9)) for data in contents.values())
    import brotli

    return "brotli", sum(len(brotli.compress(data, quality=9)) for data in contents.values())
