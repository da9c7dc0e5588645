//! The server from its start to its end: everything built in an order in which what can be refused is refused first, signals obeyed.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use dango_actions::SecretsDesk;
use dango_files::KeySource;
use dango_secrets::project::Project;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::{self, Served};
use crate::checkpoints::{Keeper, Kept};
use crate::failure::{Failure, chain};
use crate::house::{self, Entry, HASHING_QUEUE, House};
use crate::notify::Notifier;
use crate::origin::Origin;
use crate::readiness::Readiness;
use crate::request_metrics::Skew;
use crate::retention::{Sweeper, Swept};
use crate::serve::{Certificate, Door, DoorPlan, Traffic, bind};
use crate::settings::Settings;
use crate::shared_files::{self, Sharing, Values};
use crate::system::System;
use crate::traces::Collector;
use crate::workers::Hashers;
use crate::{operations, process, setup_link};

/// The most threads for work that blocks and is neither hashing nor the database.
const BLOCKING_THREADS: usize = 16;

/// How often connections are looked at: often enough for tokens that are renewed five minutes before their end.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// How a server ended that had begun to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Everything that was in flight was answered.
    Well,
    /// Somebody was in a hurry, or the time was over.
    Early,
}

/// Serves until it is told to end.
pub(crate) fn run(mut system: System, settings: Settings, project: Project) -> Result<Ended, Failure> {
    process::allow_many_files();
    let threads = cores();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.get())
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("dango-server")
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the threads of the server cannot be started: {error}")))?;
    let ended = runtime.block_on(async {
        // From here on a signal is obeyed in its turn, and kills nothing half-way.
        let signals = Signals::new().map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
        let running = Running::start(&mut system, settings, project).await?;
        running.until(signals).await
    });
    // Whatever is still running has had its time.
    runtime.shutdown_background();
    ended
}

/// As many as the machine gives this process.
pub(crate) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

struct Running {
    doors: Vec<JoinHandle<usize>>,
    ending: watch::Sender<bool>,
    certificate: Option<Certificate>,
    readiness: Readiness,
    notifier: Notifier,
    settings: Arc<Settings>,
    desk: SecretsDesk,
    renewals: JoinHandle<()>,
    traces: Option<Collector>,
    _keeper: Keeper,
    _sweeper: Sweeper,
}

impl Running {
    async fn start(system: &mut System, settings: Settings, project: Project) -> Result<Self, Failure> {
        let settings = Arc::new(settings);
        let certificate = settings.tls.as_ref().map(Certificate::read).transpose()?;
        let acceptor = certificate.as_ref().map(Certificate::acceptor).transpose();
        let acceptor = acceptor.map_err(|error| Failure::caused_by(&error).at("TLS"))?;
        let mut sockets = std::mem::take(&mut system.sockets).into_iter();
        let listener = listen(settings.listen, sockets.next())?;
        let operations = settings
            .operations_listen
            .map(|address| listen(address, sockets.next()))
            .transpose()?;
        let origin = Origin {
            configured: settings.public_url.clone(),
            listen: listener.local_addr().map_err(|error| cannot_listen(settings.listen, &error))?,
            is_tls: certificate.is_some(),
        };
        let traces = Collector::start(system, &settings)?;
        // Nothing was made up to here.
        let hashers = Hashers::start(cores(), HASHING_QUEUE)
            .map_err(|error| Failure::new(format!("the threads that hash cannot be started: {error}")))?;
        let house = House::open(system, &settings, &project, &origin, hashers, Entry::Checked)?;
        system.clock = Arc::clone(&house.clock);
        let keys = Arc::new(KeySource::new(app::key_access(system)?));
        let sharing = Sharing {
            rows: house.shared.as_ref().map(|shared| Arc::clone(&shared.rows)),
            keys: Arc::clone(&keys),
            clock: Arc::clone(&system.clock),
            entropy: Arc::clone(&system.entropy),
        };
        let (project, values) = shared_files::settle(project, sharing)?;
        let database = house.database.name(&house.premises);
        match (house.database.is_file(), values) {
            (true, _) => {}
            (false, Values::InRows) => tracing::info!("people, sessions, the log and, sealed, the project's values are in {database}"),
            (false, Values::InFiles) => tracing::info!(
                "people, sessions and the log are in {database}; .env and secrets are in this server's files, so each server has its own, until `dango vault move --to postgres`"
            ),
        }
        let renewed = house.standing.renew(&house.actions, &house.premises, &*system.entropy).await;
        if let Err(error) = renewed {
            tracing::error!("the audit log has no new checkpoint: {}", chain(&error));
        }
        let readiness = Readiness::new(
            house.store,
            Arc::clone(&house.premises),
            house.key,
            project.clone(),
            house.place.clone(),
        );
        let keeper = Keeper::start(Kept {
            actions: house.actions.clone(),
            premises: Arc::clone(&house.premises),
            place: house.place,
            premises_after_move: house::on_postgres(house::premises(system, &settings, &project)?, &project),
            readiness: readiness.clone(),
            clock: Arc::clone(&system.clock),
            entropy: Arc::clone(&system.entropy),
        })
        .map_err(|error| Failure::new(format!("the thread that keeps checkpoints cannot be started: {error}")))?;
        let mut holder = [0; 16];
        system.entropy.fill(&mut holder).map_err(|error| Failure::caused_by(&error))?;
        let mut registry = Registry::with_prefix("dango");
        if let Some(shared) = &house.shared {
            registry.register_collector(Box::new(Skew(Arc::clone(&shared.clock))));
        }
        let traffic = Traffic::default();
        traffic.register(&mut registry);
        let Served { router, desk, renewals } = app::build(
            system,
            &app::House {
                actions: &house.actions,
                premises: &house.premises,
                project: &project,
                keys,
                waits_for_values: house.shared.is_some(),
                settings: &settings,
                origin: &origin,
                readiness: &readiness,
                traces: traces.as_ref(),
            },
            &mut registry,
        )?;
        let plan = |router, tls, traffic| DoorPlan {
            router,
            tls,
            limits: settings.limits,
            trusted_proxies: settings.trusted_proxies.clone(),
            traffic,
            entropy: Arc::clone(&system.entropy),
        };
        // Whoever reads that it listens finds everything begun.
        setup_link::show(&house.actions, system).await?;
        let (ending, ends) = watch::channel(false);
        let mut doors = vec![tokio::spawn(
            Door::new(listener, plan(router, acceptor, traffic)).serve(ends.clone()),
        )];
        if let Some(listener) = operations {
            let address = listener.local_addr().map_err(|error| cannot_listen(settings.listen, &error))?;
            let router = operations::router(registry, readiness.clone());
            doors.push(tokio::spawn(
                Door::new(listener, plan(router, None, Traffic::default())).serve(ends),
            ));
            tracing::info!("operations on http://{address}");
            warn_of_strangers(address, "metrics and readiness are shown to whoever reaches this address");
        }
        let renewals = renewals.spawn(RENEWAL_INTERVAL, ending.subscribe());
        let sweeper = Sweeper::start(Swept {
            actions: house.actions.clone(),
            clock: Arc::clone(&system.clock),
            rows: house.shared.as_ref().map(|shared| Arc::clone(&shared.rows) as _),
            holder,
            audit_days: settings.audit_retention_days,
        })
        .map_err(|error| Failure::new(format!("the thread that lets go of what has ended cannot be started: {error}")))?;
        tracing::info!("listening on {}://{}", origin.scheme(), origin.listen);
        if origin.configured.is_none() {
            warn_of_strangers(origin.listen, "without --public-url only clients on this machine are answered");
        }
        let notifier = Notifier::of(system);
        notifier.ready();
        Ok(Self {
            doors,
            ending,
            certificate,
            readiness,
            notifier,
            settings,
            desk,
            renewals,
            traces,
            _keeper: keeper,
            _sweeper: sweeper,
        })
    }

    /// Serves until a signal says otherwise, then lets everybody finish.
    async fn until(self, mut signals: Signals) -> Result<Ended, Failure> {
        let watch = self.notifier.clone();
        let watch = tokio::spawn(async move { watch.keep_watch().await });
        while let Asked::Reload = signals.next().await {
            self.renew_certificate();
        }
        tracing::info!(
            "ending: what is in flight is finished, at most for {} s",
            self.settings.limits.shutdown.as_secs()
        );
        self.notifier.stopping();
        self.readiness.end();
        // Nobody listens only where both doors have broken down.
        let _ = self.ending.send(true);
        let finished = async {
            for door in self.doors {
                let _ = door.await;
            }
            // A renewal that is under way has its tokens stored first.
            let _ = self.renewals.await;
        };
        let ended = tokio::select! {
            () = finished => Ended::Well,
            () = tokio::time::sleep(self.settings.limits.shutdown) => Ended::Early,
            () = signals.end() => Ended::Early,
        };
        watch.abort();
        // Changes of files that were handed over are made and recorded, whoever has stopped waiting for them.
        let desk = self.desk;
        let closed = tokio::task::spawn_blocking(move || desk.close());
        let _ = closed.await;
        if let Some(traces) = self.traces {
            traces.finish().await;
        }
        match ended {
            Ended::Well => tracing::info!("ended"),
            Ended::Early => tracing::warn!("ended before everything in flight was finished"),
        }
        Ok(ended)
    }

    fn renew_certificate(&self) {
        let Some(certificate) = &self.certificate else {
            tracing::info!("nothing to read again: this server has no certificate");
            return;
        };
        match certificate.renew() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!("the certificate stays as it was: {}", chain(&error)),
        }
    }
}

/// Listens where it is told, or on the socket that was opened for it.
fn listen(address: SocketAddr, opened: Option<std::net::TcpListener>) -> Result<TcpListener, Failure> {
    let listener = match opened {
        None => bind(address),
        Some(socket) => socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket)),
    };
    listener.map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("cannot listen on {address}: {error}"));
    match error.kind() {
        std::io::ErrorKind::AddrInUse => failure.hint("another program listens there; `--listen 127.0.0.1:0` takes any free port"),
        std::io::ErrorKind::PermissionDenied => failure.hint("ports below 1024 need a right that this user does not have"),
        _ => failure,
    }
}

fn warn_of_strangers(address: SocketAddr, what: &str) {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "{what}");
    }
}

enum Asked {
    Reload,
    End,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    /// Waits for a signal to end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
