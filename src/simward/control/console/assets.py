"""The console's style sheet, scripts and pictures, read once, at addresses that change with them.

Their address holds a digest of all of them, so that a browser may keep them for a year; modules name each other by
relative addresses, which then hold it too.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from simward.control.api.permissions import ANYBODY, needs
from simward.control.api.problems import Problem

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static"
WORTH_COMPRESSING = (".css", ".js", ".svg", ".json", ".geojson", ".txt")
A_YEAR = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class File:
    """One file, as it is sent."""

    content: bytes
    media_type: str
    worth_compressing: bool

    @functools.cached_property
    def compressed(self) -> bytes | None:
        """By gzip; None where that does not make it smaller. Made when first asked for: a quarter of a second for all
        of them is a good part of what starting the control process takes."""
        made = gzip.compress(self.content, 9, mtime=0) if self.worth_compressing else self.content
        return made if len(made) < len(self.content) else None


class Assets:
    """Every file below a folder (FOLDER), in memory: some 2 MB, half of them for the map."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        self.files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
        digest = hashlib.sha256()
        for name, file in self.files.items():
            digest.update(f"{name}\0{len(file.content)}\0".encode() + file.content)
        self.digest = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file. KeyError where there is none: a page would lack it, which its test finds."""
        if name not in self.files:
            raise KeyError(name)
        return f"{PREFIX}/{self.digest}/{name}"

    def has(self, name: str) -> bool:
        """Is it there? What comes from others (`vendor/`) is not where scripts/console never ran."""
        return name in self.files


def _read(path: Path) -> File:
    content = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(content, kind, path.suffix in WORTH_COMPRESSING)


def asset_routes(assets: Assets) -> APIRouter:
    """The route to all of them."""
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)

    @routes.get("/{digest}/{name:path}", openapi_extra=needs(ANYBODY))
    def asset(digest: str, name: str, request: Request) -> Response:
        """A file; at the address of an earlier version the present one, which may not be kept.

        In a thread: whoever asks first waits while it is compressed, and nobody else.
        """
        file = assets.files.get(name)
        if file is None:
            raise Problem(404, "not-found", "No such file", "There is no file of this name.")
        headers = {"Cache-Control": A_YEAR if digest == assets.digest else "no-cache", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", "") and file.compressed is not None:
            headers["Content-Encoding"] = "gzip"
            return Response(file.compressed, headers=headers, media_type=file.media_type)
        return Response(file.content, headers=headers, media_type=file.media_type)

    return routes
