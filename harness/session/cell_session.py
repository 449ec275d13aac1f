"""One cell at work: a guest with driver and agent, brought back whenever a test has cost it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.console.crash import Crash
from harness.errors import AgentLost, GuestCrash, HarnessError
from harness.events import stage
from harness.matrix import Cell
from harness.provision.domain_xml import AGENT_CHANNEL
from harness.provision.guest import AGENT_ENDED, RunningGuest, agent_path
from harness.session.client import Client
from harness.session.early_start import EarlyStart
from harness.session.guest_driver import GuestDriver
from harness.session.guest_processes import GuestProcesses
from harness.session.lab import Lab
from harness.session.leaks import LeakHunt
from harness.session.ssh_link import SshLink
from harness.session.start_failures import StartFailures
from harness.session.starting import LiveGuest, LoadedDriver, Starter
from harness.session.trial import Trial
from harness.targets import DriverBuild, target_for
from harness.timeouts import Deadlines
from harness.transport.agent import AgentClient
from harness.transport.wire import AgentOpError, ClientInfo

if TYPE_CHECKING:
    from harness.transport.ssh import SshConnection


class CellSession:
    """Owns the guest of one cell. Tests run between `begin_test` and `end_test`.

    `options` are what the driver is loaded with from the next load on; `begin_test` sees to it that it is.
    """

    def __init__(self, lab: Lab, cell: Cell) -> None:
        self.cell = cell
        self.target = target_for(cell.os)
        self.options: Mapping[str, int] = {}
        self.agent_pid = 0
        self._lab = lab
        self._starter = Starter(lab, cell, on_crash=self._crashed, on_line=self._said)
        self._live: LiveGuest | None = None
        self._spoiled = False
        self._ssh = SshLink(self._tell)
        self._driver = GuestDriver(self.target)
        self._trial = Trial(lab, cell, target=self.target, driver=self._driver)
        self._processes = GuestProcesses()
        self._leak_hunt: LeakHunt | None = None
        self._clean = False
        self._fresh = False
        self._failures = StartFailures(cell.id)
        self._early = EarlyStart()

    @property
    def kernel(self) -> str:
        """The release that the running guest's kernel itself named, empty until it has answered once."""
        return self._trial.kernel

    @property
    def driver(self) -> str:
        """The build id that the loaded driver itself carries, empty until there was one."""
        return self._driver.build_id

    @property
    def agent(self) -> AgentClient:
        """The agent of the running guest."""
        return self._running.agent

    @property
    def ssh(self) -> SshConnection:
        """An SSH connection to the running guest."""
        return self._ssh.to(self.guest, self._deadlines)

    @property
    def running(self) -> bool:
        """Whether there is a guest that is well; the next test brings one up if not."""
        return self._live is not None and not self._spoiled

    @property
    def guest(self) -> RunningGuest:
        """The running guest."""
        return self._running.guest

    @property
    def _running(self) -> LiveGuest:
        if self._live is None:
            raise AgentLost(f"{self.cell.id}: the guest is not running")
        return self._live

    @property
    def _deadlines(self) -> Deadlines:
        return self._lab.deadlines(self.cell.guest)

    def begin_test(self, test: str, options: Mapping[str, int] = MappingProxyType({})) -> None:
        """Bring the guest up if it is not, and make it clean: nothing open, nothing allocated, and the driver loaded
        with exactly `options`. What else of earlier tests is in the guest, `LabOptions.isolation` says."""
        self._early.finish()
        before = self._trial.test
        self._trial.begin(test)
        if options != self.options:
            self.options = options
            self._failures.forget()
        if not self.running or (not self._fresh and self._wants_fresh(before, test)):
            self.start()
        elif not self._clean:
            self._recover()
        if self._driver.options != self.options:
            self._reload_driver()
        self._trial.listen(self._running)
        self._clean = self._fresh = False
        if self._leak_hunt is not None:
            self._leak_hunt.begin(test, self.agent)

    def _wants_fresh(self, before: str, test: str) -> bool:
        isolation = self._lab.options.isolation
        other_file = before.partition("::")[0] != test.partition("::")[0]
        return isolation == "test" or (isolation == "file" and other_file)

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
        if not self.running or self._leak_hunt is None:
            return []
        with stage(self._lab.progress, f"{self.cell.id}: look for leaked memory"):
            found = self._leak_hunt.search(self.ssh, deadline=self._deadlines.leak_search)
        verdicts = self._trial.lost_memory(self._running, found)
        if verdicts:
            self._drop()
        return verdicts

    def start_early(self) -> None:
        """Begin to `start` while the caller has something else to do. The next `begin_test` waits for it, and raises
        what it has met. Nothing else may be called meanwhile but `close`."""
        self._trial.begin(f"start of {self.cell.id}")
        self._early.begin(self.start, name=self._trial.test)

    def start(self) -> None:
        """A fresh kernel with agent and driver in it: the guest restored in place, from a checkpoint, or booted. A
        start that would fail as before is not tried, see `StartFailures`."""
        with self._failures.counted():
            self._start()

    def _start(self) -> None:
        if self._live is not None:
            self._driver.build = self._lab.driver(self.cell)
        live, self._live = self._live, None
        try:
            self._forget()
            if live is None:
                self._driver.build, self._live = self._starter.start_and_build()
            else:
                self._live = self._starter.rewind(live, self._wanted)
            hello = self.agent.hello()
            self._trial.kernel, self.agent_pid = hello.release, hello.pid
            if self._driver.loaded(self._live):
                self._driver.options = self.options
            else:
                self.load_driver()
                if self._lab.options.isolation != "run":
                    self._starter.keep_loaded(self._live, self._wanted)
            self._driver.begin_count(self._live)
            self._leak_hunt = LeakHunt() if self.cell.guest.leak_detector else None
            self._clean = self._fresh = True
        except HarnessError as error:
            explained = self._boot_error(error)
            self._drop()
            raise explained from error
        except BaseException:
            self._drop()
            raise

    @property
    def _wanted(self) -> LoadedDriver:
        """What a fresh kernel is to have loaded: the driver by its build id, and its options."""
        build = self._driver.build
        return build.build_id if build else "", dict(self.options)

    def load_driver(self) -> None:
        """Load the driver into the running guest, as `start` does; for tests that unloaded it."""
        if self._driver.build is None:
            raise AgentLost(f"{self.cell.id}: the guest is not running")
        self._driver.load(self._running, self._driver.build, self.options)

    def change_driver(self, build: DriverBuild) -> None:
        """Load `build` into the running guest in place of the driver that is there. Between tests only."""
        self._processes.reset(self.agent)
        self._driver.unload(self._running)
        self._driver.load(self._running, build, self.options)
        self._driver.begin_count(self._running)
        self._clean = True

    def agent_path(self, arch: str) -> str:
        """Where the agent of word size `arch` lies in the guest."""
        return agent_path(arch)

    def native_client(self) -> ClientInfo:
        """The 64-bit process that a compat cell's requests come from in the end. It stays from test to test, as
        the agent does, since starting a program takes longer than most tests."""
        return self._processes.native_client(self.agent, agent_path(self.cell.arch))

    def counters(self) -> Mapping[str, int]:
        """The driver's own counters, by name; see docs/driver.md."""
        return self._driver.counters(self._running)

    def new_client(self) -> Client:
        """A process in the guest from which requests are made, see `Client`."""
        return Client.first(self)

    def retire(self) -> None:
        """Let the next test begin with a fresh kernel."""
        self._spoiled = True
        self._clean = self._fresh = False

    def close(self) -> None:
        """End the guest, unless it is to stay. A later start is tried whatever became of earlier ones."""
        self._early.abandon()
        self._failures.forget()
        if self._lab.options.keep and self._live is not None:
            self._live.hang_up()
            self._live = None
        self._drop()

    def explain(self, error: Exception) -> Exception:
        """The verdict for `error`, which ended a test: what the kernel says outranks what the test saw.

        Returns `error` itself if the guest is well. Otherwise evidence is written, and the next test gets a fresh
        kernel.
        """
        if not self.running:
            return error
        verdict = self._trial.explain(self._running, error)
        if verdict is not error:
            self.retire()
        return verdict

    def note(self, request: str) -> None:
        """The breadcrumb: `request`, in words, is about to be made."""
        self._trial.breadcrumb = request

    def _tell(self, text: str) -> None:
        self._lab.tell(f"{self.cell.id}: {text}")

    def _crashed(self, crash: Crash) -> None:
        """Called from the console's thread: nobody need wait for an answer that will not come."""
        if self._live is not None:
            self._live.agent.abort(GuestCrash(f"{self.cell.id}: {crash.title}"))

    def _said(self, line: str) -> None:
        """Called from the console's thread, with what a program of ours in the guest says."""
        if self._live is not None and line.startswith(f"{AGENT_ENDED}: {AGENT_CHANNEL}"):
            self._live.agent.abort(AgentLost(f"{self.cell.id}: {line}"))

    def _recover(self) -> None:
        """Clean up after a test that did not get to its end; if that fails, a fresh kernel."""
        try:
            self._reset()
        except HarnessError as error:
            self._replace(error)

    def _reload_driver(self) -> None:
        """The driver anew, with the options that are wanted now, in a fresh kernel where it cannot be unloaded: what
        a driver has mapped into the agent can outlive its session. If that fails, the next test gets a new guest."""
        try:
            try:
                self._driver.unload(self._running)
            except AgentOpError as error:
                self._replace(error)
            else:
                self.load_driver()
            self._driver.begin_count(self._running)
        except HarnessError as error:
            explained = self._boot_error(error)
            self._drop()
            raise explained from error

    def _replace(self, error: HarnessError) -> None:
        """A fresh kernel, because of `error`."""
        with stage(self._lab.progress, f"{self.cell.id}: a fresh kernel, because: {error.message}"):
            self.retire()
            self.start()

    def _reset(self) -> None:
        left = self._driver.left(self._processes.reset_and(self.agent, self.counters))
        if left:
            verdict = self._trial.leak(self._running, left)
            self.retire()
            raise verdict
        self._clean = True

    def _crash_error(self, crash: Crash) -> GuestCrash:
        verdict = self._trial.crash(self._running, crash)
        self.retire()
        return verdict

    def _boot_error(self, error: HarnessError) -> HarnessError:
        """A crash while booting or loading the driver is the guest's, whatever it looked like from outside."""
        if self._live is None:
            return error
        crash = self.guest.console.crash()
        if crash is not None:
            return self._crash_error(crash)
        return error

    def _forget(self) -> None:
        """What was known of a guest that is about to be another."""
        self._spoiled = self._clean = False
        self._processes.forget()
        self._ssh.close()

    def _drop(self) -> None:
        """End agent, connection and guest, whatever state they are in."""
        live, self._live = self._live, None
        self._forget()
        if live is not None:
            live.end()
