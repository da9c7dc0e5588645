//! The audit log: records, head, segments, personal data, and chains that were put away.

mod rows;

use std::ops::{ControlFlow, RangeInclusive};

use async_trait::async_trait;
use dango_audit::query::{Filter, Intents, Order};
use dango_audit::retention::SealedSegment;
use dango_audit::{
    AuditStore, AuditStoreError, Digest, Erasure, Personal, PersonalFacts, SealedHead, Seq, StoredRecord, VisitPersonal, VisitRow,
};
use dango_core::Timestamp;
use dango_store::StoreFailure;

use crate::column::Columns;
use crate::connection::query;
use crate::transaction::PostgresTransaction;
use rows::{blob, head, integer, personal, record, segment};

/// The columns that [`rows::record`] lends.
macro_rules! record_columns {
    () => {
        "seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash"
    };
}

/// What a page asks for beside its order and whose records they are.
macro_rules! wanted {
    () => {
        "($1 IS NULL OR at >= $1) AND ($2 IS NULL OR at <= $2) AND ($3 IS NULL OR event BETWEEN $3 AND $3) AND ($7 OR outcome IS NOT NULL)"
    };
}

/// The records of which `$key` is `$value`, from the last of the page's places to the first or the other way round.
///
/// The conditions and the order are those of one index, key and place together. Said as an equation, the database may read every record
/// there is in order of places instead, and hope to meet the wanted ones soon.
macro_rules! found_by {
    ($columns:expr, $key:literal, $value:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM audit WHERE (",
            $key,
            ", seq) >= (",
            $value,
            ", $4) AND (",
            $key,
            ", seq) <= (",
            $value,
            ", $6) AND ",
            wanted!(),
            " ORDER BY ",
            $key,
            " ",
            $direction,
            ", seq ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// A page of records of whoever made them, whatever they are.
macro_rules! page {
    ($direction:literal) => {
        concat!(
            "SELECT ",
            record_columns!(),
            " FROM audit WHERE seq BETWEEN $4 AND $6 AND ",
            wanted!(),
            " ORDER BY seq ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// A page of records of the actor `$8`, an id or a label. One label stands in many entries of personal data: each has its own records in an
/// index, in order, and of each no more are read than a page holds.
macro_rules! page_of_actor {
    ($direction:literal) => {
        concat!(
            "SELECT ",
            record_columns!(),
            " FROM audit WHERE seq IN (SELECT seq FROM ((",
            found_by!("seq", "dango.json_member(actor, 'id')", "$8", $direction),
            ") UNION (SELECT found.seq FROM audit_personal CROSS JOIN LATERAL (",
            found_by!(
                "seq",
                "dango.json_member(actor, 'personal')",
                "encode(audit_personal.id, 'hex')",
                $direction
            ),
            ") AS found WHERE lower(label) = lower($8 COLLATE \"C\"))) AS found ORDER BY seq ",
            $direction,
            " LIMIT $5) ORDER BY seq ",
            $direction
        )
    };
}

/// By how much a record's time may be before that of an earlier one, in microseconds, without being noted (`audit_set_back`).
const SET_BACK: i64 = 10_000_000;

/// How many rows are read at a time where all are.
const PORTION: u32 = 2_000;

/// How many records go at a time where many do, so that no statement takes long.
const PRUNED_AT_A_TIME: i64 = 20_000;

fn all_of(ids: &[Digest]) -> Vec<Vec<u8>> {
    ids.iter().map(|id| id.as_bytes().to_vec()).collect()
}

impl PostgresTransaction<'_> {
    async fn put_head(&mut self, head: &SealedHead) -> Result<(), StoreFailure> {
        let sql = "INSERT INTO audit_head (one, seq, hash, count, frontier, tag) VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (one) DO UPDATE \
                   SET seq = excluded.seq, hash = excluded.hash, count = excluded.count, frontier = excluded.frontier, tag = excluded.tag";
        let put = head.with_row(|row| {
            query(sql)
                .bind(row.seq)
                .bind(row.hash.to_vec())
                .bind(row.count)
                .bind(row.frontier.to_vec())
                .bind(row.tag.to_vec())
        });
        self.change(put).await?;
        Ok(())
    }
}

impl PostgresTransaction<'_> {
    /// Between which places a page begins and ends. However far into the log it is, nothing before it or behind it is read.
    async fn places(&mut self, filter: &Filter) -> Result<RangeInclusive<i64>, StoreFailure> {
        let (mut first, mut last) = self.places_of_time(filter.since, filter.until).await?;
        if let Some(cursor) = filter.cursor.map(|cursor| cursor.seq().as_column()) {
            match filter.order {
                Order::NewestFirst => last = last.min(cursor.saturating_sub(1)),
                Order::OldestFirst => first = first.max(cursor.saturating_add(1)),
            }
        }
        Ok(first..=last)
    }

    /// Between which places all records of a span of time are, with few others.
    ///
    /// Records stand in the order of time but for those of a clock that was put back. One that is not noted as such is at most [`SET_BACK`]
    /// before any earlier one. So behind the last one that is by so much too early there is none that is not; and behind one that is by so much
    /// too late, only noted ones are not.
    async fn places_of_time(&mut self, since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(i64, i64), StoreFailure> {
        if since.is_none() && until.is_none() {
            return Ok((i64::MIN, i64::MAX));
        }
        let sql = "SELECT \
                   (SELECT seq FROM audit WHERE at < $1 - $3 AND NOT EXISTS (SELECT 1 FROM audit_set_back AS noted WHERE noted.seq = audit.seq) \
                   ORDER BY at DESC LIMIT 1), \
                   (SELECT seq FROM audit WHERE at > $2 + $3 AND NOT EXISTS (SELECT 1 FROM audit_set_back AS noted WHERE noted.seq = audit.seq) \
                   ORDER BY at LIMIT 1), \
                   (SELECT max(seq) FROM audit_set_back WHERE at <= $2)";
        // Beyond what can be added to, there is no time.
        let within = |time: Timestamp| time.unix_micros().clamp(i64::MIN + SET_BACK, i64::MAX - SET_BACK);
        let find = query(sql).bind(since.map(within)).bind(until.map(within)).bind(SET_BACK);
        let found = self
            .one(find, |row| {
                let columns = &mut Columns::of(row);
                Ok((
                    columns.optional_integer()?,
                    columns.optional_integer()?,
                    columns.optional_integer()?,
                ))
            })
            .await?;
        let (too_early, too_late, noted) = found.unwrap_or_default();
        let first = too_early.map_or(i64::MIN, |seq| seq.saturating_add(1));
        let last = too_late.map_or(i64::MAX, |seq| seq.max(noted.unwrap_or(i64::MIN)));
        Ok((first, last))
    }
}

#[async_trait]
impl AuditStore for PostgresTransaction<'_> {
    async fn head(&mut self) -> Result<Option<SealedHead>, AuditStoreError> {
        let sql = "SELECT seq, hash, count, frontier, tag FROM audit_head WHERE one = 1";
        Ok(self.one(query(sql), |row| Ok(head(row))).await?)
    }

    async fn insert(&mut self, record: &StoredRecord, head: &SealedHead) -> Result<(), AuditStoreError> {
        let row = record.row();
        let sql = "INSERT INTO audit (seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let insert = query(sql)
            .bind(row.seq)
            .bind(row.at)
            .bind(row.event.to_owned())
            .bind(row.actor.to_owned())
            .bind(row.target.map(str::to_owned))
            .bind(row.outcome.map(str::to_owned))
            .bind(row.origin.to_owned())
            .bind(row.request_id.map(str::to_owned))
            .bind(row.details.to_owned())
            .bind(row.prev_hash.to_vec())
            .bind(row.hash.to_vec());
        self.change(insert).await?;
        Ok(self.put_head(head).await?)
    }

    async fn find_personal(&mut self, facts: &PersonalFacts) -> Result<Option<Digest>, AuditStoreError> {
        let sql = "SELECT id FROM audit_personal WHERE lookup = $1";
        let find = query(sql).bind(facts.lookup_key().as_bytes().to_vec());
        let found = self.one(find, |row| Columns::of(row).bytes()).await?;
        Ok(found.map(Digest::from_bytes))
    }

    async fn insert_personal(&mut self, personal: &Personal) -> Result<(), AuditStoreError> {
        let row = personal.row();
        let sql = "INSERT INTO audit_personal (id, lookup, subject, label, ip, user_agent, salt) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let insert = query(sql)
            .bind(row.id.to_vec())
            .bind(personal.facts().lookup_key().as_bytes().to_vec())
            .bind(row.subject.to_owned())
            .bind(row.label.map(str::to_owned))
            .bind(row.ip.map(str::to_owned))
            .bind(row.user_agent.map(str::to_owned))
            .bind(row.salt.to_vec());
        self.change(insert).await?;
        Ok(())
    }

    async fn page(&mut self, filter: &Filter, limit: u32, visit: VisitRow<'_>) -> Result<(), AuditStoreError> {
        let places = self.places(filter).await?;
        let sql = match (&filter.actor, filter.event, filter.order) {
            (Some(_), _, Order::NewestFirst) => page_of_actor!("DESC"),
            (Some(_), _, Order::OldestFirst) => page_of_actor!("ASC"),
            (None, Some(_), Order::NewestFirst) => found_by!(record_columns!(), "event", "$3", "DESC"),
            (None, Some(_), Order::OldestFirst) => found_by!(record_columns!(), "event", "$3", "ASC"),
            (None, None, Order::NewestFirst) => page!("DESC"),
            (None, None, Order::OldestFirst) => page!("ASC"),
        };
        let page = query(sql)
            .bind(filter.since.map(Timestamp::unix_micros))
            .bind(filter.until.map(Timestamp::unix_micros))
            .bind(filter.event.map(dango_audit::Event::as_str))
            .bind(*places.start())
            .bind(limit)
            .bind(*places.end())
            .bind(filter.intents == Intents::Included);
        let page = match &filter.actor {
            Some(actor) => page.bind(actor.as_str().to_owned()),
            None => page,
        };
        Ok(self.each(page, |row| visit(&record(row))).await.map(drop)?)
    }

    async fn scan(&mut self, after: Option<Seq>, visit: VisitRow<'_>) -> Result<(), AuditStoreError> {
        let sql = concat!("SELECT ", record_columns!(), " FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        let mut last = after.map_or(i64::MIN, Seq::as_column);
        loop {
            let lent = self.each(query(sql).bind(last).bind(PORTION), |row| {
                last = integer(row, 0);
                visit(&record(row))
            });
            let (lent, flow) = lent.await?;
            if flow.is_break() || lent < PORTION as usize {
                return Ok(());
            }
        }
    }

    async fn personal(&mut self, ids: &[Digest], visit: VisitPersonal<'_>) -> Result<(), AuditStoreError> {
        let sql = "SELECT id, subject, label, ip, user_agent, salt FROM audit_personal WHERE id = ANY ($1)";
        let each = self.each(query(sql).bind(all_of(ids)), |row| {
            visit(personal(row));
            ControlFlow::Continue(())
        });
        Ok(each.await.map(drop)?)
    }

    async fn all_personal(&mut self, visit: VisitPersonal<'_>) -> Result<(), AuditStoreError> {
        let sql = "SELECT id, subject, label, ip, user_agent, salt FROM audit_personal WHERE id > $1 ORDER BY id LIMIT $2";
        let mut last = Vec::new();
        loop {
            let lent = self.each(query(sql).bind(last.clone()).bind(PORTION), |row| {
                last = blob(row, 0).to_vec();
                visit(personal(row));
                ControlFlow::Continue(())
            });
            if lent.await?.0 < PORTION as usize {
                return Ok(());
            }
        }
    }

    async fn erase(&mut self, erasure: &Erasure) -> Result<u64, AuditStoreError> {
        let erase = match erasure {
            Erasure::Subject(subject) => query("DELETE FROM audit_personal WHERE subject = $1").bind(subject.as_str().to_owned()),
            Erasure::Label(label) => query("DELETE FROM audit_personal WHERE lower(label) = lower($1 COLLATE \"C\") AND label = $1")
                .bind(label.as_str().to_owned()),
        };
        Ok(self.change(erase).await?)
    }

    async fn delete_personal(&mut self, ids: &[Digest]) -> Result<(), AuditStoreError> {
        self.change(query("DELETE FROM audit_personal WHERE id = ANY ($1)").bind(all_of(ids)))
            .await?;
        Ok(())
    }

    async fn segment(&mut self) -> Result<Option<SealedSegment>, AuditStoreError> {
        let sql = "SELECT first_seq, last_seq, first_at, last_at, hash, frontier, tag FROM audit_segments ORDER BY last_seq DESC LIMIT 1";
        Ok(self.one(query(sql), |row| Ok(segment(row))).await?)
    }

    async fn prune(&mut self, segment: &SealedSegment, head: &SealedHead) -> Result<(), AuditStoreError> {
        let sql = "SELECT dango.audit_seal($1, $2, $3, $4, $5, $6, $7)";
        let insert = segment.with_row(|row| {
            query(sql)
                .bind(row.first_seq)
                .bind(row.last_seq)
                .bind(row.first_at)
                .bind(row.last_at)
                .bind(row.hash.to_vec())
                .bind(row.frontier.to_vec())
                .bind(row.tag.to_vec())
        });
        self.change(insert).await?;
        // Only now may they go: the owner's function lets go of what a segment stands for, and of nothing else.
        loop {
            let prune = query("SELECT dango.audit_prune($1, $2)")
                .bind(segment.last_seq().as_column())
                .bind(PRUNED_AT_A_TIME);
            let gone = self.one(prune, |row| Columns::of(row).integer()).await?;
            if gone < Some(PRUNED_AT_A_TIME) {
                break;
            }
        }
        Ok(self.put_head(head).await?)
    }

    async fn retire(&mut self) -> Result<u64, AuditStoreError> {
        let retire = self.one(query("SELECT dango.audit_retire()"), |row| Columns::of(row).number());
        Ok(retire.await?.unwrap_or(0))
    }
}
