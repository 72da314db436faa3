"""Terraform on the same system, with the AWS provider that is on this machine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from running import measured

# registry host, namespace, type, version, platform: the folders between a mirror and a provider's file.
BELOW_MIRROR = 5
AMI_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


class Terraform:
    def __init__(self, configuration, folder):
        self.home = Path(folder) / "terraform"
        self.home.mkdir()
        shutil.copy(configuration, self.home)
        settings = self.home / "cli.tfrc"
        settings.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{mirror()}" }} }}\n')
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "TF_CLI_CONFIG_FILE": str(settings)}
        subprocess.run(
            ["terraform", "init", "-input=false"],
            cwd=self.home,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        version = subprocess.run(
            ["terraform", "version", "-json"], cwd=self.home, env=self.environment, check=True, capture_output=True
        )
        told = json.loads(version.stdout)
        provider = " ".join(told["provider_selections"].values())
        self.name = f"Terraform {told['terraform_version']}, AWS provider {provider}"

    def apply(self, server):
        """From nothing."""
        for state in self.home.glob("terraform.tfstate*"):
            state.unlink()
        return self.run(server, "apply", "-auto-approve")

    def change(self, server, before, after):
        """What it applied, after an edit."""
        for file in self.home.glob("*.tf"):
            file.write_text(file.read_text().replace(before, after))
        return self.run(server, "apply", "-auto-approve")

    def plan(self, server):
        """With nothing to change, or this fails."""
        return self.run(server, "plan", "-detailed-exitcode")

    def run(self, server, verb, *arguments):
        variables = ["-var", f"endpoint={server.url}", "-var", f"ami={ami(server)}"]
        command = ["terraform", verb, "-input=false", "-no-color", *arguments, *variables]
        return measured(command, self.home, self.environment, server)


def mirror():
    """Where the machine keeps the provider, which saves a download."""
    search = ["find", "/", "-xdev", "-name", "terraform-provider-aws*", "-type", "f"]
    found = subprocess.run(search, capture_output=True, text=True).stdout.split()
    if not found:
        sys.exit("no AWS provider of Terraform is on this machine")
    return Path(found[0]).parents[BELOW_MIRROR]


def ami(server):
    """The image that ecdeploy's topology finds by its SSM parameter, asked for by hand: no SDK needed."""
    import urllib.request

    request = urllib.request.Request(
        server.url,
        data=json.dumps({"Name": AMI_PARAMETER}).encode(),
        headers={
            "X-Amz-Target": "AmazonSSM.GetParameter",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/ap-southeast-1/ssm/aws4_request, "
            "SignedHeaders=host, Signature=none",
        },
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["Parameter"]["Value"]
