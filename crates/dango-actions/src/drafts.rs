//! How changes of a project's files are told in the audit log, for every door alike: one way to name a credential, a variable, a file.

use dango_audit::{Detail, Event, Target, TargetKind, Word};
use dango_core::{CredentialPath, HostName, RemoteName, SourceName, SourceType, VariableName};

use crate::recording::{ChangeDraft, Ending};

/// A change of one credential in `secrets.toml`.
pub fn credential(event: Event, path: &CredentialPath) -> ChangeDraft {
    ChangeDraft::new(event)
        .on(Target::new(TargetKind::Secret, path))
        .with(Detail::Path, path)
        .with(Detail::File, Word::new("secrets.toml"))
}

/// A change of one variable in `.env`; a key that is none that a program could read is not named.
pub fn variable(event: Event, key: &str) -> ChangeDraft {
    let draft = ChangeDraft::new(event).with(Detail::File, Word::new(".env"));
    match key.parse::<VariableName>() {
        Ok(key) => draft.on(Target::new(TargetKind::Variable, &key)).with(Detail::Key, &key),
        Err(_) => draft.on(Target::of(TargetKind::Variable)),
    }
}

/// A change of a whole file.
pub fn file(event: Event, name: &'static str) -> ChangeDraft {
    ChangeDraft::new(event)
        .on(Target::new(TargetKind::File, Word::new(name)))
        .with(Detail::File, Word::new(name))
}

/// A change of a source.
pub fn source(event: Event, name: &SourceName) -> ChangeDraft {
    ChangeDraft::new(event)
        .on(Target::new(TargetKind::Source, name))
        .with(Detail::Source, name)
}

/// A change of a connection to a provider; a name that no source can have is not said.
pub fn connection(event: Event, name: &str, source_type: Option<&SourceType>) -> ChangeDraft {
    let draft = match name.parse::<SourceName>() {
        Ok(name) => ChangeDraft::new(event)
            .on(Target::new(TargetKind::Connection, &name))
            .with(Detail::Source, &name),
        Err(_) => ChangeDraft::new(event).on(Target::of(TargetKind::Connection)),
    };
    match source_type {
        Some(source_type) => draft.with(Detail::SourceType, source_type),
        None => draft,
    }
}

/// A change of a deployed project, or of what is known of it here.
pub fn remote(event: Event, name: &RemoteName, host: &HostName) -> ChangeDraft {
    ChangeDraft::new(event)
        .on(Target::new(TargetKind::Remote, name))
        .with(Detail::Remote, name)
        .with(Detail::Host, host)
}

/// A change of the project as a whole.
pub fn project(event: Event) -> ChangeDraft {
    ChangeDraft::new(event).on(Target::of(TargetKind::Project))
}

/// A change of the encryption key.
pub fn key(event: Event) -> ChangeDraft {
    ChangeDraft::new(event).on(Target::of(TargetKind::Key))
}

/// How a value that was set ended: created, updated or unchanged, encrypted or not.
pub fn set_ending(action: &'static str, encrypted: bool) -> Ending {
    Ending::done()
        .with(Detail::Action, Word::new(action))
        .with(Detail::Encrypted, encrypted)
}
