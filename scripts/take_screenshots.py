"""Takes pictures of every page of the console, light and dark, at both widths; see scripts/screenshots."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from simward.commands import through_control
from simward.errors import PeerError

READY_S = 180.0
CHROMIUM = shutil.which("chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def main() -> None:
    """FOLDER OUT [PAGE ...]: pages by name; all where none is named."""
    folder, out, *only = sys.argv[1:]
    Path(out).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="simward-pictures-") as place:
        copy = Path(place) / "folder"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.sock", "processes"))
        settings = copy / "simward.toml"
        settings.write_text(re.sub(r'(?m)^http = ".*"$', 'http = "127.0.0.1:0"', settings.read_text()))
        serving = subprocess.Popen(
            [sys.executable, "-m", "simward", "--dir", str(copy), "serve"], stdout=subprocess.DEVNULL
        )
        try:
            take(copy / "data", Path(out), only)
        finally:
            serving.terminate()
            serving.wait(30)


def take(data_dir: Path, out: Path, only: list[str]) -> None:
    """All of them."""
    address = ready(data_dir)
    asked = {"name": "pictures", "role": "administrator"}
    made = through_control.ask(data_dir, "simward", "POST", "/v1/tokens", asked, within_s=20)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, path in pages(data_dir).items():
            if not only or name in only:
                for width in SIZES:
                    for theme in ("light", "dark"):
                        picture(browser, address + path, str(made["token"]), out / f"{name}-{width}-{theme}.png", width)
        browser.close()


def ready(data_dir: Path) -> str:
    """The address of the console, once it has read all that there is."""
    end = time.monotonic() + READY_S
    last = -1
    while time.monotonic() < end:
        try:
            said = through_control.ask(data_dir, "simward", "GET", "/v1/status", None, within_s=20)
        except PeerError:
            said = {}
        sequence = said.get("conditions", {}).get("following", {}).get("sequence", -1)
        if said.get("http") and sequence > 0 and sequence - last < 10:
            return str(said["http"])
        last = sequence
        time.sleep(1)
    raise SystemExit(f"nothing is served within {READY_S:g} s")


def pages(data_dir: Path) -> dict[str, str]:
    """Name -> path, with an incident and a subscription that have something to show."""

    def ask(path: str) -> dict[str, Any]:
        return through_control.ask(data_dir, "simward", "GET", path, None, within_s=20)

    found = {"overview": "/", "incidents": "/incidents?state=any", "subscriptions": "/subscriptions"}
    incidents = ask("/v1/incidents?limit=200")["incidents"]
    about_one = [one for one in incidents if one["imsi"]] or incidents
    if about_one:
        best = max(about_one, key=lambda one: int(one["findings"]))
        number = best["number"]
        found |= {"incident": f"/incidents/{number}", "resolve": f"/incidents/{number}/resolve"}
        if best["imsi"]:
            found |= {
                "subscription": f"/subscriptions/{best['imsi']}", "lock": f"/subscriptions/{best['imsi']}/disconnect",
                "search": f"/search?q={best['imsi'][:13]}",
            }  # fmt: skip
    use_case = ask("/v1/use-cases?limit=1")["use_cases"][0]["name"]
    found |= {
        "findings": "/findings", "use-cases": "/use-cases", "use-case": f"/use-cases/{use_case}", "rules": "/rules",
        "policy": "/policy/edit", "proposals": "/proposals", "revisions": "/revisions", "gateways": "/gateways",
        "endpoints": "/endpoints", "work-orders": "/work-orders", "planned-work": "/work-orders/new", "audit": "/audit",
        "access": "/access", "tokens": "/access/tokens", "install": "/install", "map": "/map",
        "first-run": "/first-run",
    }  # fmt: skip
    found["nothing"] = "/subscriptions/999999999999999"
    return found


def picture(browser: Browser, url: str, token: str, path: Path, width: str) -> None:
    """One, of the whole page."""
    wide, high = SIZES[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high}, reduced_motion="reduce",
        color_scheme="dark" if path.stem.endswith("dark") else "light",
        extra_http_headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    page = context.new_page()
    page.on("console", lambda line: print(f"{path.name}: {line.text}") if line.type == "error" else None)
    page.goto(url, wait_until="networkidle")
    page.wait_for_timeout(400)
    page.screenshot(path=path, full_page=True)
    context.close()
    print(path)


if __name__ == "__main__":
    main()
