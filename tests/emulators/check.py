"""Checks every fact on one emulator, or prints their table.

    check.py moto|ministack ENDPOINT     exit 1 where the emulator is not as the table says
    check.py --table                     the table that stands in README.md
"""

import sys
import traceback

from facts import network, instances, balancing, data, services, offers  # noqa: F401, I001 - each registers its facts, in the order of the table
from facts.world import FACTS, RIGHT, UNCHECKED, World


def table():
    rows = ["| what AWS does | moto | ministack |", "|---|---|---|"]
    off = [f for f in FACTS if (f.moto, f.ministack) != (RIGHT, RIGHT)]
    return "\n".join(rows + [f"| {f.text} | {f.moto} | {f.ministack} |" for f in off])


def holds(fact, world):
    """None if the emulator shows the fact, else why not."""
    try:
        fact.check(world)
    except AssertionError as error:
        return str(error) or traceback.format_exc(limit=-1)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def run(emulator, endpoint):
    world, wrong = World(endpoint), 0
    for fact in FACTS:
        said, failure = getattr(fact, emulator), holds(fact, world)
        if (failure is None) == (said != UNCHECKED):
            continue
        wrong += 1
        print(f"{emulator}: {fact.text}\n    said to be {said}, but: {failure or 'it holds'}")
    print(f"{emulator}: {len(FACTS)} facts, {wrong} not as the table says")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        print(table())
    else:
        sys.exit(run(*sys.argv[1:]))
