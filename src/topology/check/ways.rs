//! The way in, by certificate and name; and the way out, by which machines fetch what they run.

use crate::model::covers;
use crate::topology::diagnostic::{Diagnostic, Sink, Span};
use crate::topology::types::{Certificate, LoadBalancer, Peer, Rule, Service, Topology};

/// Packages, artifacts and AWS's own endpoints are all reached here.
const HTTPS: u16 = 443;

pub fn check(topology: &Topology, sink: &mut Sink) {
    if let Some(balancer) = &topology.load_balancer {
        certificate(balancer, topology, sink);
    }
    dns(topology, sink);
    for service in topology.services.iter().filter(|service| service.artifact.is_some()) {
        way_out(service, topology, sink);
    }
}

/// There is no NAT: a machine reaches the internet by a public address of its own, or not at all.
fn way_out(service: &Service, topology: &Topology, sink: &mut Sink) {
    let found = service.subnets.iter().filter_map(|key| Some((key, topology.subnet(key)?)));
    for (key, subnet) in found {
        let message = "its machines can't fetch what they run";
        if !subnet.public {
            sink.push_unless_spoilt(
                Diagnostic::at(key.span, message)
                    .label("a private subnet has no way to the internet")
                    .also(service.key.span, "this service")
                    .hint(
                        "use public subnets: the security groups still let in the load balancer alone"
                            .to_owned(),
                    ),
            );
        } else if service.associate_public_ip == Some(false) {
            sink.push_unless_spoilt(
                Diagnostic::at(service.key.span, message)
                    .label("associate_public_ip = false")
                    .hint(
                        "a machine without a public address has no way to the internet".to_owned(),
                    ),
            );
            return;
        }
    }
    let groups = service.security_groups.iter().filter_map(|key| topology.security_group(key));
    let mut rules = groups.flat_map(|group| &group.egress);
    if !service.security_groups.is_empty() && !rules.any(lets_out) {
        sink.push_unless_spoilt(
            Diagnostic::at(service.security_groups.span, "its machines can't fetch what they run")
                .label("no egress of these lets out tcp 443 to 0.0.0.0/0")
                .also(service.key.span, "this service")
                .hint("egress = [{ port = 443, to = \"0.0.0.0/0\" }]".to_owned()),
        );
    }
}

fn lets_out(rule: &Rule) -> bool {
    let port = rule.ports.is_none_or(|(first, last)| (first..=last).contains(&HTTPS));
    let everywhere = matches!(&rule.peer.value, Peer::Block(block) if block.prefix_len() == 0);
    matches!(rule.protocol.as_str(), "tcp" | "all") && port && everywhere
}

fn certificate(balancer: &LoadBalancer, topology: &Topology, sink: &mut Sink) {
    let Some(certificate) = &balancer.certificate else {
        if let Some(redirect) = &balancer.redirect
            && **redirect
        {
            sink.push_unless_spoilt(
                Diagnostic::at(redirect.span, "a redirect to HTTPS, but no certificate for it")
                    .label("nothing listens there")
                    .hint("add certificate = { domain = \"...\" }, or take this away".to_owned()),
            );
        }
        return;
    };
    if let Certificate::Domain(domain) = &certificate.value
        && domain.is_empty()
    {
        sink.push_unless_spoilt(
            Diagnostic::at(certificate.span, "which certificate?")
                .label("neither `arn` nor `domain`")
                .hint("{ domain = \"shop.example.com\" }, as ACM has it".to_owned()),
        );
    }
    if let [_, _] = balancer.certificate_keys[..] {
        sink.push_unless_spoilt(
            Diagnostic::at(certificate.span, "the certificate is named twice")
                .label("by `arn` and by `domain`")
                .hint("take one away".to_owned()),
        );
    }
    if let Certificate::Arn(arn) = &certificate.value {
        arn_is_here(arn, certificate.span, topology, sink);
    }
    if let (Certificate::Domain(domain), Some(dns)) = (&certificate.value, &topology.dns)
        && !domain.is_empty()
        && !covers(domain, &dns.name)
    {
        sink.push_unless_spoilt(
            Diagnostic::at(dns.name.span, format!("the certificate is not for `{}`", *dns.name))
                .label("browsers would refuse it under this name")
                .also(certificate.span, format!("for `{domain}`"))
                .hint(format!("{{ domain = \"{}\" }}", *dns.name)),
        );
    }
    if *balancer.port == 443 {
        sink.push_unless_spoilt(
            Diagnostic::at(balancer.port.span, "443 is the port for HTTPS")
                .label("taken by the certificate's listener")
                .also(certificate.span, "the certificate"),
        );
    }
}

/// A load balancer takes certificates of its own account and region alone.
fn arn_is_here(arn: &str, span: Span, topology: &Topology, sink: &mut Sink) {
    let mut parts = arn.split(':').skip(3);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for (found, wanted, what) in
        [(region, &topology.region, "region"), (account, &topology.account, "account")]
    {
        if found != **wanted {
            sink.push_unless_spoilt(
                Diagnostic::at(span, format!("the certificate is in another {what}: {found}"))
                    .label("the load balancer does not take it")
                    .also(wanted.span, format!("the topology's {what}"))
                    .hint(format!("request or import it in {} as well", **wanted)),
            );
        }
    }
}

fn dns(topology: &Topology, sink: &mut Sink) {
    let Some(dns) = &topology.dns else { return };
    if topology.load_balancer.is_none() {
        sink.push_unless_spoilt(
            Diagnostic::at(dns.span, "a name, but no load balancer")
                .label("leads nowhere")
                .hint("add a [load_balancer], or take [dns] away".to_owned()),
        );
    }
    let within = dns.name.strip_suffix(dns.zone.as_str());
    if !within.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) {
        sink.push_unless_spoilt(
            Diagnostic::at(dns.name.span, format!("`{}` is outside the zone", *dns.name))
                .label("not a name of this zone")
                .also(dns.zone.span, "the zone")
                .hint(format!("a name within it ends with `.{}`", *dns.zone)),
        );
    }
}
