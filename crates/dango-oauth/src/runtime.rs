//! A runtime for programs that have none: made for one ceremony, on the calling thread. Servers bring their own.

use std::future::Future;
use std::io;

/// Runs a ceremony to its end on this thread.
///
/// # Errors
///
/// Where the system gives no event queue.
///
/// # Panics
///
/// Within a runtime: whoever has one awaits instead.
pub fn block_on<F: Future>(ceremony: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let output = runtime.block_on(ceremony);
    // A name that is still being looked up would otherwise be waited for.
    runtime.shutdown_background();
    Ok(output)
}
