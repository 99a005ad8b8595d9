"""The documentation site builds without a warning, from what is here alone, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from house.sources import REPOSITORY

DOCS = REPOSITORY / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site; a broken link, a missing heading or a page that nothing leads to is an error."""
    place = tmp_path_factory.mktemp("site")
    strictly = ["-W", "--keep-going", "-n", "-q", "-d", str(place / "read")]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "html", *strictly, str(DOCS), str(place / "site")],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return place / "site"


def test_every_page_of_the_folder_is_a_page_of_the_site(site: Path) -> None:
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")} - {Path("README.html")}
    assert all((site / page).exists() for page in pages)


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Links may lead out; what a browser loads by itself may not."""
    loaded = re.compile(r"""<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)="((?:https?:)?//[^"]*)""")
    offenders = {(page.name, at) for page in site.rglob("*.html") for at in loaded.findall(page.read_text())}
    offenders |= {
        (sheet.name, at)
        for sheet in site.rglob("*.css")
        for at in re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]*)""", sheet.read_text())
    }
    assert not offenders


def test_the_search_knows_the_pages(site: Path) -> None:
    index = (site / "searchindex.js").read_text()
    assert "tutorial/five-minutes" in index and "reference/api" in index


@pytest.mark.parametrize("folder", ["decisions", "reference/detectors"])
def test_an_index_lists_its_folder(folder: str) -> None:
    """The site lists what is there; people in the repository read the index."""
    index = (DOCS / folder / "README.md").read_text()
    pages = {path.name for path in (DOCS / folder).glob("*.md")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([^)#]+)\)", index))


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "README.md").read_text()
    pages = {
        path.relative_to(DOCS).as_posix()
        for folder in ("tutorial", "how-to", "explanation", "reference")
        for path in (DOCS / folder).glob("*.md")
    }
    left_out = pages - set(re.findall(r"\]\(([^)#]+)\)", index))
    assert not left_out
