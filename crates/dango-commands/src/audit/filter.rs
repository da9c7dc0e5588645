//! Which records are asked for, as options say it.

use clap::Args;
use dango_audit::Event;
use dango_audit::query::{ActorFilter, Bound, Filter, Order, parse_bound};
use dango_core::Timestamp;

use crate::failure::Failure;

#[derive(Args, Debug)]
pub(crate) struct FilterArguments {
    /// Only from then on: a time, a date in UTC, or how long ago, as in 2026-11-21 or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only until then; a date includes its whole day
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this event, as in user_created
    #[arg(long = "type", value_name = "EVENT")]
    event: Option<String>,
    /// Only what this actor did: an e-mail address, a login name or an id
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
}

impl FilterArguments {
    /// What they stand for in the query of a server, which reads them as this program does.
    pub(crate) fn query(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("since", &self.since),
            ("until", &self.until),
            ("type", &self.event),
            ("actor", &self.actor),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)))
    }

    /// What they stand for at this moment.
    pub(super) fn filter(&self, order: Order, now: Timestamp) -> Result<Filter, Failure> {
        let time = |option: &str, text: &Option<String>, bound| {
            let at = text.as_deref().map(|text| parse_bound(text, bound, now)).transpose();
            at.map_err(|error| Failure::usage(format!("{option}: {error}")))
        };
        Ok(Filter {
            since: time("--since", &self.since, Bound::Since)?,
            until: time("--until", &self.until, Bound::Until)?,
            event: self.event.as_deref().map(event).transpose()?,
            actor: self.actor.as_deref().map(ActorFilter::new),
            order,
            ..Filter::default()
        })
    }
}

fn event(name: &str) -> Result<Event, Failure> {
    name.parse().map_err(|_| {
        let names: Vec<&str> = Event::ALL.iter().map(|event| event.as_str()).collect();
        Failure::usage("--type: there is no such event").hint(format!("the events are {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_event_is_answered_with_all_there_are() {
        let failure = event("user_creatd").expect_err("refused");
        assert!(failure.hints[0].contains("user_created") && failure.hints[0].contains("secret_set"));
        assert!(event("user_created").is_ok());
    }
}
