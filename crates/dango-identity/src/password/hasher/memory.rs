//! The memory in which hashes are computed: taken from the system once for as many as are computed at once, and used again.

use std::sync::{Mutex, PoisonError};

use argon2::Block;

/// Memory that waits for the next hash. There is never more of it than was in use at once, which the gate limits.
///
/// Taken and given back for each hash, 19 MiB cost a seventh of the hash's time, and allocators scatter and keep it.
#[derive(Default)]
pub(super) struct HashingMemory(Mutex<Vec<Vec<Block>>>);

impl HashingMemory {
    /// Lends so many blocks; nothing where the system has no memory for them. What is in them is of earlier hashes and means nothing:
    /// the first pass of Argon2 writes every block before it reads it (RFC 9106 §3.2).
    pub(super) fn lend<T>(&self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut blocks = kept.unwrap_or_default();
        if let Some(more) = count.checked_sub(blocks.len()).filter(|more| *more > 0) {
            blocks.try_reserve_exact(more).ok()?;
            blocks.resize(count, Block::new());
        }
        let done = work(&mut blocks[..count]);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(blocks);
        Some(done)
    }

    /// Gives everything that waits back; what is lent just now comes back here and stays.
    pub(super) fn release(&self) {
        let kept = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_grows_where_more_is_asked_for() {
        let memory = HashingMemory::default();
        assert_eq!(memory.lend(8, |blocks| blocks.len()), Some(8));
        assert_eq!(memory.lend(4, |blocks| blocks.len()), Some(4));
        assert_eq!(memory.lend(16, |blocks| blocks.len()), Some(16));
        let kept: Vec<usize> = memory.0.lock().expect("whole").iter().map(Vec::len).collect();
        assert_eq!(kept, [16]);
        memory.release();
        assert!(memory.0.lock().expect("whole").is_empty());
        assert_eq!(memory.lend(4, |blocks| blocks.len()), Some(4));
        assert_eq!(memory.lend(usize::MAX / 2048, |blocks| blocks.len()), None);
    }

    #[test]
    fn what_an_earlier_hash_has_left_changes_no_later_one() {
        use argon2::{Algorithm, Argon2, Params, Version};
        let memory = HashingMemory::default();
        let computed = |kib: u32, password: &[u8]| {
            let params = Params::new(kib, 2, 1, Some(32)).expect("valid");
            let context = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
            let mut output = [0; 32];
            let lent = memory.lend(params.block_count(), |blocks| {
                context.hash_password_into_with_memory(password, b"sixteen of bytes", &mut output, blocks)
            });
            lent.expect("memory").expect("computed");
            let mut alone = [0; 32];
            context
                .hash_password_into(password, b"sixteen of bytes", &mut alone)
                .expect("computed");
            assert_eq!(output, alone, "{kib} KiB");
        };
        for kib in [256, 64, 64, 128, 512, 8] {
            computed(kib, format!("password {kib}").as_bytes());
        }
    }
}
