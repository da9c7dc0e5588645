//! What is asked of the system about this process: private memory, enough files, and threads that step back. No signals.

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// How far a thread that hashes steps back behind those that answer (`nice(1)`).
const STEP_BACK: i32 = 10;

/// Sets the core size limit to 0 and makes the process undumpable, so that neither a crash nor a debugger of the same user reads
/// what it holds. Where the system refuses, the program still runs: this is a second wall.
pub fn keep_private() {
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

/// Raises the number of files that may be open to what is allowed: every connection is one.
pub(crate) fn allow_many_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Lets every other thread of the process go first. On Linux this is the calling thread's own priority (`setpriority(2)`, "C library/kernel
/// differences"); elsewhere it would be the whole process's, so nothing is done.
pub(crate) fn step_back() {
    #[cfg(target_os = "linux")]
    {
        let _ = setpriority_process(None, STEP_BACK);
    }
}

/// The number of the user that this process runs as.
pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}
