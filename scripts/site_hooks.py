"""Hooks of MkDocs: pages from the root, links that leave docs/, diagrams, and music to try.

The site holds CHANGELOG.md and its kin, which lie beside docs/. A link from a page to a file that
the site does not hold (source code, a model card) becomes the file's path in code type. The site
brings the Mermaid that draws its diagrams, so that a page asks no other server. Where the site has
its navigation it also has *Try it*: the page that makes music in the visitor's tab, with the
bundled model.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Link, Navigation
from mkdocs.utils import get_relative_url

ROOT = Path(__file__).resolve().parents[1]
ROOT_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
# Installed with what builds the web player.
MERMAID = ROOT / "web" / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
SCRIPT = "assets/mermaid.tiny.js"
TRY = "try/"
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie beside docs/, and Mermaid."""
    for name in ROOT_PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    if not MERMAID.is_file():
        raise PluginError(f"{MERMAID} is missing, which draws the diagrams: run npm ci in web/")
    files.append(File.generated(config, SCRIPT, abs_src_path=str(MERMAID)))
    return files


def on_nav(nav: Navigation, config: Any, **_: Any) -> Navigation:
    """Lead to the page that makes music."""
    if config.nav is not None:
        nav.items.insert(1, Link("Try it", TRY))
    return nav


def on_post_build(config: Any) -> None:
    """Write that page."""
    if config.nav is None:
        return
    from sonoriff.export.site import export_site
    from sonoriff.models.registry import load_model

    export_site(load_model(None), Path(config.site_dir) / TRY)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links as they are in the repository into links of the site."""
    source = page.file.src_uri
    at_root = source in ROOT_PAGES
    folder = PurePosixPath("." if at_root else "docs") / PurePosixPath(source).parent

    def replaced(link: re.Match[str]) -> str:
        path = os.path.normpath(folder / link["target"])
        held = path in ROOT_PAGES or path.startswith("docs/")
        if not held and (ROOT / path).exists():
            return f"{link['text']} (`{path}`)" if link["text"] != path else f"`{path}`"
        here = os.path.relpath(path.removeprefix("docs/"), PurePosixPath(source).parent)
        return f"[{link['text']}]({here}{link['anchor'] or ''})"

    return _LINK.sub(replaced, markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Load Mermaid where there is a diagram; the theme draws it then."""
    if '<pre class="mermaid">' not in output:
        return output
    script = f'<script src="{get_relative_url(SCRIPT, page.url)}"></script>'
    return output.replace("</head>", f"{script}</head>", 1)
