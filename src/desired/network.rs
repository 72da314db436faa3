//! The network: VPC, gateway, route tables, subnets and security groups.

use super::{ANYWHERE, Build, MAIN, PRIVATE, PUBLIC, link, main_vpc, rules};
use crate::kinds::{internet_gateway, route_table, security_group, subnet, vpc};
use crate::model::Address;
use crate::topology::Subnet;

impl Build<'_> {
    pub(super) fn network(&mut self) {
        self.begin("vpc", "", self.topology.vpc.protect);
        let network = &self.topology.vpc;
        let spec = vpc::Vpc {
            cidr_block: network.cidr_block.to_string(),
            enable_dns_support: network.enable_dns_support,
            enable_dns_hostnames: network.enable_dns_hostnames,
        };
        self.add(&vpc::SCHEMA, MAIN, &spec, network.span);
        let main = Address::new(vpc::SCHEMA.kind, MAIN);
        self.says(&main, [("cidr_block", network.cidr_block.span)]);
        let subnets = &self.topology.subnets;
        if subnets.iter().any(|subnet| subnet.public) {
            let gateway = internet_gateway::InternetGateway { vpc: main_vpc() };
            self.add(&internet_gateway::SCHEMA, MAIN, &gateway, network.span);
            let destination = ANYWHERE.to_owned();
            let route =
                route_table::Route { destination, gateway: link(&internet_gateway::SCHEMA, MAIN) };
            let public = route_table::RouteTable { vpc: main_vpc(), routes: vec![route] };
            self.add(&route_table::SCHEMA, PUBLIC, &public, network.span);
        }
        if subnets.iter().any(|subnet| !subnet.public) {
            let private = route_table::RouteTable { vpc: main_vpc(), routes: Vec::new() };
            self.add(&route_table::SCHEMA, PRIVATE, &private, network.span);
        }
        subnets.iter().for_each(|subnet| self.subnet(subnet));
    }

    fn subnet(&mut self, subnet: &Subnet) {
        self.begin("subnet", &subnet.key, subnet.protect);
        let spec = subnet::Subnet {
            vpc: main_vpc(),
            cidr_block: subnet.cidr_block.to_string(),
            availability_zone: subnet.zone.value.clone(),
            map_public_ip_on_launch: subnet.public,
            route_table: link(&route_table::SCHEMA, if subnet.public { PUBLIC } else { PRIVATE }),
        };
        self.add(&subnet::SCHEMA, &subnet.key, &spec, subnet.key.span);
        let address = Address::new(subnet::SCHEMA.kind, &subnet.key);
        self.says(&address, [("cidr_block", subnet.cidr_block.span)]);
    }

    pub(super) fn security_groups(&mut self) {
        for group in &self.topology.security_groups {
            self.begin("security_group", &group.key, group.protect);
            let written = group.ingress.iter().map(rules::written);
            let derived = rules::opened(self.topology, &group.key);
            let spec = security_group::SecurityGroup {
                vpc: main_vpc(),
                name: group.name.value.clone(),
                description: group.description.value.clone(),
                ingress: written.chain(derived).collect(),
                egress: group.egress.iter().map(rules::written).collect(),
            };
            self.add(&security_group::SCHEMA, &group.key, &spec, group.key.span);
            let address = Address::new(security_group::SCHEMA.kind, &group.key);
            self.says(&address, [("name", group.name.span)]);
            if group.name.span == group.key.span {
                self.named_by_key(&security_group::SCHEMA, &group.key);
            }
        }
    }
}
