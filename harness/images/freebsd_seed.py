"""The disc that a FreeBSD on a disk finds when it starts, and that makes it start the agents.

`nuageinit` (FreeBSD 14.1 and later) and cloud-init both look for a disc called `cidata`, and run its `user-data` as the
last step of the first boot if it is a script. Any other FreeBSD can do the same in its `rc.local`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibException

from harness.errors import SetupError
from harness.images.freebsd_disc import AGENT_PORTS
from harness.images.host_tool import space_checked

LABEL = "cidata"

_META_DATA = "instance-id: supdrv\nlocal-hostname: supdrv\n"
_START = "start.sh"
_DISC = "/tmp/supdrv-disc"  # noqa: S108 - a path in the guest, whose only user is us
# nuageinit reads a script as YAML too: this is one plain text in it.
_USER_DATA = f"""#!/bin/sh
mkdir -p {_DISC} && mount -t cd9660 -o ro /dev/iso9660/{LABEL} {_DISC} && sh {_DISC}/{_START}
"""
# What the user-mode network of the emulator gives its only guest, whose cable is plugged in later. An update that was
# made would restart the system.
_BEGIN = f"""# Starts the agents of the harness that are on the disc {LABEL}.
PATH=/sbin:/bin:/usr/sbin:/usr/bin
rm -f /firstboot-reboot
for card in $(ifconfig -l ether); do
\tifconfig "$card" inet 10.0.2.15/24 up && break
done
"""
_COPY = f"""cp {_DISC}/{{file}} /tmp/{{file}} && chmod 755 /tmp/{{file}}
"""
# Whoever runs this waits until nobody has its output any more, so the agents must not have it.
_SERVE = """(
\ttrap '' HUP
\t/tmp/{file} --port tcp:{port}
\techo "supdrv-guest: agent ended: tcp:{port}, status $?" >/dev/console
) </dev/null >/dev/null 2>&1 &
"""
_END = f"""umount {_DISC}
sysctl kern.panic_reboot_wait_time=-1 >/dev/null 2>&1
echo "supdrv-guest: ready" >/dev/console
exit 0
"""


def start_script(programs: Mapping[str, Path], client: str) -> str:
    """What starts the agent of word size `client` on each port."""
    copies = "".join(_COPY.format(file=_file(arch)) for arch in sorted(programs))
    serves = "".join(_SERVE.format(file=_file(client), port=port) for port in AGENT_PORTS)
    return _BEGIN + copies + serves + _END


def write_cloud_seed(programs: Mapping[str, Path], client: str, path: Path) -> None:
    """Write the disc's image at `path`. Raises SetupError."""
    with space_checked(f"cannot write {path}"):
        try:
            files = {_file(arch): program.read_bytes() for arch, program in programs.items()}
            files |= {"meta-data": _META_DATA.encode(), "user-data": _USER_DATA.encode()}
            files[_START] = start_script(programs, client).encode()
            _write(files, path)
        except PyCdlibException as error:
            raise SetupError(f"cannot write {path}: {error}") from error


def _file(arch: str) -> str:
    return f"agent-{arch}"


def _write(files: Mapping[str, bytes], path: Path) -> None:
    iso = PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09", joliet=3, vol_ident=LABEL)
    try:
        for number, (name, content) in enumerate(sorted(files.items())):
            plain = f"/F{number}.;1"
            iso.add_fp(io.BytesIO(content), len(content), plain, rr_name=name, joliet_path=f"/{name}")
        iso.write(str(path))
    finally:
        iso.close()
