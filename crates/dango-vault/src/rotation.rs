//! A new key for everything that is encrypted: interrupted anywhere, it is resumed, and every value opens at every instant.

use dango_core::{Clock, Entropy};
use dango_keyring::{Binding, Envelope, KeyHolder, KeyId, KeySet, MalformedEnvelope, MasterKey, OpenError, Purpose, SealState};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::home::SharedFile;
use dango_secrets::project::Project;
use dango_secrets::storage::Edit;
use zeroize::Zeroizing;

use crate::aside::{Asides, Held};
use crate::closed::{ClosedProblem, ClosedValue};
use crate::counts;
use crate::error::VaultError;
use crate::file::{SealedFile, keep_seen, load_seen, seen_key};
use crate::history::History;
use crate::sealer::Sealer;
use crate::vault::note_edits;

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationReport {
    /// The key that seals now.
    pub active: KeyId,
    /// Whether this finished an earlier rotation instead of making a new key.
    pub resumed: bool,
    /// How many values were encrypted anew, previous ones included.
    pub encrypted: usize,
    /// Values that do not open, and were left as they are.
    pub left: Vec<ClosedValue>,
    /// Older keys that are still needed: for values that were left, or for the seal of a file that is not intact until it is sealed anew.
    pub still_needed: Vec<KeyId>,
}

/// Encrypts everything of a project under a new key, or finishes an earlier rotation.
///
/// The holder keeps the new key and the old ones before anything is written; then each file is replaced in one step; the old keys are
/// forgotten once nothing needs them. Other processes that still have the old key cannot write with it any more.
///
/// # Errors
///
/// [`VaultError`]; whatever was done by then is whole, and the next call goes on from there.
pub fn rotate(project: &Project, holder: &dyn KeyHolder, entropy: &dyn Entropy, clock: &dyn Clock) -> Result<RotationReport, VaultError> {
    let rotation = Rotation { project, entropy };
    // What does not parse is found before there is a new key.
    rotation.needed()?;
    let mut keys = holder.load().map_err(std::sync::Arc::new)?;
    if keys.retired_ids().next().is_some() {
        let report = rotation.encrypt_anew(&keys)?;
        let needed = rotation.needed()?;
        let is_done = keys.retired_ids().all(|id| !needed.contains(&id));
        if is_done || report.encrypted > 0 {
            return rotation.finish(holder, keys, report, true, &needed);
        }
    }
    let new = MasterKey::make(entropy)?;
    keys = keys.rotate(new, Some(clock.now())).map_err(|(error, _)| error)?;
    holder.store(&keys).map_err(VaultError::Store)?;
    let report = rotation.encrypt_anew(&keys)?;
    let needed = rotation.needed()?;
    rotation.finish(holder, keys, report, false, &needed)
}

/// How many values of the two files, of the history and of what is laid aside each key has encrypted, in no order; no key is needed.
///
/// # Errors
///
/// [`VaultError`] where a file cannot be read.
pub fn protected_by(project: &Project) -> Result<Vec<(KeyId, usize)>, VaultError> {
    let mut counts: Vec<(KeyId, usize)> = Vec::new();
    for id in values_of::<SecretsDocument>(project)?
        .into_iter()
        .chain(values_of::<EnvDocument>(project)?)
        .chain(history_ids(project)?)
        .chain(aside_ids(project)?)
    {
        match counts.iter_mut().find(|(other, _)| *other == id) {
            Some((_, count)) => *count += 1,
            None => counts.push((id, 1)),
        }
    }
    Ok(counts)
}

struct Rotation<'a> {
    project: &'a Project,
    entropy: &'a dyn Entropy,
}

#[derive(Default)]
struct Progress {
    encrypted: usize,
    left: Vec<ClosedValue>,
}

impl Rotation<'_> {
    fn encrypt_anew(&self, keys: &KeySet) -> Result<Progress, VaultError> {
        let retired: Vec<KeyId> = keys.retired_ids().collect();
        // Whoever sealed with them and holds a file's lock writes before we get it; nobody does after.
        counts::retire(self.project, &retired, self.entropy)?;
        let mut progress = Progress::default();
        self.file::<SecretsDocument>(keys, &mut progress)?;
        self.file::<EnvDocument>(keys, &mut progress)?;
        self.history(keys, &mut progress)?;
        self.asides(keys, &mut progress)?;
        self.project.home().keep_under_active_key(self.entropy)?;
        Ok(progress)
    }

    fn finish(
        &self,
        holder: &dyn KeyHolder,
        keys: KeySet,
        progress: Progress,
        resumed: bool,
        needed: &[KeyId],
    ) -> Result<RotationReport, VaultError> {
        let active = keys.active_id();
        let still_needed: Vec<KeyId> = keys.retired_ids().filter(|id| needed.contains(id)).collect();
        if still_needed.is_empty() {
            holder.store(&keys.without_retired()).map_err(VaultError::Store)?;
        }
        Ok(RotationReport {
            active,
            resumed,
            encrypted: progress.encrypted,
            left: progress.left,
            still_needed,
        })
    }

    /// Every key that something in the project was made with.
    fn needed(&self) -> Result<Vec<KeyId>, VaultError> {
        let mut ids = self.needed_by::<SecretsDocument>()?;
        ids.extend(self.needed_by::<EnvDocument>()?);
        ids.extend(history_ids(self.project)?);
        ids.extend(aside_ids(self.project)?);
        // What keeps the files may be sealed itself. An id that is none is not ours to forget a key for.
        let of_home = self.project.home().keys()?;
        ids.extend(of_home.iter().filter_map(|id| id.parse::<KeyId>().ok()));
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    fn needed_by<F: SealedFile>(&self) -> Result<Vec<KeyId>, VaultError> {
        let mut ids = values_of::<F>(self.project)?;
        if let Some(contents) = self.project.read(F::FILE)? {
            ids.extend(F::parse(contents.bytes())?.seal().map(|seal| seal.key_id()));
        }
        ids.extend(seen_key::<F>(self.project)?.and_then(|(_, key)| key));
        Ok(ids)
    }

    fn file<F: SealedFile>(&self, keys: &KeySet, progress: &mut Progress) -> Result<(), VaultError> {
        let mut seen = None;
        let done = self.project.update(F::FILE, self.entropy, |bytes| {
            let Some(bytes) = bytes else {
                return Ok(Edit::Keep(Progress::default()));
            };
            let old = F::parse(bytes)?;
            let (new, done, count) = encrypted_anew(&old, keys, self.entropy)?;
            let before = load_seen::<F>(self.project, keys)?.ok().flatten();
            let (seal, sealer) = (old.seal(), keys.file_sealer(F::PURPOSE));
            let active = keys.active_id();
            let is_behind = done.encrypted > 0
                || seal.as_ref().is_some_and(|seal| seal.key_id() != active)
                || before.as_ref().is_some_and(|seen| seen.key_id() != active);
            seen = None;
            if !is_behind {
                return Ok(Edit::Keep(done));
            }
            let values = new.sealed_values();
            let new = match sealer.check(&old.sealed_values(), seal.as_ref(), before.as_ref()) {
                SealState::Intact { .. } => {
                    let (seal, state) = sealer.seal(&values, seal.as_ref(), before.as_ref())?;
                    seen = Some(state);
                    new.with_seal((!values.is_empty()).then_some(&seal))?
                }
                _ => {
                    seen = before.map(|mut seen| {
                        note_edits(&sealer, &mut seen, &old, &new);
                        seen
                    });
                    new
                }
            };
            counts::add(self.project, count, self.entropy)?;
            Ok(if new.text() == old.text() {
                Edit::Keep(done)
            } else {
                Edit::Replace(Zeroizing::new(new.text().as_bytes().to_vec()), done)
            })
        })?;
        if let Some(seen) = &seen {
            keep_seen::<F>(self.project, keys, seen, self.entropy)?;
        }
        progress.encrypted += done.encrypted;
        progress.left.extend(done.left);
        Ok(())
    }

    fn history(&self, keys: &KeySet, progress: &mut Progress) -> Result<(), VaultError> {
        let done = self
            .project
            .update(SharedFile::History, self.entropy, |bytes| {
                let Some(bytes) = bytes else {
                    return Ok(Edit::Keep(Progress::default()));
                };
                let mut history = History::parse(bytes)?;
                let mut sealer = Sealer::new(keys, self.entropy);
                let mut done = Progress::default();
                for record in history.records_mut() {
                    let (binding, envelope) = (&record.binding, Ok(record.envelope.clone()));
                    if let Some(anew) = anew(Purpose::History, binding, &envelope, &mut sealer, &mut done)? {
                        record.envelope = anew;
                    }
                }
                if done.encrypted == 0 {
                    return Ok(Edit::Keep(done));
                }
                counts::add(self.project, sealer.count(), self.entropy)?;
                Ok(Edit::Replace(history.to_bytes(), done))
            })
            .map_err(VaultError::from)?;
        progress.encrypted += done.encrypted;
        progress.left.extend(done.left);
        Ok(())
    }

    fn asides(&self, keys: &KeySet, progress: &mut Progress) -> Result<(), VaultError> {
        // Most projects have none: then not even a lock is left behind.
        if self.project.stamp(SharedFile::Rotations)?.is_none() {
            return Ok(());
        }
        let done = self
            .project
            .update(SharedFile::Rotations, self.entropy, |bytes| {
                let Some(bytes) = bytes else {
                    return Ok(Edit::Keep(Progress::default()));
                };
                let mut asides = Asides::parse(bytes)?;
                let mut sealer = Sealer::new(keys, self.entropy);
                let mut done = Progress::default();
                for value in asides.entries_mut().iter_mut().flat_map(|entry| &mut entry.values) {
                    let binding = value.place.binding();
                    let Held::Sealed(envelope) = &mut value.held else { continue };
                    if let Some(anew) = anew(Purpose::Rotation, &binding, &Ok(envelope.clone()), &mut sealer, &mut done)? {
                        *envelope = anew;
                    }
                }
                if done.encrypted == 0 {
                    return Ok(Edit::Keep(done));
                }
                counts::add(self.project, sealer.count(), self.entropy)?;
                Ok(Edit::Replace(asides.to_bytes(), done))
            })
            .map_err(VaultError::from)?;
        progress.encrypted += done.encrypted;
        progress.left.extend(done.left);
        Ok(())
    }
}

fn aside_ids(project: &Project) -> Result<Vec<KeyId>, VaultError> {
    let contents = project.read(SharedFile::Rotations)?;
    let asides = Asides::parse(contents.as_ref().map_or(&[], |contents| contents.bytes()))?;
    Ok(asides.key_ids().collect())
}

fn values_of<F: SealedFile>(project: &Project) -> Result<Vec<KeyId>, VaultError> {
    let Some(contents) = project.read(F::FILE)? else {
        return Ok(Vec::new());
    };
    let sealed = F::parse(contents.bytes())?.sealed().into_iter();
    Ok(sealed.filter_map(|value| Some(value.envelope.ok()?.key_id())).collect())
}

fn history_ids(project: &Project) -> Result<Vec<KeyId>, VaultError> {
    let contents = project.read(SharedFile::History)?;
    let history = History::parse(contents.as_ref().map_or(&[], |contents| contents.bytes()))?;
    Ok(history.records().iter().map(|record| record.envelope.key_id()).collect())
}

fn encrypted_anew<F: SealedFile>(
    old: &F,
    keys: &KeySet,
    entropy: &dyn Entropy,
) -> Result<(F, Progress, dango_keyring::SealCount), VaultError> {
    let mut sealer = Sealer::new(keys, entropy);
    let mut done = Progress::default();
    let mut envelopes = Vec::new();
    for value in old.sealed() {
        let Some(binding) = &value.binding else {
            done.left.push(ClosedValue {
                place: value.name,
                problem: ClosedProblem::NoName,
            });
            continue;
        };
        if let Some(anew) = anew(F::PURPOSE, binding, &value.envelope, &mut sealer, &mut done)? {
            envelopes.push((value.place, anew));
        }
    }
    let new = if envelopes.is_empty() {
        old.clone()
    } else {
        old.with_envelopes(&envelopes)?
    };
    Ok((new, done, sealer.count()))
}

/// The same value under the active key; `None` where it is already, or where it does not open.
fn anew(
    purpose: Purpose,
    binding: &Binding,
    envelope: &Result<Envelope, MalformedEnvelope>,
    sealer: &mut Sealer<'_>,
    done: &mut Progress,
) -> Result<Option<Envelope>, VaultError> {
    let opened = match envelope {
        Ok(envelope) if envelope.key_id() == sealer.keys().active_id() => return Ok(None),
        Ok(envelope) => sealer.keys().open(purpose, binding, envelope),
        Err(error) => Err(OpenError::from(*error)),
    };
    match opened {
        Ok(plain) => {
            done.encrypted += 1;
            Ok(Some(sealer.seal(purpose, binding, &plain)?))
        }
        Err(error) => {
            done.left.push(ClosedValue {
                place: binding.name().to_owned(),
                problem: error.into(),
            });
            Ok(None)
        }
    }
}
