//! What a server answered last, kept for a run while nobody answers: only where that was chosen, sealed with a key from the keyring, no
//! older than was said. Each copy has a key of its own, so an older one that is put back does not open.

use std::path::PathBuf;
use std::sync::Arc;

use dango_client::ServerUrl;
use dango_core::{Clock, Entropy, SecretValue, Timestamp};
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
/// How many keys are kept of turns that were broken off.
const MOST_BROKEN_OFF: usize = 4;
/// What stands in the place of an end where there is none.
const NO_END: &str = "-";
/// How many digits name the API key in the name of a copy.
const MARK_LENGTH: usize = 32;

/// The copy of one server's answer, for one API key.
pub(super) struct OfflineCopy {
    folder: PathBuf,
    file: PathBuf,
    keyring: OsKeyring,
    /// It opens only for the same server and the same API key.
    binding: Binding,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What the keyring has of a copy: its key, and the latest time at which somebody looked at it, which no clock that was set back undoes.
struct Entry {
    latest: Timestamp,
    keys: KeySet,
}

/// From when a copy is, and how long it may be used.
#[derive(Clone, Copy)]
struct Kept {
    at: Timestamp,
    /// When the API key ends that it was asked for with.
    ends_at: Option<Timestamp>,
    /// The latest time that was seen.
    latest: Timestamp,
}

impl OfflineCopy {
    pub(super) fn of(url: &ServerUrl, api_key: &SecretValue, host: &Host) -> Result<Self, Failure> {
        Self::marked(url, &mark(api_key)?, api_key.expose(), host)
    }

    fn marked(url: &ServerUrl, mark: &str, api_key: &str, host: &Host) -> Result<Self, Failure> {
        let folder = folder(host)?;
        Ok(Self {
            file: folder.join(format!("{}-{mark}", file_name(url))),
            folder,
            keyring: OsKeyring::of_server(ServerEntry::OfflineCopy, &format!("{url} {mark}"), session_bus(host)),
            binding: Binding::cell("offline", url.as_str(), api_key),
            clock: Arc::clone(&host.clock),
            entropy: Arc::clone(&host.entropy),
        })
    }

    /// Keeps an answer in the place of the one before, with when its API key ends.
    ///
    /// Both steps, keyring and file, are one turn at the file's lock; the key before goes once the file is there, so that one of the
    /// two copies opens whenever this ends.
    pub(super) fn keep(&self, answer: &SecretValue, ends_at: Option<Timestamp>) -> Result<(), Failure> {
        make_folder(&self.folder)?;
        let now = self.clock.now();
        let mut text = Zeroizing::new(String::with_capacity(answer.expose().len() + 96));
        let end = ends_at.map_or_else(|| NO_END.to_owned(), |end| end.to_string());
        text.push_str(&format!("{now} {end}\n"));
        text.push_str(answer.expose());
        let plain = SecretValue::new(std::mem::take(&mut *text)).map_err(|error| Failure::caused_by(&error))?;
        let sealed = self.update(|_| {
            let master = MasterKey::make(self.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))?;
            let mut count = SealCount::start(master.id());
            let keys = match self.entry() {
                Ok(Some(before)) => {
                    // Turns that were broken off have left one more each.
                    let before = match before.keys.retired_ids().count() < MOST_BROKEN_OFF {
                        true => before.keys,
                        false => before.keys.without_retired(),
                    };
                    before
                        .rotate(master, None)
                        .map_err(|_| Failure::refused("the keyring has too many keys of this copy"))?
                }
                // What cannot be read opens nothing; it is written anew.
                Ok(None) | Err(_) => KeySet::new(master, None),
            };
            let sealed = keys.seal(Purpose::OfflineCopy, &self.binding, &plain, &mut count, self.entropy.as_ref());
            let sealed = sealed.map_err(|error| Failure::caused_by(&error))?.to_string().into_bytes();
            self.store(&Entry { latest: now, keys })?;
            Ok(Edit::Replace(Zeroizing::new(sealed.clone()), sealed))
        })?;
        self.update(|contents| {
            // Another run may have kept a later answer meanwhile; its key is not to be lost.
            if contents == Some(sealed.as_slice())
                && let Some(entry) = self.entry()?
            {
                let keys = entry.keys.without_retired();
                self.store(&Entry { keys, ..entry })?;
            }
            Ok(Edit::Keep(()))
        })
    }

    /// The answer, and when it was given, if it is no older than so many microseconds and its API key has not ended.
    pub(super) fn read(&self, age: i64) -> Result<(SecretValue, Timestamp), Failure> {
        let missing = || Failure::refused("there is no offline copy");
        let is_there = storage::is_there(&self.file).map_err(|error| Failure::caused_by(&error))?;
        if !is_there {
            return Err(missing());
        }
        let closed = || Failure::refused("the offline copy does not open: it was changed, is an older one, or is another API key's");
        self.update(|contents| {
            let text = std::str::from_utf8(contents.ok_or_else(missing)?).map_err(|_| closed())?;
            let envelope = Envelope::parse(text.trim_end()).ok().flatten().ok_or_else(closed)?;
            let entry = self.entry()?.ok_or_else(closed)?;
            let plain = entry
                .keys
                .open(Purpose::OfflineCopy, &self.binding, &envelope)
                .map_err(|_| closed())?;
            let (head, answer) = plain.expose().split_once('\n').ok_or_else(closed)?;
            let (at, end) = head.split_once(' ').ok_or_else(closed)?;
            let ends_at = (end != NO_END).then(|| end.parse()).transpose().map_err(|_| closed())?;
            let at: Timestamp = at.parse().map_err(|_| closed())?;
            let latest = entry.latest;
            let now = self.clock.now();
            Kept { at, ends_at, latest }.check(age, now)?;
            let keys = entry.keys;
            self.store(&Entry { latest: now, keys })?;
            let answer = SecretValue::new(answer.to_owned()).map_err(|_| closed())?;
            Ok(Edit::Keep((answer, at)))
        })
    }

    /// A time with how long ago that was.
    pub(super) fn told(&self, at: Timestamp) -> String {
        told(at, self.clock.now())
    }

    /// Removes the copy and its key, where there is a copy. The keyring is not asked where there is none.
    pub(super) fn forget_if_there(&self) -> Result<(), Failure> {
        match storage::is_there(&self.file) {
            Ok(false) => Ok(()),
            Ok(true) | Err(_) => self.forget(),
        }
    }

    /// Removes the copies of every API key for a server, each with its key.
    pub(super) fn forget_all(url: &ServerUrl, host: &Host) -> Result<(), Failure> {
        let entries = match std::fs::read_dir(folder(host)?) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::refused(format!("the offline copies cannot be looked for: {error}"))),
        };
        let prefix = format!("{}-", file_name(url));
        let mut failed = None;
        for name in entries.filter_map(Result::ok).map(|entry| entry.file_name()) {
            let mark = name
                .to_str()
                .and_then(|name| name.strip_prefix(&prefix))
                .filter(|mark| is_mark(mark));
            let Some(mark) = mark else { continue };
            // What is removed is not opened, so the API key is not needed.
            if let Err(failure) = Self::marked(url, mark, "", host).and_then(|copy| copy.forget()) {
                failed = Some(failure);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn forget(&self) -> Result<(), Failure> {
        storage::remove(&self.file, self.entropy.as_ref()).map_err(|error| Failure::caused_by(&error))?;
        match self.keyring.delete() {
            Ok(()) | Err(HolderError::Missing { .. } | HolderError::NoKeyring { .. }) => Ok(()),
            Err(error) => Err(in_keyring(&error)),
        }
    }

    /// Does something while no other run is at the copy.
    fn update<T>(&self, edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, Failure>) -> Result<T, Failure> {
        storage::update(&self.file, self.entropy.as_ref(), edit).map_err(failure_of_update)
    }

    fn entry(&self) -> Result<Option<Entry>, Failure> {
        let text = match self.keyring.load_text() {
            Ok(text) => text,
            Err(HolderError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(in_keyring(&error)),
        };
        let closed = || Failure::refused("what the keyring has for the offline copy cannot be read");
        let (latest, keys) = text.expose().split_once(' ').ok_or_else(closed)?;
        let keys = SecretValue::new(keys.to_owned()).map_err(|_| closed())?;
        Ok(Some(Entry {
            latest: latest.parse().map_err(|_| closed())?,
            keys: KeySet::parse(&keys).map_err(|_| closed())?,
        }))
    }

    fn store(&self, entry: &Entry) -> Result<(), Failure> {
        let keys = entry.keys.to_text();
        let mut text = Zeroizing::new(String::with_capacity(keys.expose().len() + 64));
        text.push_str(&format!("{} ", entry.latest));
        text.push_str(keys.expose());
        let text = SecretValue::new(std::mem::take(&mut *text)).map_err(|error| Failure::caused_by(&error))?;
        self.keyring.store_text(&text).map_err(|error| in_keyring(&error))
    }
}

impl Kept {
    fn check(self, age: i64, now: Timestamp) -> Result<(), Failure> {
        if now < self.at.max(self.latest) {
            return Err(Failure::refused(
                "the offline copy was used at a time that has not come yet; look at this machine's clock",
            ));
        }
        if self.ends_at.is_some_and(|end| now >= end) {
            return Err(Failure::refused("the API key of the offline copy has expired"));
        }
        if now.unix_micros().saturating_sub(self.at.unix_micros()) > age {
            return Err(Failure::refused(format!(
                "the offline copy is too old: it is of {}",
                told(self.at, now)
            )));
        }
        Ok(())
    }
}

fn folder(host: &Host) -> Result<PathBuf, Failure> {
    Ok(own_folder(host, "XDG_CACHE_HOME", ".cache")?.join("offline"))
}

/// What tells an API key from others in the name of a file. A key is 270 random bits, which no digest of it gives away.
fn mark(api_key: &SecretValue) -> Result<String, Failure> {
    let text = SecretValue::new("01".repeat(32)).map_err(|error| Failure::caused_by(&error))?;
    let public = MasterKey::parse(&text).map_err(|error| Failure::caused_by(&error))?;
    Ok(public.fingerprint(api_key).to_string())
}

fn is_mark(text: &str) -> bool {
    text.len() == MARK_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A time with how long ago that was, in the largest unit that fits.
fn told(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.unix_micros().saturating_sub(at.unix_micros()) / MINUTE;
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

    #[test]
    fn the_earliest_end_counts_and_a_clock_that_was_set_back_makes_nothing_younger() {
        let time = |minutes: i64| Timestamp::from_unix_micros(minutes * MINUTE);
        let kept = Kept {
            at: time(100),
            ends_at: Some(time(130)),
            latest: time(110),
        };
        let check = |kept: Kept, age: i64, now: i64| kept.check(age * MINUTE, time(now)).map_err(|failure| failure.message);
        assert_eq!(check(kept, 60, 110), Ok(()));
        assert_eq!(check(kept, 60, 129), Ok(()));
        let refused = |kept: Kept, age: i64, now: i64, words: &str| {
            let message = check(kept, age, now).expect_err("refused");
            assert!(message.contains(words), "{message}");
        };
        refused(kept, 60, 130, "has expired");
        refused(kept, 20, 121, "too old");
        refused(kept, 60, 109, "clock");
        refused(kept, 60, 99, "clock");
        let endless = Kept { ends_at: None, ..kept };
        assert_eq!(check(endless, 60, 160), Ok(()));
        refused(endless, 60, 161, "too old");
    }

    #[test]
    fn each_api_key_has_a_copy_of_its_own() {
        let mark = |key: &str| mark(&SecretValue::new(key.to_owned()).expect("no NUL")).expect("a mark");
        assert!(is_mark(&mark("dak_a")) && mark("dak_a") != mark("dak_b") && mark("dak_a") == mark("dak_a"));
    }
}
