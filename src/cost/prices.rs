//! A table of prices: a file of its own, the one that comes with ecdeploy or a user's.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Unexpected, Visitor};
use toml::Spanned;

use super::billed::List;
use super::money::Money;
use crate::error::{Error, ErrorKind, Result};
use crate::topology::{Diagnostic, Diagnostics};

/// The tables that come with ecdeploy.
const KNOWN: &[(&str, &str)] = &[("ap-southeast-1", include_str!("ap-southeast-1.toml"))];

/// What things cost in one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    lists: BTreeMap<List, BTreeMap<String, (Money, Date)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: Spanned<String>,
    prices: Vec<Spanned<Part>>,
}

/// Prices of one date and source.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    of: List,
    #[serde(deserialize_with = "date")]
    date: Date,
    #[expect(dead_code, reason = "it is for who reads the file, and has to be there")]
    source: String,
    usd: Node,
}

/// A price, or a table of them: `t3.small = 0.0264` is a table in TOML.
enum Node {
    Price(Money),
    Table(BTreeMap<String, Node>),
}

/// How a file of prices begins.
const FORM: &str = "one has `region`, and lists of prices: [[prices]] with `of`, `date` and, below [prices.usd], names and US dollars";

impl Prices {
    /// The prices that are known without a file; none in other regions.
    ///
    /// # Errors
    /// When the table that comes along is broken.
    pub fn known(region: &str) -> Result<Self> {
        match KNOWN.iter().find(|(known, _)| *known == region) {
            Some((name, text)) => Self::parse(&format!("{name}.toml"), text, region),
            None => Ok(Self::default()),
        }
    }

    /// Reads the text of a file of prices, which have to be of this region.
    ///
    /// # Errors
    /// With the place in the file.
    pub fn parse(file: &str, text: &str, region: &str) -> Result<Self> {
        let wrong = |error: Diagnostic| {
            Error::new(ErrorKind::File, format!("{file} is not a table of prices"))
                .source(Diagnostics::of(file, text, error))
        };
        let content: File = toml::from_str(text).map_err(|error| {
            let said = error.message().trim().to_owned();
            wrong(
                match error.span() {
                    Some(span) => Diagnostic::at(span.into(), said).label("here"),
                    None => Diagnostic::nowhere(said),
                }
                .hint(FORM.to_owned()),
            )
        })?;
        if content.region.as_ref() != region {
            let message = format!("these are prices of {}", content.region.as_ref());
            let place = Diagnostic::at(content.region.span().into(), message);
            return Err(wrong(
                place
                    .label(format!("the topology is for {region}"))
                    .hint(format!("give a file of those of {region}")),
            ));
        }
        let mut prices = Self::default();
        for part in content.prices {
            let span = part.span();
            let Part { of, date, usd, .. } = part.into_inner();
            let list = prices.lists.entry(of).or_default();
            if let Some(name) = usd.flatten("", &mut |name, money| {
                list.insert(name.to_owned(), (money, date)).is_none()
            }) {
                let message = format!("the price of {name} is given twice");
                let place = Diagnostic::at(span.into(), message);
                return Err(wrong(
                    place
                        .label("the second time in this part of the list")
                        .hint("take one of the two away".to_owned()),
                ));
            }
        }
        Ok(prices)
    }

    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The price of one unit, and its date.
    pub fn of(&self, list: List, name: &str) -> Option<(Money, Date)> {
        let own = self.lists.get(&list).and_then(|list| list.get(name)).copied();
        own.or_else(|| {
            let (price, date) = self.of(list.without_standby()?, name)?;
            Some((price.times(2), date))
        })
    }
}

impl Node {
    /// Takes each price by its whole name; the first name that is not taken.
    fn flatten(&self, name: &str, take: &mut impl FnMut(&str, Money) -> bool) -> Option<String> {
        match self {
            Node::Price(money) => (!take(name, *money)).then(|| name.to_owned()),
            Node::Table(table) => table.iter().find_map(|(key, node)| {
                let whole = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                node.flatten(&whole, take)
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Price)
    }
}

struct Price;

impl<'de> Visitor<'de> for Price {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a price in US dollars, like 0.0264")
    }

    fn visit_f64<E: serde::de::Error>(self, dollars: f64) -> Result<Node, E> {
        let price = Money::price(dollars);
        price.map(Node::Price).ok_or_else(|| E::invalid_value(Unexpected::Float(dollars), &self))
    }

    fn visit_i64<E: serde::de::Error>(self, dollars: i64) -> Result<Node, E> {
        let price = i32::try_from(dollars).ok().and_then(|dollars| Money::price(dollars.into()));
        price.map(Node::Price).ok_or_else(|| E::invalid_value(Unexpected::Signed(dollars), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            table.insert(key, node);
        }
        Ok(Node::Table(table))
    }
}

fn date<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| D::Error::custom("this is not a date, like \"2026-10-04\""))
}
