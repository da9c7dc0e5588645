//! What was given where: option over variable over file. What a value means is in `value`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::table::{self, Count, OF_CLIENTS, Places, SETTINGS, VARIABLE_PREFIX};
use super::{SettingsError, file};

/// Where a setting was given, as a person looks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// An option of the command line.
    Option(&'static str),
    /// A variable of the process environment.
    Variable(String),
    /// A place in the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
        }
    }
}

/// One text that was given for a setting.
///
/// It may be a secret that stands in the wrong place, so there is no `Debug`, and no message repeats it.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// What one place gives, by setting.
pub(crate) type Layer = BTreeMap<&'static str, Vec<Given>>;

/// What holds of all places: the strongest that says anything about a setting, alone.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    layers: Vec<Layer>,
}

impl Layers {
    /// Puts a layer below those that are there.
    pub(crate) fn below(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    pub(crate) fn one(&self, name: &'static str) -> Option<&Given> {
        self.many(name).last()
    }

    pub(crate) fn many(&self, name: &'static str) -> &[Given] {
        debug_assert!(table::find(name).is_some(), "{name} is in the table");
        self.layers
            .iter()
            .find_map(|layer| layer.get(name))
            .map_or(&[], |given| given.as_slice())
    }
}

/// What the environment gives. A variable that begins like ours and is none is an error: a misspelled one would change nothing in silence.
pub(crate) fn of_environment(environment: &BTreeMap<OsString, OsString>) -> Result<Layer, SettingsError> {
    let mut layer = Layer::new();
    for (name, value) in environment {
        let is_ours = |name: &&str| name.starts_with(VARIABLE_PREFIX) && !OF_CLIENTS.contains(name);
        let Some(name) = name.to_str().filter(is_ours) else {
            continue;
        };
        let setting = SETTINGS.iter().find(|setting| setting.variable() == name);
        let setting = setting.ok_or_else(|| SettingsError::UnknownVariable { name: name.to_owned() })?;
        let origin = Origin::Variable(name.to_owned());
        let text = value.to_str().ok_or_else(|| SettingsError::NotText { origin: origin.clone() })?;
        let texts = match setting.count {
            Count::One => vec![text.trim()],
            Count::Many => text.split(',').map(str::trim).collect(),
        };
        let given = texts.into_iter().map(|text| Given {
            text: text.to_owned(),
            origin: origin.clone(),
        });
        layer.insert(setting.name, given.collect());
    }
    Ok(layer)
}

/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Who may read or write a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner alone.
    Owner,
    /// Somebody else, too.
    Others,
}

/// What `.dango/server.toml` gives, and who else may know; nothing where there is none.
pub(crate) fn of_file(path: &Path) -> Result<(Layer, Readers), SettingsError> {
    let contents = dango_secrets::storage::read(path).map_err(SettingsError::Read)?;
    let Some(contents) = contents else {
        return Ok((Layer::new(), Readers::Owner));
    };
    let readers = match contents.mode() & OTHERS {
        0 => Readers::Owner,
        _ => Readers::Others,
    };
    let at = |place: file::Place| Origin::File {
        path: path.to_owned(),
        line: place.line,
        column: place.column,
    };
    let entries = file::parse(contents.bytes()).map_err(|error| SettingsError::File {
        origin: at(error.place),
        problem: error.problem,
    })?;
    let mut layer = Layer::new();
    for entry in entries {
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.key() == entry.key && setting.places == Places::All);
        let origin = at(entry.place);
        let setting = setting.ok_or_else(|| SettingsError::UnknownKey { origin: origin.clone() })?;
        if entry.is_array && setting.count == Count::One {
            return Err(SettingsError::NotOne { origin });
        }
        let given = entry.values.into_iter().map(|(text, place)| Given { text, origin: at(place) });
        layer.insert(setting.name, given.collect());
    }
    Ok((layer, readers))
}
