//! What a server answered last, kept for a run while nobody answers: only where that was chosen, sealed with a key from the keyring, no
//! older than was said. Each copy has a key of its own, so an older one that is put back does not open.

use std::path::PathBuf;

use dango_client::ServerUrl;
use dango_core::{SecretValue, Timestamp};
use dango_keyring::{Binding, Envelope, HolderError, KeyHolder, KeySet, MasterKey, OsKeyring, Purpose, SealCount, ServerEntry};
use dango_secrets::storage::{self, Edit};
use zeroize::Zeroizing;

use super::{file_name, make_folder, own_folder};
use crate::failure::Failure;
use crate::host::Host;
use crate::key_access::{self, session_bus};
use crate::opened::failure_of_update;

const MINUTE: i64 = 60_000_000;
/// The oldest that a copy may ever be: 30 days.
const OLDEST: i64 = 30 * 24 * 60 * MINUTE;

/// The copy of one server's answer, for one API key.
pub(super) struct OfflineCopy {
    folder: PathBuf,
    file: PathBuf,
    keyring: OsKeyring,
    /// It opens only for the same server and the same API key.
    binding: Binding,
}

impl OfflineCopy {
    pub(super) fn of(url: &ServerUrl, api_key: &SecretValue, host: &Host) -> Result<Self, Failure> {
        let folder = own_folder(host, "XDG_CACHE_HOME", ".cache")?.join("offline");
        Ok(Self {
            file: folder.join(file_name(url)),
            folder,
            keyring: OsKeyring::of_server(ServerEntry::OfflineCopy, url.as_str(), session_bus(host)),
            binding: Binding::cell("offline", url.as_str(), api_key.expose()),
        })
    }

    /// Keeps an answer in the place of the one before.
    pub(super) fn keep(&self, answer: &SecretValue, host: &Host) -> Result<(), Failure> {
        let master = MasterKey::make(host.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))?;
        let mut count = SealCount::start(master.id());
        let keys = KeySet::new(master, None);
        let mut text = Zeroizing::new(String::with_capacity(answer.expose().len() + 64));
        text.push_str(&host.clock.now().to_string());
        text.push('\n');
        text.push_str(answer.expose());
        let plain = SecretValue::new(std::mem::take(&mut *text)).map_err(|error| Failure::caused_by(&error))?;
        let sealed = keys.seal(Purpose::OfflineCopy, &self.binding, &plain, &mut count, host.entropy.as_ref());
        let sealed = sealed.map_err(|error| Failure::caused_by(&error))?.to_string();
        self.keyring.store(&keys).map_err(|error| in_keyring(&error))?;
        make_folder(&self.folder)?;
        storage::update(&self.file, host.entropy.as_ref(), |_| {
            Ok::<_, Failure>(Edit::Replace(Zeroizing::new(sealed.clone().into_bytes()), ()))
        })
        .map_err(failure_of_update)
    }

    /// The answer, and when it was given, if it is no older than so many microseconds.
    pub(super) fn read(&self, age: i64, host: &Host) -> Result<(SecretValue, Timestamp), Failure> {
        let contents = storage::read(&self.file).map_err(|error| Failure::caused_by(&error))?;
        let contents = contents.ok_or_else(|| Failure::refused("there is no offline copy"))?;
        let closed = || Failure::refused("the offline copy does not open: it was changed, is an older one, or is another API key's");
        let text = std::str::from_utf8(contents.bytes()).map_err(|_| closed())?;
        let envelope = Envelope::parse(text.trim_end()).ok().flatten().ok_or_else(closed)?;
        let keys = self.keyring.load().map_err(|error| in_keyring(&error))?;
        let plain = keys.open(Purpose::OfflineCopy, &self.binding, &envelope).map_err(|_| closed())?;
        let (time, answer) = plain.expose().split_once('\n').ok_or_else(closed)?;
        let kept_at: Timestamp = time.parse().map_err(|_| closed())?;
        let passed = host.clock.now().unix_micros().saturating_sub(kept_at.unix_micros());
        if passed < 0 {
            return Err(Failure::refused(
                "the offline copy is from a time that has not come yet; look at this machine's clock",
            ));
        }
        if passed > age {
            return Err(Failure::refused(format!(
                "the offline copy is too old: it is of {}",
                told(kept_at, host)
            )));
        }
        let answer = SecretValue::new(answer.to_owned()).map_err(|_| closed())?;
        Ok((answer, kept_at))
    }

    /// Removes the copy and its key.
    pub(super) fn forget(&self, host: &Host) -> Result<(), Failure> {
        storage::remove(&self.file, host.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))?;
        match self.keyring.delete() {
            Ok(()) | Err(HolderError::Missing { .. } | HolderError::NoKeyring { .. }) => Ok(()),
            Err(error) => Err(in_keyring(&error)),
        }
    }
}

/// A time with how long ago that was, in the largest unit that fits.
pub(super) fn told(at: Timestamp, host: &Host) -> String {
    let minutes = host.clock.now().unix_micros().saturating_sub(at.unix_micros()) / MINUTE;
    let ago = match minutes {
        0 => "less than a minute ago".to_owned(),
        1 => "1 minute ago".to_owned(),
        2..120 => format!("{minutes} minutes ago"),
        120..2_880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    };
    format!("{at} ({ago})")
}

/// Reads how old a copy may be, as in `12h`.
pub(crate) fn parse_age(text: &str) -> Result<i64, Failure> {
    let refused = || Failure::usage("--offline-cache takes an age such as 30s, 30m, 12h or 7d, of 30 days at most");
    let (unit_at, unit) = text.char_indices().next_back().ok_or_else(refused)?;
    let unit = match unit {
        's' => MINUTE / 60,
        'm' => MINUTE,
        'h' => 60 * MINUTE,
        'd' => 24 * 60 * MINUTE,
        _ => return Err(refused()),
    };
    let digits = &text[..unit_at];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let number: i64 = digits.parse().map_err(|_| refused())?;
    number
        .checked_mul(unit)
        .filter(|age| (1..=OLDEST).contains(age))
        .ok_or_else(refused)
}

fn in_keyring(error: &HolderError) -> Failure {
    let mut failure = key_access::with_hints(Failure::caused_by(error), error.code());
    // What is said there is about the key of a project.
    failure.hints.retain(|hint| !hint.contains("dango key"));
    failure.hint("an offline copy needs a keyring; leave out `--offline-cache` without one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_unit_and_an_end() {
        assert_eq!(parse_age("30m").ok(), Some(30 * MINUTE));
        assert_eq!(parse_age("30d").ok(), Some(OLDEST));
        for text in ["", "h", "0h", "31d", "1", "1w", "-1h", "1.5h", "99999999999999999999d"] {
            assert!(parse_age(text).is_err(), "{text}");
        }
    }
}
