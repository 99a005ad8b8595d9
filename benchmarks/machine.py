"""What the figures were measured on, without naming the host."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections import Counter
from pathlib import Path

import numba
import numpy


def describe(folder: Path) -> dict[str, object]:
    """CPU, memory, kernel, the disk under `folder` and the versions that matter."""
    return {
        "cpu": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.machine(),
        "cpu_family_model": "/".join(
            _first(pattern, Path("/proc/cpuinfo")) for pattern in (r"cpu family\s*:\s*(\d+)", r"model\s*:\s*(\d+)")
        ),
        "mhz": _first(r"cpu MHz\s*:\s*(\d+)", Path("/proc/cpuinfo")),
        "cores": os.cpu_count(),
        "virtual": "hypervisor" in _first(r"flags\s*:\s*(.+)", Path("/proc/cpuinfo")).split(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "disk": disk(folder),
        "receive_buffer_most": int(_first(r"(\d+)", Path("/proc/sys/net/core/rmem_max")) or 0),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "freeradius": freeradius_version(),
    }


def disk(folder: Path) -> dict[str, str]:
    """File system and device kind under a folder."""
    best, found = "", {"file_system": "unknown", "device": "unknown"}
    for line in Path("/proc/mounts").read_text().splitlines():
        device, mount, kind, options = line.split()[:4]
        if len(mount) >= len(best) and folder.resolve().is_relative_to(mount):
            best, found = mount, {"file_system": kind, "device": re.sub(r"[^a-z/]", "", device.lower())}
            found["options"] = options
    block = Path("/sys/block") / Path(found["device"]).name / "queue"
    for name in ("rotational", "write_cache", "scheduler"):
        if (block / name).exists():
            found[name] = (block / name).read_text().strip()
    return found


def core_of_interrupts() -> int:
    """The core that serves most interrupts of disks and networks (/proc/interrupts); 0 where that is not said."""
    counts: Counter[int] = Counter()
    path = Path("/proc/interrupts")
    for line in path.read_text().splitlines()[1:] if path.exists() else ():
        if re.search(r"virtio|nvme|ahci|scsi|mmc|xen|hyperv", line):
            counts.update(dict(enumerate(int(one) for one in line.split()[1:] if one.isdigit())))
    return counts.most_common(1)[0][0] if counts else 0


def freeradius_version() -> str:
    """As the program says it; empty where it is not installed."""
    for program in ("/usr/sbin/freeradius", "/usr/sbin/radiusd"):
        if Path(program).exists():
            said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
            match = re.search(r"Version (\d+\.\d+\.\d+)", said.stdout + said.stderr)
            return match.group(1) if match else "unknown"
    return ""


def load_average() -> float:
    """What else the machine was doing (1 minute)."""
    return round(os.getloadavg()[0], 2)


def _first(pattern: str, path: Path) -> str:
    match = re.search(pattern, path.read_text()) if path.exists() else None
    return match.group(1).strip() if match else ""
