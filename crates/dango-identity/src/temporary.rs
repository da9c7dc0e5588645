//! Temporary passwords: made by Dango, handed over by an administrator, good for one login within a day.

use std::time::Duration;

use dango_core::{Entropy, EntropyError, Timestamp};
use zeroize::Zeroizing;

use crate::account::{PasswordOrigin, StoredPassword};
use crate::instant::after;
use crate::password::{HashPasswordError, Password, PasswordHasher};

/// How long one can log in with a temporary password.
pub const TEMPORARY_PASSWORD_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Crockford's base32: nothing in it is taken for something else when it is read out.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Makes a password of 100 random bits, as `xxxxx-xxxxx-xxxxx-xxxxx`.
///
/// # Errors
///
/// [`EntropyError`] where there is no randomness.
pub fn make_temporary_password(entropy: &dyn Entropy) -> Result<Password, EntropyError> {
    let mut random = Zeroizing::new([0; 20]);
    entropy.fill(random.as_mut_slice())?;
    let mut text = String::with_capacity(23);
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place % 5 == 0 {
            text.push('-');
        }
        // 32 divides 256, so every letter is as likely as any other.
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Ok(Password::new(text).expect("23 bytes are fewer than the limit"))
}

/// Hashes a temporary password for storing.
///
/// # Errors
///
/// As [`PasswordHasher::hash`].
pub fn hash_temporary_password(
    password: &Password,
    hasher: &PasswordHasher,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<StoredPassword, HashPasswordError> {
    Ok(StoredPassword {
        record: hasher.hash(password, entropy)?,
        set_at: now,
        origin: PasswordOrigin::Temporary {
            expires_at: after(now, TEMPORARY_PASSWORD_TTL),
            used: false,
        },
    })
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;
    use crate::email::Email;
    use crate::password::{PasswordContext, PasswordPolicy, PasswordProfile, SecondFactorState};

    #[test]
    fn temporary_passwords_are_readable_different_and_strong() {
        let email: Email = "a@b.example".parse().expect("an address");
        let mut seen = std::collections::HashSet::new();
        for _ in 0..500 {
            let password = make_temporary_password(&OsEntropy).expect("random");
            let groups: Vec<&str> = password.expose().split('-').collect();
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [5; 4]);
            assert!(groups.concat().bytes().all(|c| ALPHABET.contains(&c)));
            let context = PasswordContext {
                email: &email,
                words: &[],
                second_factor: SecondFactorState::Absent,
            };
            assert!(PasswordPolicy::new(PasswordProfile::Nist).check(&password, &context).is_ok());
            assert!(seen.insert(password.expose().to_owned()));
        }
    }
}
