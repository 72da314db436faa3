"""moto's IAM and SSM, and what EC2 and ELB do with profiles and certificates, repaired toward AWS."""

import copy

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.instances import InstanceResponse
from moto.elbv2.models import FakeListener
from moto.iam.exceptions import NotFoundException
from moto.iam.responses import IamResponse
from moto.ssm.responses import SimpleSystemManagerResponse

from .common import around


@around(IamResponse, "list_instance_profiles")
def profiles_by_path(_, self):
    """AWS filters by path and leaves tags out; moto neither."""
    prefix = self._get_param("PathPrefix") or "/"
    views = []
    for profile in self.backend.get_instance_profiles():
        if profile.path.startswith(prefix):
            view = copy.copy(profile)
            view.tags = []
            views.append(view)
    return ActionResult({"InstanceProfiles": views, "IsTruncated": False})


@around(IamResponse, "list_instance_profile_tags")
def profile_tags(_, self):
    """AWS has ListInstanceProfileTags; moto has not."""
    profile = self.backend.get_instance_profile(self._get_param("InstanceProfileName"))
    return ActionResult({"Tags": profile.tags, "IsTruncated": False})


@around(EC2Backend, "replace_iam_instance_profile_association")
def replaced_profile_is_described(original, self, association_id, *args, **kwargs):
    """AWS describes an instance with the profile it was given last; moto with its first."""
    association = original(self, association_id, *args, **kwargs)
    described = {"Arn": association.iam_instance_profile.arn, "Id": association_id}
    self.modify_instance_attribute(association.instance.id, "iam_instance_profile", described)
    return association


@around(InstanceResponse, "run_instances")
def profile_must_be_there(original, self):
    """AWS calls a profile that is not there an invalid value; moto says that it isn't found."""
    try:
        return original(self)
    except NotFoundException as error:
        asked = self._get_param("IamInstanceProfile.Arn") or self._get_param("IamInstanceProfile.Name")
        message = f"Value ({asked}) for parameter iamInstanceProfile is invalid. Invalid IAM Instance Profile"
        raise EC2ClientError("InvalidParameterValue", message) from error


@around(SimpleSystemManagerResponse, "describe_parameters")
def as_many_as_asked(_, self):
    """AWS lists as many parameters a page as asked, up to 50; moto 10."""
    first, most = int((self._get_param("NextToken") or "0").strip()), int(self._get_param("MaxResults") or 10)
    found = self.ssm_backend.describe_parameters(self._get_param("Filters"), self._get_param("ParameterFilters"))
    page = [parameter.describe_response_object(False) for parameter in found[first : first + most]]
    following = {"NextToken": str(first + most)} if first + most < len(found) else {}
    return ActionResult({"Parameters": page, **following})


@around(FakeListener, "__init__")
def tls_for_https_only(original, self, *args, **kwargs):
    """AWS gives a TLS policy to a listener of HTTPS only; moto to every one."""
    original(self, *args, **kwargs)
    if self.protocol not in ("HTTPS", "TLS"):
        self.ssl_policy = None
