//! Other processes of this machine.

/// Whether there is no such process. One that is another user's is there, even where `/proc` hides it.
#[cfg(unix)]
pub fn is_gone(process: u32) -> bool {
    let number = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    number.is_some_and(|number| {
        rustix::process::test_kill_process(number) == Err(rustix::io::Errno::SRCH)
    })
}

/// Not known here.
#[cfg(not(unix))]
pub fn is_gone(_: u32) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_living_and_the_unknowable_are_not_gone() {
        assert!(!is_gone(std::process::id()));
        assert!(!is_gone(1), "another user's, as a rule");
        assert!(!is_gone(0) && !is_gone(u32::MAX), "no process at all");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(is_gone(child.id()));
    }
}
