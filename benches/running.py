"""Servers and measured runs: wall time, peak memory of a process and its children, and the API calls it made."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

EMULATORS = Path(__file__).resolve().parent.parent / "tests" / "emulators"
ACCOUNTS = {"moto": "123456789012", "ministack": "000000000000"}
RESETS = {"moto": "/moto-api/reset", "ministack": "/_ministack/reset"}
SAMPLE_EVERY = 0.05
# Of a run that failed.
LINES_TOLD = 20


@dataclass
class Run:
    seconds: float
    peak: int
    calls: list


class Server:
    """An emulator by its launcher, as the tests run it."""

    def __init__(self, python, name, delay=0.0):
        self.name, self.account = name, ACCOUNTS[name]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(Path(self.folder.name) / "calls", "x+")
        environment = {**os.environ, "ECDEPLOY_TEST_CALLS": self.log.name, "ECDEPLOY_TEST_DELAY": str(delay)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        launcher = [str(python), str(EMULATORS / f"{name}.py"), str(self.port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(launcher, env=environment, stdin=subprocess.PIPE, **quiet)

    def __enter__(self):
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.name} did not start")
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(self.url + RESETS[self.name], method="POST")).close()

    def calls(self):
        """The requests since this was asked last: service, operation, start, end."""
        lines = [line.split() for line in self.log]
        return [(service, operation, float(start), float(end)) for service, operation, start, end, *_ in lines]


def depth(calls):
    """The longest chain of calls of which each starts after the one before has ended."""
    deepest = []
    for _, _, start, end in sorted(calls, key=lambda call: call[2]):
        before = [d for ended, d in deepest if ended <= start]
        deepest.append((end, 1 + max(before, default=0)))
    return max((d for _, d in deepest), default=0)


def measured(command, folder, environment, server):
    """Runs to success."""
    if server:
        server.calls()
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sampler = Sampler(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        # So that the Popen object knows, too.
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = max(sampler.stop(), usage.ru_maxrss * 1024)
        if process.returncode != 0:
            output.seek(0)
            told = output.read().decode(errors="replace").splitlines()[-LINES_TOLD:]
            sys.exit("\n".join([f"{' '.join(command)}: exit {process.returncode}", *told]))
    return Run(seconds, peak, server.calls() if server else [])


class Sampler(threading.Thread):
    """Samples the memory of all processes of a session, which is that of the children, too. A page that several of
    them share counts once."""

    def __init__(self, session):
        super().__init__(daemon=True)
        self.session, self.peak, self.ended = session, 0, threading.Event()
        if os.path.isdir("/proc/self"):
            self.start()

    def run(self):
        while not self.ended.wait(SAMPLE_EVERY):
            self.peak = max(self.peak, sum(map(self.share, filter(str.isdigit, os.listdir("/proc")))))

    def share(self, pid):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(stat[3]) != self.session:
                return 0
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))
        except (OSError, IndexError, StopIteration):
            # It ended meanwhile.
            return 0

    def stop(self):
        self.ended.set()
        if self.is_alive():
            self.join()
        return self.peak
