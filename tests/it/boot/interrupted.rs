//! A set-up that is cut short, anywhere, is taken up by the next; what is out for long is waited for. What takes long is
//! stood in for here: npm, the AWS CLI, systemd.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};

use super::machine::Machine;
use crate::programs::user;

/// Lives, each of which is cut short twice.
const LIVES: u64 = 10;

/// Kills the script, and all that it runs, before its nth command.
const DEATH: &str = r#"
if [[ $0 == */bin/boot ]]; then
  dies_at=$BOOT_DIES_AT
  set -o functrace
  trap '((dies_at--)) || kill -KILL -- -$$' DEBUG
  trap 'echo $((BOOT_DIES_AT - dies_at)) >"$BOOT_ROOT/steps"' EXIT
fi"#;

const NEVER: u64 = 1_000_000;

#[test]
fn it_does_not_matter_when_a_set_up_dies() {
    let machine = quick();
    fs::write(machine.path("death"), DEATH).expect("how it dies");
    let undisturbed = life(&machine, &[]);
    let steps = fs::read_to_string(machine.path("steps")).expect("how many commands there are");
    let steps: u64 = steps.trim().parse().expect("a number");
    assert!(steps > 100, "{steps}");
    for first in 0..LIVES {
        // Spread over the whole run, the second in another order.
        let deaths = [first, first * 7 % LIVES].map(|n| 1 + (2 * n + 1) * steps / (2 * LIVES));
        assert_eq!(life(&machine, &deaths), undisturbed, "it died at {deaths:?} of {steps}");
    }
}

/// A machine from its first boot on, which dies before these commands; what is on it when it is set up.
fn life(machine: &Machine, deaths: &[u64]) -> BTreeMap<String, String> {
    machine.renew();
    for (n, step) in deaths.iter().enumerate() {
        let mut setup = machine.setup();
        setup.env("BASH_ENV", machine.path("death")).env("BOOT_DIES_AT", step.to_string());
        let end = setup.process_group(0).status().expect("the script");
        // The second time there may be less to do.
        let none_left = n > 0 && end.success();
        assert!(none_left || end.signal() == Some(9), "{end} {}", machine.log());
    }
    let mut setup = machine.setup();
    setup.env("BASH_ENV", machine.path("death")).env("BOOT_DIES_AT", NEVER.to_string());
    assert!(setup.process_group(0).status().expect("the script").success(), "{}", machine.log());
    let edge = machine.edge();
    assert!(edge.contains("enable --quiet ecommerce-user.service"), "{edge}");
    assert!(edge.contains("restart --no-block ecommerce-user.service"), "{edge}");
    let untimed =
        |what: String| what.rsplit_once(' ').map_or(what.clone(), |(what, _)| what.to_owned());
    let contents = |name: &str| fs::read_to_string(machine.path(name)).unwrap_or_default();
    let files = machine.files().into_iter();
    files
        .map(|(name, what)| {
            let content = contents(&name);
            (name, untimed(what) + "\n" + &content)
        })
        .collect()
}

#[test]
fn an_outage_is_waited_out_however_long() {
    let machine = quick();
    machine.program(
        "npm",
        "echo \"npm as $(id -un)\"; echo >>\"$HOME/tries\"; [[ $(wc -l <\"$HOME/tries\") -gt 12 ]] && echo >>pm2",
    );
    machine.program("sleep", "exit 0");
    assert!(machine.boot(), "{}", machine.log());
    let log = machine.log();
    assert!(log.contains("again in 2s") && log.contains("again in 300s"), "{log}");
    assert!(
        log.contains(&format!("npm as {}", user())),
        "nothing of a package runs as root: {log}"
    );
}

/// A machine that installs nothing that takes time.
fn quick() -> Machine {
    let machine = Machine::of_ubuntu();
    machine.program("aws", "exit 0");
    machine.program("systemctl", "echo \"systemctl $*\" >>\"$BOOT_ROOT/edge.log\"");
    machine.without_packages();
    machine
}
