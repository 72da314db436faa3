//! A record in Terraform. The TXT record beside it says whose it is, and stays with ecdeploy.

use crate::kinds::terraform::{Argument, Fixed, Terraform, whole};

pub static TERRAFORM: Terraform = Terraform {
    resource: "aws_route53_record",
    import: "{id}",
    named_by: "fqdn",
    outputs: &[],
    arguments: &[
        Argument::Field("zone_id", "zone"),
        Argument::same("name"),
        Argument::same("type"),
        Argument::Field("alias.name", "alias_dns_name"),
        Argument::Field("alias.zone_id", "alias_zone_id"),
        // As it is made.
        Argument::Always("alias.evaluate_target_health", Fixed::Flag(false)),
    ],
    parts: whole,
    beside: &["zone_name"],
};
