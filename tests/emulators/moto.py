"""Starts moto, repaired toward AWS: `moto.py PORT`. `moto.py --repairs` lists what is repaired."""

import io
import logging
import os
import sys
import threading
import time

# First in the path, this folder would hide the package of the same name.
sys.path.append(sys.path.pop(0))

# AWS knows its instance types and images; moto takes any unless told otherwise.
os.environ.update(
    MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="1",
    MOTO_ENABLE_AMI_VALIDATION="1",
)

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
import quick  # noqa: E402, F401
from repairs import moto_data, moto_ec2, moto_elb, moto_iam, moto_policy, moto_route53  # noqa: E402, F401 - each repairs as it is imported
from repairs.common import CallLog, end_with_parent, operation_of, print_repairs, service_of  # noqa: E402
from werkzeug.serving import run_simple  # noqa: E402


class Logged(DomainDispatcherApplication):
    """The application, with a line in the log of calls for each request to a service."""

    log = CallLog()
    # A call as long as on AWS's network lets calls that don't wait for each other overlap, so that they can be told
    # from those that do.
    delay = float(os.environ.get("ECDEPLOY_TEST_DELAY", 0))
    # AWS does each call whole or not at all. moto's state is not made for threads: now and then one that meets another
    # fails half-way, and leaves an instance behind.
    one_at_a_time = threading.Lock()

    def __call__(self, environ, start_response):
        started = time.monotonic()
        service = service_of(environ.get("HTTP_AUTHORIZATION"))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        target = environ.get("HTTP_X_AMZ_TARGET")
        operation = operation_of(target, body, environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if service:
            time.sleep(self.delay)
        with self.one_at_a_time:
            answer = super().__call__(environ, start_response)
        if service:
            self.log.write(service, operation, started, body)
        return answer


def main(port):
    end_with_parent(Logged.log.remove)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # HTTP/1.1 keeps connections open, as AWS does.
    MotoRequestHandler.protocol_version = "HTTP/1.1"
    run_simple("127.0.0.1", port, Logged(create_backend_app), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    if sys.argv[1:] == ["--repairs"]:
        print_repairs()
    else:
        main(int(sys.argv[1]))
