//! The steps that both stores are told: what to do, and small numbers that say with what.

use std::ops::RangeInclusive;

use dango_core::Timestamp;
use dango_identity::{Role, UserId};
use proptest::prelude::*;

use super::super::sample::{at, user_id};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    RollBack,
}

/// A step: what to do, and small numbers that say with what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) verb: Verb,
    /// Which user.
    pub(super) who: u32,
    /// Which session, key, factor, password, …
    pub(super) what: u32,
    /// A number of seconds.
    pub(super) when: i64,
    /// Which of two or four ways.
    pub(super) how: u32,
}

impl Step {
    pub(super) fn user(self) -> UserId {
        user_id(self.who)
    }

    pub(super) fn now(self) -> Timestamp {
        at(self.when)
    }

    pub(super) fn role(self) -> Role {
        [Role::Admin, Role::Editor, Role::Viewer][self.how as usize % 3]
    }
}

macro_rules! verbs {
    ($($verb:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub(super) enum Verb { $($verb),* }

        const VERBS: &[Verb] = &[$(Verb::$verb),*];
    };
}

verbs! {
    InsertUser, InviteUser, FindUser, FindByEmail, Candidate, CompleteLogin, UpgradePassword, ChangeRole, Deactivate, Reactivate, Delete, ChangeEmail,
    ChangePassword, ResetPassword, ReplaceInvite, FindInvited, AcceptInvite, OfferClaim, IsClaimOpen, UseClaim, Charge, ChargeAndRefund,
    Clear, Unlock, FindLock, Locks, PurgeAttempts, InsertFirstLink, FindLinked, RemoveLink, InsertFlow, TakeFlow, InsertSession, InsertStaleSession, FindSession,
    Rotate, Touch, ChargeSession, EndSession, EndSessionOf, EndExcept, EndOf, EndAll, PurgeSessions, PutPending, PutActive, Confirm, Advance,
    Consume, ReplaceRecovery, RemoveFactors, ChargeFactor, RefundFactor, InsertKey, RotateKey, FindKey, KeyOf, TouchKey, RevokeKey,
    RevokeFamily, RevokeKeysOf, Record, List, Erase, Prune, BeginAnew,
}

/// The verbs of one store and what more of it is needed, or all: where few are mixed, more of them find something.
const GROUPS: &[(RangeInclusive<Verb>, &[Verb])] = &[
    (
        Verb::InsertUser..=Verb::UseClaim,
        &[
            Verb::InsertUser,
            Verb::InsertUser,
            Verb::InviteUser,
            Verb::CompleteLogin,
            Verb::CompleteLogin,
            Verb::ResetPassword,
        ],
    ),
    (Verb::Charge..=Verb::PurgeAttempts, &[Verb::Charge, Verb::Charge, Verb::Charge]),
    (Verb::InsertFlow..=Verb::TakeFlow, &[Verb::InsertFlow, Verb::InsertFlow]),
    (Verb::InsertFirstLink..=Verb::RemoveLink, &[Verb::InviteUser, Verb::Delete]),
    (
        Verb::InsertSession..=Verb::PurgeSessions,
        &[
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::InsertSession,
            Verb::Deactivate,
        ],
    ),
    (
        Verb::PutPending..=Verb::RefundFactor,
        &[
            Verb::PutPending,
            Verb::PutPending,
            Verb::Confirm,
            Verb::Confirm,
            Verb::ChargeFactor,
            Verb::ChargeFactor,
        ],
    ),
    (
        Verb::InsertKey..=Verb::RevokeKeysOf,
        &[Verb::InsertKey, Verb::InsertKey, Verb::InsertKey, Verb::RotateKey],
    ),
    (
        Verb::Record..=Verb::BeginAnew,
        &[Verb::Record, Verb::Record, Verb::Record, Verb::Record, Verb::List, Verb::List],
    ),
    (Verb::InsertUser..=Verb::BeginAnew, &[]),
];

pub(super) fn steps() -> impl Strategy<Value = Vec<(Vec<Step>, End)>> {
    let ends = prop_oneof![4 => Just(End::Commit), 1 => Just(End::RollBack)];
    let transactions = move |(range, more): (RangeInclusive<Verb>, &[Verb])| {
        let verbs = VERBS.iter().filter(|verb| range.contains(verb)).chain(more).copied().collect();
        prop::collection::vec((prop::collection::vec(step(verbs), 10..60), ends.clone()), 2..5)
    };
    prop::sample::select(GROUPS).prop_flat_map(transactions)
}

fn step(verbs: Vec<Verb>) -> impl Strategy<Value = Step> {
    let times = prop::sample::select(vec![0, 1, 599, 600, 3599, 3600, 90_000, 200_000]);
    (prop::sample::select(verbs), 0_u32..4, 0_u32..8, times, 0_u32..4).prop_map(|(verb, who, what, when, how)| Step {
        verb,
        who,
        what,
        when,
        how,
    })
}

/// Two administrators and a viewer with sessions, so that most steps find something.
pub(super) fn beginning() -> Vec<Step> {
    let step = |verb, who, how| Step {
        verb,
        who,
        what: who,
        when: 0,
        how,
    };
    vec![
        step(Verb::InsertUser, 0, 0),
        step(Verb::InsertUser, 1, 0),
        step(Verb::InsertUser, 2, 2),
        step(Verb::InsertSession, 0, 0),
        step(Verb::InsertSession, 2, 0),
        step(Verb::PutActive, 1, 0),
        step(Verb::InsertKey, 1, 0),
    ]
}
