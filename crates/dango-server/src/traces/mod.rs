//! Traces for OpenTelemetry, if somebody collects them: a span for each request, sent in batches by OTLP over HTTP. What a span may hold
//! the HTTP interface says; nothing is built where nothing is configured.

mod courier;
mod endpoint;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dango_api::{Exchange, TraceParent};
use http::Uri;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::failure::Failure;
use crate::settings::Settings;
use crate::system::System;
use courier::Courier;
pub(crate) use endpoint::parse_base;

/// What the server calls itself, where the environment calls it nothing else.
const SERVICE: &str = "dango-server";

/// How long the last spans may take at the end.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// Whoever collects traces. Clones share one queue; what does not fit into it is lost, and holds up nobody.
#[derive(Clone)]
pub(crate) struct Collector {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Collector {
    /// Begins to collect, where the settings or OpenTelemetry's own variables say for whom. It has to be called in the runtime.
    pub(crate) fn start(system: &System, settings: &Settings) -> Result<Option<Self>, Failure> {
        let Some(url) = destination(system, settings)? else {
            return Ok(None);
        };
        let cannot = |error: &dyn std::fmt::Display| Failure::new(format!("traces cannot be sent: {error}"));
        let courier = Courier::new(&url).map_err(|error| cannot(&error))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(courier)
            .with_endpoint(url.to_string())
            .with_protocol(Protocol::HttpBinary)
            .build()
            .map_err(|error| cannot(&error))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(system))
            .build();
        let host = url.authority().map(|authority| authority.as_str()).unwrap_or_default();
        tracing::info!("traces go to {host}");
        let tracer = provider.tracer(SERVICE);
        Ok(Some(Self { provider, tracer }))
    }

    /// Sends what is left, at most for a while. Nothing is collected afterwards.
    pub(crate) async fn finish(self) {
        let finished = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_SPANS));
        if !matches!(tokio::time::timeout(LAST_SPANS, finished).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

/// Where traces go, if anywhere.
pub(crate) fn destination(system: &System, settings: &Settings) -> Result<Option<Uri>, Failure> {
    endpoint::resolve(settings.otlp_endpoint.as_deref(), system)
}

/// Who the spans are of. What the environment says of it comes first (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`).
fn resource(system: &System) -> Resource {
    let is_named = system.variable("OTEL_SERVICE_NAME").is_some()
        || system
            .variable("OTEL_RESOURCE_ATTRIBUTES")
            .is_some_and(|attributes| attributes.to_string_lossy().contains("service.name="));
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    match is_named {
        true => resource.build(),
        false => resource.with_service_name(SERVICE).build(),
    }
}

impl dango_api::Traces for Collector {
    fn record(&self, exchange: &Exchange<'_>) {
        let began = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(exchange.began.unix_micros()).unwrap_or(0));
        let span = SpanBuilder::from_name(name(exchange))
            .with_kind(SpanKind::Server)
            .with_start_time(began)
            .with_attributes(attributes(exchange));
        let mut span = self.tracer.build_with_context(span, &parent(exchange.parent));
        if exchange.status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(began + exchange.took);
    }
}

/// As the semantic conventions of OpenTelemetry name a span of a server.
fn name(exchange: &Exchange<'_>) -> String {
    let method = match exchange.method {
        "_OTHER" => "HTTP",
        method => method,
    };
    match exchange.route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    }
}

fn attributes(exchange: &Exchange<'_>) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("http.request.method", exchange.method),
        KeyValue::new("url.scheme", exchange.scheme),
        KeyValue::new("http.response.status_code", i64::from(exchange.status)),
        KeyValue::new("dango.request_id", exchange.request_id.to_owned()),
    ];
    attributes.extend(exchange.route.map(|route| KeyValue::new("http.route", route)));
    attributes.extend(exchange.operation.map(|operation| KeyValue::new("dango.operation", operation)));
    if exchange.status >= 500 {
        attributes.push(KeyValue::new("error.type", exchange.status.to_string()));
    }
    attributes
}

fn parent(parent: Option<TraceParent>) -> Context {
    let Some(parent) = parent else { return Context::new() };
    let flags = if parent.is_sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::NOT_SAMPLED
    };
    let (trace, part) = (TraceId::from_bytes(parent.trace_id), SpanId::from_bytes(parent.parent_id));
    Context::new().with_remote_span_context(SpanContext::new(trace, part, flags, true, TraceState::NONE))
}

/// As the interface takes it.
pub(crate) fn as_traces(collector: Option<&Collector>) -> Option<Arc<dyn dango_api::Traces>> {
    collector.map(|collector| Arc::new(collector.clone()) as _)
}
