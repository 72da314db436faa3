//! US dollars, in whole millionths of one: AWS's hourly prices have no finer parts that a month would show.

use std::borrow::Cow;
use std::iter::Sum;
use std::ops::{Add, Sub};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

const MICRO: i64 = 1_000_000;
const CENT: i64 = MICRO / 100;
/// From here on, whole dollars say enough.
const MUCH: i64 = 100 * MICRO;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(i64);

impl Money {
    /// The dearest price there is; no sum of what a topology may hold leaves the range of numbers.
    const DEAREST: f64 = 10_000.0;

    /// A price in dollars. None where it can't be one, or is so small that it would count as nothing.
    pub fn price(dollars: f64) -> Option<Self> {
        if !(0.0..=Self::DEAREST).contains(&dollars) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is in the range above")]
        let micros = (dollars * 1e6).round() as i64;
        (micros > 0 || dollars == 0.0).then_some(Self(micros))
    }

    pub fn dollars(number: usize) -> Self {
        Self(MICRO).times(number as u64)
    }

    pub fn times(self, number: u64) -> Self {
        Self(self.0.saturating_mul(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// To the cent: `$19.27`.
    pub fn exact(self) -> String {
        let cents = rounded(self.0, CENT);
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}${}.{:02}", grouped(cents.unsigned_abs() / 100), cents.unsigned_abs() % 100)
    }

    /// As people say it: `$612`, `$19.27`.
    pub fn about(self) -> String {
        if self.0.saturating_abs() < MUCH {
            return self.exact();
        }
        let dollars = rounded(self.0, MICRO);
        let sign = if dollars < 0 { "-" } else { "" };
        format!("{sign}${}", grouped(dollars.unsigned_abs()))
    }
}

fn rounded(micros: i64, unit: i64) -> i64 {
    let half = if micros < 0 { -unit / 2 } else { unit / 2 };
    micros.saturating_add(half) / unit
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// For machines, in dollars to the cent.
impl JsonSchema for Money {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        f64::json_schema(generator)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "cents of what a topology costs")]
        let dollars = rounded(self.0, CENT) as f64 / 100.0;
        to.serialize_f64(dollars)
    }
}
