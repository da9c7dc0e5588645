//! Why dlt reads what it reads for a path: the places, the winner, and what a user should know about it. Never a value.

use dango_core::CredentialPath;

use super::cast::{CastKind, auto_cast};
use super::name::variable_name;
use super::note::Note;
use super::places::{CREDENTIALS, Outcome, Place, Provider, Seen, State, Survey};
use super::surroundings::{Access, SettingsFile, Start, Surroundings};
use crate::Value;

/// The most keys of a path that is explained; dlt itself uses at most six.
const MAX_KEYS: usize = 64;

/// Where dlt looks for a path, and which place wins.
///
/// It holds names, places and types, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The path that was asked for.
    pub path: CredentialPath,
    /// Every place, in dlt's order.
    pub places: Vec<Place>,
    /// The index in `places` of the one that dlt takes; `None` where it finds nothing or stops with an error, which
    /// a note then names.
    pub winner: Option<usize>,
    /// What a user should know about it.
    pub notes: Vec<Note>,
}

impl Explanation {
    /// The place that dlt takes.
    pub fn winning_place(&self) -> Option<&Place> {
        self.winner.and_then(|index| self.places.get(index))
    }
}

/// Explains where dlt 1.31 looks for a path and what it takes.
///
/// The last key is the argument, the keys before it are the sections that dlt looks in: `sources.<module>.<name>` for a source,
/// `destination.<type>` for a destination. The look-up starts at exactly that path; from a shorter one (`sources.<name>.k`) the
/// explanation begins where dlt comes to it, behind the more specific places `sources.<module>.<name>.k`. One section after the other
/// is left out from the right; below `sources.a.b`, `sources.b` is tried as well if the names differ. Where the key
/// stands in `credentials`, that section stays: `….credentials.k` down to `credentials.k`. Deeper sections follow the
/// same rules. With a pipeline's name all of that happens twice, first below the name.
///
/// Vaults, Airflow, Colab and Streamlit are not looked at.
pub fn explain(path: &CredentialPath, access: Access, pipeline: Option<&str>, around: &Surroundings<'_>) -> Explanation {
    let mut explanation = Explanation {
        path: path.clone(),
        places: Vec::new(),
        winner: None,
        notes: Vec::new(),
    };
    if path.parts().len() > MAX_KEYS {
        explanation.notes.push(Note::TooDeep { max: MAX_KEYS });
        return explanation;
    }
    let survey = Survey::new(path, pipeline, access, around);
    let outcome = survey.outcome(around.start);
    let notes = &mut explanation.notes;

    let mut fails = note_unreadable_files(around, notes);
    if let Outcome::NotSecret(place) = outcome {
        notes.push(Note::NotSecret { place });
        fails = true;
    }
    if access != Access::SecretsItem {
        fails |= note_whole_credentials(path, pipeline, around, notes);
    }
    if let Outcome::Winner(index) = outcome {
        note_winner(&survey, index, notes);
    }
    if around.start == Start::Plain
        && let Outcome::Winner(place) = survey.outcome(Start::DotenvLoaded)
        && outcome != Outcome::Winner(place)
    {
        notes.push(Note::DotenvNotLoaded { place });
    }
    note_names(path, access, around, notes);

    explanation.winner = match outcome {
        Outcome::Winner(index) if !fails => Some(index),
        _ => None,
    };
    explanation.places = survey.places;
    explanation
}

/// One unreadable file makes every look-up fail: dlt reads all of them before the first one.
fn note_unreadable_files(around: &Surroundings<'_>, notes: &mut Vec<Note>) -> bool {
    let before = notes.len();
    for file in around.secrets.iter().chain(around.config) {
        if let Err(problem) = &file.content {
            notes.push(Note::FileUnreadable {
                location: file.location.clone(),
                problem: problem.clone(),
            });
        }
    }
    notes.len() > before
}

/// Before the fields of credentials dlt looks for `credentials` as a whole: a text (a URL, JSON) goes before the
/// fields, and a table in `config.toml` is an error unless `secrets.toml` has one. Says whether dlt stops there.
fn note_whole_credentials(path: &CredentialPath, pipeline: Option<&str>, around: &Surroundings<'_>, notes: &mut Vec<Note>) -> bool {
    let Some(whole) = path.parent().filter(|parent| parent.leaf() == CREDENTIALS) else {
        return false;
    };
    let survey = Survey::new(&whole, pipeline, Access::SecretArgument, around);
    match survey.outcome(around.start) {
        Outcome::NotSecret(index) => {
            notes.push(Note::CredentialsInConfig {
                place: survey.places[index].clone(),
            });
            true
        }
        Outcome::Winner(index) if survey.places[index].state != State::Found(None) => {
            notes.push(Note::CredentialsAsText {
                place: survey.places[index].clone(),
            });
            false
        }
        Outcome::Winner(_) | Outcome::Missing => false,
    }
}

fn note_winner(survey: &Survey<'_>, index: usize, notes: &mut Vec<Note>) {
    let winner = &survey.places[index];
    match winner.state {
        State::Empty => notes.push(Note::EmptyWins { place: index }),
        State::Placeholder => notes.push(Note::PlaceholderWins { place: index }),
        _ => {}
    }
    if winner.provider.is_environment() {
        let in_file = |place: &Place| !place.provider.is_environment() && place.state.is_value();
        let shadowed = survey.places.iter().skip(index).position(in_file).map(|offset| index + offset);
        if let Some(shadowed) = shadowed
            && survey.places[shadowed].path.parts().len() > winner.path.parts().len()
        {
            notes.push(Note::VariableShadowsFile {
                place: index,
                shadowed,
                bare: winner.path.parts().len() == 1,
            });
        }
    }
    let text = match &survey.seen[index] {
        Some(Seen::Value(value)) => {
            if value.has_reference() {
                notes.push(Note::ReferenceTakenVerbatim { place: index });
            }
            match value {
                Value::String(text) => Some(text.verbatim()),
                _ => None,
            }
        }
        Some(Seen::Variable(value)) => Some(value.expose().to_owned().into()),
        None => None,
    };
    if let Some(text) = text {
        let kind = auto_cast(&text).kind();
        if kind != CastKind::Text {
            notes.push(Note::AutoCast { place: index, kind });
        }
    }
}

fn note_names(path: &CredentialPath, access: Access, around: &Surroundings<'_>, notes: &mut Vec<Note>) {
    match variable_name(path) {
        Ok(name) if name.is_exportable() => {}
        Ok(name) => notes.push(Note::NotExportable { variable: name }),
        Err(error) => notes.push(Note::NoVariable { error }),
    }
    for (provider, files) in [(Provider::SecretsToml, around.secrets), (Provider::ConfigToml, around.config)] {
        if provider == Provider::ConfigToml && access == Access::SecretsItem {
            continue;
        }
        for file in files {
            note_quoted_dots(path, access, file, notes);
        }
    }
}

/// Names keys with a dot in them that read like the path but that dlt does not find for it.
///
/// The file is walked along the path's text, every table at most once.
fn note_quoted_dots(path: &CredentialPath, access: Access, file: &SettingsFile<'_>, notes: &mut Vec<Note>) {
    let Ok(root) = &file.content else { return };
    let text = path.parts().join(".");
    let mut open: Vec<(&Value, &str, Vec<&str>)> = vec![(root, &text, Vec::new())];
    while let Some((table, rest, parts)) = open.pop() {
        let Value::Table(entries) = table else { continue };
        for (key, value) in entries {
            let Some(behind) = rest.strip_prefix(key.as_str()) else { continue };
            let mut parts = parts.clone();
            parts.push(key);
            if let Some(behind) = behind.strip_prefix('.') {
                open.push((value, behind, parts));
            } else if behind.is_empty() {
                let is_found = match access {
                    Access::SecretsItem => parts.iter().all(|part| !part.contains('.')),
                    _ => parts == path.parts(),
                };
                if let Some(path) = CredentialPath::from_parts(parts).filter(|_| !is_found) {
                    notes.push(Note::QuotedDot {
                        location: file.location.clone(),
                        path,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
