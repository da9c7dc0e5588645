//! The audit log: records, head, segments, personal data, and chains that were put away.

use std::ops::ControlFlow;

use async_trait::async_trait;
use dango_audit::query::{Filter, Intents, Order};
use dango_audit::retention::{SealedSegment, SegmentRow};
use dango_audit::{
    AuditStore, AuditStoreError, Digest, Erasure, HeadRow, Personal, PersonalFacts, PersonalRow, Row, SealedHead, Seq, StoredRecord,
    VisitPersonal, VisitRow,
};
use dango_core::Timestamp;
use dango_store::StoreFailure;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, query};

use crate::column::Columns;
use crate::transaction::SqliteTransaction;

/// The columns that [`record`] lends.
macro_rules! record_columns {
    () => {
        "seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash"
    };
}

/// A page of records: one condition that has an index, the others beside it, and an order.
macro_rules! page {
    ($driver:literal, $behind:literal, $order:literal) => {
        concat!(
            "SELECT ",
            record_columns!(),
            " FROM audit WHERE ",
            $driver,
            " AND (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR at <= ?2) AND (?3 IS NULL OR event = ?3) AND (?4 IS NULL OR ",
            $behind,
            ") AND (?7 OR outcome IS NOT NULL) ORDER BY seq ",
            $order,
            " LIMIT ?5"
        )
    };
    ($driver:literal) => {
        (page!($driver, "seq < ?4", "DESC"), page!($driver, "seq > ?4", "ASC"))
    };
}

/// Lends a record's columns. What cannot be read is lent empty: a verification then finds it.
fn record(row: &SqliteRow) -> Row<'_> {
    Row {
        seq: row.try_get(0).unwrap_or_default(),
        at: row.try_get(1).unwrap_or_default(),
        event: row.try_get(2).unwrap_or_default(),
        actor: row.try_get(3).unwrap_or_default(),
        target: row.try_get(4).unwrap_or(Some("")),
        outcome: row.try_get(5).unwrap_or(Some("")),
        origin: row.try_get(6).unwrap_or_default(),
        request_id: row.try_get(7).unwrap_or(Some("")),
        details: row.try_get(8).unwrap_or_default(),
        prev_hash: row.try_get(9).unwrap_or_default(),
        hash: row.try_get(10).unwrap_or_default(),
    }
}

/// Lends the columns `id, subject, label, ip, user_agent, salt`.
fn personal(row: &SqliteRow) -> PersonalRow<'_> {
    PersonalRow {
        id: row.try_get(0).unwrap_or_default(),
        subject: row.try_get(1).unwrap_or_default(),
        label: row.try_get(2).unwrap_or(Some("")),
        ip: row.try_get(3).unwrap_or(Some("")),
        user_agent: row.try_get(4).unwrap_or(Some("")),
        salt: row.try_get(5).unwrap_or_default(),
    }
}

fn head(row: &SqliteRow) -> SealedHead {
    SealedHead::from_row(HeadRow {
        seq: row.try_get(0).unwrap_or_default(),
        hash: row.try_get(1).unwrap_or_default(),
        count: row.try_get(2).unwrap_or_default(),
        frontier: row.try_get(3).unwrap_or_default(),
        tag: row.try_get(4).unwrap_or_default(),
    })
}

fn segment(row: &SqliteRow) -> SealedSegment {
    SealedSegment::from_row(SegmentRow {
        first_seq: row.try_get(0).unwrap_or_default(),
        last_seq: row.try_get(1).unwrap_or_default(),
        first_at: row.try_get(2).unwrap_or_default(),
        last_at: row.try_get(3).unwrap_or_default(),
        hash: row.try_get(4).unwrap_or_default(),
        frontier: row.try_get(5).unwrap_or_default(),
        tag: row.try_get(6).unwrap_or_default(),
    })
}

impl SqliteTransaction<'_> {
    async fn put_head(&mut self, head: &SealedHead) -> Result<(), StoreFailure> {
        let sql = "INSERT INTO audit_head (one, seq, hash, count, frontier, tag) VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (one) DO UPDATE \
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

#[async_trait]
impl AuditStore for SqliteTransaction<'_> {
    async fn head(&mut self) -> Result<Option<SealedHead>, AuditStoreError> {
        let sql = "SELECT seq, hash, count, frontier, tag FROM audit_head WHERE one = 1";
        Ok(self.one(query(sql), |row| Ok(head(row))).await?)
    }

    async fn insert(&mut self, record: &StoredRecord, head: &SealedHead) -> Result<(), AuditStoreError> {
        let row = record.row();
        let sql = "INSERT INTO audit (seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
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
        let sql = "SELECT id FROM audit_personal WHERE lookup = ?1";
        let find = query(sql).bind(facts.lookup_key().as_bytes().to_vec());
        let found = self.one(find, |row| Columns::of(row).bytes()).await?;
        Ok(found.map(Digest::from_bytes))
    }

    async fn insert_personal(&mut self, personal: &Personal) -> Result<(), AuditStoreError> {
        let row = personal.row();
        let sql = "INSERT INTO audit_personal (id, lookup, subject, label, ip, user_agent, salt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
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
        let (newest_first, oldest_first) = if filter.actor.is_some() {
            page!(
                "(iif(json_valid(actor), actor ->> '$.id', NULL) = ?6 OR iif(json_valid(actor), actor ->> '$.personal', NULL) IN (
                  SELECT lower(hex(id)) FROM audit_personal WHERE label = ?6 COLLATE NOCASE))"
            )
        } else if filter.event.is_some() {
            page!("event = ?3")
        } else if filter.since.is_some() || filter.until.is_some() {
            page!("at BETWEEN coalesce(?1, -9223372036854775808) AND coalesce(?2, 9223372036854775807)")
        } else {
            page!("TRUE")
        };
        let sql = match filter.order {
            Order::NewestFirst => newest_first,
            Order::OldestFirst => oldest_first,
        };
        let page = query(sql)
            .bind(filter.since.map(Timestamp::unix_micros))
            .bind(filter.until.map(Timestamp::unix_micros))
            .bind(filter.event.map(dango_audit::Event::as_str))
            .bind(filter.cursor.map(|cursor| cursor.seq().as_column()))
            .bind(limit)
            .bind(filter.actor.as_ref().map(|actor| actor.as_str().to_owned()))
            .bind(filter.intents == Intents::Included);
        Ok(self.each(page, |row| visit(&record(row))).await?)
    }

    async fn scan(&mut self, after: Option<Seq>, visit: VisitRow<'_>) -> Result<(), AuditStoreError> {
        let scan = match after {
            Some(after) => {
                let sql = concat!("SELECT ", record_columns!(), " FROM audit WHERE seq > ?1 ORDER BY seq");
                query(sql).bind(after.as_column())
            }
            None => query(concat!("SELECT ", record_columns!(), " FROM audit ORDER BY seq")),
        };
        Ok(self.each(scan, |row| visit(&record(row))).await?)
    }

    async fn personal(&mut self, ids: &[Digest], visit: VisitPersonal<'_>) -> Result<(), AuditStoreError> {
        for id in ids {
            let sql = "SELECT id, subject, label, ip, user_agent, salt FROM audit_personal WHERE id = ?1";
            let find = query(sql).bind(id.as_bytes().to_vec());
            self.one(find, |row| {
                visit(personal(row));
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn all_personal(&mut self, visit: VisitPersonal<'_>) -> Result<(), AuditStoreError> {
        let sql = "SELECT id, subject, label, ip, user_agent, salt FROM audit_personal";
        let each = self.each(query(sql), |row| {
            visit(personal(row));
            ControlFlow::Continue(())
        });
        Ok(each.await?)
    }

    async fn erase(&mut self, erasure: &Erasure) -> Result<u64, AuditStoreError> {
        let erase = match erasure {
            Erasure::Subject(subject) => query("DELETE FROM audit_personal WHERE subject = ?1").bind(subject.as_str().to_owned()),
            Erasure::Label(label) => query("DELETE FROM audit_personal WHERE label = ?1").bind(label.as_str().to_owned()),
        };
        Ok(self.change(erase).await?)
    }

    async fn delete_personal(&mut self, ids: &[Digest]) -> Result<(), AuditStoreError> {
        for id in ids {
            let sql = "DELETE FROM audit_personal WHERE id = ?1";
            self.change(query(sql).bind(id.as_bytes().to_vec())).await?;
        }
        Ok(())
    }

    async fn segment(&mut self) -> Result<Option<SealedSegment>, AuditStoreError> {
        let sql = "SELECT first_seq, last_seq, first_at, last_at, hash, frontier, tag FROM audit_segments ORDER BY last_seq DESC LIMIT 1";
        Ok(self.one(query(sql), |row| Ok(segment(row))).await?)
    }

    async fn prune(&mut self, segment: &SealedSegment, head: &SealedHead) -> Result<(), AuditStoreError> {
        let sql =
            "INSERT INTO audit_segments (first_seq, last_seq, first_at, last_at, hash, frontier, tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
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
        // Only now may they go: the trigger lets go of what a segment stands for.
        let sql = "DELETE FROM audit WHERE seq <= ?1";
        self.change(query(sql).bind(segment.last_seq().as_column())).await?;
        Ok(self.put_head(head).await?)
    }

    async fn retire(&mut self) -> Result<u64, AuditStoreError> {
        let sql = "SELECT 1 + max( \
                   coalesce((SELECT max(chain) FROM audit_retired), 0), \
                   coalesce((SELECT max(chain) FROM audit_retired_heads), 0), \
                   coalesce((SELECT max(chain) FROM audit_retired_segments), 0))";
        let chain = self.one(query(sql), |row| Columns::of(row).integer()).await?.unwrap_or(1);
        let copies = [
            "INSERT INTO audit_retired_segments (chain, last_seq, first_seq, first_at, last_at, hash, frontier, tag) \
             SELECT ?1, last_seq, first_seq, first_at, last_at, hash, frontier, tag FROM audit_segments",
            "INSERT INTO audit_retired_heads (chain, seq, hash, count, frontier, tag) \
             SELECT ?1, seq, hash, count, frontier, tag FROM audit_head",
            "INSERT INTO audit_retired (chain, seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash) \
             SELECT ?1, seq, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash FROM audit",
        ];
        let mut retired = 0;
        for sql in copies {
            retired = self.change(query(sql).bind(chain)).await?;
        }
        // Only now may they go: the triggers let go of what was put away.
        for sql in ["DELETE FROM audit", "DELETE FROM audit_head", "DELETE FROM audit_segments"] {
            self.change(query(sql)).await?;
        }
        Ok(retired)
    }
}
