"""moto, quicker: what it works out anew for each request or after each reset, though it can't change, is worked out once;
and images that no test asks for are left out. What it answers is what it was."""

import functools

from moto import backends
from moto.core import responses
from moto.core.base_backend import AccountSpecificBackend
from moto.ec2.models import amis


def once(owner, name, key=lambda *arguments: arguments):
    """Has `owner.name`, which lists something, do it once for each key."""
    original, answers = getattr(owner, name), {}

    @functools.wraps(original)
    def remembered(*arguments):
        asked = key(*arguments)
        if asked not in answers:
            answers[asked] = list(original(*arguments))
        return answers[asked]

    setattr(owner, name, remembered)


# Its services, by the folders that it consists of.
once(backends, "list_of_moto_modules")
# The operations of a service, by the methods of a class.
once(responses, "method_names_from_class")
# The regions of a service, by botocore's files.
once(AccountSpecificBackend, "_generate_regions", lambda _, service: service)

# More than a thousand images for clusters of containers, in each region.
load_resource = amis.load_resource
amis.load_resource = lambda path: [] if "/ecs/" in path else load_resource(path)
