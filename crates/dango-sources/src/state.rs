//! What a source's credentials lack: complete, missing, empty, or found where earlier versions kept them.

use dango_core::{CredentialPath, SourceName, VariableName};

use crate::catalogue::{FieldSpec, Place, TypeSpec, Variant};
use crate::configured::{ConfiguredSource, SourcesFile};

/// What stands at a credential's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Nothing, or a table.
    Absent,
    /// An empty text.
    Empty,
    /// A text that asks to be replaced, such as dlt's `<configure me>`.
    Placeholder,
    /// A value, whatever it is.
    Present,
}

impl Presence {
    /// Judges a text that stands at a path.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Empty;
        }
        let bracketed = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
        let is_words = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-'));
        match bracketed {
            Some(words) if is_words(words) => Self::Placeholder,
            _ => Self::Present,
        }
    }
}

/// Whether a source has the credentials of its type.
#[derive(Clone, Debug)]
pub struct CredentialState {
    /// The way to give the credentials that was followed: the complete one, else the one that is furthest along.
    pub variant: Option<&'static Variant>,
    /// The required fields that have no value.
    pub missing: Vec<MissingField>,
    /// The fields that have no value of their own; dlt needs their default written.
    pub defaults: Vec<DefaultField>,
    /// The fields that have their value somewhere else than where it belongs.
    pub elsewhere: Vec<Elsewhere>,
    /// The required settings that `sources.yml` does not have. They are no credentials, and a pipeline may bring its own.
    pub unset_settings: Vec<&'static FieldSpec>,
}

impl CredentialState {
    /// Whether no credential is missing.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// A required field without a value.
#[derive(Clone, Debug)]
pub struct MissingField {
    /// The field.
    pub field: &'static FieldSpec,
    /// Where its value belongs.
    pub path: CredentialPath,
    /// What stands there: nothing, an empty text or a placeholder.
    pub presence: Presence,
}

/// A field that is not set but has a default.
#[derive(Clone, Debug)]
pub struct DefaultField {
    /// The field.
    pub field: &'static FieldSpec,
    /// Where its default belongs.
    pub path: CredentialPath,
    /// The default.
    pub value: &'static str,
}

/// A value that is not where dlt's own source reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The field's name.
    pub field: &'static str,
    /// Where it was found; `None` for the source's entry in `sources.yml`.
    pub found: Option<CredentialPath>,
    /// Where it belongs.
    pub path: CredentialPath,
}

/// A field that has a value, and where.
#[derive(Clone, Debug)]
pub struct FoundField {
    /// The field.
    pub field: &'static FieldSpec,
    /// Where its value stands; `None` for the source's entry in `sources.yml`.
    pub at: Option<CredentialPath>,
}

/// What a source that is in no `sources.yml` lacks.
///
/// ```
/// use dango_sources::{Presence, catalogue, credential_state};
///
/// let stripe = catalogue().find(&"stripe".parse()?).expect("is in the catalogue");
/// let state = credential_state(stripe, &"stripe_eu".parse()?, &|_| Presence::Absent);
/// assert_eq!(state.missing[0].path.to_string(), "sources.stripe_eu.stripe_secret_key");
/// # Ok::<(), dango_core::ParseNameError>(())
/// ```
pub fn credential_state(spec: &'static TypeSpec, name: &SourceName, presence: &dyn Fn(&CredentialPath) -> Presence) -> CredentialState {
    let finder = Finder {
        spec,
        sections: vec![name.as_str()],
        entry: None,
        presence,
    };
    finder.state()
}

impl SourcesFile {
    /// What a source lacks, or `None` for a type that is not in the catalogue.
    ///
    /// Values count in the source's own section first. Earlier versions named sections by type: `sources.<type>` and
    /// `sources.<dlt's module>` count, too, unless another source has that name. Fields of databases and other
    /// nested credentials also count where they stand flat, as earlier documentation shows them.
    pub fn state(&self, source: &ConfiguredSource, presence: &dyn Fn(&CredentialPath) -> Presence) -> Option<CredentialState> {
        Some(self.finder(source, presence)?.state())
    }

    /// Where the values of a source's fields are, as [`Self::state`] finds them; `None` for a type that is not in the catalogue.
    pub fn found(&self, source: &ConfiguredSource, presence: &dyn Fn(&CredentialPath) -> Presence) -> Option<Vec<FoundField>> {
        Some(self.finder(source, presence)?.found())
    }

    fn finder<'a>(&'a self, source: &'a ConfiguredSource, presence: &'a dyn Fn(&CredentialPath) -> Presence) -> Option<Finder<'a>> {
        let spec = source.spec()?;
        let own = source.name().as_str();
        let shared = spec.module.into_iter().chain([spec.name]);
        let mut sections = vec![own];
        for section in shared {
            let taken = section.parse().is_ok_and(|name| self.find(&name).is_some());
            if !taken && !sections.contains(&section) {
                sections.push(section);
            }
        }
        Some(Finder {
            spec,
            sections,
            entry: Some(source),
            presence,
        })
    }
}

impl ConfiguredSource {
    /// The variable in `.env` that earlier versions took a field from: the one that the entry names
    /// (`stripe_secret_key_env: …`), else the one they used unless told otherwise.
    pub fn earlier_variable(&self, field: &FieldSpec) -> Option<VariableName> {
        let named = self.field(&format!("{}_env", field.name)).and_then(|value| value.as_text());
        named.or(field.earlier_variable).and_then(|name| name.parse().ok())
    }
}

struct Finder<'a> {
    spec: &'static TypeSpec,
    /// The sections below `sources` that count; the source's own is the first.
    sections: Vec<&'a str>,
    entry: Option<&'a ConfiguredSource>,
    presence: &'a dyn Fn(&CredentialPath) -> Presence,
}

/// What was found of one field.
struct Found {
    presence: Presence,
    /// `None` for the source's entry in `sources.yml`.
    at: Option<CredentialPath>,
}

impl Finder<'_> {
    fn state(&self) -> CredentialState {
        let variant = self.choose_variant();
        let mut state = CredentialState {
            variant,
            missing: Vec::new(),
            defaults: Vec::new(),
            elsewhere: Vec::new(),
            unset_settings: Vec::new(),
        };
        let without = self.chosen_name() == Some("none");
        for field in self.spec.fields_of(variant) {
            let needed = match variant {
                Some(variant) if variant.names(field) => variant.needs.contains(&field.name),
                _ => field.required && !without,
            };
            self.judge(field, needed, &mut state);
        }
        state
    }

    fn found(&self) -> Vec<FoundField> {
        let fields = self.spec.fields_of(self.choose_variant()).into_iter();
        let found = fields.filter_map(|field| {
            let found = self.find(field);
            (found.presence == Presence::Present).then_some(FoundField { field, at: found.at })
        });
        found.collect()
    }

    fn judge(&self, field: &'static FieldSpec, needed: bool, state: &mut CredentialState) {
        let found = self.find(field);
        let Some(path) = field.place.path(self.sections[0], field.name) else {
            if field.required && field.default.is_none() && found.presence != Presence::Present {
                state.unset_settings.push(field);
            }
            return;
        };
        match (found.presence, field.default) {
            (Presence::Present, _) if found.at.as_ref() == Some(&path) => {}
            (Presence::Present, _) => state.elsewhere.push(Elsewhere {
                field: field.name,
                found: found.at,
                path,
            }),
            (Presence::Absent, Some(value)) => state.defaults.push(DefaultField { field, path, value }),
            (presence, _) if needed => state.missing.push(MissingField { field, path, presence }),
            _ => {}
        }
    }

    /// Looks where the field belongs, then where else it may stand; an empty text or a placeholder counts only where
    /// no value is found.
    fn find(&self, field: &FieldSpec) -> Found {
        let mut best = Found {
            presence: Presence::Absent,
            at: None,
        };
        for at in self.candidates(field) {
            let presence = (self.presence)(&at);
            if presence == Presence::Present {
                return Found { presence, at: Some(at) };
            }
            if best.presence == Presence::Absent && presence != Presence::Absent {
                best = Found { presence, at: Some(at) };
            }
        }
        let in_entry = !field.secret
            && self
                .entry
                .and_then(|entry| entry.field(field.name))
                .is_some_and(|value| !value.is_empty());
        if in_entry {
            best = Found {
                presence: Presence::Present,
                at: None,
            };
        }
        best
    }

    fn candidates(&self, field: &FieldSpec) -> Vec<CredentialPath> {
        let places = match field.place {
            Place::Section | Place::SourcesFile => [Place::Section, Place::Credentials],
            Place::Credentials => [Place::Credentials, Place::Section],
        };
        let names = || std::iter::once(field.name).chain(field.also.iter().copied());
        let sections = self.sections.iter();
        sections
            .flat_map(|section| {
                places
                    .iter()
                    .flat_map(move |place| names().filter_map(move |name| place.path(section, name)))
            })
            .collect()
    }

    /// What `sources.yml` says of the way to sign in.
    fn chosen_name(&self) -> Option<&str> {
        self.entry?.field("auth_type")?.as_text()
    }

    fn choose_variant(&self) -> Option<&'static Variant> {
        let variants = self.spec.variants;
        match self.chosen_name() {
            Some("none") => return self.spec.variant("none"),
            Some(name) if self.spec.variant(name).is_some() => return self.spec.variant(name),
            _ => {}
        }
        let presence = |name: &&'static str| self.spec.field(name).map_or(Presence::Absent, |field| self.find(field).presence);
        let missing = |variant: &Variant| variant.needs.iter().filter(|name| presence(name) != Presence::Present).count();
        let touched = |variant: &Variant| variant.needs.iter().filter(|name| presence(name) != Presence::Absent).count();
        let asking = || variants.iter().filter(|variant| !variant.needs.is_empty());
        if let Some(complete) = asking().find(|variant| missing(variant) == 0) {
            return Some(complete);
        }
        let furthest = asking().min_by_key(|variant| (usize::MAX - touched(variant), missing(variant)));
        match furthest {
            Some(variant) if touched(variant) > 0 => Some(variant),
            // Nothing is there at all: a way that needs nothing is complete.
            _ => variants.iter().find(|variant| variant.needs.is_empty()).or(variants.first()),
        }
    }
}

#[cfg(test)]
mod tests;
