//! Which faults are worth another try, and when.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::model::{Class, Fault};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// How long faults of a class are borne. Source for the longest: the network interfaces of a deleted load balancer
/// hold on to subnets and security groups for minutes.
fn patience(class: Class) -> Duration {
    match class {
        Class::NotYet => Duration::from_secs(20 * 60),
        Class::Throttled => Duration::from_secs(10 * 60),
        Class::Transient => Duration::from_secs(5 * 60),
        // Just created, and not seen yet by the part of AWS that answers.
        Class::NotFound => Duration::from_secs(60),
        _ => Duration::ZERO,
    }
}

/// The pause before the next try; none when it's time to give up. `who` tries: all that fail at once try again at times
/// of their own, which are the same in every run of one plan.
pub fn pause(fault: &Fault, tries: u32, waited: Duration, who: usize) -> Option<Duration> {
    let full = FIRST.saturating_mul(1 << tries.min(10)).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (who, tries, waited).hash(&mut hasher);
    // Between the half and the whole of it.
    let jitter = (hasher.finish() >> 40) as u32;
    let pause = full / 2 + (full / 2).mul_f64(f64::from(jitter) / f64::from(1 << 24));
    (waited + full <= patience(fault.class)).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(class: Class) -> Fault {
        Fault::new(class, "ec2:CreateVpc", "", "")
    }

    #[test]
    fn what_repeating_cannot_mend_is_not_repeated() {
        for class in [Class::Fatal, Class::Denied, Class::Credentials, Class::Exists] {
            assert_eq!(pause(&fault(class), 0, Duration::ZERO, 0), None, "{class:?}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let fault = fault(Class::NotYet);
        let first = pause(&fault, 0, Duration::ZERO, 0).unwrap();
        assert!((FIRST / 2..=FIRST).contains(&first), "{first:?}");
        let last = pause(&fault, 30, Duration::ZERO, 0).unwrap();
        assert!((LONGEST / 2..=LONGEST).contains(&last), "{last:?}");
        assert_eq!(pause(&fault, 30, Duration::from_secs(20 * 60), 0), None);
    }

    #[test]
    fn steps_that_fail_together_do_not_try_again_together() {
        let fault = fault(Class::Throttled);
        let pauses: std::collections::BTreeSet<_> =
            (0..100).filter_map(|step| pause(&fault, 3, Duration::ZERO, step)).collect();
        assert!(pauses.len() > 90, "{}", pauses.len());
    }
}
