"""One cell at work: a guest with driver and agent, brought back whenever a test has cost it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from harness.console.crash import Crash, Frame
from harness.console.symbolize import symbolize
from harness.errors import (
    AgentLost,
    DriverBuildError,
    DriverLoadError,
    GuestCrash,
    GuestError,
    GuestHang,
    HarnessError,
    ProvisionError,
    TransportError,
)
from harness.events import stage
from harness.matrix import Cell
from harness.provision.guest import GuestFiles, RunningGuest
from harness.session.client import Client
from harness.session.diagnosis import diagnose_hang
from harness.session.evidence import Scene, crash_text, folder_name, hang_text, lost_text, write_evidence
from harness.session.lab import Lab
from harness.session.leaks import LeakHunt
from harness.targets import DriverBuild, target_for
from harness.timeouts import Deadlines
from harness.transport.agent import AgentClient
from harness.transport.ssh import SshConnection
from harness.transport.wire import AgentOpError, ClientInfo

_TRIES = 2
_AGENT_PATH = "/tmp/agent"  # noqa: S108 - a path in the guest, whose only user is us


def _assignments(options: Mapping[str, int]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


class CellSession:
    """Owns the guest of one cell. Tests run between `begin_test` and `end_test`.

    `options` are what the driver is loaded with from the next load on; `begin_test` sees to it that it is.
    `kernel` and `driver` are what the running guest itself named: its kernel's release and the build id that
    the loaded driver carries. They are empty until it has answered once.
    """

    def __init__(self, lab: Lab, cell: Cell) -> None:
        self.cell = cell
        self.target = target_for(cell.os)
        self.kernel = ""
        self.driver = ""
        self.options: Mapping[str, int] = {}
        self.agent_pid = 0
        self.breadcrumb = ""
        self._lab = lab
        self._guest: RunningGuest | None = None
        self._ssh: SshConnection | None = None
        self._agent: AgentClient | None = None
        self._native: ClientInfo | None = None
        self._build: DriverBuild | None = None
        self._leak_hunt: LeakHunt | None = None
        self._baseline: Mapping[str, int] = {}
        self._loaded: Mapping[str, int] = {}
        self._test = ""
        self._since = 0
        self._clean = False
        self._failure = HarnessError("")
        self._failures = 0

    @property
    def agent(self) -> AgentClient:
        """The agent of the running guest."""
        if self._agent is None:
            raise AgentLost(f"{self.cell.id}: the guest is not running")
        return self._agent

    @property
    def ssh(self) -> SshConnection:
        """The SSH connection to the running guest."""
        if self._ssh is None:
            raise TransportError(f"{self.cell.id}: the guest is not running")
        return self._ssh

    @property
    def running(self) -> bool:
        """Whether there is a guest; the next test starts one if not."""
        return self._guest is not None

    @property
    def guest(self) -> RunningGuest:
        """The running guest."""
        if self._guest is None:
            raise AgentLost(f"{self.cell.id}: the guest is not running")
        return self._guest

    @property
    def _deadlines(self) -> Deadlines:
        return self._lab.deadlines(self.cell.guest)

    def begin_test(self, test: str, options: Mapping[str, int] = MappingProxyType({})) -> None:
        """Bring the guest up if it is not, and make it clean: nothing open, nothing allocated, and the driver loaded
        with exactly `options`."""
        self._test = test
        self.breadcrumb = ""
        if options != self.options:
            self.options, self._failures = options, 0
        if self._agent is None:
            self.start()
        elif not self._clean:
            self._recover()
        if self._loaded != self.options:
            self._reload_driver()
        self._since = self.guest.console.mark()
        self._clean = False
        if self._leak_hunt is not None:
            self._leak_hunt.begin(test, self.agent)

    def end_test(self) -> None:
        """What the test left behind, and what the kernel said meanwhile, is part of its verdict."""
        try:
            self._reset()
        except HarnessError as error:
            raise self.explain(error) from error
        crash = self.guest.console.crash()
        if crash is not None:
            raise self._crash_error(crash)

    def find_leaks(self) -> list[tuple[str, GuestCrash]]:
        """A verdict for each test since the guest's start that made its kernel lose memory, which nothing shows
        before one looks for it. Call it when the cell's tests are over: a guest in which something is found is ended.
        """
        if self._guest is None or self._leak_hunt is None:
            return []
        with stage(self._lab.progress, f"{self.cell.id}: look for leaked memory"):
            found = self._leak_hunt.search(self.ssh, deadline=self._deadlines.leak_search)
        scene = replace(self._scene(), request="not known: the leak was found when the cell's tests were over")
        verdicts = [(test, self._crash_verdict(crash, test, scene)) for test, crash in found.items()]
        if verdicts:
            self._drop()
        return verdicts

    def start(self) -> None:
        """Boot the guest, put agent and driver into it, and load the driver.

        What failed for a reason that the next try would meet as well is raised again at once, without the
        evidence: a driver that does not build or load, a guest that did not come up twice in a row.
        """
        if self._failures >= _TRIES:
            raise type(self._failure)(f"{self.cell.id}: as before: {self._failure.message}")
        try:
            self._start()
        except (DriverBuildError, DriverLoadError) as error:
            self._failure, self._failures = error, _TRIES
            raise
        except (GuestError, ProvisionError, TransportError) as error:
            self._failure, self._failures = error, self._failures + 1
            raise
        self._failures = 0

    def _start(self) -> None:
        lab, cell = self._lab, self.cell
        image = lab.image(cell.guest)
        self._build = lab.driver(cell)
        programs = {arch: lab.agent(cell.os, arch) for arch in {cell.client, cell.arch}}
        accelerator = lab.accelerator(cell.guest)
        deadlines = self._deadlines
        try:
            self._guest = RunningGuest.boot(
                lab.hypervisor,
                lab.run,
                cell.guest,
                cell=cell.id,
                files=GuestFiles(kernel=image.kernel, initrd=image.initrd),
                accelerator=accelerator,
                deadlines=deadlines,
                on_crash=self._crashed,
                keep=lab.options.keep,
            )
            self._ssh = self._guest.ssh(deadlines)
            for arch, program in programs.items():
                path = self.agent_path(arch)
                self._ssh.put(program.read_bytes(), path, deadline=deadlines.command, mode=0o755)
            stream = self._guest.agent_stream(self._ssh, self.agent_path(cell.client), deadlines)
            self._agent = AgentClient(stream, deadline=deadlines.request)
            hello = self._agent.hello()
            self.kernel, self.agent_pid = hello.release, hello.pid
            self.load_driver()
            self._baseline = self.counters()
            self._leak_hunt = LeakHunt() if cell.guest.leak_detector else None
            self._clean = True
        except HarnessError as error:
            explained = self._boot_error(error)
            self._drop()
            raise explained from error
        except BaseException:
            self._drop()
            raise

    def agent_path(self, arch: str) -> str:
        """Where the agent of word size `arch` lies in the guest."""
        return f"{_AGENT_PATH}-{arch}"

    def load_driver(self) -> None:
        """Load the driver into the running guest, as `start` does; for tests that unloaded it."""
        if self._build is None:
            raise AgentLost(f"{self.cell.id}: the guest is not running")
        self.driver = self.target.load_driver(self.agent, self.ssh, self._build, self.options)
        self._loaded = self.options

    def change_driver(self, build: DriverBuild) -> None:
        """Load `build` into the running guest in place of the driver that is there. Between tests only."""
        self._reset_processes()
        self.agent.driver_unload(self.target.module)
        self._build = build
        self.load_driver()
        self._baseline = self.counters()
        self._clean = True

    def native_client(self) -> ClientInfo:
        """The 64-bit process that a compat cell's requests come from in the end. It stays from test to test, as
        the agent does, since starting a program takes longer than most tests."""
        if self._native is None:
            self._native = self.agent.client_start(self.agent_path(self.cell.arch))
        return self._native

    def counters(self) -> Mapping[str, int]:
        """The driver's own counters, by name; see docs/driver.md."""
        return self.target.counters(self.agent)

    def new_client(self) -> Client:
        """A process in the guest from which requests are made, see `Client`."""
        return Client.first(self)

    def close(self) -> None:
        """End the guest, unless it is to stay. A later start is tried whatever became of earlier ones."""
        self._failures = 0
        if self._lab.options.keep:
            self._guest = None
        self._drop()

    def explain(self, error: Exception) -> Exception:
        """The verdict for `error`, which ended a test: what the kernel says outranks what the test saw.

        Returns `error` itself if the guest is well. Otherwise the guest is ended, evidence is written, and the
        next test gets a new guest.
        """
        if self._guest is None:
            return error
        if isinstance(error, GuestHang):
            return self._hang_error(error)
        if isinstance(error, (AgentLost, TransportError)):
            self._guest.console.settle(self._deadlines.diagnosis)
        crash = self._guest.console.crash()
        if crash is not None:
            return self._crash_error(crash)
        if isinstance(error, (AgentLost, TransportError)):
            return self._lost_error(error)
        return error

    def _crashed(self, crash: Crash) -> None:
        """Called from the console's thread: nobody need wait for an answer that will not come."""
        if self._agent is not None:
            self._agent.abort(GuestCrash(f"{self.cell.id}: {crash.title}"))

    def _recover(self) -> None:
        """Clean up after a test that did not get to its end; if that fails, a new guest."""
        try:
            self._reset()
        except HarnessError as error:
            self._replace(error)

    def _reload_driver(self) -> None:
        """The driver anew, with the options that are wanted now, in a new guest where it cannot be unloaded: what
        a driver has mapped into the agent can outlive its session. If that fails, the next test gets a new guest."""
        try:
            try:
                self.agent.driver_unload(self.target.module)
            except AgentOpError as error:
                self._replace(error)
            else:
                self.load_driver()
            self._baseline = self.counters()
        except HarnessError as error:
            explained = self._boot_error(error)
            self._drop()
            raise explained from error

    def _replace(self, error: HarnessError) -> None:
        """A new guest, because of `error`."""
        with stage(self._lab.progress, f"{self.cell.id}: a new guest, because: {error.message}"):
            self._drop()
            self.start()

    def _reset(self) -> None:
        self._reset_processes()
        counters = self.counters()
        left = {name: value for name, value in counters.items() if value != self._baseline.get(name, 0)}
        if left:
            self._drop()
            raise GuestError(
                f"{self.cell.id}: the driver leaks: after every client is gone its counters are "
                + ", ".join(f"{name} {value} (was {self._baseline.get(name, 0)})" for name, value in left.items())
            )
        self._clean = True

    def _reset_processes(self) -> None:
        """Nothing open and nothing allocated in the agent and the native client; all other processes end.

        The native client is the last to close, since what the driver has mapped into a process is unmapped only
        by a close in that process.
        """
        self.agent.reset(spared=0 if self._native is None else self._native.id)
        if self._native is not None:
            try:
                self.agent.reset(client=self._native.id)
            except AgentOpError:  # the test has killed it, or left it with something to do
                self._native = None
                self.agent.reset()

    def _scene(self) -> Scene:
        console = self.guest.console.text(self._since)
        return Scene(
            kernel=self.kernel,
            driver=", ".join((self.cell.driver, *_assignments(self._loaded), f"build id {self.driver}")),
            request=self.breadcrumb,
            console=console,
        )

    def _backtrace(self, frames: Sequence[Frame]) -> list[str]:
        if self._build is None:
            return [str(frame) for frame in frames]
        return symbolize(frames, module=self.target.module, image=self._build.path)

    def _crash_error(self, crash: Crash) -> GuestCrash:
        verdict = self._crash_verdict(crash, self._test, self._scene())
        self._drop()
        return verdict

    def _crash_verdict(self, crash: Crash, test: str, scene: Scene) -> GuestCrash:
        folder = self._folder(test)
        text = crash_text(scene, crash, self._backtrace(crash.frames), folder)
        message = f"{self.cell.id}: kernel {crash.kind} in {test}: {crash.title}"
        self._leave(folder, scene, f"{message}\n{text}")
        return GuestCrash(message, evidence=text)

    def _hang_error(self, error: GuestHang) -> GuestHang | GuestCrash:
        crash = self.guest.console.crash()
        if crash is not None:
            return self._crash_error(crash)
        diagnosis = diagnose_hang(self.guest, self.ssh, self._deadlines)
        scene, folder = self._scene(), self._folder(self._test)
        text = hang_text(scene, diagnosis.text, self._backtrace(diagnosis.frames), folder)
        message = f"{self.cell.id}: {diagnosis.kind} in {self._test}: {error.message}"
        self._leave(folder, scene, f"{message}\n{text}")
        self._drop()
        return GuestHang(message, evidence=text)

    def _lost_error(self, error: AgentLost | TransportError) -> HarnessError:
        scene, folder = self._scene(), self._folder(self._test)
        alive = self.guest.domain.running()
        what = "the agent is gone, the kernel is silent" if alive else "the guest reset itself or was ended"
        message = f"{self.cell.id}: {what} in {self._test}: {error.message}"
        text = lost_text(scene, folder)
        self._leave(folder, scene, f"{message}\n{text}")
        self._drop()
        return AgentLost(message, evidence=text) if alive else GuestCrash(message, evidence=text)

    def _boot_error(self, error: HarnessError) -> HarnessError:
        """A crash while booting or loading the driver is the guest's, whatever it looked like from outside."""
        if self._guest is None:
            return error
        crash = self._guest.console.crash()
        if crash is not None:
            return self._crash_error(crash)
        return error

    def _folder(self, test: str) -> Path:
        return self._lab.options.evidence / self.cell.id / folder_name(test)

    def _leave(self, folder: Path, scene: Scene, verdict: str) -> None:
        files = {
            "verdict.txt": verdict,
            "console.log": self.guest.console.text(),
            "request.txt": scene.request,
        }
        write_evidence(folder, files)

    def _drop(self) -> None:
        """End agent, connection and guest, whatever state they are in."""
        agent, ssh, guest = self._agent, self._ssh, self._guest
        self._agent, self._ssh, self._guest, self._native = None, None, None, None
        self._clean = False
        if agent is not None:
            agent.close()
        if guest is not None:
            guest.destroy()
        if ssh is not None:
            ssh.close()
