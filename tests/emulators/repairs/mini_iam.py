"""ministack's IAM and SSM, repaired toward AWS."""

from ministack.services import ec2, iam, ssm

from .common import around


@around(iam, "_list_instance_profiles")
def profiles_without_tags(original, p):
    """AWS leaves tags out of a listing of profiles; ministack tells them."""
    kept = {name: profile.pop("Tags", None) for name, profile in iam._instance_profiles.items()}
    try:
        return original(p)
    finally:
        for name, tags in kept.items():
            if tags is not None:
                iam._instance_profiles[name]["Tags"] = tags


@around(ssm, "_apply_filter")
def parameters_by_tag(original, param, key, option, values):
    """AWS lists the parameters that bear a tag; ministack lists all."""
    if not key.startswith("tag:"):
        return original(param, key, option, values)
    tags = ssm._tags.get(param["ARN"], {})
    found = tags.get(key.removeprefix("tag:"))
    return found is not None and (not values or found in values)


@around(ec2, "_run_instances")
def profile_must_be_there(original, p):
    """AWS refuses to launch with a profile that is not there; ministack launches."""
    arn, name = ec2._p(p, "IamInstanceProfile.Arn"), ec2._p(p, "IamInstanceProfile.Name")
    known = {profile["Arn"]: one for one, profile in iam._instance_profiles.items()}
    if (arn and arn not in known) or (name and name not in known.values()):
        message = f"Value ({arn or name}) for parameter iamInstanceProfile is invalid. Invalid IAM Instance Profile"
        return ec2._error("InvalidParameterValue", message, 400)
    return original(p)
