//! Reading files of other tools ends without a panic, for any bytes; what was read is a tree, and written again it is the same.
#![no_main]

use std::collections::HashSet;

use dango_core::CredentialPath;
use dango_secrets::document::{DocumentProblem, SecretsDocument};
use dango_secrets::exchange::{
    Import, ImportError, ImportProblem, Tree, Variable, parse_docker, parse_json, parse_k8s, parse_shell, parse_yaml, write_json,
    write_k8s, write_shell, write_toml, write_yaml,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let json = parse_json(data);
    check_with_another_reader(data, &json);
    for import in [json, parse_yaml(data)].into_iter().flatten() {
        check_paths(&import);
        check_trees(import);
    }
    for import in [parse_shell(data), parse_k8s(data), parse_docker(data)].into_iter().flatten() {
        check_paths(&import);
        check_variables(&import);
    }
});

/// serde_json takes what is taken here, and not what is no JSON here.
fn check_with_another_reader(data: &[u8], json: &Result<Import, ImportError>) {
    let body = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    let other = serde_json::from_slice::<serde_json::Value>(body);
    match json {
        Ok(_) => assert!(other.is_ok(), "what was read is no JSON"),
        Err(error) if matches!(error.problem, ImportProblem::Syntax(_) | ImportProblem::UnclosedQuote) => {
            assert!(other.is_err(), "this is JSON: {error}");
        }
        Err(_) => {}
    }
}

/// No path occurs twice, and none lies below another.
fn check_paths(import: &Import) {
    let paths: HashSet<&CredentialPath> = import.credentials.iter().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), import.credentials.len());
    for (path, value) in &import.credentials {
        assert!(!matches!(value, Tree::Table(_)));
        let mut above = path.parent();
        while let Some(parent) = above {
            assert!(!paths.contains(&parent));
            above = parent.parent();
        }
    }
}

fn check_trees(import: Import) {
    let mut root = Vec::new();
    for (path, value) in &import.credentials {
        put(&mut root, path.parts(), value.clone());
    }
    let json = write_json(&root);
    assert!(
        has_no_number(&import) || parse_json(json.as_bytes()).is_ok_and(|again| is_same(&again, &import)),
        "JSON does not come back"
    );
    let yaml = write_yaml(&root);
    assert!(
        parse_yaml(yaml.as_bytes()).is_ok_and(|again| is_same(&again, &import)),
        "YAML does not come back"
    );
    let toml = write_toml(&root);
    match SecretsDocument::parse(toml.as_bytes()) {
        Ok(document) => {
            let paths: HashSet<CredentialPath> = document.entries().into_iter().map(|entry| entry.path).collect();
            assert_eq!(paths.len(), import.credentials.len());
            assert!(
                import.credentials.iter().all(|(path, _)| paths.contains(path)),
                "TOML does not come back"
            );
        }
        Err(error) => assert!(
            matches!(error.problem, DocumentProblem::TooDeep { .. }),
            "TOML cannot be read: {error}"
        ),
    }
}

/// JSON has no infinity, and no number for what is none.
fn has_no_number(import: &Import) -> bool {
    fn is_none(value: &Tree) -> bool {
        match value {
            Tree::Float(value) => !value.is_finite(),
            Tree::Array(values) => values.iter().any(is_none),
            Tree::Table(entries) => entries.iter().any(|(_, value)| is_none(value)),
            _ => false,
        }
    }
    import.credentials.iter().any(|(_, value)| is_none(value))
}

fn put(entries: &mut Vec<(String, Tree)>, path: &[String], value: Tree) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        entries.push((first.clone(), value));
        return;
    }
    let at = entries.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
        entries.push((first.clone(), Tree::Table(Vec::new())));
        entries.len() - 1
    });
    if let Tree::Table(entries) = &mut entries[at].1 {
        put(entries, rest, value);
    }
}

fn check_variables(import: &Import) {
    let variables: Vec<Variable> = (import.credentials.iter())
        .map(|(path, value)| match value {
            Tree::String(value) => Variable {
                name: path.parts().join("__").to_lowercase(),
                path: path.clone(),
                value: value.clone(),
            },
            _ => panic!("a variable is text"),
        })
        .collect();
    if let Ok(text) = write_shell(&variables) {
        assert!(
            parse_shell(text.as_bytes()).is_ok_and(|again| is_same(&again, import)),
            "shell does not come back"
        );
    }
    let name = "a".parse().expect("a name");
    if let Ok(text) = write_k8s(&name, &variables) {
        assert!(
            parse_k8s(text.as_bytes()).is_ok_and(|again| is_same(&again, import)),
            "k8s does not come back"
        );
    }
}

/// The same paths and values; the order may differ where a table was continued.
fn is_same(a: &Import, b: &Import) -> bool {
    a.credentials.len() == b.credentials.len()
        && a.credentials.iter().all(|(path, value)| {
            let mut others = b.credentials.iter().filter(|(other, _)| other == path);
            others.next().is_some_and(|(_, other)| is_same_tree(value, other))
        })
}

fn is_same_tree(a: &Tree, b: &Tree) -> bool {
    match (a, b) {
        (Tree::String(a), Tree::String(b)) => a.expose() == b.expose(),
        (Tree::Integer(a), Tree::Integer(b)) => a == b,
        (Tree::Float(a), Tree::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (Tree::Boolean(a), Tree::Boolean(b)) => a == b,
        (Tree::Array(a), Tree::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_tree(a, b)),
        (Tree::Table(a), Tree::Table(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((name, a), (other, b))| name == other && is_same_tree(a, b))
        }
        _ => false,
    }
}
