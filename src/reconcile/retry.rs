//! Which faults are worth another try, and when.

use std::time::Duration;

use crate::model::{Class, Fault};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// How long faults of a class are borne. Source for the longest: the network interfaces of a deleted load balancer
/// hold on to subnets and security groups for minutes.
fn patience(class: Class) -> Duration {
    match class {
        Class::NotYet => Duration::from_secs(20 * 60),
        Class::Transient => Duration::from_secs(5 * 60),
        // Just created, and not seen yet by the part of AWS that answers.
        Class::NotFound => Duration::from_secs(60),
        _ => Duration::ZERO,
    }
}

/// The pause before the next try; none when it's time to give up.
pub fn pause(fault: &Fault, tries: u32, waited: Duration) -> Option<Duration> {
    let pause = FIRST.saturating_mul(1 << tries.min(10)).min(LONGEST);
    (waited + pause <= patience(fault.class)).then_some(pause)
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
            assert_eq!(pause(&fault(class), 0, Duration::ZERO), None, "{class:?}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let fault = fault(Class::NotYet);
        assert_eq!(pause(&fault, 0, Duration::ZERO), Some(FIRST));
        assert_eq!(pause(&fault, 30, Duration::ZERO), Some(LONGEST));
        assert_eq!(pause(&fault, 30, Duration::from_secs(20 * 60)), None);
    }
}
