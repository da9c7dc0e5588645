//! `dango oauth setup`: an app that the user registered at a provider, stored in `.env` and in the copies that dlt reads.

use clap::Args;
use dango_audit::Event;
use dango_connections::{Places, client_copies, client_variables, provider_of};
use dango_core::{CredentialPath, SecretValue};
use dango_oauth::{Provider, Providers};
use dango_secrets::References;
use dango_secrets::document::{NewValue, SecretsDocument};
use dango_vault::{Connection, EnvChange, EnvEdit, Protection};
use serde::Serialize;

use super::provider;
use super::stored::{providers, tell};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::input::SecretInput;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{all_done, credential, recorded, variable};

#[derive(Args, Debug)]
pub(super) struct SetupArguments {
    /// The provider: google, facebook, github, shopify, hubspot, slack, notion, airtable, asana, zendesk, salesforce, or one that
    /// .dango/providers.toml describes
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// The client id (app id) [default: asked for on a terminal]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    #[command(flatten)]
    input: SecretInput,
}

#[derive(Serialize)]
struct Done {
    provider: String,
    variables: [String; 2],
    redirect_uri: String,
    copies: Vec<String>,
}

pub(super) fn run(arguments: &SetupArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let files = opened.connections(output.host);
    let providers = providers(&files)?;
    let provider = providers.find(&arguments.provider).ok_or_else(|| unknown(&providers))?;
    let redirect_uri = provider::redirect_uri(&provider::callback_url(output)?);
    explain(provider, &redirect_uri, output);
    let before = files.registered_client(provider);
    tell(&files, &opened, output);
    let before = before.map_err(|error| opened.stored_failure(&error))?;
    let id = ask_id(arguments, before.as_ref().map(|client| client.id.as_str()), output)?;
    let [id_variable, secret_variable] = client_variables(provider).map_err(|error| Failure::caused_by(&error))?;
    let secret = arguments.input.read(&format!("client secret ({secret_variable})"), output)?;
    let secret = trimmed(&secret)?;
    if secret.expose().is_empty() {
        return Err(Failure::refused("the client secret is empty; nothing was changed"));
    }
    let document = opened.secrets(output)?;
    let copied = stored_copies(provider, &providers, &document, output);
    let mut values = Vec::new();
    for [id_path, secret_path] in &copied {
        values.push((id_path.clone(), text(&id)));
        values.push((secret_path.clone(), text(&secret)));
    }
    let mut drafts = vec![
        variable(Event::OauthSetup, id_variable.as_str()),
        variable(Event::OauthSetup, secret_variable.as_str()),
    ];
    drafts.extend(values.iter().map(|(path, _)| credential(Event::SecretSet, path)));
    let number = drafts.len();
    let by = output.host.user.clone();
    let change = |_: &mut Output<'_>| {
        let set = [(&id_variable, &id), (&secret_variable, &secret)];
        let changes = set.map(|(key, value)| EnvChange {
            edit: EnvEdit::Set { key, value },
            by: &by,
        });
        let answers = opened.vault().change_env(&changes).map_err(|error| opened.vault_failure(&error))?;
        for answer in answers {
            answer.map_err(|error| opened.vault_failure(&error))?;
        }
        if !values.is_empty() {
            let set = opened.vault().set_secrets(&values, Protection::Habit);
            set.map_err(|error| opened.vault_failure(&error))?;
        }
        Ok(())
    };
    recorded(&opened, drafts, output, change, all_done(number))?;
    let is_another = before.is_some_and(|before| before.id != id.expose());
    if is_another && !copied.is_empty() {
        output.warn("tokens belong to the app that they were made with: connect the sources of the app before again");
    }
    if output.json {
        return output.json(&Done {
            provider: provider.name.clone(),
            variables: [id_variable.to_string(), secret_variable.to_string()],
            redirect_uri,
            copies: values.iter().map(|(path, _)| path.to_string()).collect(),
        });
    }
    output.say(format!("{id_variable} and {secret_variable} are stored in .env"));
    for (path, _) in &values {
        output.say(format!("{path}: updated"));
    }
    if let Some(source) = provider.sources.first() {
        output.hint(format!("connect a source with `dango oauth {}`", source.source_type));
    }
    Ok(())
}

fn unknown(providers: &Providers) -> Failure {
    let names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    Failure::usage(format!("there is no provider of that name; there are: {}", names.join(", ")))
}

/// What is to be registered at the provider.
fn explain(provider: &Provider, redirect_uri: &str, output: &mut Output<'_>) {
    if let Some(console) = &provider.console {
        output.say(format!("register an app of your own at {console}"));
    }
    output.say("its redirect URI, exactly:");
    output.say(redirect_uri);
    match provider.name.as_str() {
        "google" => {
            output.say("an app of the type \"Desktop app\" needs none; one in Testing loses its connections after 7 days, so publish it");
            output.say("switch on there what you load from: Google Sheets API, Google Analytics Data API or Google Ads API");
        }
        // https://developers.facebook.com/blog/post/2018/06/08/enforce-https-facebook-login/
        "facebook" if !redirect_uri.starts_with("http://localhost") => {
            output.say("Facebook takes `http:` only with the name localhost and while the app is in development; for that, run this and");
            output.say("`dango oauth facebook_ads` with DANGO_OAUTH_CALLBACK_URL=http://localhost:8080/callback");
        }
        _ => {}
    }
}

fn ask_id(arguments: &SetupArguments, before: Option<&str>, output: &Output<'_>) -> Result<SecretValue, Failure> {
    let typed = match &arguments.client_id {
        Some(id) => id.clone(),
        None if output.host.terminal.input => prompt::text("client id:", before, Some("from the provider's page; no secret"))?,
        None => {
            return Err(
                Failure::usage("missing: --client-id ID").hint("the secret comes from standard input, `--from-file` or `--from-env`")
            );
        }
    };
    let id = typed.trim();
    if id.is_empty() {
        return Err(Failure::refused("the client id is empty; nothing was changed"));
    }
    SecretValue::new(id.to_owned()).map_err(|error| Failure::caused_by(&error))
}

/// Without the white space that comes along when something is copied from a page.
fn trimmed(secret: &SecretValue) -> Result<SecretValue, Failure> {
    SecretValue::new(secret.expose().trim().to_owned()).map_err(|error| Failure::caused_by(&error))
}

/// The places of the copies that are stored beside sources of this provider.
fn stored_copies(provider: &Provider, providers: &Providers, document: &SecretsDocument, output: &Output<'_>) -> Vec<[CredentialPath; 2]> {
    let mut found = Vec::new();
    for connection in Connection::list(document, output.host.clock.as_ref()) {
        let Some((served, source)) = provider_of(providers, &connection) else {
            continue;
        };
        if served.name != provider.name || !source.client {
            continue;
        }
        let places = Places::new(&connection.name, served, source);
        let pair = client_copies(|field| places.path(field));
        if pair.iter().any(|path| document.value(path).is_some()) {
            found.push(pair);
        }
    }
    found
}

fn text(value: &SecretValue) -> NewValue {
    NewValue::String {
        text: value.clone(),
        references: References::Literal,
    }
}
