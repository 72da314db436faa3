"""Holds values against AWS's service models, which botocore carries: their patterns, lengths and ranges, and what they say
in words. Reads JSON: `values`, each [service, operation, member, value], and `words`, each [service, operation, member,
phrase]. Prints a line for each that the model does not bear out."""

import html
import json
import re
import sys

from botocore.loaders import Loader

LOADER, MODELS = Loader(), {}


def member(service, operation, name):
    """The shape of a member of an operation's input, and what the model says of it."""
    if service not in MODELS:
        MODELS[service] = LOADER.load_service_model(service, "service-2")
    model = MODELS[service]
    members = model["shapes"][model["operations"][operation]["input"]["shape"]]["members"]
    shape = model["shapes"][members[name]["shape"]]
    said = members[name].get("documentation") or shape.get("documentation", "")
    return shape, " ".join(html.unescape(re.sub(r"<[^>]*>", " ", said)).split())


def complaint(shape, value):
    size = value if isinstance(value, int) else len(value)
    if not shape.get("min", size) <= size <= shape.get("max", size):
        return f"has {size}, and the model {shape.get('min')} to {shape.get('max')}"
    # As the services read it: the whole of the value.
    if "pattern" in shape and not re.fullmatch(shape["pattern"], value, re.ASCII):
        return f"does not match {shape['pattern']}"


asked = json.load(sys.stdin)
for service, operation, name, value in asked["values"]:
    why = complaint(member(service, operation, name)[0], value)
    if why:
        print(f"{operation}.{name}: {value!r} {why}")
for service, operation, name, phrase in asked["words"]:
    said = member(service, operation, name)[1]
    if phrase not in said:
        print(f"{operation}.{name}: it does not say `{phrase}`, but: {said}")
