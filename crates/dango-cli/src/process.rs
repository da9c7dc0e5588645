//! What is asked of the system about this process: that its memory stays private, and whose it is.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

static INHERITED: OnceLock<Rlimit> = OnceLock::new();

/// Sets the core size limit to 0 and makes the process undumpable, so that neither a crash nor a debugger of
/// the same user reads what it holds. Where the system refuses, the program still runs: this is a second wall.
pub(crate) fn keep_private() {
    forbid_core();
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

/// Sets the core size limit to 0; what it was is remembered.
pub(crate) fn forbid_core() {
    let inherited = INHERITED.get_or_init(|| getrlimit(Resource::Core));
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: inherited.maximum,
        },
    );
}

/// Puts the core size limit back, for a program that takes this one's place or is started by it: it is not ours to change.
pub(crate) fn restore_core_limit() {
    if let Some(inherited) = INHERITED.get() {
        let _ = setrlimit(
            Resource::Core,
            Rlimit {
                current: inherited.current,
                maximum: inherited.maximum,
            },
        );
    }
}

/// The number of the user that this process runs as.
pub(crate) fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Which permissions files do not get that this process makes. The system tells it only to who sets it, so it is set to the same again.
#[allow(clippy::useless_conversion, reason = "the type of a mode differs between systems")]
pub(crate) fn umask() -> u32 {
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(mask);
    u32::from(mask.bits())
}
