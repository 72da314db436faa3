#!/usr/bin/env python3
"""Measures plans of many machines in the sandbox, and prints a Markdown table. The simulator's own work counts, too.

    benches/scale.py [--binary FILE] [--applied] [MACHINES ...]
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from measure import ROOT, binary, machine  # noqa: E402

SERVICES, RUNS = 7, 3
# As many targets as AWS gives a target group unasked.
MOST = 1000
MORE = """
[service.more-{number}]
port      = 40{number:02d}
max_count = {count}
routes    = [{{ priority = 1{number:02d}, path = "/more/{number}/*" }}]
"""
# Of the sandbox's seconds, in one of ours.
SPEED = "500"


def topology(machines):
    """The drawn services and more like them, so many machines in all, in subnets that have room for them."""
    services = max(SERVICES, -(-machines // MOST))
    count = -(-machines // services)
    text = (ROOT / "topology.toml").read_text()
    text = text.replace("count           = 2", f"count           = {count}", 1)
    text = re.sub(r"max_count( *)= \d+", f"max_count = {count}", text)
    text += "".join(MORE.format(number=number, count=count) for number in range(services - SERVICES))
    return text.replace("10.0.1.0/24", "10.0.64.0/18").replace("10.0.2.0/24", "10.0.128.0/18")


def run(path, folder, *arguments):
    """CPU seconds and peak memory of a run that succeeds."""
    command = [str(path), *arguments, "--sandbox", "--sandbox-speed", SPEED]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{told.decode(errors='replace')[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def row(what, runs):
    seconds = statistics.median(seconds for seconds, _ in runs)
    return f"| {what} | {seconds:.2f} s | {max(peak for _, peak in runs) / 1e6:.0f} MB |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="measure this binary; target/release/ecdeploy by default, built if missing")
    parser.add_argument("--applied", action="store_true", help="apply it as well, which takes the sandbox minutes for thousands")
    parser.add_argument("machines", nargs="*", type=int, default=[1000, 10000])
    options = parser.parse_args()
    path = binary(options.binary)
    lines = ["| plan | CPU | memory |", "|---|---|---|"]
    for machines in options.machines:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "topology.toml").write_text(topology(machines))
            plan = lambda: run(path, folder, "plan")  # noqa: E731
            lines.append(row(f"{machines:,} machines from nothing, median of {RUNS}", [plan() for _ in range(RUNS)]))
            if options.applied:
                run(path, folder, "apply", "-y")
                lines.append(row(f"{machines:,} machines, nothing to change", [plan() for _ in range(RUNS)]))
    print(f"{machine()}\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
