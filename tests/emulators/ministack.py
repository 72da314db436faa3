"""Starts ministack, repaired toward AWS: `ministack.py PORT`. `ministack.py --repairs` lists what is repaired."""

import asyncio
import os
import sys
import time

# First in the path, this folder would hide the package of the same name.
sys.path.append(sys.path.pop(0))

# With a Docker at hand, ministack would start a container for each database and cache.
os.environ["DOCKER_HOST"] = "unix:///no-docker-for-tests"
# Two servers can't both have its fixed port, nor should a test listen on all addresses.
os.environ["IOT_MTLS_ENABLED"] = "0"
os.environ.setdefault("LOG_LEVEL", "WARNING")

from hypercorn.asyncio import serve  # noqa: E402
from hypercorn.config import Config  # noqa: E402
from ministack.app import app  # noqa: E402
from repairs import mini_data, mini_elb, mini_iam, mini_instances, mini_network  # noqa: E402, F401 - each repairs as it is imported
from repairs.common import CallLog, end_with_parent, operation_of, print_repairs, service_of  # noqa: E402

LOG = CallLog()


async def logged(scope, receive, send):
    """The application, with a line in the log of calls for each request to a service."""
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
    service = service_of(headers.get("authorization"))
    if scope["type"] != "http" or not service:
        return await app(scope, receive, send)
    started, body = time.monotonic(), bytearray()

    async def listening():
        message = await receive()
        body.extend(message.get("body", b""))
        return message

    async def answering(message):
        if message["type"] == "http.response.start":
            target = headers.get("x-amz-target")
            operation = operation_of(target, bytes(body), scope["method"], scope["path"])
            LOG.write(service, operation, started, bytes(body))
        await send(message)

    await app(scope, listening, answering)


def main(port):
    end_with_parent(LOG.remove)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    asyncio.run(serve(logged, config))


if __name__ == "__main__":
    if sys.argv[1:] == ["--repairs"]:
        print_repairs()
    else:
        main(int(sys.argv[1]))
