//! Memory for one key: on pages of its own, kept out of swap where the system allows, erased when dropped.

use region::LockGuard;
use zeroize::Zeroize;

/// The length of every key, in bytes.
pub(crate) const KEY_LENGTH: usize = 32;

/// The largest page size in common use, so that the key shares its page with nothing else.
///
/// Locks do not nest: releasing one on a shared page would release its neighbour's, too.
#[repr(align(16384))]
struct Page([u8; KEY_LENGTH]);

/// Bytes of one key that are neither copied nor written to swap.
///
/// Locking is a best effort: where the system's limit (`RLIMIT_MEMLOCK`) is used up, the bytes are still erased when dropped.
pub(crate) struct KeyMemory {
    // Declared first, so unlocked before the page goes back to the allocator.
    lock: Option<LockGuard>,
    page: Box<Page>,
}

impl KeyMemory {
    /// Takes a locked page and has the key written straight into it.
    pub(crate) fn try_fill<E>(fill: impl FnOnce(&mut [u8; KEY_LENGTH]) -> Result<(), E>) -> Result<Self, E> {
        let page = Box::new(Page([0; KEY_LENGTH]));
        let lock = region::lock(page.0.as_ptr(), KEY_LENGTH).ok();
        let mut memory = Self { lock, page };
        fill(&mut memory.page.0)?;
        Ok(memory)
    }

    /// The key's bytes.
    pub(crate) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.page.0
    }

    /// Whether the system keeps the page out of swap.
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }
}

impl Drop for KeyMemory {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(byte: u8) -> KeyMemory {
        KeyMemory::try_fill(|bytes| {
            bytes.fill(byte);
            Ok::<(), ()>(())
        })
        .expect("nothing fails")
    }

    #[test]
    fn two_keys_never_share_a_page() {
        let (one, other) = (filled(1), filled(2));
        let pages = [&one, &other].map(|key| key.bytes().as_ptr().addr() / 16384);
        assert_ne!(pages[0], pages[1]);
        assert_eq!((one.bytes()[0], other.bytes()[31]), (1, 2));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_says_that_the_page_is_locked() {
        let key = filled(7);
        assert!(key.is_locked(), "RLIMIT_MEMLOCK leaves no room for one page");
        let status = std::fs::read_to_string("/proc/self/smaps").expect("smaps");
        let address = key.bytes().as_ptr().addr();
        let mut inside = false;
        let mut locked = false;
        for line in status.lines() {
            if let Some((range, _)) = line.split_once(' ')
                && let Some((from, to)) = range.split_once('-')
                && let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
            {
                inside = (from..to).contains(&address);
            }
            locked |= inside && line.starts_with("Locked:") && !line.contains(" 0 kB");
        }
        assert!(locked);
    }

    #[test]
    fn more_keys_than_can_be_locked_still_work() {
        let keys: Vec<KeyMemory> = (0..100).map(filled).collect();
        assert!(keys.iter().zip(0..).all(|(key, byte)| key.bytes()[0] == byte));
    }
}
