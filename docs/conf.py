"""The documentation site: Sphinx over the Markdown of this folder, as it stands and as it reads in the repository.

Nothing is fetched while it is built, and nothing while it is read: no intersphinx, no fonts, no scripts of others.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent

project = "Simward"
author = "the Simward authors"
project_copyright = "the Simward authors, Apache-2.0"
release = version = re.search(r'__version__ = "(.+)"', (REPOSITORY / "src/simward/__init__.py").read_text())[1]

extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["README.md"]  # the index of who reads in the repository: index.md includes its table
highlight_language = "text"
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4  # as GitHub makes them: a link to a heading that there is not is an error

html_theme = "furo"
html_title = f"Simward {release}"
html_static_path = ["_static"]
html_css_files, html_js_files = ["site.css"], ["site.js"]
html_copy_source = html_show_sphinx = False
html_last_updated_fmt = None  # the same sources give the same site

# Documents of the repository that are pages of the site too, each included by a page of its own.
PAGES = {
    "ARCHITECTURE.md": "docs/project/architecture.md",
    "CONTRIBUTING.md": "docs/project/contributing.md",
    "SECURITY.md": "docs/project/security.md",
    "CHANGELOG.md": "docs/project/changelog.md",
    "docs/README.md": "docs/index.md",
}
# Below the index of a folder, for the site alone: so a new page needs no list but the index that people read.
LISTED = "\n\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)")


def relinked(text: str, written_in: str, shown_in: str) -> str:
    """The text with its links to files of the repository as they are from the page that shows it.

    Both paths are from the root of the repository; `written_in` is where the text stands.
    """

    def as_shown(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(written_in), match[1]))
        target = PAGES.get(target, target)
        return f"]({posixpath.relpath(target, posixpath.dirname(shown_in))}"

    return LINK.sub(as_shown, text)


def setup(app: Any) -> dict[str, Any]:
    """Have every text relinked when it is read, and the pages of a folder that has an index listed below that."""

    def on_page(app: Any, name: str, source: list[str]) -> None:
        page = f"docs/{name}.md"
        source[0] = relinked(source[0], page, page)
        if name.endswith("/README"):
            source[0] += LISTED

    def on_include(app: Any, included: Path, parent: str, source: list[str]) -> None:
        written_in = (HERE / included).resolve().relative_to(REPOSITORY)
        source[0] = relinked(source[0], written_in.as_posix(), f"docs/{app.env.docname}.md")

    app.add_lexer("csv", TextLexer)  # GitHub colours it, Pygments does not know it
    app.connect("source-read", on_page)
    app.connect("include-read", on_include)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
