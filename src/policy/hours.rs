//! Whether it is working hours somewhere.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::topology::WorkingHours;

/// Whether this moment is within them; and what the clock there shows.
pub fn within(hours: &WorkingHours, now: Timestamp) -> (bool, String) {
    // The file was checked: its time zone is known.
    let zone = TimeZone::get(&hours.time_zone).unwrap_or(TimeZone::UTC);
    let there = now.to_zoned(zone);
    let time = there.time();
    let today = there.weekday().to_monday_zero_offset();
    let yesterday = (today + 6) % 7;
    let begun = time >= hours.from;
    let not_over = time < hours.to;
    let within = match hours.from < hours.to {
        true => hours.days.contains(&today) && begun && not_over,
        // They go on past midnight, on the next day.
        false => {
            hours.days.contains(&today) && begun || hours.days.contains(&yesterday) && not_over
        }
    };
    (within, there.strftime("%a %H:%M").to_string())
}
