"""pytest-testinfra: one command over SSH for each test, in a guest that is booted for it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from harness.provision.guest import Place, RunningGuest
from harness.provision.media import InitrdMedium
from tools.peers.bench import TIMEOUT, Bench
from tools.peers.command import DidNotRun, measure_pytest
from tools.peers.measured import Outcome

_SSH_PORT = 22
_SUITE = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_paging_mode(host, number):
    done = host.run("/tmp/client")
    assert done.rc == 0, done.stderr
"""
_CONFIG = """
Host guest
    HostName 127.0.0.1
    Port {port}
    User root
    IdentityFile {key}
    StrictHostKeyChecking no
"""


class OverSsh:
    """Boots, loads the driver and runs the tests; then the tests alone, for those who have a guest already."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __call__(self) -> tuple[Outcome, Outcome]:
        begin = time.perf_counter()
        guest = self._boot()
        try:
            alone = self._run(guest)
        finally:
            guest.destroy()
        return replace(alone, seconds=time.perf_counter() - begin), alone

    def _boot(self) -> RunningGuest:
        lab, cell = self._bench.lab, self._bench.cell
        accelerator, image = lab.accelerator(cell.guest), lab.image(cell.guest)
        place = Place(
            hypervisor=lab.hypervisor,
            run=lab.run,
            guest=cell.guest,
            cell=cell.id,
            kernel=image.kernel,
            accelerator=accelerator,
            deadlines=lab.deadlines(cell.guest),
            on_crash=lambda _crash: None,
        )
        return RunningGuest.boot(place, InitrdMedium(image.initrd))

    def _run(self, guest: RunningGuest) -> Outcome:
        bench, deadlines = self._bench, self._bench.lab.deadlines(self._bench.cell.guest)
        with closing(guest.ssh(deadlines)) as ssh:
            ssh.put(bench.client.read_bytes(), "/tmp/client", deadline=deadlines.command, mode=0o755)  # noqa: S108
            ssh.put(bench.driver.read_bytes(), "/tmp/driver.ko", deadline=deadlines.command)  # noqa: S108
            loaded = ssh.run("insmod /tmp/driver.ko", deadline=deadlines.command)
        if loaded.status != 0:
            raise DidNotRun(f"insmod: {loaded.stderr.decode(errors='replace').strip()}")
        key, config, suite = (bench.work / name for name in ("key", "ssh_config", "test_over_ssh.py"))
        _write_private(key, guest.keys.client_private)
        config.write_text(_CONFIG.format(port=guest.domain.forward(_SSH_PORT), key=key))
        suite.write_text(_SUITE.format(count=bench.tests))
        command: list[str | Path] = [
            bench.tools / "pytest",
            suite,
            "-q",
            "--hosts=paramiko://guest",
            f"--ssh-config={config}",
        ]
        return measure_pytest([*command, "-pno:cacheprovider"], tests=bench.tests, cwd=bench.work, timeout=TIMEOUT)


def _write_private(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
