//! The manifest of a Kubernetes `Secret` (API `v1`), written and read; no cluster is asked.

use std::fmt;
use std::str::FromStr;

use dango_core::SecretValue;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::export::check_variables;
use super::node::{Kind, Node, secret};
use super::yaml::quoted;
use super::yaml_reader::parse_document;
use super::{ExportError, Format, Import, ImportError, ImportProblem, Place, Reason, Variable};

/// The most bytes that the values of one Secret may have (`MaxSecretSize`).
const MAX_DATA: usize = 1 << 20;
/// The longest key, in characters (`IsConfigMapKey`).
const MAX_KEY: usize = 253;

/// The name of a Kubernetes object: a DNS subdomain (RFC 1123 §2.1), lower case, at most 253 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestName(String);

/// A text that cannot name a Kubernetes object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a Kubernetes name has at most 253 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends of each part between dots"
)]
pub struct InvalidManifestName;

impl FromStr for ManifestName {
    type Err = InvalidManifestName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_label = |label: &str| {
            let bytes = label.as_bytes();
            bytes.first().copied().is_some_and(is_edge)
                && bytes.last().copied().is_some_and(is_edge)
                && bytes.iter().all(|&byte| is_edge(byte) || byte == b'-')
        };
        if text.len() <= 253 && text.split('.').all(is_label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidManifestName)
        }
    }
}

impl fmt::Display for ManifestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes the manifest of an opaque Secret, with the variables' names as keys.
///
/// # Errors
///
/// [`ExportError`] with every credential that the API server would refuse, and the first one with
/// which the values are more than 1 MiB together.
pub fn write_k8s(name: &ManifestName, variables: &[Variable]) -> Result<Zeroizing<String>, ExportError> {
    let mut total = 0;
    check_variables(Format::K8s, variables, |variable| {
        let before = total;
        total += variable.value.expose().len();
        if !is_key(&variable.name) {
            Some(Reason::Name(
                "at most 253 ASCII letters, digits, `-`, `_` and `.`, and must not begin with `..` or be `.`",
            ))
        } else if before <= MAX_DATA && total > MAX_DATA {
            Some(Reason::TooLarge(MAX_DATA))
        } else {
            None
        }
    })?;
    let names: usize = variables.iter().map(|variable| variable.name.len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(512 + names + 16 * variables.len() + total * 2));
    text.push_str("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ");
    quoted(&mut text, &name.0);
    text.push_str("\ntype: Opaque\ndata:");
    text.push_str(if variables.is_empty() { " {}\n" } else { "\n" });
    for variable in variables {
        let encoded = Zeroizing::new(BASE64.encode(variable.value.expose().as_bytes()));
        text.push_str("  ");
        // In quotes: `y` and `123` are keys, and some Base64 looks like a number.
        quoted(&mut text, &variable.name);
        text.push_str(": ");
        quoted(&mut text, &encoded);
        text.push('\n');
    }
    Ok(text)
}

/// Reads the manifest of a Secret, in YAML or JSON, as `kubectl get secret NAME -o yaml` prints it.
///
/// The keys of `data` (Base64) and `stringData` (plain, and stronger) are taken as names of variables.
///
/// # Errors
///
/// [`ImportError`] with the place; also for a list of objects and for other kinds of objects.
pub fn parse_k8s(bytes: &[u8]) -> Result<Import, ImportError> {
    let root = parse_document(bytes)?;
    let Kind::Table(entries) = root.kind else {
        return Err(ImportError::new(root.place, ImportProblem::NotATable));
    };
    let text_of = |wanted: &str| {
        entries
            .iter()
            .find(|(name, _)| name == wanted)
            .and_then(|(_, node)| match &node.kind {
                Kind::String(text) => Some(text.as_str()),
                _ => None,
            })
    };
    let problem = match (text_of("apiVersion"), text_of("kind")) {
        (Some("v1"), Some("Secret")) => None,
        (_, Some("List" | "SecretList")) => Some("this is a list of objects; save one Secret (`kubectl get secret NAME -o yaml`)"),
        (_, Some("SealedSecret")) => Some("a SealedSecret can be opened by its cluster only"),
        _ => Some("this is not a Secret of API version v1"),
    };
    if let Some(problem) = problem {
        return Err(ImportError::new(root.place, ImportProblem::Manifest(problem)));
    }
    let (mut data, mut plain) = (Vec::new(), Vec::new());
    for (name, node) in entries {
        match name.as_str() {
            "data" => data = texts(node)?,
            "stringData" => plain = texts(node)?,
            _ => {}
        }
    }
    let mut variables = Vec::with_capacity(data.len() + plain.len());
    for (name, place, text) in data {
        variables.push((name, open(place, &text)?));
    }
    for (name, place, text) in plain {
        variables.push((name, secret(place, text)?));
    }
    Import::from_variables(variables)
}

/// The entries of `data` or `stringData`, all of them strings.
fn texts(node: Node) -> Result<Vec<(String, Place, Zeroizing<String>)>, ImportError> {
    let entries = match node.kind {
        Kind::Table(entries) => entries,
        Kind::Null => Vec::new(),
        _ => return Err(ImportError::new(node.place, ImportProblem::NotATable)),
    };
    let text = |(name, node): (String, Node)| match node.kind {
        _ if !is_key(&name) => Err(ImportError::new(node.place, ImportProblem::Name)),
        Kind::String(text) => Ok((name, node.place, text)),
        Kind::Null => Err(ImportError::new(node.place, ImportProblem::Null)),
        _ => Err(ImportError::new(node.place, ImportProblem::Manifest("a string was expected"))),
    };
    entries.into_iter().map(text).collect()
}

/// Decodes an entry of `data`; line breaks within the Base64 are skipped, as the API server does.
fn open(place: Place, text: &str) -> Result<SecretValue, ImportError> {
    let mut encoded = Zeroizing::new(Vec::with_capacity(text.len()));
    encoded.extend(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    let Ok(mut bytes) = BASE64.decode(&encoded).map(Zeroizing::new) else {
        return Err(ImportError::new(place, ImportProblem::Base64));
    };
    SecretValue::from_utf8(std::mem::take(&mut *bytes)).map_err(|_| ImportError::new(place, ImportProblem::Binary))
}

/// What Kubernetes takes as a key (`IsConfigMapKey`).
fn is_key(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_KEY
        && name != "."
        && !name.starts_with("..")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
