//! Steps on the audit log.

use dango_audit::query::{ActorFilter, Filter, Intents, Order, PageLimit};
use dango_audit::{Actor, Draft, Erasure, Event, Label, Outcome, Stage, log};

use super::super::sample::{Counting, chain_key, draft};
use super::Ended;
use super::step::{Step, Verb};
use crate::Transaction;

pub(super) async fn records(tx: &mut dyn Transaction, step: Step, entropy: &Counting) -> Result<String, Ended> {
    let key = chain_key();
    let label = format!("user{}@EXAMPLE.com", step.what % 5);
    Ok(match step.verb {
        Verb::Record => format!("{:?}", log::record(tx, &key, entropy, &draft(step.who, step.now())).await?),
        Verb::List => {
            let filter = Filter {
                since: (step.how == 1).then(|| step.now()),
                until: (step.how == 2).then(|| step.now()),
                actor: (step.how == 3).then(|| ActorFilter::new(&label)),
                order: if step.what.is_multiple_of(2) {
                    Order::NewestFirst
                } else {
                    Order::OldestFirst
                },
                intents: if step.who.is_multiple_of(2) {
                    Intents::Included
                } else {
                    Intents::LeftOut
                },
                ..Filter::default()
            };
            let limit = PageLimit::new(step.what + 1).unwrap_or_default();
            format!("{:?}", log::list(tx, &filter, limit).await?)
        }
        Verb::Erase => {
            let erasure = Erasure::Label(Label::new(&format!("User{}@example.com", step.who)));
            format!("{:?}", log::erase(tx, &key, entropy, &erasure, erased(step)).await?)
        }
        Verb::Prune => format!("{:?}", log::prune(tx, &key, step.now()).await?),
        _ => format!("{:?}", log::begin_anew(tx, &key, entropy, begun(step)).await?),
    })
}

fn erased(step: Step) -> Draft {
    let ended = Stage::Ended(Outcome::Success);
    Draft::new(step.now(), Event::PersonalDataErased, Actor::system(), ended)
}

fn begun(step: Step) -> Draft {
    let ended = Stage::Ended(Outcome::Success);
    Draft::new(step.now(), Event::AuditChainStarted, Actor::system(), ended)
}
