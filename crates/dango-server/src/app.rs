//! What is served: the one place where the frame meets the HTTP interface and the project's files.

use std::sync::Arc;

use axum::Router;
use dango_actions::{Actions, ConnectionDesk, LoginProviders, Premises, ProjectFiles, ProjectValues, SecretsDesk, ValuesDesk};
use dango_api::{Machine, NotReady, Parts, Site};
use dango_core::{Clock, Entropy};
use dango_files::{KeyAccess, KeySource, VaultFiles};
use dango_oauth::{Http, HttpClient};
use dango_secrets::project::Project;
use dango_store::BoxFuture;
use prometheus_client::registry::Registry;

use crate::failure::Failure;
use crate::origin::Origin;
use crate::providers::{Desk, DeskParts, Logins, ProviderConnections, RenewalCounts, Renewals};
use crate::readiness::Readiness;
use crate::request_metrics::RequestMetrics;
use crate::settings::Settings;
use crate::shared_files::Aside;
use crate::system::System;
use crate::traces::{Collector, as_traces};

/// How many changes of the project's files wait for their turn; the rest is sent away.
const DESK_QUEUE: usize = 1024;

/// Everything that the interface needs of the house.
pub(crate) struct House<'a> {
    pub(crate) actions: &'a Actions,
    pub(crate) premises: &'a Arc<Premises>,
    pub(crate) project: &'a Project,
    pub(crate) keys: Arc<KeySource>,
    /// Whether the values may be where one has to wait for them.
    pub(crate) waits_for_values: bool,
    pub(crate) settings: &'a Settings,
    pub(crate) origin: &'a Origin,
    pub(crate) readiness: &'a Readiness,
    pub(crate) traces: Option<&'a Collector>,
}

/// What was built: the router, the desk that has to be closed once nobody asks any more, and what keeps connections alive meanwhile.
pub(crate) struct Served {
    pub(crate) router: Router,
    pub(crate) desk: SecretsDesk,
    pub(crate) renewals: Renewals,
}

/// Builds the router, and registers what it counts.
pub(crate) fn build(system: &System, house: &House<'_>, registry: &mut Registry) -> Result<Served, Failure> {
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::clone(&system.clock), Arc::clone(&system.entropy));
    let keys = Arc::clone(&house.keys);
    let files = VaultFiles::new(house.project.clone(), Arc::clone(&keys), Arc::clone(&entropy), Arc::clone(&clock));
    let files = Arc::new(files);
    let values: Arc<dyn ProjectValues> = Arc::clone(&files) as _;
    let files: Arc<dyn ProjectFiles> = match house.waits_for_values {
        true => Arc::new(Aside::new(files)),
        false => files,
    };
    let desk = SecretsDesk::open(house.actions.clone(), Arc::clone(&files), DESK_QUEUE)
        .map_err(|error| Failure::new(format!("the thread that changes the project's files cannot be started: {error}")))?;
    let http: Arc<dyn Http> = Arc::new(HttpClient::new());
    let logins = Logins::of(system, &house.settings.logins, Arc::clone(&http))?;
    let connected = Arc::new(Desk::new(DeskParts {
        project: house.project.clone(),
        keys,
        environment: system.environment.clone(),
        http,
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
    }));
    let connections = Arc::new(ProviderConnections::new(Arc::clone(&connected)));
    let counts = RenewalCounts::default();
    counts.register(registry);
    let parts = Parts {
        actions: house.actions.clone(),
        secrets: desk.clone(),
        values: ValuesDesk::new(house.actions.clone(), values),
        connections: Some(ConnectionDesk::new(house.actions.clone(), files, connections)),
        logins: logins.map(|logins| Arc::new(logins) as Arc<dyn LoginProviders>),
        site: site(house.origin),
        trusted_proxies: house.settings.trusted_proxies.clone(),
        limits: house.settings.request_limits,
        machine: Arc::new(ThisMachine {
            readiness: house.readiness.clone(),
            premises: Arc::clone(house.premises),
        }),
        traces: as_traces(house.traces),
        clock,
        entropy,
    };
    let app = dango_api::App::new(parts).map_err(|error| Failure::caused_by(&error))?;
    RequestMetrics::register(app.clone(), registry);
    Ok(Served {
        router: dango_api::router(app),
        desk,
        renewals: Renewals::new(connected, house.actions.clone(), counts),
    })
}

fn site(origin: &Origin) -> Site {
    match &origin.configured {
        Some(url) => Site::Public(url.clone()),
        None => Site::Loopback {
            port: origin.listen.port(),
            tls: origin.is_tls,
        },
    }
}

/// What the environment says of the project's encryption key.
pub(crate) fn key_access(system: &System) -> Result<KeyAccess, Failure> {
    Ok(KeyAccess {
        key: system.secret_variable("DANGO_KEY")?,
        key_file: system.variable("DANGO_KEY_FILE").map(|path| system.directory.join(path)),
        has_bus: system
            .variable("DBUS_SESSION_BUS_ADDRESS")
            .is_some_and(|address| !address.is_empty()),
        passphrase: system.secret_variable("DANGO_PASSPHRASE")?,
    })
}

/// What only this machine knows.
struct ThisMachine {
    readiness: Readiness,
    premises: Arc<Premises>,
}

impl Machine for ThisMachine {
    fn check_readiness(&self) -> BoxFuture<'_, Result<(), NotReady>> {
        Box::pin(async {
            self.readiness.check().await.map_err(|reason| NotReady {
                what: reason.code(),
                source: reason.into(),
            })
        })
    }

    fn checkpoints(&self) -> Result<String, NotReady> {
        let kept = self.premises.kept_checkpoint().map_err(|error| NotReady {
            what: "checkpoint",
            source: error.into(),
        })?;
        Ok(kept.map(|kept| kept.note).unwrap_or_default())
    }
}
