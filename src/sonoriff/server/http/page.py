"""The files of the web page."""

from __future__ import annotations

import mimetypes
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

# The page's ring buffer is a SharedArrayBuffer, which requires cross-origin isolation.
_PAGE_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self' ws: wss: blob: data:; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
# What the build has compressed, the smallest first.
_CODINGS = (("br", ".br"), ("gzip", ".gz"))
# Names in there have a digest of the content.
_FOR_GOOD = "assets/"


class PageFiles(StaticFiles):
    """Static files with the page's headers, compressed where the build has done that."""

    async def get_response(self, path: str, scope: Any) -> Response:
        """Response for one file."""
        response = await self._compressed(path, scope) or await super().get_response(path, scope)
        response.headers.update(_PAGE_HEADERS)
        response.headers["Vary"] = "Accept-Encoding"
        lasts = path.startswith(_FOR_GOOD) and response.status_code in (200, 304)
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if lasts else "no-cache"
        )
        return response

    async def _compressed(self, path: str, scope: Any) -> Response | None:
        """The file as the build has compressed it, in a coding that the client takes."""
        name = "index.html" if path == "." else path
        kind, _ = mimetypes.guess_type(name)
        accepted = Headers(scope=scope).get("accept-encoding", "")
        wanted = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
        for coding, suffix in _CODINGS:
            if coding not in wanted or kind is None or not self.lookup_path(name + suffix)[1]:
                continue
            response = await super().get_response(name + suffix, scope)
            text = kind.startswith("text/") or kind == "application/javascript"
            response.headers["Content-Type"] = f"{kind}; charset=utf-8" if text else kind
            response.headers["Content-Encoding"] = coding
            return response
        return None
