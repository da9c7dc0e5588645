//! The sources a project has: `.dango/sources.yml` as it is read. Edits are in `edit` and `field`.

mod edit;
mod error;
mod field;
mod layout;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use dango_core::{SourceName, SourceType};

pub use edit::NewSource;
pub use error::{EditError, SourcesError};

use crate::catalogue::{TypeSpec, catalogue};
use crate::yaml::{self, Member, Node, NodeKind};
use crate::{ParseRotateEveryError, RotateEvery, SyncCommand, Value};

/// The members of a source that are no fields of its type.
const RESERVED: [&str; 6] = ["name", "type", "sync", "enabled", "description", "rotate_every"];

/// `.dango/sources.yml`: a mapping whose member `sources` is a list of mappings.
///
/// Members that Dango does not know, of the file and of its sources, are kept as they are. Nothing
/// in the file is secret, and no alias in it is followed.
///
/// ```
/// use dango_sources::SourcesFile;
///
/// let file = SourcesFile::parse("sources:\n  - name: stripe_eu\n    type: stripe\n    start_date: 2024-01-01\n")?;
/// let source = &file.sources()[0];
/// assert_eq!(source.name().as_str(), "stripe_eu");
/// assert_eq!(source.field("start_date").and_then(|value| value.as_text()), Some("2024-01-01"));
/// # Ok::<(), dango_sources::SourcesError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SourcesFile {
    text: String,
    root: Option<Node>,
    sources: Vec<ConfiguredSource>,
    /// The place of each name in `sources`.
    places: HashMap<SourceName, usize>,
}

/// One entry of `sources.yml`.
#[derive(Clone, Debug)]
pub struct ConfiguredSource {
    name: SourceName,
    source_type: SourceType,
    line: usize,
    sync: Option<SyncCommand>,
    rotate_every: Option<RotateEvery>,
    members: Vec<(String, Value)>,
}

impl SourcesFile {
    /// Reads the file's text; an empty text is a file without sources.
    ///
    /// # Errors
    ///
    /// [`SourcesError`] with line and column: where the text is no YAML, is nested too deep or too
    /// large, holds an alias, or where an entry has no proper name and type, or a name that another has.
    pub fn parse(text: &str) -> Result<Self, SourcesError> {
        let root = yaml::read(text)?;
        let mut sources: Vec<ConfiguredSource> = Vec::new();
        let mut places = HashMap::new();
        for item in root.as_ref().map(source_list).transpose()?.flatten().unwrap_or_default() {
            let source = ConfiguredSource::read(item)?;
            if let Some(first) = places.insert(source.name.clone(), sources.len()) {
                return Err(SourcesError::DuplicateName {
                    line: source.line,
                    first_line: sources[first].line,
                    name: source.name,
                });
            }
            sources.push(source);
        }
        Ok(Self {
            text: text.to_owned(),
            root,
            sources,
            places,
        })
    }

    /// The text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The sources, in the order of the file.
    pub fn sources(&self) -> &[ConfiguredSource] {
        &self.sources
    }

    /// The source of a name.
    pub fn find(&self, name: &SourceName) -> Option<&ConfiguredSource> {
        self.places.get(name).map(|&place| &self.sources[place])
    }
}

/// The items of `sources`, or `None` where there is no such member or nothing in it.
fn source_list(root: &Node) -> Result<Option<&[Node]>, SourcesError> {
    if is_null(root) {
        return Ok(None);
    }
    if root.members().is_none() {
        return Err(SourcesError::NotMapping {
            line: root.line,
            column: root.column,
        });
    }
    match root.member("sources").map(|member| &member.value) {
        None => Ok(None),
        Some(value) if is_null(value) => Ok(None),
        Some(Node {
            kind: NodeKind::Sequence { items, .. },
            ..
        }) => Ok(Some(items)),
        Some(other) => Err(SourcesError::NotList {
            line: other.line,
            column: other.column,
        }),
    }
}

fn is_null(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Scalar { value: Value::Null, .. })
}

impl ConfiguredSource {
    fn read(item: &Node) -> Result<Self, SourcesError> {
        let Some(members) = item.members() else {
            return Err(SourcesError::NotEntry {
                line: item.line,
                column: item.column,
            });
        };
        let (name, name_place) = text_member(item, "name")?;
        let (source_type, type_place) = text_member(item, "type")?;
        let name = name.parse().map_err(|source| SourcesError::Name {
            line: name_place.line,
            column: name_place.column,
            source,
        })?;
        let source_type = source_type.parse().map_err(|source| SourcesError::Type {
            line: type_place.line,
            column: type_place.column,
            source,
        })?;
        let sync = match item.member("sync").map(|member| &member.value) {
            Some(value) if !is_null(value) => Some(SyncCommand::from_value(&value.to_value(), value.line).ok_or(SourcesError::Sync {
                line: value.line,
                column: value.column,
            })?),
            _ => None,
        };
        let rotate_every = match item.member("rotate_every").map(|member| &member.value) {
            Some(value) if !is_null(value) => Some(interval(value)?),
            _ => None,
        };
        let members = members.iter().map(|member: &Member| (member.key.clone(), member.value.to_value()));
        Ok(Self {
            name,
            source_type,
            line: item.line,
            sync,
            rotate_every,
            members: members.collect(),
        })
    }

    /// The name, which is also the section in `secrets.toml`.
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// The type as the file names it; the catalogue need not know it.
    pub fn source_type(&self) -> &SourceType {
        &self.source_type
    }

    /// What the catalogue says of the type, or `None` for a type that is not in it.
    pub fn spec(&self) -> Option<&'static TypeSpec> {
        catalogue().find(&self.source_type)
    }

    /// The line the entry begins on, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The command that loads the source, where there is one.
    pub fn sync(&self) -> Option<&SyncCommand> {
        self.sync.as_ref()
    }

    /// How often its credentials are to be replaced, where the file says so.
    pub fn rotate_every(&self) -> Option<RotateEvery> {
        self.rotate_every
    }

    /// Whether the source is in use; only a plain `enabled: false` takes it out.
    pub fn is_enabled(&self) -> bool {
        self.member("enabled") != Some(&Value::Boolean(false))
    }

    /// Every member of the entry, in the order of the file, `name` and `type` included.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// A non-secret field: beside `name` and `type`, or in the section named by the type that earlier versions wrote.
    ///
    /// A field of the catalogue is also found under its other names.
    pub fn field(&self, field: &str) -> Option<&Value> {
        let names = field_names(&self.source_type, field);
        let beside = names
            .iter()
            .filter(|name| !RESERVED.contains(name))
            .find_map(|name| self.member(name));
        beside.or_else(|| {
            let section = self.member(self.source_type.as_str())?;
            names.iter().find_map(|name| section.member(name))
        })
    }

    fn member(&self, key: &str) -> Option<&Value> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

/// A field's name and its other names in the catalogue.
fn field_names<'a>(source_type: &SourceType, field: &'a str) -> Vec<&'a str> {
    let spec = catalogue().find(source_type).and_then(|spec| spec.field(field));
    let mut names = vec![field];
    if let Some(spec) = spec {
        names.extend(
            std::iter::once(spec.name)
                .chain(spec.also.iter().copied())
                .filter(|name| *name != field),
        );
    }
    names
}

/// Refuses a field that the catalogue knows for a secret.
fn refuse_secret(source_type: &SourceType, field: &str) -> Result<(), EditError> {
    match catalogue().find(source_type).and_then(|spec| spec.field(field)) {
        Some(spec) if spec.secret => Err(EditError::Secret { field: field.to_owned() }),
        _ => Ok(()),
    }
}

fn interval(node: &Node) -> Result<RotateEvery, SourcesError> {
    let found = match &node.kind {
        NodeKind::Scalar {
            value: Value::String(text),
            ..
        } => text.parse().ok(),
        _ => None,
    };
    found.ok_or(SourcesError::RotateEvery {
        line: node.line,
        column: node.column,
        source: ParseRotateEveryError,
    })
}

fn text_member<'n>(item: &'n Node, key: &'static str) -> Result<(&'n str, &'n Node), SourcesError> {
    let Some(member) = item.member(key) else {
        return Err(SourcesError::MissingMember {
            line: item.line,
            column: item.column,
            member: key,
        });
    };
    match &member.value.kind {
        NodeKind::Scalar {
            value: Value::String(text),
            ..
        } => Ok((text, &member.value)),
        _ => Err(SourcesError::NotText {
            line: member.value.line,
            column: member.value.column,
            member: key,
        }),
    }
}
