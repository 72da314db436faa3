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
mod boot;
mod data;
mod deaths;
mod drawn;
mod emulator;
mod facts;
mod fuzz;
mod graph;
mod inventory;
mod keeping;
mod lock;
mod policy;
mod product;
mod raw;
mod rehearse;
mod replicas;
mod roles;
mod rolling;
mod rules;
mod saved;
mod scaling;
#[cfg(unix)]
mod signals;
mod simulator;
mod storm;
mod trace;
mod unheard;
mod venv;
mod way_in;
mod wire;
