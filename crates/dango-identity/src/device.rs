//! Device cookies: a browser that has logged in to an account before shows that it has, and is not locked out by strangers.

use std::fmt;
use std::time::Duration;

use dango_core::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::encoding::Fields;
use crate::epoch::SecurityEpoch;
use crate::id::{DeviceId, UserId};
use crate::instant::elapsed;
use crate::key::{DeviceKey, same_code};

/// User, device, epoch and time of issue, then the code.
const BODY_LENGTH: usize = 16 + 16 + 8 + 8;
const TOKEN_LENGTH: usize = BODY_LENGTH + 32;
/// 107 characters; no padding, as 80 bytes leave two in the last group.
const TEXT_LENGTH: usize = TOKEN_LENGTH * 4 / 3 + 1;

/// What a device cookie holds: it names a user and a browser, and proves nothing but that they belong together.
///
/// It is no credential: it makes no login, and only moves a browser out of the reach of lockouts that strangers cause
/// (OWASP, "Slow down online guessing attacks with device cookies"). Nothing of it is stored; it ends with the user's epoch.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// fn show(token: dango_identity::DeviceToken) {
///     println!("{token:?}");
/// }
/// ```
pub struct DeviceToken(Zeroizing<String>);

/// A browser that has logged in to this account before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TrustedDevice {
    user: UserId,
    device: DeviceId,
}

impl TrustedDevice {
    /// The account.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The browser.
    pub const fn device(&self) -> DeviceId {
        self.device
    }
}

impl fmt::Debug for TrustedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedDevice({} of {})", self.device, self.user)
    }
}

/// A token that was made with this key, and of which it is not yet known whether it still counts.
struct Claim {
    user: UserId,
    device: DeviceId,
    epoch: SecurityEpoch,
    issued_at: Timestamp,
}

impl DeviceToken {
    /// How long a browser is trusted after its last login.
    pub const TTL: Duration = Duration::from_secs(180 * 24 * 60 * 60);

    /// Makes the token for a browser in which somebody has just logged in.
    pub fn issue(key: &DeviceKey, user: UserId, device: DeviceId, epoch: SecurityEpoch, now: Timestamp) -> Self {
        let mut token = Vec::with_capacity(TOKEN_LENGTH);
        token.extend_from_slice(user.as_bytes());
        token.extend_from_slice(device.as_bytes());
        token.extend_from_slice(&epoch.number().to_be_bytes());
        token.extend_from_slice(&now.unix_micros().to_be_bytes());
        let code = code(key, &token);
        token.extend_from_slice(&code);
        Self(Zeroizing::new(BASE64URL_NOPAD.encode(&token)))
    }

    /// Reads a token as a browser sends it; whether it counts is for [`DeviceToken::verify`].
    ///
    /// # Errors
    ///
    /// [`ParseDeviceTokenError`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ParseDeviceTokenError> {
        let decoded = (text.len() == TEXT_LENGTH).then(|| BASE64URL_NOPAD.decode(text.as_bytes()));
        match decoded {
            Some(Ok(bytes)) if bytes.len() == TOKEN_LENGTH => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ => Err(ParseDeviceTokenError),
        }
    }

    /// Looks inside, for the cookie.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The user that the token names, if it was made with this key: whose epoch to look up.
    pub fn claimed_user(&self, key: &DeviceKey) -> Option<UserId> {
        self.claim(key).map(|claim| claim.user)
    }

    /// The browser, if the token was made with this key for this user in this epoch, at most [`DeviceToken::TTL`] ago.
    pub fn verify(&self, key: &DeviceKey, user: UserId, epoch: SecurityEpoch, now: Timestamp) -> Option<TrustedDevice> {
        let claim = self.claim(key)?;
        let counts = claim.user == user && claim.epoch == epoch && elapsed(claim.issued_at, now) < Self::TTL;
        counts.then_some(TrustedDevice {
            user,
            device: claim.device,
        })
    }

    fn claim(&self, key: &DeviceKey) -> Option<Claim> {
        let token = BASE64URL_NOPAD.decode(self.0.as_bytes()).ok()?;
        let (body, given) = token.split_last_chunk::<32>()?;
        if !same_code(given, &code(key, body)) {
            return None;
        }
        let (user, rest) = body.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (epoch, issued_at) = rest.split_first_chunk()?;
        Some(Claim {
            user: UserId::from_bytes(*user).ok()?,
            device: DeviceId::from_bytes(*device).ok()?,
            epoch: SecurityEpoch::from_number(u64::from_be_bytes(*epoch)),
            issued_at: Timestamp::from_unix_micros(i64::from_be_bytes(issued_at.try_into().ok()?)),
        })
    }
}

fn code(key: &DeviceKey, body: &[u8]) -> [u8; 32] {
    key.authenticate(Fields::of("dango:identity:v1:device").with(body).as_bytes())
}

/// A text that is no device token; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a device token")]
pub struct ParseDeviceTokenError;

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use proptest::prelude::*;

    use super::*;
    use crate::instant::after;
    use crate::key::IdentityKey;

    const NOW: Timestamp = Timestamp::from_unix_micros(1_795_000_000_000_000);

    fn device_key() -> DeviceKey {
        DeviceKey::derive(&IdentityKey::make(&OsEntropy).expect("random"))
    }

    fn ids() -> (UserId, DeviceId) {
        (
            UserId::make(NOW, &OsEntropy).expect("random"),
            DeviceId::make(NOW, &OsEntropy).expect("random"),
        )
    }

    #[test]
    fn a_browser_is_trusted_for_its_account_until_the_epoch_or_the_time_is_over() {
        let key = device_key();
        let (user, device) = ids();
        let epoch = SecurityEpoch::from_number(3);
        let issued = DeviceToken::issue(&key, user, device, epoch, NOW);
        let token = DeviceToken::parse(issued.expose()).expect("a token");
        assert_eq!(token.expose().len(), TEXT_LENGTH);
        assert_eq!(token.claimed_user(&key), Some(user));
        assert_eq!(token.verify(&key, user, epoch, NOW).map(|trusted| trusted.device()), Some(device));
        assert!(token.verify(&key, user, epoch.next(), NOW).is_none());
        assert!(token.verify(&key, ids().0, epoch, NOW).is_none());
        assert!(token.verify(&device_key(), user, epoch, NOW).is_none());
        let last = after(NOW, DeviceToken::TTL - Duration::from_micros(1));
        assert!(token.verify(&key, user, epoch, last).is_some());
        assert!(token.verify(&key, user, epoch, after(NOW, DeviceToken::TTL)).is_none());
    }

    #[test]
    fn one_changed_character_anywhere_is_noticed() {
        let key = device_key();
        let (user, device) = ids();
        let issued = DeviceToken::issue(&key, user, device, SecurityEpoch::default(), NOW);
        for at in 0..TEXT_LENGTH {
            let mut changed = issued.expose().as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let token = DeviceToken::parse(std::str::from_utf8(&changed).expect("ASCII"));
            let verified = token.ok().and_then(|token| token.verify(&key, user, SecurityEpoch::default(), NOW));
            assert!(verified.is_none(), "character {at}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_proves_nothing(text in "[A-Za-z0-9_-]{107}|\\PC{0,120}") {
            if let Ok(token) = DeviceToken::parse(&text) {
                prop_assert_eq!(token.expose(), text.as_str());
                prop_assert!(token.claimed_user(&device_key()).is_none());
            }
        }
    }
}
