//! `dango oauth SOURCE_TYPE`: a source connected to its provider, in a browser on this machine or elsewhere.

use clap::Args;
use dango_actions::{ChangeDraft, Ending};
use dango_audit::{Detail, Event, Target, TargetKind, Word};
use dango_connections::Places;
use dango_core::{ParseNameError, SourceName, SourceType};
use dango_oauth::{Providers, block_on};
use dango_secrets::document::SecretsDocument;
use dango_sources::catalogue;
use dango_vault::{Connection, Protection};

use super::fields::{Beside, BesideOptions};
use super::making::Making;
use super::stored::{endpoints_failure, providers, tell};
use super::view::ConnectionView;
use super::wait::Browsing;
use super::{client, provider};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::protection::ProtectionOptions;
use crate::recorded::recorded;
use crate::source::{Sources, parse_name, types};

#[derive(Args, Debug)]
pub(super) struct ConnectArguments {
    /// The source type to connect: google_sheets, google_analytics, google_ads, facebook_ads, shopify, github, hubspot, slack, notion,
    /// airtable, asana, zendesk, salesforce, or one that .dango/providers.toml describes
    #[arg(value_name = "SOURCE_TYPE")]
    source_type: Option<String>,
    /// The source's name [default: that of the only source of the type, else the type]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Open no browser: print the address, and take the answer from the browser or pasted
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    protection: ProtectionOptions,
    #[command(flatten)]
    fields: BesideOptions,
}

impl ConnectArguments {
    pub(super) fn is_given(&self) -> bool {
        let has_options = self.no_browser || self.fields.is_given() || self.protection.protection() != Protection::Habit;
        self.source_type.is_some() || self.name.is_some() || has_options
    }
}

/// Which source is to be connected, and how.
pub(super) struct Request<'a> {
    pub(super) source_type: SourceType,
    pub(super) name: SourceName,
    pub(super) browsing: Browsing,
    pub(super) protection: Protection,
    pub(super) fields: &'a BesideOptions,
}

pub(super) fn run(arguments: &ConnectArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let Some(text) = &arguments.source_type else {
        return Err(Failure::usage("missing: SOURCE_TYPE").hint("`dango oauth --help` lists the types that are connected here"));
    };
    let opened = Opened::find(global, output.host)?;
    let source_type = parse_type(text)?;
    let document = opened.secrets(output)?;
    let name = match &arguments.name {
        Some(name) => parse_name(name)?,
        None => choose_name(&source_type, &document, &opened, output)?,
    };
    let request = Request {
        source_type,
        name,
        browsing: if arguments.no_browser {
            Browsing::Elsewhere
        } else {
            Browsing::Here
        },
        protection: arguments.protection.protection(),
        fields: &arguments.fields,
    };
    connect(&request, &opened, global, output)
}

/// A type of the catalogue by any of its names, or one that a provider of the project's own may serve.
fn parse_type(text: &str) -> Result<SourceType, Failure> {
    let Ok(source_type) = text.parse::<SourceType>() else {
        return Err(unknown(text));
    };
    match catalogue().find(&source_type) {
        Some(spec) => spec.name.parse().map_err(|error: ParseNameError| Failure::caused_by(&error)),
        None => Ok(source_type),
    }
}

fn unknown(text: &str) -> Failure {
    let failure = types::find(text).err();
    failure
        .unwrap_or_else(|| Failure::usage("there is no source type of that name"))
        .hint("`dango oauth --help` lists those that are connected here")
}

/// The name of the only source or connection of a type, else the type.
fn choose_name(
    source_type: &SourceType,
    document: &SecretsDocument,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Result<SourceName, Failure> {
    let sources = Sources::read(opened, output)?;
    let configured = sources.file.sources().iter().filter(|source| source.source_type() == source_type);
    let mut names: Vec<String> = configured.map(|source| source.name().to_string()).collect();
    if names.is_empty() {
        let stored = Connection::list(document, output.host.clock.as_ref()).into_iter();
        names.extend(
            stored
                .filter(|stored| stored.source_type == source_type.as_str())
                .map(|stored| stored.name),
        );
    }
    match names.as_slice() {
        [] => parse_name(source_type.as_str()),
        [only] => parse_name(only),
        several => Err(
            Failure::usage(format!("there are several sources of that type: {}", several.join(", "))).hint("name one with `--name NAME`"),
        ),
    }
}

pub(super) fn connect(request: &Request<'_>, opened: &Opened, global: &Global, output: &mut Output<'_>) -> Outcome {
    let files = opened.connections(output.host);
    let providers = providers(&files)?;
    let (provider, source) = providers
        .for_source_type(&request.source_type)
        .ok_or_else(|| unsupported(&request.source_type, &providers))?;
    let name = request.name.as_str();
    let places = Places::new(name, provider, source);
    let document = opened.secrets(output)?;
    let stored = files.stored(name, &places, source).map_err(|error| opened.stored_failure(&error))?;
    let registered = files.registered_client(provider).map_err(|error| opened.stored_failure(&error))?;
    tell(&files, opened, output);
    let client = match registered {
        Some(client) => client,
        None => stored.client().ok_or_else(|| client::missing(provider))?,
    };
    // What is wrong with the environment is found out before somebody is asked.
    let (address, limit) = (provider::callback_url(output)?, provider::timeout(output)?);
    opened.require_key_for(request.protection)?;
    let beside = Beside::gather(request.fields, &places, &stored, output)?;
    let field = provider.host.as_ref().and_then(|host| host.field.as_deref());
    let given = field.and_then(|field| beside.value(field)).map(str::to_owned);
    let account = given.or_else(|| stored.account(provider, &places));
    let endpoints = files.endpoints(provider, account.as_deref());
    tell(&files, opened, output);
    let making = Making {
        endpoints: endpoints.map_err(|error| endpoints_failure(&error))?,
        before: Connection::find(&document, name, output.host.clock.as_ref()),
        yes: global.yes,
        request,
        provider,
        source,
        places: &places,
        client,
        address,
        limit,
        beside,
    };
    let draft = ChangeDraft::new(Event::OauthSourceConnected)
        .on(Target::new(TargetKind::Connection, &request.name))
        .with(Detail::Source, &request.name)
        .with(Detail::SourceType, &request.source_type);
    let change = |output: &mut Output<'_>| {
        let made = block_on(making.make(&files, opened, output));
        made.map_err(|error| Failure::refused(format!("cannot wait for the network: {error}")))?
    };
    let action = if making.before.is_some() { "updated" } else { "created" };
    let made = recorded(opened, vec![draft], output, change, |_| {
        vec![Ending::done().with(Detail::Action, Word::new(action))]
    })?;
    if output.json {
        return output.json(&ConnectionView::new(&made, output.host.clock.now()));
    }
    let account = made.account_info.as_ref().or(made.identifier.as_ref());
    let whose = account.map(|account| format!(" as {account}")).unwrap_or_default();
    output.say(format!("{}: connected to {}{whose}", made.name, provider.title));
    if Sources::read(opened, output)?.find(&request.name).is_err() && catalogue().find(&request.source_type).is_some() {
        let (source_type, name) = (&request.source_type, &request.name);
        output.hint(format!(
            "`dango source add {source_type} --name {name}` makes it a source that `dango sync` loads"
        ));
    }
    Ok(())
}

fn unsupported(source_type: &SourceType, providers: &Providers) -> Failure {
    if let Some(provider) = providers.find(source_type.as_str()) {
        let types: Vec<&str> = provider.sources.iter().map(|source| source.source_type.as_str()).collect();
        return Failure::usage(format!("{} is a provider, of which a source type is connected", provider.name))
            .hint(format!("it has: {}", types.join(", ")));
    }
    match catalogue().find(source_type) {
        Some(spec) => Failure::usage(format!("{} is not connected in a browser", spec.title))
            .with_code("unsupported")
            .hint(format!("`dango source add {}` stores its credentials", spec.name)),
        None => unknown(source_type.as_str()),
    }
}
