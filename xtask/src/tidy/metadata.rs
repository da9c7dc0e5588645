//! What cargo says about the packages: names, licences, sources and who depends on whom. Judging it is left to the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::step::{self, Failure};
use crate::workspace;

/// The packages of a workspace and everything they need.
pub(super) struct Metadata {
    packages: BTreeMap<String, Package>,
    /// Ids of a package's normal dependencies, those of tests and build scripts left out.
    normal: BTreeMap<String, Vec<String>>,
}

/// One package in one version.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// The SPDX expression, where the package states one.
    pub(super) license: Option<String>,
    /// Absent for a package in this repository.
    pub(super) source: Option<String>,
    /// Whether it is a member of the workspace.
    pub(super) ours: bool,
    /// Names of the dependencies of every kind that are given as a path.
    pub(super) path_dependencies: BTreeSet<String>,
}

impl Metadata {
    /// Asks cargo about the workspace and all that it needs.
    pub(super) fn of_workspace(root: &Path) -> Result<Self, Failure> {
        Self::parse(&ask(root, &["--locked"])?)
    }

    /// Asks cargo about the fuzz targets, a workspace of their own; absent where there are none.
    pub(super) fn of_fuzz(root: &Path) -> Result<Option<Self>, Failure> {
        if !root.join("fuzz/Cargo.toml").is_file() {
            return Ok(None);
        }
        Self::parse(&ask(root, &["--no-deps", "--manifest-path", "fuzz/Cargo.toml"])?).map(Some)
    }

    /// Reads the JSON that `cargo metadata` prints.
    pub(super) fn parse(json: &str) -> Result<Self, Failure> {
        let root: Value =
            serde_json::from_str(json).map_err(|error| Failure::new(format!("cannot parse what cargo metadata said: {error}")))?;
        let members: BTreeSet<&str> = list(&root["workspace_members"]).filter_map(Value::as_str).collect();
        let mut packages = BTreeMap::new();
        for package in list(&root["packages"]) {
            let id = text(&package["id"])?;
            let path_dependencies = list(&package["dependencies"]).filter(|dependency| dependency["path"].is_string());
            packages.insert(
                id.clone(),
                Package {
                    name: text(&package["name"])?,
                    version: text(&package["version"])?,
                    license: package["license"].as_str().map(str::to_owned),
                    source: package["source"].as_str().map(str::to_owned),
                    ours: members.contains(id.as_str()),
                    path_dependencies: path_dependencies
                        .map(|dependency| text(&dependency["name"]))
                        .collect::<Result<_, _>>()?,
                },
            );
        }
        let mut normal = BTreeMap::new();
        for node in list(&root["resolve"]["nodes"]) {
            let is_normal = |dependency: &&Value| list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
            let needed = list(&node["deps"]).filter(is_normal).map(|dependency| text(&dependency["pkg"]));
            normal.insert(text(&node["id"])?, needed.collect::<Result<_, _>>()?);
        }
        Ok(Self { packages, normal })
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    pub(super) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages().filter(|package| package.ours)
    }

    /// Everything that a package of ours needs to run, each with the one that asks for it first.
    pub(super) fn needs(&self, name: &str) -> Vec<(&Package, &Package)> {
        let Some((start, _)) = self.packages.iter().find(|(_, package)| package.ours && package.name == name) else {
            return Vec::new();
        };
        let mut seen = BTreeSet::from([start.as_str()]);
        let mut waiting = vec![start.as_str()];
        let mut needs = Vec::new();
        while let Some(id) = waiting.pop() {
            for needed in self.normal.get(id).into_iter().flatten() {
                if seen.insert(needed)
                    && let (Some(package), Some(asker)) = (self.packages.get(needed), self.packages.get(id))
                {
                    needs.push((package, asker));
                    waiting.push(needed);
                }
            }
        }
        needs
    }
}

fn ask(root: &Path, arguments: &[&str]) -> Result<String, Failure> {
    step::quiet(
        Command::new(workspace::cargo())
            .current_dir(root)
            .args(["metadata", "--format-version", "1"])
            .args(arguments),
    )
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<String, Failure> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("cannot find a name where cargo metadata should have one"))
}

/// A workspace for bad samples, written as (package, its path dependencies) and (package, licence, source, needed by).
#[cfg(test)]
pub(super) mod samples {
    use serde_json::json;

    use super::*;

    pub(crate) fn workspace(ours: &[(&str, &[&str])], others: &[(&str, &str, &str, &str)]) -> Metadata {
        let mut packages: Vec<Value> = ours
            .iter()
            .map(|(name, needs)| {
                let dependencies: Vec<Value> = needs
                    .iter()
                    .map(|name| json!({"name": name, "path": format!("/x/{name}")}))
                    .collect();
                json!({"id": name, "name": name, "version": "0.1.0", "license": "MIT", "source": null, "dependencies": dependencies})
            })
            .collect();
        packages.extend(others.iter().map(
            |(name, license, source, _)| json!({"id": name, "name": name, "version": "1.2.3", "license": license, "source": source, "dependencies": []}),
        ));
        let edge = |name: &str| json!({"pkg": name, "dep_kinds": [{"kind": null}]});
        let mut nodes: Vec<Value> = Vec::new();
        for (name, needs) in ours {
            let mut deps: Vec<Value> = needs.iter().map(|name| edge(name)).collect();
            deps.extend(others.iter().filter(|(.., by)| by == name).map(|(other, ..)| edge(other)));
            nodes.push(json!({"id": name, "deps": deps}));
        }
        for (name, ..) in others {
            let deps: Vec<Value> = others.iter().filter(|(.., by)| by == name).map(|(other, ..)| edge(other)).collect();
            nodes.push(json!({"id": name, "deps": deps}));
        }
        let members: Vec<&str> = ours.iter().map(|(name, _)| *name).collect();
        let text = json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}}).to_string();
        Metadata::parse(&text).expect("a sample of our own")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needs_of_a_package_are_followed_to_the_end_and_name_who_asks() {
        let metadata = samples::workspace(
            &[("a", &["b"]), ("b", &[])],
            &[("c", "MIT", "s", "b"), ("d", "MIT", "s", "c"), ("e", "MIT", "s", "z")],
        );
        let needs: BTreeMap<&str, &str> = metadata
            .needs("a")
            .into_iter()
            .map(|(package, asker)| (package.name.as_str(), asker.name.as_str()))
            .collect();
        assert_eq!(needs, BTreeMap::from([("b", "a"), ("c", "b"), ("d", "c")]));
    }

    #[test]
    fn what_only_tests_need_is_left_out() {
        let json = r#"{"packages": [
            {"id": "a", "name": "a", "version": "1.0.0"}, {"id": "t", "name": "t", "version": "1.0.0"}],
            "workspace_members": ["a"],
            "resolve": {"nodes": [{"id": "a", "deps": [{"pkg": "t", "dep_kinds": [{"kind": "dev"}]}]}]}}"#;
        assert!(Metadata::parse(json).expect("it is whole").needs("a").is_empty());
    }
}
