"""Write the graphs of the bundled model's networks into the package; `--check` compares them.

python scripts/make_graphs.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sonoriff.models.registry import bundled_folder
from sonoriff.models.small.config import AutoencoderConfig, DenoiserConfig
from sonoriff.models.small.onnx.build import build_graph
from sonoriff.models.small.onnx.stored import GRAPHS_FOLDER, Config, described


def files() -> dict[Path, bytes]:
    """What belongs into the folder."""
    shapes = {
        name: json.loads((bundled_folder() / name / "config.json").read_text(encoding="utf-8"))
        for name in ("autoencoder", "denoiser")
    }
    autoencoder = AutoencoderConfig.from_dict(shapes["autoencoder"])
    denoiser = DenoiserConfig.from_dict(shapes["denoiser"])
    configs: dict[str, Config] = {
        **{"denoiser": denoiser, "denoiser-int8": denoiser},
        **{"encoder": autoencoder, "decoder": autoencoder, "text": None},
    }
    wanted = {}
    for name, config in configs.items():
        graph = build_graph(name, config)
        facts = {"config": described(config), "weights": graph.weights}
        wanted[GRAPHS_FOLDER / f"{name}.onnx"] = graph.graph
        wanted[GRAPHS_FOLDER / f"{name}.json"] = (json.dumps(facts) + "\n").encode()
    return wanted


def main() -> int:
    wanted = files()
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, data in wanted.items() if not _is(path, data)]
        if stale:
            print(f"not those of the code: {', '.join(stale)}; run python {sys.argv[0]}")
        return 1 if stale else 0
    GRAPHS_FOLDER.mkdir(exist_ok=True)
    for path, data in wanted.items():
        path.write_bytes(data)
    return 0


def _is(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


if __name__ == "__main__":
    sys.exit(main())
