//! Work spread over the cores: each takes the next piece when it is done with one.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// More threads wait for the disk and for one another.
const MOST: usize = 8;

/// Does a piece of work for each item, and answers what came of them in no particular order. Each thread makes what it needs once.
pub(crate) fn spread<T: Sync, S, O: Send>(items: &[T], begin: impl Fn() -> S + Sync, work: impl Fn(&mut S, &T) -> O + Sync) -> Vec<O> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(MOST).min(items.len().max(1));
    let next = AtomicUsize::new(0);
    let run = || {
        let mut state = begin();
        let mut done = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(work(&mut state, item));
        }
        done
    };
    if threads == 1 {
        return run();
    }
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let done = running.into_iter().map(|thread| thread.join());
        done.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once() {
        for count in [0, 1, 2, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let mut done = spread(&items, || (), |(), item| *item);
            done.sort_unstable();
            assert_eq!(done, items);
        }
    }
}
