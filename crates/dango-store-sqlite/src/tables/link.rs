//! Identities at other providers.

use async_trait::async_trait;
use dango_identity::{ExternalIdentity, InsertLink, Link, LinkPermit, LinkStore, RemoveLink, StoreError, User, UserId};
use dango_store::StoreFailure;

use super::user::{user, user_columns};
use crate::column::Columns;
use crate::connection::{Row, query};
use crate::transaction::SqliteTransaction;

fn link(row: &Row<'_>) -> Result<Link, StoreFailure> {
    let columns = &mut Columns::of(row);
    Ok(Link {
        user: columns.id(UserId::from_bytes)?,
        identity: ExternalIdentity::new(columns.text()?, columns.text()?).map_err(StoreFailure::damaged)?,
        linked_at: columns.time()?,
    })
}

impl SqliteTransaction<'_> {
    fn add_link(&mut self, link: &Link) -> Result<InsertLink, StoreFailure> {
        let sql = "INSERT INTO links (issuer, subject, user_id, linked_at) SELECT ?1, ?2, ?3, ?4 \
                   WHERE EXISTS (SELECT 1 FROM users WHERE id = ?3) ON CONFLICT DO NOTHING";
        let insert = query(sql)
            .bind(link.identity.issuer().to_owned())
            .bind(link.identity.subject().to_owned())
            .bind(link.user.as_bytes().to_vec())
            .bind(link.linked_at.unix_micros());
        if self.changed(insert)? {
            return Ok(InsertLink::Inserted);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?3), (SELECT user_id = ?3 FROM links WHERE issuer = ?1 AND subject = ?2)";
        let why = query(sql)
            .bind(link.identity.issuer().to_owned())
            .bind(link.identity.subject().to_owned())
            .bind(link.user.as_bytes().to_vec());
        let why = self.one(why, |row| {
            let columns = &mut Columns::of(row);
            Ok((columns.flag()?, columns.optional_integer()?))
        })?;
        Ok(match why {
            Some((true, Some(1))) => InsertLink::Inserted,
            Some((true, Some(_))) => InsertLink::IdentityTaken,
            Some((true, None)) => InsertLink::IssuerTaken,
            _ => InsertLink::NotFound,
        })
    }
}

/// Finds the issuer of the oldest login of the user `?1` at another provider, as [`LinkStore::links_of`] has it first.
pub(crate) const FIND_FIRST_ISSUER: &str = "SELECT issuer FROM links WHERE user_id = ?1 ORDER BY linked_at, issuer LIMIT 1";

#[async_trait]
impl LinkStore for SqliteTransaction<'_> {
    async fn find_linked(&mut self, identity: &ExternalIdentity) -> Result<Option<User>, StoreError> {
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            " FROM links JOIN users ON users.id = user_id WHERE issuer = ?1 AND subject = ?2"
        );
        let find = query(sql).bind(identity.issuer().to_owned()).bind(identity.subject().to_owned());
        Ok(self.one(find, user)?)
    }

    async fn links_of(&mut self, user: UserId) -> Result<Vec<Link>, StoreError> {
        let sql = "SELECT user_id, issuer, subject, linked_at FROM links WHERE user_id = ?1 ORDER BY linked_at, issuer";
        Ok(self.all(query(sql).bind(user.as_bytes().to_vec()), link)?)
    }

    async fn insert_link(&mut self, permit: &LinkPermit) -> Result<InsertLink, StoreError> {
        Ok(self.add_link(permit.link())?)
    }

    async fn insert_first_link(&mut self, link: &Link) -> Result<InsertLink, StoreError> {
        let sql = "SELECT 1 FROM links WHERE user_id = ?1 AND NOT (issuer = ?2 AND subject = ?3) LIMIT 1";
        let other = query(sql)
            .bind(link.user.as_bytes().to_vec())
            .bind(link.identity.issuer().to_owned())
            .bind(link.identity.subject().to_owned());
        if self.one(other, |_| Ok(()))?.is_some() {
            return Ok(InsertLink::IssuerTaken);
        }
        Ok(self.add_link(link)?)
    }

    async fn remove_link(&mut self, user: UserId, issuer: &str) -> Result<RemoveLink, StoreError> {
        let sql = "DELETE FROM links WHERE user_id = ?1 AND issuer = ?2 AND (EXISTS (SELECT 1 FROM passwords WHERE user_id = ?1) \
                   OR EXISTS (SELECT 1 FROM links AS other WHERE other.user_id = ?1 AND other.issuer <> ?2))";
        if self.changed(query(sql).bind(user.as_bytes().to_vec()).bind(issuer.to_owned()))? {
            return Ok(RemoveLink::Removed);
        }
        let sql = "SELECT 1 FROM links WHERE user_id = ?1 AND issuer = ?2";
        let left = self.one(query(sql).bind(user.as_bytes().to_vec()).bind(issuer.to_owned()), |_| Ok(()))?;
        Ok(if left.is_some() {
            RemoveLink::LastFactor
        } else {
            RemoveLink::NotFound
        })
    }
}
