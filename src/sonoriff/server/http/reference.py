"""The page `/docs`: the HTTP API reference, without scripts or external resources."""

from __future__ import annotations

import html
import json
from typing import Any

from starlette.responses import HTMLResponse

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}code,pre{font:14px/1.5 ui-monospace,monospace}"
    "pre{overflow:auto;padding:.5rem 1rem;border:1px solid #8888}"
    "td,th{text-align:left;vertical-align:top;padding:.1rem 1rem .1rem 0}"
)


def reference_page(schema: dict[str, Any]) -> HTMLResponse:
    """Render the operations of an OpenAPI document as an HTML page."""
    parts = [
        _operation(method.upper(), path, operation)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    kinds = [
        f"<h3 id={html.escape(json.dumps(name))}>{_text(name)}</h3><pre>{_json(kind)}</pre>"
        for name, kind in schema.get("components", {}).get("schemas", {}).items()
    ]
    info = schema["info"]
    body = (
        f"<h1>{_text(info['title'])} {_text(info['version'])}</h1><p>{_text(info['description'])}"
        '</p><p>For programs: <a href="/openapi.json">/openapi.json</a></p>'
        f"<h2>Operations</h2>{''.join(parts)}<h2>Types</h2>{''.join(kinds)}"
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sonoriff API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{body}</html>'
    )
    return HTMLResponse(page, headers=_HEADERS)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (p["name"], f"{p['in']}: {json.dumps(p.get('schema', {}))}", p.get("description", ""))
        for p in operation.get("parameters", [])
    ]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", kind, json.dumps(body.get("schema", {}))))
    for status, answer in operation["responses"].items():
        rows.append((status, answer.get("description", ""), ", ".join(answer.get("content", {}))))
    cells = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    about = _text(operation.get("description", operation.get("summary", "")))
    return f"<h3><code>{method} {_text(path)}</code></h3><p>{about}</p><table>{cells}</table>"


def _text(value: str) -> str:
    return html.escape(str(value))


def _json(value: Any) -> str:
    return _text(json.dumps(value, indent=1, ensure_ascii=False))
