//! The shape of a row of the catalogue: a type, its fields, and the ways to give its credentials.

use dango_core::{CredentialPath, SourceName};

use crate::{Value, yaml};

/// A source type.
#[derive(Debug)]
pub struct TypeSpec {
    /// Its name, as `sources.yml` has it.
    pub name: &'static str,
    /// Its name for people ("Google Sheets").
    pub title: &'static str,
    /// The group it is listed in.
    pub category: Category,
    /// The kind of credentials.
    pub auth: AuthKind,
    /// The Python module of dlt's source, whose name is the section that dlt reads; `None` where the user's own code decides.
    pub module: Option<&'static str>,
    /// The names of dlt's sources in that module, where they are others than the module's; dlt reads their sections, too.
    pub source_names: &'static [&'static str],
    /// Every field, in the order to ask for them.
    pub fields: &'static [FieldSpec],
    /// The ways to give the credentials, of which one must be complete; empty where there is only one.
    pub variants: &'static [Variant],
    /// The provider's page where the credentials are made and revoked.
    pub credentials_url: Option<&'static str>,
    /// Other words for it.
    pub also: &'static [&'static str],
}

/// The group a type is listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Files on this machine and the user's own code.
    LocalAndCustom,
    /// Advertising, web and video analytics.
    MarketingAndAnalytics,
    /// Customers, support, recruiting, project work.
    BusinessAndCrm,
    /// Shops and payments.
    EcommerceAndPayment,
    /// Tools of developers.
    Development,
    /// Messages.
    Communication,
    /// Documents, files, mail.
    FilesAndStorage,
    /// Databases.
    Databases,
    /// Streams of events.
    Streaming,
    /// Everything else.
    Other,
}

impl Category {
    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::LocalAndCustom => "Local & Custom",
            Self::MarketingAndAnalytics => "Marketing & Analytics",
            Self::BusinessAndCrm => "Business & CRM",
            Self::EcommerceAndPayment => "E-commerce & Payment",
            Self::Development => "Development",
            Self::Communication => "Communication",
            Self::FilesAndStorage => "Files & Storage",
            Self::Databases => "Databases",
            Self::Streaming => "Streaming",
            Self::Other => "Other",
        }
    }
}

/// The kind of credentials a type takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthKind {
    /// None.
    None,
    /// A key or token made on the provider's page.
    ApiKey,
    /// A token from an OAuth 2.0 flow (`dango oauth`).
    Oauth,
    /// A name or address and a password or token.
    Basic,
    /// An account for machines.
    ServiceAccount,
    /// A URL that holds name, password, host and database, or these one by one.
    ConnectionString,
}

impl AuthKind {
    /// The name, as the command line and its JSON spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api_key",
            Self::Oauth => "oauth",
            Self::Basic => "basic",
            Self::ServiceAccount => "service_account",
            Self::ConnectionString => "connection_string",
        }
    }
}

/// One of the ways to give a type's credentials.
#[derive(Debug)]
pub struct Variant {
    /// Its name; `auth_type` in `sources.yml` may name it.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The fields without which it is not complete.
    pub needs: &'static [&'static str],
    /// Fields that may be given with it.
    pub takes: &'static [&'static str],
}

/// A field of a type.
#[derive(Debug)]
pub struct FieldSpec {
    /// Its key, as dlt reads it.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// One line on what it is or where it is found.
    pub help: &'static str,
    /// The type of its value.
    pub kind: FieldKind,
    /// Where its value is stored.
    pub place: Place,
    /// Whether it is asked for hidden, and never taken from the argument list.
    pub secret: bool,
    /// Whether the source does not work without it. Of a field that a variant names, the variant decides.
    pub required: bool,
    /// What is stored where nothing is given.
    pub default: Option<&'static str>,
    /// What a value looks like; never a real one.
    pub example: Option<&'static str>,
    /// Other names under which earlier versions, their documentation or dlt know it.
    pub also: &'static [&'static str],
    /// The variable in `.env` in which earlier versions kept it.
    pub earlier_variable: Option<&'static str>,
}

/// Where a field's value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In `.dlt/secrets.toml`: `sources.<source>.<field>`.
    Section,
    /// In `.dlt/secrets.toml`: `sources.<source>.credentials.<field>`, where dlt's credential types look.
    Credentials,
    /// In `.dango/sources.yml`, as a member of the source's entry; never a secret.
    SourcesFile,
}

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// Text on one line.
    String,
    /// Text that may have several lines (a PEM key).
    Multiline,
    /// An integer.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A date, as text.
    Date,
    /// A list of texts, given separated by commas.
    List,
    /// A list or mapping, given as JSON or YAML in brackets.
    Json,
}

impl FieldKind {
    /// The name, as the command line and its JSON spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Multiline => "multiline",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::List => "list",
            Self::Json => "json",
        }
    }
}

/// Why a text is no value of a field. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {expected}")]
pub struct FieldProblem {
    /// The field.
    pub field: &'static str,
    /// What it takes, in words.
    pub expected: &'static str,
}

impl TypeSpec {
    /// The name to suggest for the first source of this type: the one under which dlt finds its credentials without
    /// any further setting.
    pub fn default_name(&self) -> &'static str {
        self.module.unwrap_or(self.name)
    }

    /// Whether dlt reads the section of a source of this name by itself.
    ///
    /// It does where the name is that of dlt's module or source. Any other name, a second account for one, is
    /// read where the pipeline says so: `stripe_source.clone(section="stripe_eu")()`.
    pub fn is_read_by_dlt(&self, name: &SourceName) -> bool {
        self.module == Some(name.as_str()) || self.source_names.contains(&name.as_str())
    }

    /// The field of a name, or of one of its other names.
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        let fields = self.fields;
        let by_name = fields.iter().find(|field| field.name == name);
        by_name.or_else(|| fields.iter().find(|field| field.also.contains(&name)))
    }

    /// The path in `.dlt/secrets.toml` where the field of a source is stored; `None` for a field of `sources.yml`.
    ///
    /// ```
    /// use dango_sources::catalogue;
    ///
    /// let postgres = catalogue().find(&"postgres".parse()?).expect("is in the catalogue");
    /// let password = postgres.field("password").expect("has one");
    /// let path = postgres.path(&"sql_database".parse()?, password).expect("is stored in secrets.toml");
    /// assert_eq!(path.to_string(), "sources.sql_database.credentials.password");
    /// # Ok::<(), dango_core::ParseNameError>(())
    /// ```
    pub fn path(&self, source: &SourceName, field: &FieldSpec) -> Option<CredentialPath> {
        field.place.path(source.as_str(), field.name)
    }

    /// The fields that belong to one variant, or to none where there is only one way; those common to all come first.
    pub fn fields_of(&self, variant: Option<&Variant>) -> Vec<&'static FieldSpec> {
        let fields = self.fields.iter();
        fields
            .filter(|field| self.is_common(field) || variant.is_some_and(|variant| variant.names(field)))
            .collect()
    }

    /// Whether a field belongs to no variant.
    pub fn is_common(&self, field: &FieldSpec) -> bool {
        !self.variants.iter().any(|variant| variant.names(field))
    }

    /// The variant of a name.
    pub fn variant(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }
}

impl Variant {
    /// Whether a field may be given with this variant.
    pub fn names(&self, field: &FieldSpec) -> bool {
        self.needs.contains(&field.name) || self.takes.contains(&field.name)
    }
}

impl Place {
    /// The path of a key below a section `sources.<section>`.
    pub(crate) fn path(self, section: &str, key: &str) -> Option<CredentialPath> {
        match self {
            Self::Section => CredentialPath::from_parts(["sources", section, key]),
            Self::Credentials => CredentialPath::from_parts(["sources", section, "credentials", key]),
            Self::SourcesFile => None,
        }
    }
}

impl FieldSpec {
    /// Reads what somebody typed as a value for `sources.yml`.
    ///
    /// # Errors
    ///
    /// [`FieldProblem`] where the text does not fit the field's kind.
    pub fn parse_value(&self, text: &str) -> Result<Value, FieldProblem> {
        let problem = |expected| FieldProblem {
            field: self.name,
            expected,
        };
        let text = text.trim();
        match self.kind {
            FieldKind::Integer => match text.parse::<i64>() {
                Ok(number) => Ok(Value::Number(number.to_string())),
                Err(_) => Err(problem("an integer")),
            },
            FieldKind::Boolean => match text {
                "true" | "yes" => Ok(Value::Boolean(true)),
                "false" | "no" => Ok(Value::Boolean(false)),
                _ => Err(problem("`true` or `false`")),
            },
            FieldKind::List if !text.starts_with('[') => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Ok(Value::List(items.map(|item| Value::String(item.to_owned())).collect()))
            }
            FieldKind::List | FieldKind::Json => match yaml::read(text) {
                Ok(Some(node)) if node.is_flow() && (self.kind == FieldKind::Json || node.members().is_none()) => Ok(node.to_value()),
                _ if self.kind == FieldKind::List => Err(problem("a list: `a, b` or `[a, b]`")),
                _ => Err(problem("JSON that begins with `[` or `{`")),
            },
            FieldKind::String | FieldKind::Multiline | FieldKind::Date => Ok(Value::String(text.to_owned())),
        }
    }

    const fn new(name: &'static str, label: &'static str, help: &'static str, place: Place, secret: bool) -> Self {
        Self {
            name,
            label,
            help,
            kind: FieldKind::String,
            place,
            secret,
            required: true,
            default: None,
            example: None,
            also: &[],
            earlier_variable: None,
        }
    }

    /// A secret of the source's section.
    pub(super) const fn secret(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self::new(name, label, help, Place::Section, true)
    }

    /// A part of the credentials that is no secret itself, such as an account's number.
    pub(super) const fn identity(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self::new(name, label, help, Place::Section, false)
    }

    /// A setting, in `sources.yml`.
    pub(super) const fn setting(name: &'static str, label: &'static str, help: &'static str) -> Self {
        Self::new(name, label, help, Place::SourcesFile, false)
    }

    pub(super) const fn in_credentials(mut self) -> Self {
        self.place = Place::Credentials;
        self
    }

    pub(super) const fn kind(mut self, kind: FieldKind) -> Self {
        self.kind = kind;
        self
    }

    pub(super) const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(super) const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    pub(super) const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }

    pub(super) const fn earlier(mut self, variable: &'static str) -> Self {
        self.earlier_variable = Some(variable);
        self
    }
}
