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
        let spec = source.spec()?;
        let own = source.name().as_str();
        let shared = spec.module.into_iter().chain([spec.name]);
        let mut sections = vec![own];
        for section in shared {
            let taken = self.sources().iter().any(|other| other.name().as_str() == section);
            if !taken && !sections.contains(&section) {
                sections.push(section);
            }
        }
        let finder = Finder {
            spec,
            sections,
            entry: Some(source),
            presence,
        };
        Some(finder.state())
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
mod tests {
    use super::*;
    use crate::catalogue;

    fn state_of(yml: &str, present: &[&str]) -> CredentialState {
        let file = SourcesFile::parse(yml).expect("a file");
        let presence = |path: &CredentialPath| {
            let found = present.iter().find_map(|entry| {
                let (key, value) = entry.split_once('=').unwrap_or((entry, "x"));
                (key == path.to_string()).then_some(value)
            });
            found.map_or(Presence::Absent, Presence::of)
        };
        file.state(&file.sources()[0], &presence).expect("a known type")
    }

    fn missing(state: &CredentialState) -> Vec<String> {
        state.missing.iter().map(|missing| missing.path.to_string()).collect()
    }

    fn source(name: &str, source_type: &str) -> String {
        format!("sources:\n- name: {name}\n  type: {source_type}\n")
    }

    #[test]
    fn a_source_is_complete_in_its_own_section_only() {
        let yml = source("stripe_eu", "stripe");
        assert_eq!(missing(&state_of(&yml, &[])), ["sources.stripe_eu.stripe_secret_key"]);
        assert_eq!(
            missing(&state_of(&yml, &["sources.other.stripe_secret_key"])),
            ["sources.stripe_eu.stripe_secret_key"]
        );
        assert!(state_of(&yml, &["sources.stripe_eu.stripe_secret_key"]).is_complete());
    }

    #[test]
    fn empty_texts_and_placeholders_are_missing() {
        for (value, presence) in [
            ("", Presence::Empty),
            ("  ", Presence::Empty),
            ("<configure me>", Presence::Placeholder),
        ] {
            let state = state_of(&source("hubspot", "hubspot"), &[&format!("sources.hubspot.api_key={value}")]);
            assert_eq!(state.missing[0].presence, presence, "{value:?}");
        }
        assert_eq!(Presence::of("<b>7=x</b>"), Presence::Present);
    }

    #[test]
    fn a_section_named_by_its_type_counts_unless_another_source_has_the_name() {
        let google = [
            "sources.google_sheets.credentials.client_id",
            "sources.google_sheets.credentials.client_secret",
            "sources.google_sheets.credentials.refresh_token",
        ];
        let alone = source("orders", "google_sheets");
        let state = state_of(&alone, &google);
        assert!(state.is_complete());
        assert_eq!(state.elsewhere.len(), 3);
        assert_eq!(state.elsewhere[0].path.to_string(), "sources.orders.credentials.client_id");

        let two = format!("{alone}- name: google_sheets\n  type: google_sheets\n");
        assert_eq!(
            missing(&state_of(&two, &google)).len(),
            3,
            "these are the other account's credentials"
        );
        let module = state_of(&source("pay", "stripe"), &["sources.stripe_analytics.stripe_secret_key"]);
        assert!(module.is_complete(), "dlt itself reads the section of its module");
    }

    #[test]
    fn a_missing_project_id_is_a_default_to_write_not_a_hole() {
        let google = ["client_id", "client_secret", "refresh_token"].map(|key| format!("sources.google_sheets.credentials.{key}"));
        let google: Vec<&str> = google.iter().map(String::as_str).collect();
        let state = state_of(&source("google_sheets", "google_sheets"), &google);
        assert!(state.is_complete());
        assert_eq!(
            (state.defaults[0].path.to_string().as_str(), state.defaults[0].value),
            ("sources.google_sheets.credentials.project_id", "dango-oauth")
        );
    }

    #[test]
    fn the_layouts_that_the_documentation_shows_are_read() {
        let flat = ["host", "port=5432", "database", "username", "password"].map(|key| format!("sources.my_postgres.{key}"));
        let flat: Vec<&str> = flat.iter().map(String::as_str).collect();
        let state = state_of(&source("my_postgres", "postgres"), &flat);
        assert!(state.is_complete(), "{:?}", missing(&state));
        assert!(
            state
                .elsewhere
                .iter()
                .any(|elsewhere| elsewhere.field == "password" && elsewhere.path.to_string() == "sources.my_postgres.credentials.password")
        );
        assert!(state_of(&source("stripe", "stripe"), &["sources.stripe.api_key"]).is_complete());
    }

    #[test]
    fn one_complete_variant_is_enough_and_the_furthest_one_is_named() {
        let zendesk = source("zendesk", "zendesk");
        let at = |key: &str| format!("sources.zendesk.credentials.{key}");
        assert!(state_of(&zendesk, &[&at("subdomain"), &at("oauth_token")]).is_complete());
        let half = state_of(&zendesk, &[&at("subdomain"), &at("email"), &at("password=")]);
        assert_eq!(half.variant.map(|variant| variant.name), Some("password"));
        assert_eq!(missing(&half), ["sources.zendesk.credentials.password"]);
        assert_eq!(missing(&state_of(&zendesk, &[])).len(), 3);

        let postgres = source("pg", "postgres");
        assert!(state_of(&postgres, &["sources.pg.credentials"]).is_complete());
        let half = state_of(&postgres, &["sources.pg.credentials.password"]);
        assert_eq!(half.variant.map(|variant| variant.name), Some("parts"));
    }

    #[test]
    fn a_bucket_needs_nothing_until_a_part_of_a_key_is_there() {
        let filesystem = source("filesystem", "filesystem");
        assert!(state_of(&filesystem, &[]).is_complete());
        let half = state_of(&filesystem, &["sources.filesystem.credentials.aws_access_key_id"]);
        assert_eq!(missing(&half), ["sources.filesystem.credentials.aws_secret_access_key"]);
    }

    #[test]
    fn auth_type_chooses_the_variant() {
        let api = |auth_type: &str| {
            format!(
                "{}  rest_api:\n    base_url: https://x\n    auth_type: {auth_type}\n",
                source("api", "rest_api")
            )
        };
        assert_eq!(
            missing(&state_of(&api("basic"), &["sources.api.token"])),
            ["sources.api.username", "sources.api.password"]
        );
        assert!(state_of(&api("none"), &[]).is_complete());
        assert_eq!(missing(&state_of(&source("api", "rest_api"), &[])), ["sources.api.token"]);
    }

    #[test]
    fn settings_count_wherever_they_stand_and_are_no_credentials() {
        let github = source("gh", "github");
        let state = state_of(&github, &["sources.gh.access_token"]);
        assert!(state.is_complete());
        let unset: Vec<&str> = state.unset_settings.iter().map(|field| field.name).collect();
        assert_eq!(unset, ["owner", "repository"]);
        let nested = format!("{github}  github:\n    owner: a\n    name: b\n");
        assert!(state_of(&nested, &[]).unset_settings.is_empty());
        let facebook = format!("{}  facebook_ads: {{account_id: 12}}\n", source("fb", "facebook_ads"));
        let state = state_of(&facebook, &["sources.fb.access_token"]);
        assert!(state.is_complete());
        assert_eq!(state.elsewhere[0].found, None);
    }

    #[test]
    fn a_secret_in_the_wrong_file_does_not_count() {
        let yml = format!("{}  stripe_secret_key: sk_canary\n", source("stripe", "stripe"));
        assert!(!state_of(&yml, &[]).is_complete());
    }

    #[test]
    fn the_variable_of_earlier_versions_is_known() {
        let yml = format!("{}  stripe:\n    stripe_secret_key_env: PAY_KEY\n", source("pay", "stripe"));
        let file = SourcesFile::parse(&yml).expect("a file");
        let field = catalogue()
            .find(&"stripe".parse().expect("a type"))
            .and_then(|spec| spec.field("stripe_secret_key"));
        let field = field.expect("a field");
        assert_eq!(
            file.sources()[0].earlier_variable(field).map(|name| name.to_string()).as_deref(),
            Some("PAY_KEY")
        );
        let file = SourcesFile::parse(&source("pay", "stripe")).expect("a file");
        assert_eq!(
            file.sources()[0].earlier_variable(field).map(|name| name.to_string()).as_deref(),
            Some("STRIPE_API_KEY")
        );
    }

    #[test]
    fn types_without_credentials_are_complete() {
        for name in ["csv", "local_files", "dlt_native", "chess"] {
            assert!(state_of(&source("x", name), &[]).is_complete(), "{name}");
        }
    }
}
