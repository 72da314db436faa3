//! The integration tests, in one binary, so that the SDK is linked once.

/// Makes a test on each emulator of functions that take one.
macro_rules! on_each_emulator {
    ($($test:ident),* $(,)?) => {
        mod moto {
            $(#[test] fn $test() { super::$test(crate::emulator::Emulator::Moto); })*
        }
        mod ministack {
            $(#[test] fn $test() { super::$test(crate::emulator::Emulator::Ministack); })*
        }
    };
}

mod access;
mod adopt;
mod beside;
mod between;
mod book;
mod boot;
#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod ci;
mod completions;
mod data;
mod deaths;
mod drawn;
mod emulator;
mod export;
mod facts;
mod fuzz;
mod graph;
mod iam;
mod inventory;
mod keeping;
mod lock;
mod manual;
mod names;
mod newcomer;
#[cfg(unix)]
mod pictures;
mod policies;
mod preflight;
mod product;
mod programs;
mod pull_request;
mod raw;
mod rehearse;
#[cfg(unix)]
mod release;
mod replicas;
mod roles;
mod rolling;
mod rules;
mod saved;
mod scaling;
mod schema;
#[cfg(unix)]
mod signals;
mod simulator;
mod status;
mod storm;
#[cfg(unix)]
mod taken;
mod terminal;
mod trace;
mod unheard;
mod venv;
mod way_in;
mod wire;
