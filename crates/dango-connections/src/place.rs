//! Where a source keeps what a connection gives it. The catalogue says it for fields that it knows; the others go beside the token.

use dango_core::CredentialPath;
use dango_oauth::{Provider, SourceScopes};
use dango_sources::{FieldSpec, Place, TypeSpec, Variant, catalogue};

/// The table of a source in which dlt's credential types look.
const CREDENTIALS: &str = "credentials";

/// The places of one source's fields.
pub struct Places<'a> {
    name: &'a str,
    spec: Option<&'static TypeSpec>,
    provider: &'a Provider,
    source: &'a SourceScopes,
}

impl<'a> Places<'a> {
    /// The places of a source of that name.
    pub fn new(name: &'a str, provider: &'a Provider, source: &'a SourceScopes) -> Self {
        Self {
            name,
            spec: catalogue().find(&source.source_type),
            provider,
            source,
        }
    }

    /// The table of the source.
    pub fn section(&self) -> CredentialPath {
        CredentialPath::from_parts(["sources", self.name]).expect("two parts are a path")
    }

    /// Where a field is, whoever wrote it.
    pub fn path(&self, field: &str) -> CredentialPath {
        let in_credentials = match self.place_of(field) {
            Some(place) => place == Place::Credentials,
            None => self.token_field().and_then(|token| self.place_of(token)) == Some(Place::Credentials),
        };
        let section = self.section();
        match in_credentials {
            true => section.child(CREDENTIALS).child(field),
            false => section.child(field),
        }
    }

    /// The fields that stand in `secrets.toml` beside what the connection gives: those that the source needs, those that dlt wants
    /// the default of, and the part of the provider's host that is the account's.
    pub fn beside(&self) -> Vec<&'static FieldSpec> {
        let Some(spec) = self.spec else { return Vec::new() };
        let written = self.written_by_connection();
        let of_host = self.provider.host.as_ref().and_then(|host| spec.field(host.field.as_ref()?));
        let mut fields: Vec<&'static FieldSpec> = spec.fields_of(self.variant(spec));
        fields.retain(|field| self.needs(field) || field.default.is_some());
        if let Some(field) = of_host.filter(|host| !fields.iter().any(|field| field.name == host.name)) {
            fields.push(field);
        }
        fields.retain(|field| field.place != Place::SourcesFile && !written.iter().any(|name| name == field.name));
        fields
    }

    /// Whether the source does not work without a field.
    pub fn needs(&self, field: &FieldSpec) -> bool {
        if let Some(host) = &self.provider.host
            && host.field.as_deref() == Some(field.name)
        {
            return host.default.is_none();
        }
        match self.spec.and_then(|spec| self.variant(spec)) {
            Some(variant) if variant.names(field) => variant.needs.contains(&field.name),
            _ => field.required,
        }
    }

    /// Every place that `dango oauth` writes for this source, which is what removing takes away.
    pub fn all(&self) -> Vec<CredentialPath> {
        let beside = self.beside().into_iter().map(|field| field.name.to_owned());
        let names = self.written_by_connection().into_iter().chain(beside);
        names.map(|name| self.path(&name)).collect()
    }

    /// The way to sign in that takes the token.
    fn variant(&self, spec: &'static TypeSpec) -> Option<&'static Variant> {
        let token = self.token_field()?;
        spec.variants.iter().find(|variant| variant.needs.contains(&token))
    }

    fn written_by_connection(&self) -> Vec<String> {
        let tokens = self.source.access_token.iter().chain(&self.source.refresh_token).cloned();
        let client = ["client_id", "client_secret"].into_iter().filter(|_| self.source.client);
        let kept = self.provider.kept.iter().cloned();
        tokens.chain(client.map(str::to_owned)).chain(kept).collect()
    }

    fn token_field(&self) -> Option<&str> {
        self.source.access_token.as_deref().or(self.source.refresh_token.as_deref())
    }

    fn place_of(&self, field: &str) -> Option<Place> {
        Some(self.spec?.field(field)?.place)
    }
}

#[cfg(test)]
mod tests {
    use dango_core::SourceType;
    use dango_oauth::Providers;

    use super::*;

    fn with_places<T>(source_type: &str, test: impl FnOnce(&Places<'_>) -> T) -> T {
        let source_type: SourceType = source_type.parse().expect("a type");
        let providers = Providers::builtin();
        let (provider, source) = providers.for_source_type(&source_type).expect("comes with Dango");
        test(&Places::new("eu", provider, source))
    }

    fn path(source_type: &str, field: &str) -> String {
        with_places(source_type, |places| places.path(field).to_string())
    }

    #[test]
    fn a_field_is_where_dlt_reads_it_and_one_that_dlt_does_not_know_is_beside_the_token() {
        assert_eq!(path("google_sheets", "refresh_token"), "sources.eu.credentials.refresh_token");
        assert_eq!(path("google_ads", "dev_token"), "sources.eu.dev_token");
        assert_eq!(path("facebook_ads", "access_token"), "sources.eu.access_token");
        assert_eq!(path("slack", "refresh_token"), "sources.eu.refresh_token");
        assert_eq!(path("zendesk", "oauth_token"), "sources.eu.credentials.oauth_token");
        assert_eq!(path("zendesk", "refresh_token"), "sources.eu.credentials.refresh_token");
    }

    #[test]
    fn beside_the_connection_is_what_the_source_cannot_do_without() {
        let names = |source_type| {
            with_places(source_type, |places| {
                places.beside().iter().map(|field| field.name).collect::<Vec<_>>()
            })
        };
        assert_eq!(names("google_sheets"), ["project_id"]);
        assert_eq!(names("google_ads"), ["project_id", "dev_token", "customer_id"]);
        assert_eq!(names("facebook_ads"), ["account_id"]);
        assert_eq!(names("shopify"), ["shop_url"]);
        assert!(names("zendesk").contains(&"subdomain"));
        assert_eq!(names("slack"), [""; 0]);
    }

    #[test]
    fn everything_that_is_written_is_known_for_removing() {
        let all = with_places("google_ads", |places| places.all());
        let fields: Vec<&str> = all.iter().map(CredentialPath::leaf).collect();
        assert_eq!(
            fields,
            [
                "refresh_token",
                "client_id",
                "client_secret",
                "project_id",
                "dev_token",
                "customer_id"
            ]
        );
    }
}
