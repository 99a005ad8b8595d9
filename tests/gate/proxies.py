"""FreeRADIUS and radsecproxy as real processes in front of a gate, configured by the blocks of the how-to pages."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from gate.running import SECRET, RunningGate

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 20.0
SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
GATEWAY_SECRET = "what-gateways-know"
GATEWAY = "127.0.0.5"
"""Where the tests' gateway asks from: the proxy knows it, the gate does not."""
FREERADIUS = next((found for name in ("freeradius", "radiusd") if (found := shutil.which(name, path=SYSTEM_PATH))), "")
RADSECPROXY = shutil.which("radsecproxy", path=SYSTEM_PATH) or ""
OPENSSL = shutil.which("openssl", path=SYSTEM_PATH) or ""


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language of a page under docs/how-to, in order."""
    text = (REPOSITORY / "docs" / "how-to" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def replaced(text: str, pairs: dict[str, str]) -> str:
    """`text` with what stands for the reader's network replaced by what this machine has; all of it must be there."""
    for old, new in pairs.items():
        assert old in text, f"the page no longer says {old!r}"
        text = text.replace(old, new)
    return text


def free_ports(count: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> list[int]:
    """Ports of loopback that were free a moment ago."""
    opened = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    for one in opened:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in opened]
    for one in opened:
        one.close()
    return ports


def soon(what: str, check: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until `check()` holds."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, what
        time.sleep(0.02)


class Server:
    """One process that the test started, and its log."""

    def __init__(self, command: list[str], folder: Path, ready: str) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            self.says(ready)
        except BaseException:
            self.close()
            raise

    def says(self, text: str) -> None:
        """Wait until the log has this."""

        def there() -> bool:
            said = self.log.read_text(errors="replace")
            assert self._process.poll() is None, said[-3000:]
            return text in said

        soon(f"the log says {text!r}: {self.log}", there)

    def close(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


SERVER = """\
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
name = freeradius
max_request_time = 20
cleanup_delay = 2
max_requests = 4096
log {{
    destination = stdout
}}
security {{
    max_attributes = 200
    reject_delay = 0
    status_server = yes
    allow_core_dumps = no
}}
proxy_requests = yes
$INCLUDE {folder}/proxy.conf
client gateways {{
    ipaddr = {gateway}
    secret = {gateway_secret}
    require_message_authenticator = yes
    proto = udp
}}
client simward {{
    ipaddr = 127.0.0.1
    secret = {secret}
    proto = udp
}}
modules {{
    always ok {{
        rcode = ok
    }}
    always reject {{
        rcode = reject
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {auth}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {accounting}
    }}
    {sections}
}}
{coa}
"""
"""What an installed FreeRADIUS has already; the page has the rest."""


class FreeRadius(Server):
    """FreeRADIUS in front of a gate, as docs/how-to/freeradius-in-front.md says."""

    PAGE = "freeradius-in-front.md"

    def __init__(self, folder: Path, gate: RunningGate, coa: int, gateway_coa: int) -> None:
        folder.mkdir()
        homes, sections, gateways, disconnects = blocks(self.PAGE, "text")
        self.auth, self.accounting = [("127.0.0.1", port) for port in free_ports(2)]
        homes = replaced(
            homes,
            {
                "10.0.0.5": "127.0.0.1", "port = 1812": f"port = {gate.auth[1]}",
                "port = 1813": f"port = {gate.accounting[1]}", "secret = ...": f"secret = {SECRET}",
            },
        )
        gateways = replaced(
            gateways,
            {"10.0.0.20": "127.0.0.1", "port = 3799": f"port = {gateway_coa}", "...": GATEWAY_SECRET},
        )
        (folder / "proxy.conf").write_text("proxy server {\n}\n" + homes + gateways)
        text = SERVER.format(
            folder=folder, gateway=GATEWAY, gateway_secret=GATEWAY_SECRET, secret=SECRET, auth=self.auth[1],
            accounting=self.accounting[1], sections=sections,
            coa=replaced(disconnects, {"10.0.0.9": "127.0.0.1", "port = 3799": f"port = {coa}"}),
        )
        (folder / "radiusd.conf").write_text(text)
        super().__init__([FREERADIUS, "-X", "-d", str(folder), "-n", "radiusd"], folder, "Ready to process requests")


def make_certificates(folder: Path, addresses: dict[str, str]) -> None:
    """What the page's commands make, for these addresses."""
    (commands,) = blocks("radsec.md", "sh")
    text = replaced(commands, addresses)
    subprocess.run(["sh", "-e", "-c", text], cwd=folder, check=True, capture_output=True, timeout=30)


class RadsecProxy(Server):
    """radsecproxy with one of the configurations of docs/how-to/radsec.md."""

    def __init__(self, folder: Path, text: str, ready: str) -> None:
        folder.mkdir(exist_ok=True)
        path = folder / "radsecproxy.conf"
        path.write_text(text)
        super().__init__([RADSECPROXY, "-f", "-d", "2", "-c", str(path), "-i", str(folder / "pid")], folder, ready)
