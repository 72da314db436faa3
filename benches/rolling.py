#!/usr/bin/env python3
"""Counts the shop's healthy targets while ecdeploy, and Terraform where it is installed, change the type of all machines
on moto, and prints a Markdown table.

    benches/rolling.py [--binary FILE] [--peer-tf FILE]

--peer-tf (or PEER_TF) names a Terraform configuration of the same system, with the variables `endpoint` and `ami`.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent))
from measure import PYTHON, ROOT, binary, ecdeploy, machine  # noqa: E402
from running import Run, Server  # noqa: E402
from terraform import Terraform  # noqa: E402

BEFORE, AFTER = '"t3.small"', '"t3.medium"'
# The log of calls passes over a request whose date is none, so that it holds those of the run alone.
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/0/ap-southeast-1/elasticloadbalancing/aws4_request, "
    "SignedHeaders=host, Signature=none"
)


@dataclass
class Roll:
    run: Run
    # The fewest healthy targets by target group, and how often they were counted.
    fewest: dict
    samples: int
    # How long some service had no healthy target.
    out: float


class Health(threading.Thread):
    """Counts, for each target group that a listener sends requests to, its healthy targets, again and again. moto calls
    every target healthy but those that are stopped, and terminating one takes it out."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.fewest, self.samples, self.out = server, {}, 0, 0.0
        self.ended = threading.Event()
        balancers = self.ask("DescribeLoadBalancers", "LoadBalancerArn")
        self.listeners = [
            listener
            for balancer in balancers
            for listener in self.ask("DescribeListeners", "ListenerArn", LoadBalancerArn=balancer)
        ]
        self.start()

    def run(self):
        last = time.monotonic()
        while not self.ended.is_set():
            counts = self.look()
            now = time.monotonic()
            self.samples += 1
            self.out += (now - last) * (0 in counts.values())
            last = now
            for group, count in counts.items():
                self.fewest[group] = min(count, self.fewest.get(group, count))

    def look(self):
        rules = (self.ask("DescribeRules", "TargetGroupArn", ListenerArn=listener) for listener in self.listeners)
        groups = {group for some in rules for group in some}
        states = {group: self.ask("DescribeTargetHealth", "State", TargetGroupArn=group) for group in groups}
        return {group: found.count("healthy") for group, found in states.items()}

    def ask(self, operation, element, **parameters):
        """The texts of an element of the answer."""
        body = urlencode({"Action": operation, "Version": "2015-12-01", **parameters}).encode()
        request = urllib.request.Request(self.server.url, data=body, headers={"Authorization": SIGNED})
        with urllib.request.urlopen(request) as answer:
            return re.findall(f"<{element}>([^<]+)</{element}>", answer.read().decode())

    def stop(self):
        self.ended.set()
        self.join()


def rolled(server, change):
    health = Health(server)
    run = change()
    health.stop()
    if len(health.fewest) != 7:
        sys.exit(f"seven services get requests, not {len(health.fewest)}")
    return Roll(run, health.fewest, health.samples, health.out)


def ours(path, folder):
    larger = Path(folder) / "topology.toml"
    larger.write_text((ROOT / "topology.toml").read_text().replace(BEFORE, AFTER))
    with Server(PYTHON, "moto") as server:
        ecdeploy(path, server, folder, "apply", "-y")
        return rolled(server, lambda: ecdeploy(path, server, folder, "apply", "-y", file=larger))


def theirs(terraform):
    with Server(PYTHON, "moto") as server:
        terraform.apply(server)
        return rolled(server, lambda: terraform.change(server, BEFORE, AFTER))


def table(ours, theirs, name):
    rows = [
        ("fewest healthy targets of any service, of two", lambda roll: min(roll.fewest.values())),
        ("services that were out", lambda roll: f"{list(roll.fewest.values()).count(0)} of {len(roll.fewest)}"),
        ("time in which some service was out", lambda roll: f"{roll.out:.1f} s"),
        ("healthy targets counted every", lambda roll: f"{roll.run.seconds / roll.samples:.2f} s"),
        ("wall time", lambda roll: f"{roll.run.seconds:.1f} s"),
        ("API calls", lambda roll: len(roll.run.calls)),
    ]
    lines = [f"| t3.small to t3.medium, fourteen machines | ecdeploy | {name} |", "|---|---|---|"]
    lines += [f"| {what} | {of(ours)} | {of(theirs) if theirs else '-'} |" for what, of in rows]
    return "\n".join(lines)


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
        found = ours(path, folder), terraform and theirs(terraform)
    print(f"{machine()}\n")
    print(table(*found, terraform.name if terraform else "Terraform (not installed)"))


if __name__ == "__main__":
    main()
