"""moto's Route 53, repaired toward AWS."""

from moto.route53.exceptions import ResourceRecordAlreadyExists
from moto.route53.models import Route53Backend

from .common import around


@around(Route53Backend, "change_resource_record_sets")
def record_is_there(original, self, zoneid, change_list):
    """AWS creates no record that is there; moto does, unless just the same was created before."""
    there = {(record.name.rstrip("."), record.type) for record in self.get_hosted_zone(zoneid).rrsets}
    for change in change_list:
        wanted = change["ResourceRecordSet"]
        if change["Action"] == "CREATE" and (wanted["Name"].rstrip("."), wanted["Type"]) in there:
            raise ResourceRecordAlreadyExists(wanted["Name"], wanted["Type"])
    return original(self, zoneid, change_list)
