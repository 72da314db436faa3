"""The shell of a workflow, GitHub's or GitLab's, as JSON: what runs in one shell is one script, by its job and step."""

import json
import sys

from ruamel.yaml import YAML


def scripts(jobs: dict):
    for name, job in jobs.items():
        if not isinstance(job, dict):
            continue
        for number, step in enumerate(job.get("steps", []), 1):
            if "run" in step:
                yield {"job": name, "step": step.get("name", f"step {number}"), "script": step["run"]}
        job = {**jobs.get(job.get("extends"), {}), **job}
        own = [job[key] for key in ("before_script", "script") if key in job]
        if own:
            yield {"job": name, "step": "script", "script": "\n".join(line for lines in own for line in lines)}


workflow = YAML(typ="safe").load(open(sys.argv[1]))
print(json.dumps(list(scripts(workflow.get("jobs", workflow)))))
