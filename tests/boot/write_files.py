"""As cloud-init does it, under another root: writes the files of a cloud-config, and looks whether systemd is told to run
one of them, now and at every boot."""

import os
import sys

import yaml

user_data, root = sys.argv[1:]
with open(user_data, encoding="utf-8") as text:
    assert text.readline() == "#cloud-config\n"
    config = yaml.safe_load(text)
assert sorted(config) == ["runcmd", "write_files"], sorted(config)
for file in config["write_files"]:
    path = root + file["path"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as written:
        written.write(file["content"])
    os.chmod(path, int(file["permissions"], 8))
*command, unit = config["runcmd"].pop()
assert command == ["systemctl", "enable", "--now", "--no-block"] and not config["runcmd"], command
assert "/etc/systemd/system/" + unit in [file["path"] for file in config["write_files"]], unit
