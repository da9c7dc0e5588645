//! `dango source types`: the catalogue, or the fields of one type.

use clap::Args;
use dango_core::SourceType;
use dango_sources::{FieldSpec, TypeSpec, catalogue};
use serde::Serialize;

use crate::Outcome;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct TypesArguments {
    /// Show what this type needs
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

#[derive(Serialize)]
struct Type {
    name: &'static str,
    title: &'static str,
    category: &'static str,
    auth: &'static str,
    default_name: &'static str,
    credentials_url: Option<&'static str>,
    fields: Vec<Field>,
    variants: Vec<Way>,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    label: &'static str,
    help: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    secret: bool,
    required: bool,
    stored_in: String,
}

#[derive(Serialize)]
struct Way {
    name: &'static str,
    title: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
}

pub(crate) fn run(arguments: &TypesArguments, output: &mut Output<'_>) -> Outcome {
    match &arguments.name {
        Some(name) => {
            let spec = find(name)?;
            if output.json {
                output.json(&describe(spec))
            } else {
                show(spec, output)
            }
        }
        None => list(output),
    }
}

/// The type of a name; an unknown one is wrong usage.
pub(crate) fn find(name: &str) -> Result<&'static TypeSpec, Failure> {
    let known = name.parse::<SourceType>().ok().and_then(|name| catalogue().find(&name));
    known.ok_or_else(|| {
        let failure = Failure::usage("there is no source type of that name");
        let failure = match catalogue().suggest(name) {
            Some(spec) => failure.hint(format!("did you mean `{}` ({})?", spec.name, spec.title)),
            None => failure,
        };
        failure.hint("`dango source types` lists them")
    })
}

fn list(output: &mut Output<'_>) -> Outcome {
    let types = catalogue().types();
    if output.json {
        let described: Vec<Type> = types.into_iter().map(describe).collect();
        return output.json(&described);
    }
    let rows: Vec<Vec<String>> = types
        .iter()
        .map(|spec| {
            vec![
                spec.name.to_owned(),
                spec.title.to_owned(),
                spec.category.title().to_owned(),
                spec.auth.as_str().to_owned(),
            ]
        })
        .collect();
    output.table(&["TYPE", "TITLE", "CATEGORY", "CREDENTIALS"], &rows)
}

fn show(spec: &'static TypeSpec, output: &mut Output<'_>) -> Outcome {
    output.line(&format!("{} ({}), {}", spec.title, spec.name, spec.category.title()))?;
    if let Some(url) = spec.credentials_url {
        output.line(&format!("credentials are made and revoked at {url}"))?;
    }
    output.line(&format!(
        "dlt finds the credentials by itself if the source is named {}",
        spec.default_name()
    ))?;
    for variant in spec.variants {
        output.line(&format!("{}: needs {}", variant.title, variant.needs.join(", ")))?;
    }
    output.line("")?;
    let rows: Vec<Vec<String>> = spec
        .fields
        .iter()
        .map(|field| {
            let need = if spec.is_common(field) && field.required { "required" } else { "" };
            let secret = if field.secret { "secret" } else { "" };
            vec![
                field.name.to_owned(),
                secret.to_owned(),
                need.to_owned(),
                stored_in(spec, field),
                field.help.to_owned(),
            ]
        })
        .collect();
    output.table(&["FIELD", "", "", "STORED IN", "WHAT IT IS"], &rows)
}

fn describe(spec: &'static TypeSpec) -> Type {
    Type {
        name: spec.name,
        title: spec.title,
        category: spec.category.title(),
        auth: spec.auth.as_str(),
        default_name: spec.default_name(),
        credentials_url: spec.credentials_url,
        fields: spec.fields.iter().map(|field| describe_field(spec, field)).collect(),
        variants: spec
            .variants
            .iter()
            .map(|variant| Way {
                name: variant.name,
                title: variant.title,
                needs: variant.needs,
                takes: variant.takes,
            })
            .collect(),
    }
}

fn describe_field(spec: &'static TypeSpec, field: &'static FieldSpec) -> Field {
    Field {
        name: field.name,
        label: field.label,
        help: field.help,
        kind: field.kind.as_str(),
        secret: field.secret,
        required: field.required,
        stored_in: stored_in(spec, field),
    }
}

/// Where a field of a source with the suggested name is stored.
fn stored_in(spec: &TypeSpec, field: &FieldSpec) -> String {
    let name = spec.default_name().parse().ok();
    name.and_then(|name| spec.path(&name, field))
        .map_or_else(|| "sources.yml".to_owned(), |path| path.to_string())
}
