//! The log on standard error: lines for a person or for a machine, of our own crates only.
//!
//! # Security
//!
//! Other crates' events are left out whatever the level: HTTP/2 writes the headers of requests into its own. What our crates write has
//! no request's headers, body or query in it, and a control character in it cannot begin another line or move a terminal's cursor.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as lines};

use crate::failure::one_line;
use crate::settings::LogFormat;

/// What the names of our crates begin with.
const OURS: &str = "dango";

/// Begins to log. A second call in one process changes nothing.
pub(crate) fn start(format: LogFormat, level: LevelFilter) {
    let ours = Targets::new().with_default(LevelFilter::OFF).with_target(OURS, level);
    let to_standard_error = lines::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Json => to_standard_error.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Human => to_standard_error.event_format(Line).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(ours)).try_init();
}

/// One event as a line for a person: time, level, message, fields.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        SystemTime.format_time(&mut writer)?;
        let level = event.metadata().level();
        writeln!(writer, " {level:>5} {}", one_line(&format!("{}{}", fields.message, fields.others)))
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write as _;
        // A string takes what is written into it.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}
