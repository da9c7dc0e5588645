//! What the disk allows: files replaced as durably as a system has it — write, fsync, rename, fsync of the directory — and nothing else.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::{Outcome, spread};

const TIME: Duration = Duration::from_secs(3);

/// Replaces files for a while: one, or one for each of so many threads.
pub(super) fn replace(threads: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let (done, begun) = (AtomicUsize::new(0), Instant::now());
    spread(threads, |thread| {
        while begun.elapsed() < TIME {
            replace_once(folder.path(), thread)?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<_, std::io::Error>(())
    })?;
    println!(
        "replacements a second: {:.2}",
        done.into_inner() as f64 / begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn replace_once(folder: &Path, thread: usize) -> std::io::Result<()> {
    let (new, place) = (folder.join(format!("{thread}.new")), folder.join(format!("{thread}.env")));
    let mut file = File::create(&new)?;
    file.write_all(&[b'x'; 1024])?;
    file.sync_all()?;
    fs::rename(&new, &place)?;
    File::open(folder)?.sync_all()
}
