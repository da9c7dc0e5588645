//! The audit log: records, head, segments, personal data, and chains that were put away.

use std::ops::{ControlFlow, RangeInclusive};

use async_trait::async_trait;
use dango_audit::query::{ActorFilter, Filter, Intents, Order};
use dango_audit::retention::{SealedSegment, SegmentRow};
use dango_audit::{
    AuditStore, AuditStoreError, Digest, Erasure, HeadRow, Personal, PersonalFacts, PersonalRow, Row, SealedHead, Seq, StoredRecord,
    VisitPersonal, VisitRow,
};
use dango_core::Timestamp;
use dango_store::StoreFailure;

use crate::column::Columns;
use crate::connection::{self, query};
use crate::transaction::PostgresTransaction;

/// The columns that [`record`] lends.
macro_rules! record_columns {
    () => {
        "seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash"
    };
}

/// A page of records between two places: a condition that leads to them, the others beside it, and both orders.
macro_rules! page {
    ($condition:expr, $order:literal) => {
        (page!($condition, $order, "DESC"), page!($condition, $order, "ASC"))
    };
    ($condition:expr, $order:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            record_columns!(),
            " FROM audit WHERE ",
            $condition,
            " AND seq BETWEEN $4 AND $8 AND ($1 IS NULL OR at >= $1) AND ($2 IS NULL OR at <= $2) AND ($3 IS NULL OR event = $3) ",
            "AND ($7 OR outcome IS NOT NULL) ORDER BY ",
            $order,
            " ",
            $direction,
            " LIMIT $5"
        )
    };
}

/// That a record was made by the actor `$actor`.
macro_rules! by_actor {
    ($actor:literal) => {
        concat!(
            "(dango.json_member(actor, 'id') = ",
            $actor,
            " OR dango.json_member(actor, 'personal') IN (SELECT encode(id, 'hex') FROM audit_personal WHERE lower(label) = lower(",
            $actor,
            " COLLATE \"C\")))"
        )
    };
}

/// Records of so many are all read and sorted. Where there are more, the next ones are met sooner by reading every record.
const FEW: i64 = 2_000;

/// How many rows are read at a time where all are.
const PORTION: u32 = 2_000;

/// How many records go at a time where many do, so that no statement takes long.
const PRUNED_AT_A_TIME: i64 = 20_000;

/// Lends a record's columns. What cannot be read is lent empty: a verification then finds it.
fn record<'r>(row: &connection::Row<'r>) -> Row<'r> {
    Row {
        seq: integer(row, 0),
        at: integer(row, 1),
        event: text(row, 2),
        actor: text(row, 3),
        target: row.text_at(4).unwrap_or(Some("")),
        outcome: row.text_at(5).unwrap_or(Some("")),
        origin: text(row, 6),
        request_id: row.text_at(7).unwrap_or(Some("")),
        details: text(row, 8),
        prev_hash: blob(row, 9),
        hash: blob(row, 10),
    }
}

/// Lends the columns `id, subject, label, ip, user_agent, salt`.
fn personal<'r>(row: &connection::Row<'r>) -> PersonalRow<'r> {
    PersonalRow {
        id: blob(row, 0),
        subject: text(row, 1),
        label: row.text_at(2).unwrap_or(Some("")),
        ip: row.text_at(3).unwrap_or(Some("")),
        user_agent: row.text_at(4).unwrap_or(Some("")),
        salt: blob(row, 5),
    }
}

fn head(row: &connection::Row<'_>) -> SealedHead {
    SealedHead::from_row(HeadRow {
        seq: integer(row, 0),
        hash: blob(row, 1),
        count: integer(row, 2),
        frontier: blob(row, 3),
        tag: blob(row, 4),
    })
}

fn segment(row: &connection::Row<'_>) -> SealedSegment {
    SealedSegment::from_row(SegmentRow {
        first_seq: integer(row, 0),
        last_seq: integer(row, 1),
        first_at: integer(row, 2),
        last_at: integer(row, 3),
        hash: blob(row, 4),
        frontier: blob(row, 5),
        tag: blob(row, 6),
    })
}

fn integer(row: &connection::Row<'_>, at: usize) -> i64 {
    row.integer_at(at).ok().flatten().unwrap_or_default()
}

fn text<'r>(row: &connection::Row<'r>, at: usize) -> &'r str {
    row.text_at(at).ok().flatten().unwrap_or_default()
}

fn blob<'r>(row: &connection::Row<'r>, at: usize) -> &'r [u8] {
    row.blob_at(at).ok().flatten().unwrap_or_default()
}

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
    /// Between which places a page begins and ends. However far into the log it is, nothing before it is read.
    async fn places(&mut self, filter: &Filter) -> Result<RangeInclusive<i64>, StoreFailure> {
        let all = i64::MIN..=i64::MAX;
        if let Some(cursor) = filter.cursor.map(|cursor| cursor.seq().as_column()) {
            return Ok(match filter.order {
                Order::NewestFirst => i64::MIN..=cursor.saturating_sub(1),
                Order::OldestFirst => cursor.saturating_add(1)..=i64::MAX,
            });
        }
        if filter.since.is_none() && filter.until.is_none() {
            return Ok(all);
        }
        // Records stand nearly in the order of time, but clocks are put back.
        let sql = "SELECT min(seq), max(seq) FROM audit WHERE at BETWEEN $1 AND $2";
        let find = query(sql)
            .bind(filter.since.map_or(i64::MIN, Timestamp::unix_micros))
            .bind(filter.until.map_or(i64::MAX, Timestamp::unix_micros));
        let found = self
            .one(find, |row| {
                let columns = &mut Columns::of(row);
                Ok(columns.optional_integer()?.zip(columns.optional_integer()?))
            })
            .await;
        let (first, last) = found?.flatten().unwrap_or((0, -1));
        Ok(first..=last)
    }

    async fn has_few(&mut self, actor: &ActorFilter) -> Result<bool, StoreFailure> {
        let sql = concat!(
            "SELECT count(*) <= $2 FROM (SELECT 1 FROM audit WHERE ",
            by_actor!("$1"),
            " LIMIT $2 + 1) AS found"
        );
        let count = query(sql).bind(actor.as_str().to_owned()).bind(FEW);
        Ok(self.one(count, |row| Columns::of(row).flag()).await? == Some(true))
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
        let (newest_first, oldest_first) = match &filter.actor {
            // Of a sum there is no index, so the records are found by their actor and then sorted.
            Some(actor) if self.has_few(actor).await? => page!(by_actor!("$6"), "seq + 0"),
            Some(_) => page!(by_actor!("$6"), "seq"),
            None if filter.event.is_some() => page!("event = $3", "seq"),
            None => page!("true", "seq"),
        };
        let sql = match filter.order {
            Order::NewestFirst => newest_first,
            Order::OldestFirst => oldest_first,
        };
        let page = query(sql)
            .bind(filter.since.map(Timestamp::unix_micros))
            .bind(filter.until.map(Timestamp::unix_micros))
            .bind(filter.event.map(dango_audit::Event::as_str))
            .bind(*places.start())
            .bind(limit)
            .bind(filter.actor.as_ref().map(|actor| actor.as_str().to_owned()))
            .bind(filter.intents == Intents::Included)
            .bind(*places.end());
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
            Erasure::Label(label) => query("DELETE FROM audit_personal WHERE label = $1").bind(label.as_str().to_owned()),
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
        let sql =
            "INSERT INTO audit_segments (first_seq, last_seq, first_at, last_at, hash, frontier, tag) VALUES ($1, $2, $3, $4, $5, $6, $7)";
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
