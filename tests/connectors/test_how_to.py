"""The receiver that the documentation shows runs as it stands: it takes each event once, and nobody else's."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from connectors.receiving import OTHER_SECRET, SECRET
from connectors.test_webhook import EVENT, endpoint, send

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "webhooks.md"


def test_the_receiver_of_the_documentation(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
    (tmp_path / "app.secret").write_bytes(SECRET + b"\n")
    command = [sys.executable, "-c", program.replace("9000", str(port))]
    receiver = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        to = endpoint(f"http://127.0.0.1:{port}/hooks/simward")
        end = time.monotonic() + 20
        while not send(to).delivered:
            assert time.monotonic() < end and receiver.poll() is None
            time.sleep(0.05)
        assert send(to).status == 204, "the same again"
        assert send(replace(to, secret=OTHER_SECRET)).status == 401
    finally:
        receiver.kill()
        receiver.wait()
    with sqlite3.connect(tmp_path / "taken.sqlite") as taken:
        assert taken.execute("SELECT id FROM taken").fetchall() == [(EVENT.id,)]
