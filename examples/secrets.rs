//! A project's secrets in a program of your own: open, set, read. `cargo run -p dango-tests --example secrets`
#![allow(clippy::print_stdout, reason = "an example shows what it did")]
use std::error::Error;

use dango_core::{CredentialPath, OsEntropy, SecretValue};
use dango_secrets::document::{NewValue, SecretsDocument};
use dango_secrets::{References, Value, project::Project, storage::Edit};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    Project::init(folder.path(), &OsEntropy)?; // What is there already stays as it is.
    let project = Project::at(folder.path());
    let path: CredentialPath = "sources.stripe.api_key".parse()?;

    // The file is locked, read, edited and replaced in one step; outside the value not one byte changes.
    let (text, references) = (SecretValue::new("sk_test_synthetic".to_owned())?, References::Literal);
    let value = NewValue::String { text, references };
    let setting = project.update_secrets(&OsEntropy, |bytes| -> Result<_, Box<dyn Error>> {
        let (edited, outcome) = SecretsDocument::parse(bytes.unwrap_or_default())?.set(&path, &value)?;
        Ok(Edit::Replace(edited.text().as_bytes().to_vec().into(), outcome))
    });
    println!("{path}: {:?}", setting.map_err(|error| error.to_string())?);

    let contents = project.secrets()?.ok_or("there is no secrets.toml")?;
    if let Some(Value::String(text)) = SecretsDocument::parse(contents.bytes())?.value(&path) {
        println!("{path}: {} bytes", text.verbatim().len()); // `verbatim` exposes: the secret is in your hands from here.
    }
    Ok(())
}
