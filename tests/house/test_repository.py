"""What a stranger finds in the repository is complete, points at things that exist, and names no one's machine."""

from __future__ import annotations

import re
import tomllib

import pytest

from house.sources import REPOSITORY, texts, tracked

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
DOCUMENTS = [(name, text) for name, text in texts() if name.endswith(".md")]

every_document = pytest.mark.parametrize(("name", "text"), DOCUMENTS, ids=[name for name, _ in DOCUMENTS])


def make_targets() -> dict[str, str]:
    """Target -> what it depends on, of the Makefile."""
    return dict(re.findall(r"^([a-z]+):([^=#\n]*)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    "name",
    ["README.md", "LICENSE", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/README.md"],
)
def test_has_what_a_stranger_looks_for(name: str) -> None:
    assert (REPOSITORY / name).stat().st_size > 500


def test_makefile_has_the_promised_targets() -> None:
    assert {"help", "setup", "demo", "test", "lint", "bench", "docs"} <= set(make_targets())
    assert "make test" in (REPOSITORY / ".ci" / "run").read_text()


@every_document
def test_make_commands_in_documents_exist(name: str, text: str) -> None:
    used = set(re.findall(r"(?:^|`|\$ )make ([a-z]+)\b(?=`|$| [A-Z]+=|\s+#)", text, re.MULTILINE))
    assert used <= set(make_targets()), f"{name}: {used - set(make_targets())}"


@every_document
def test_links_lead_somewhere(name: str, text: str) -> None:
    here = (REPOSITORY / name).parent
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (here / file).resolve() if file else REPOSITORY / name
        assert path.exists(), f"{name}: {target} does not exist"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{name}: no heading for {target}"


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a document in links."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*?)\s*$", prose, re.MULTILINE)
    plain = (re.sub(r"\]\([^)]*\)", "", heading.lower()) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@every_document
def test_paths_in_documents_exist(name: str, text: str) -> None:
    """Where a document names a file of this repository in backticks, the file is there."""
    if name == "CHANGELOG.md":
        return
    for path in re.findall(r"`((?:src|tests|docs|scripts|benchmarks|policies)/[\w./-]+)`", text):
        assert (REPOSITORY / path).exists(), f"{name}: `{path}` does not exist"


def test_no_text_names_a_persons_machine_or_a_ticket() -> None:
    private_path = re.compile(r"(?<![\w./~$}-])/(?:work|home|root|Users)/\w")
    ticket = re.compile(r"\b(?:issue|ticket)s? ?#?\d", re.IGNORECASE)
    marker = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    offenders = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if not name.startswith("tests/house/")
        for number, line in enumerate(text.splitlines(), 1)
        if private_path.search(line) or ticket.search(line) or marker.search(line)
    ]
    assert not offenders, "\n".join(offenders)


def test_nothing_large_or_private_is_tracked() -> None:
    offenders = [
        path.relative_to(REPOSITORY).as_posix()
        for path in tracked()
        if path.stat().st_size > 2_000_000 or path.suffix in (".pem", ".key", ".sqlite", ".pyc")
    ]
    assert not offenders


LOCKS = ["requirements.lock", *(f"requirements-{extra}.lock" for extra in ("dev", "fuzz", "peers"))]


@pytest.mark.parametrize("name", LOCKS)
def test_locks_have_hashes_and_no_index(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    pinned = re.findall(r"^([a-z0-9-]+)==\S+[^\n]*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    stated = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)
    assert pinned == stated
    assert not re.search(r"index-url|find-links|https?://|file:", text)
    runtime = {re.split(r"[<>=]", wanted)[0] for wanted in PROJECT["dependencies"]}
    assert runtime | {"setuptools"} <= set(pinned)


def test_every_runtime_dependency_has_its_line_of_reason() -> None:
    reasons = (REPOSITORY / "docs" / "decisions" / "0004-runtime-dependencies.md").read_text()
    for wanted in PROJECT["dependencies"]:
        name = re.split(r"[<>=]", wanted)[0]
        assert re.search(rf"^\| {name} \|", reasons, re.MULTILINE), f"{name} has no line of reason"


def test_every_import_is_declared() -> None:
    """Nothing outside the standard library is imported by the package but its declared dependencies."""
    import sys

    from house.sources import package

    provided = {
        {"pyyaml": "yaml", "argon2-cffi": "argon2"}.get(name, name.replace("-", "_"))
        for name in (re.split(r"[<>=]", w)[0] for w in PROJECT["dependencies"])
    }
    # llvmlite is numba's own dependency, h11 (the HTTP that it speaks) uvicorn's; pydantic (what a route takes) and
    # starlette (what it is made of) FastAPI's.
    provided |= {"simward", "llvmlite", "h11", "pydantic", "starlette"}
    for source in package():
        foreign = source.imported() - provided - set(sys.stdlib_module_names)
        assert not foreign, f"{source.name} imports {foreign}"


@every_document
def test_decisions_are_whole(name: str, text: str) -> None:
    """A decision says its context, the choice, the cost, and what would change our mind; on one page."""
    if not re.match(r"docs/decisions/\d{4}-", name):
        return
    for heading in ("## Context", "## Choice", "## Cost", "## What would change our mind"):
        assert heading in text, f"{name}: no {heading!r}"
    assert text.count("\n") <= 80, f"{name}: one page"
