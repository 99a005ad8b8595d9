"""What every page has: its frame and headers, files that may be kept, errors in words, and nothing inline."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from control.assembled import token
from control.console.visiting import visit
from control.running import RunningControl
from house.sources import PACKAGE, REPOSITORY
from simward.control.api.permissions import DECLARED
from simward.control.console.assets import A_YEAR, Assets

CONSOLE = PACKAGE / "control" / "console"
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
VENDOR = CONSOLE / "static" / "vendor"
needs_vendor = pytest.mark.skipif(not VENDOR.is_dir(), reason="scripts/console has not fetched what others made")


def test_a_page_has_its_frame_and_lets_nothing_else_in(console: RunningControl) -> None:
    page = visit(console, "/")
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<a class="skip" href="#main">' in page.text and 'aria-current="page"' in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store" and page.headers["x-content-type-options"] == "nosniff"


def test_htmx_is_given_the_content_alone(console: RunningControl) -> None:
    page = visit(console, "/incidents", hx_request="true")
    assert "<nav" not in page.text and 'id="list"' in page.text


def test_a_browser_is_given_the_theme_that_it_chose(console: RunningControl) -> None:
    assert 'data-theme="dark"' in visit(console, "/", cookie="theme=dark").text
    assert "data-theme" not in visit(console, "/", cookie='theme="><script>').text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_nothing_is_inline(template: Path) -> None:
    """What the policy of the pages forbids would be silently left out by a browser."""
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:|hx-on|hx-vals=.js:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "|safe" not in text.replace(" ", ""), "nothing is trusted to be markup"


def test_files_may_be_kept_for_as_long_as_they_are_these(console: RunningControl) -> None:
    address = re.search(r'href="(/static/[0-9a-f]{12}/console.css)"', visit(console, "/").text)
    assert address is not None
    plain = visit(console, address[1])
    assert plain.status == 200 and plain.headers["cache-control"] == A_YEAR
    packed = visit(console, address[1], accept_encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.content) == plain.content
    older = visit(console, "/static/000000000000/console.css")
    assert older.status == 200 and older.headers["cache-control"] == "no-cache"
    assert visit(console, "/static/000000000000/../pages.py").status == 404


def test_the_address_of_files_follows_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a { color: red }")
    before = Assets(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("a { color: tan }")
    assert Assets(tmp_path).url("a.css") != before


def test_errors_are_pages_that_say_what_to_do(console: RunningControl) -> None:
    page = visit(console, "/incidents/999999/acknowledge", {"because": "seen"})
    assert page.status == 404 and "There is no incident 999999." in page.text and "search above" in page.text
    page = visit(console, "/incidents?state=burnt")
    assert page.status == 422 and "<h1>" in page.text
    page = visit(console, "/incidents?surprise=1")
    assert page.status == 422 and "surprise" not in page.text.split("<main")[0]


def test_empty_fields_of_a_form_filter_nothing(console: RunningControl) -> None:
    assert visit(console, "/incidents?state=&severity=").status == 200


def test_every_route_of_the_console_declares_what_it_needs(console: RunningControl) -> None:
    routers = [one.original_router for one in console.control.app.routes if hasattr(one, "original_router")]
    ours = [one for router in routers if not router.include_in_schema for one in router.routes]
    assert len(ours) >= 4
    for route in ours:
        assert (route.openapi_extra or {}).get(DECLARED), f"{route.path} declares nothing"


def test_who_may_not_is_told_so_on_a_page(console: RunningControl) -> None:
    shown = token(console, "installer", "page-installer")
    page = visit(console, "/incidents", token=shown)
    assert page.status == 403 and "Token page-installer may not" in page.text
    assert 'href="/incidents"' not in page.text, "a place that one may not see is not offered"


def test_exports_are_whole_and_harmless_in_a_spreadsheet(console: RunningControl) -> None:
    page = visit(console, "/incidents?state=any&format=json")
    rows = json.loads(page.text)
    assert rows and page.headers["content-disposition"] == 'attachment; filename="simward-incidents.json"'
    page = visit(console, "/incidents?state=any&format=csv")
    assert page.text.splitlines()[0].startswith("number,state,severity,title")
    assert len(page.text.splitlines()) == len(rows) + 1


def test_a_lock_file_names_no_host() -> None:
    lock = json.loads((REPOSITORY / "package-lock.json").read_text())
    for name, one in lock["packages"].items():
        assert "resolved" not in one, name
        assert not name or one["integrity"].startswith("sha512-"), name


def test_nothing_that_others_made_is_committed() -> None:
    asked = ["git", "ls-files", str(VENDOR)]
    assert not subprocess.run(asked, capture_output=True, text=True, cwd=REPOSITORY, check=False).stdout


@needs_vendor
def test_what_others_made_comes_with_their_licences() -> None:
    names = {path.name for path in VENDOR.iterdir()}
    assert {"htmx.min.js", "uPlot.iife.min.js", "uPlot.min.css", "maplibre-gl-csp.js"} <= names
    assert {"htmx.LICENSE.txt", "uPlot.LICENSE.txt", "maplibre-gl.LICENSE.txt"} <= names


@needs_vendor
def test_javascript_is_small() -> None:
    """All that any page but the map can load: at most 150 kB, compressed."""
    assets = Assets()
    sent = {
        name: len(file.compressed or file.content) for name, file in assets.files.items()
        if name.endswith(".js") and "maplibre" not in name and "map" not in name
    }  # fmt: skip
    assert sum(sent.values()) <= 150_000, sent
