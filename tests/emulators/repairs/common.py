"""What both launchers share: the register of repairs, the log of calls, and an end when the parent is gone."""

import functools
import os
import re
import sys
import threading
import time
from urllib.parse import parse_qsl, unquote_plus

REPAIRS = []


def around(owner, name):
    """Puts the function it decorates in the place of `owner.name`; it gets what stood there first."""

    def put(repair):
        original = getattr(owner, name, None)

        @functools.wraps(repair)
        def repaired(*args, **kwargs):
            return repair(original, *args, **kwargs)

        setattr(owner, name, repaired)
        # ministack looks its handlers up by action.
        for table in ("_ACTION_MAP", "_IAM_HANDLERS"):
            actions = getattr(owner, table, {})
            actions.update({action: repaired for action, handler in actions.items() if handler is original})
        REPAIRS.append((f"{owner.__name__}.{name}", repair))
        return repaired

    return put


def action(module, name):
    """Adds the function it decorates to ministack's handlers, as an action that it lacks."""

    def put(handler):
        module._ACTION_MAP[name] = handler
        REPAIRS.append((f"{module.__name__}.{name}", handler))
        return handler

    return put


def print_repairs():
    """A line a repair: what is replaced, and why."""
    for where, repair in REPAIRS:
        print(f"{where}: {' '.join((repair.__doc__ or '').split())}")


class CallLog:
    """Appends `service operation started ended [names]` to the file that ECDEPLOY_TEST_CALLS names, before the answer
    leaves. Of calls that wait for each other the order is that in which they were done."""

    def __init__(self):
        self.path = os.environ.get("ECDEPLOY_TEST_CALLS")
        self.lock = threading.Lock()

    def write(self, service, operation, started, body):
        if not self.path:
            return
        line = f"{service} {operation} {started:.6f} {time.monotonic():.6f} {','.join(named_in(body))}"
        with self.lock, open(self.path, "a") as log:
            log.write(f"{line.rstrip()}\n")

    def remove(self):
        if self.path and os.path.exists(self.path):
            os.remove(self.path)


def service_of(authorization):
    """The service that a request was signed for: `.../20261122/ap-southeast-1/ec2/aws4_request`."""
    scope = re.search(r"/\d{8}/[^/]*/([^/]+)/aws4_request", authorization or "")
    return scope[1] if scope else None


def named_in(body):
    """The locks that a request of SSM names, or the instances and target groups of one of the query protocol."""
    text = (body or b"").decode(errors="replace")
    if text.startswith("{"):
        return re.findall(r'"(/ecdeploy/[\w-]+/lock/\d+)"', text)
    values = (value for _, value in parse_qsl(text))
    return [value for value in values if re.fullmatch(r"i-[0-9a-f]+|arn:[^ ,]+:targetgroup/[^ ,]+", value)]


# Route 53 speaks REST: its operations are methods and paths.
ROUTES = [
    ("GET", r"/hostedzone/?", "ListHostedZones"),
    ("GET", r"/hostedzonesbyname/?", "ListHostedZonesByName"),
    ("GET", r"/hostedzone/[^/]+", "GetHostedZone"),
    ("GET", r"/hostedzone/[^/]+/rrset/?", "ListResourceRecordSets"),
    ("POST", r"/hostedzone/[^/]+/rrset/?", "ChangeResourceRecordSets"),
    ("POST", r"/hostedzone/?", "CreateHostedZone"),
]


def operation_of(target, body, method, path):
    """A JSON protocol names its operation in a header, the query protocol in the body, REST in method and path."""
    if target:
        return target.rpartition(".")[2]
    action = re.search(rb"(?:^|&)Action=([^&]+)", body or b"")
    if action:
        return unquote_plus(action[1].decode())
    rest = path.removeprefix("/2013-04-01")
    found = (name for verb, form, name in ROUTES if verb == method and re.fullmatch(form, rest))
    return next(found, "unknown")


def end_with_parent(farewell):
    """Ends this process when its standard input closes: the test that holds the other end is gone, however it went."""

    def watch():
        while os.read(sys.stdin.fileno(), 1):
            pass
        farewell()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
