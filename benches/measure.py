#!/usr/bin/env python3
"""Measures ecdeploy on the emulators, Terraform beside it where it is installed, and prints a Markdown table.

    benches/measure.py [--binary FILE] [--peer-tf FILE]

--peer-tf (or PEER_TF) names a Terraform configuration of the same system, with the variables `endpoint` and `ami`.
"""

import argparse
import datetime
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from running import Run, Server, depth, measured  # noqa: E402
from terraform import Terraform  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / "target" / "emulators" / "bin" / "python"
PLANS, VERSIONS = 5, 20
# Long enough that calls which don't wait for each other overlap.
ROUND_TRIP = 0.25


def binary(given):
    if given:
        return Path(given).resolve()
    path = ROOT / "target" / "release" / "ecdeploy"
    if not path.exists():
        subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)
    return path


def ecdeploy(path, server, folder, *arguments, file=ROOT / "topology.toml"):
    environment = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": folder,
    }
    account = ["--var", f"account={server.account}"]
    return measured([str(path), *arguments, "-f", str(file), *account], folder, environment, server)


def median_of(runs):
    """The runs' median time, highest peak, and the calls of the last."""
    return Run(statistics.median(r.seconds for r in runs), max(r.peak for r in runs), runs[-1].calls)


def measure_ecdeploy(path, folder):
    found = {}
    with Server(PYTHON, "moto", delay=ROUND_TRIP) as server:
        ecdeploy(path, server, folder, "apply", "-y")
        plan = ecdeploy(path, server, folder, "plan", "--detailed-exitcode")
        found["calls"], found["depth"] = len(plan.calls), depth(plan.calls)
    with Server(PYTHON, "ministack") as server:
        found["apply"] = ecdeploy(path, server, folder, "apply", "-y")
    version = [str(path), "--version"]
    ecdeploy_version = [measured(version, folder, {}, None).seconds for _ in range(VERSIONS)]
    found["version"] = statistics.median(ecdeploy_version)
    return found


def side_by_side(path, folder, terraform):
    """The plan with nothing to change by both, on one server, which is emptied between."""
    with Server(PYTHON, "moto") as server:
        ecdeploy(path, server, folder, "apply", "-y")
        plan = lambda: ecdeploy(path, server, folder, "plan", "--detailed-exitcode")  # noqa: E731
        ours = median_of([plan() for _ in range(PLANS)])
        if not terraform:
            return ours, None
        server.reset()
        terraform.apply(server)
        theirs = median_of([terraform.plan(server) for _ in range(PLANS)])
        return ours, theirs


def table(found, ours, theirs, their_apply, name):
    def seconds(value):
        return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"

    def megabytes(run):
        return f"{run.peak / 1e6:.0f} MB"

    rows = [
        ("plan with nothing to change: API calls", found["calls"], theirs and len(theirs.calls)),
        ("the same: round trips deep", found["depth"], None),
        (f"the same: wall time on moto, median of {PLANS}", seconds(ours.seconds), theirs and seconds(theirs.seconds)),
        ("the same: times faster", theirs and f"{theirs.seconds / ours.seconds:.0f}", None),
        ("the same: peak memory", megabytes(ours), theirs and megabytes(theirs)),
        ("apply from nothing on ministack: API calls", len(found["apply"].calls), their_apply and len(their_apply.calls)),
        (f"`--version`: wall time, median of {VERSIONS}", seconds(found["version"]), None),
    ]
    lines = [f"| | ecdeploy | {name or 'Terraform (not installed)'} |", "|---|---|---|"]
    lines += [f"| {what} | {a or '-'} | {b or '-'} |" for what, a, b in rows]
    return "\n".join(lines)


def machine():
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    return f"{datetime.date.today()}, {processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="measure this binary; target/release/ecdeploy by default, built if missing")
    parser.add_argument("--peer-tf", default=os.environ.get("PEER_TF"), help="a Terraform configuration to compare with")
    options = parser.parse_args()
    if not PYTHON.exists():
        sys.exit("the emulators are not installed yet: run `cargo test` once, which does that")
    path = binary(options.binary)
    with tempfile.TemporaryDirectory() as folder:
        terraform = None
        if options.peer_tf and shutil.which("terraform"):
            terraform = Terraform(Path(options.peer_tf), folder)
        found = measure_ecdeploy(path, folder)
        ours, theirs = side_by_side(path, folder, terraform)
        their_apply = None
        if terraform:
            with Server(PYTHON, "ministack") as server:
                their_apply = terraform.apply(server)
    print(f"{machine()}\n")
    print(table(found, ours, theirs, their_apply, terraform and terraform.name))


if __name__ == "__main__":
    main()
