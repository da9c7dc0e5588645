//! What a source needs beside what the provider gives: from options, from what is stored, or asked for before the browser opens.

use clap::Args;
use dango_connections::{Places, Stored};
use dango_core::{CredentialPath, SecretValue};
use dango_sources::FieldSpec;

use crate::failure::Failure;
use crate::input::SecretInput;
use crate::output::Output;
use crate::prompt;

/// What the hosts of all shops end with.
const SHOPS: &str = ".myshopify.com";

#[derive(Args, Debug)]
pub(super) struct BesideOptions {
    /// Set what the source needs beside the connection and is no secret, as account_id
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Set a secret field from standard input; of several, each takes one line, in this order
    #[arg(long = "field", value_name = "FIELD")]
    field: Vec<String>,
    #[command(flatten)]
    input: SecretInput,
}

impl BesideOptions {
    pub(super) fn is_given(&self) -> bool {
        !self.set.is_empty() || !self.field.is_empty() || self.input.is_given()
    }
}

/// The fields that are to be stored with a connection.
#[derive(Default)]
pub(super) struct Beside(Vec<(&'static FieldSpec, SecretValue)>);

impl Beside {
    /// Takes what the options say, keeps what is stored, and asks for what is missing; without a terminal that is wrong usage.
    pub(super) fn gather(options: &BesideOptions, places: &Places<'_>, stored: &Stored, output: &mut Output<'_>) -> Result<Self, Failure> {
        let wanted = places.beside();
        let mut beside = Self::default();
        for given in &options.set {
            let Some((name, text)) = given.split_once('=') else {
                return Err(
                    Failure::usage("--set takes FIELD=VALUE").hint("a secret field is set with `--field FIELD`, from standard input")
                );
            };
            let field = find(&wanted, name)?;
            if field.secret {
                return Err(
                    Failure::usage(format!("{} is a secret and is never taken from the argument list", field.name))
                        .hint(format!("send it to standard input with `--field {}`", field.name)),
                );
            }
            beside.put(field, text)?;
        }
        beside.take_secrets(options, &wanted, output)?;
        let mut missing = Vec::new();
        for field in wanted {
            if beside.value(field.name).is_some() || stored.text(&places.path(field.name)).is_some() {
                continue;
            }
            match field.default {
                Some(default) => beside.put(field, default)?,
                None if !places.needs(field) => {}
                None if output.host.terminal.input => beside.ask(field)?,
                None => missing.push(field),
            }
        }
        refuse_missing(&missing)?;
        Ok(beside)
    }

    /// The value of a field.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field.name == name);
        found.map(|(_, value)| value.expose())
    }

    /// The values with their places.
    pub(super) fn credentials(&self, places: &Places<'_>) -> Vec<(CredentialPath, SecretValue)> {
        let values = self.0.iter();
        values.map(|(field, value)| (places.path(field.name), value.clone())).collect()
    }

    fn take_secrets(&mut self, options: &BesideOptions, wanted: &[&'static FieldSpec], output: &mut Output<'_>) -> Result<(), Failure> {
        let fields: Vec<&'static FieldSpec> = options.field.iter().map(|name| find(wanted, name)).collect::<Result<_, _>>()?;
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        if fields.is_empty() {
            return Ok(());
        }
        let read = options.input.read(&names.join(", "), output)?;
        let lines: Vec<&str> = match fields.len() {
            1 => vec![read.expose()],
            _ => read.expose().split('\n').collect(),
        };
        if lines.len() != fields.len() {
            return Err(Failure::usage(format!(
                "{} lines were given for {} secret fields: {}",
                lines.len(),
                fields.len(),
                names.join(", ")
            )));
        }
        fields.into_iter().zip(lines).try_for_each(|(field, line)| self.put(field, line))
    }

    fn ask(&mut self, field: &'static FieldSpec) -> Result<(), Failure> {
        loop {
            let text = match field.secret {
                true => prompt::optional_secret(field.label, field.help, true)?,
                false => {
                    let typed = prompt::text(&format!("{}:", field.label), None, Some(field.help))?;
                    SecretValue::new(typed).ok()
                }
            };
            if let Some(text) = text.filter(|text| !text.expose().trim().is_empty()) {
                return self.put(field, text.expose());
            }
        }
    }

    fn put(&mut self, field: &'static FieldSpec, text: &str) -> Result<(), Failure> {
        let text = clean(field, text.trim());
        if text.is_empty() {
            return Err(Failure::usage(format!("the value of {} is empty", field.name)));
        }
        let value = SecretValue::new(text).map_err(|error| Failure::caused_by(&error))?;
        self.0.retain(|(there, _)| there.name != field.name);
        self.0.push((field, value));
        Ok(())
    }
}

/// A value as the provider's interface and dlt take it, not as pages and address bars show it.
fn clean(field: &FieldSpec, text: &str) -> String {
    match field.name {
        "account_id" => text.strip_prefix("act_").unwrap_or(text).to_owned(),
        "customer_id" => text.replace('-', ""),
        // dlt asks the address that stands here, and all shops have one of this form.
        "shop_url" => format!("https://{}{SHOPS}", account_in(text, SHOPS)),
        "subdomain" => account_in(text, ".zendesk.com"),
        "domain" => account_in(text, ".salesforce.com"),
        _ => text.to_owned(),
    }
}

/// The account's part of a host, of which somebody may have given the address of a page.
fn account_in(text: &str, suffix: &str) -> String {
    let text = text.to_ascii_lowercase();
    let host = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or(host);
    host.strip_suffix(suffix).unwrap_or(host).to_owned()
}

/// The field of a name; an unknown one is wrong usage, and is not repeated.
fn find(wanted: &[&'static FieldSpec], name: &str) -> Result<&'static FieldSpec, Failure> {
    let found = wanted.iter().find(|field| field.name == name || field.also.contains(&name));
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = wanted.iter().map(|field| field.name).collect();
        match names.is_empty() {
            true => Failure::usage("the connection needs no further field"),
            false => Failure::usage(format!(
                "the connection has no field of that name beside it; it has: {}",
                names.join(", ")
            )),
        }
        .hint("all else of a source is set with `dango source add` and `dango source edit`")
    })
}

fn refuse_missing(missing: &[&'static FieldSpec]) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|field| field.name).collect();
    let mut failure = Failure::usage(format!("missing: {}", names.join(", ")));
    for field in missing {
        failure = match field.secret {
            true => failure.hint(format!("give {} with `--field {}` from standard input", field.name, field.name)),
            false => failure.hint(format!("give it with `--set {}=…`: {}", field.name, field.help)),
        };
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use dango_sources::catalogue;

    use super::*;

    #[test]
    fn values_are_taken_as_pages_and_address_bars_show_them() {
        let field = |source_type: &str, name: &str| {
            let spec = catalogue()
                .find(&source_type.parse().expect("a type"))
                .expect("is in the catalogue");
            spec.field(name).expect("has one")
        };
        assert_eq!(clean(field("facebook_ads", "account_id"), "act_123"), "123");
        assert_eq!(clean(field("facebook_ads", "account_id"), "123"), "123");
        assert_eq!(clean(field("google_ads", "customer_id"), "123-456-7890"), "1234567890");
        assert_eq!(clean(field("google_ads", "dev_token"), "a-b"), "a-b");
        for text in [
            "acme",
            "acme.myshopify.com",
            "https://acme.myshopify.com",
            "https://ACME.myshopify.com/admin?x=1",
        ] {
            assert_eq!(clean(field("shopify", "shop_url"), text), "https://acme.myshopify.com", "{text}");
        }
        for text in ["acme", "acme.zendesk.com", "https://acme.zendesk.com/agent/"] {
            assert_eq!(clean(field("zendesk", "subdomain"), text), "acme", "{text}");
        }
    }
}
