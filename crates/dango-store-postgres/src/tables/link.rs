//! Identities at other providers.

use async_trait::async_trait;
use dango_identity::{ExternalIdentity, InsertLink, Link, LinkPermit, LinkStore, RemoveLink, StoreError, User, UserId};
use dango_store::StoreFailure;

use super::user::{user, user_columns};
use crate::column::Columns;
use crate::connection::{Row, query};
use crate::transaction::PostgresTransaction;

fn link(row: &Row<'_>) -> Result<Link, StoreFailure> {
    let columns = &mut Columns::of(row);
    Ok(Link {
        user: columns.id(UserId::from_bytes)?,
        identity: ExternalIdentity::new(columns.text()?, columns.text()?).map_err(StoreFailure::damaged)?,
        linked_at: columns.time()?,
    })
}

impl PostgresTransaction<'_> {
    async fn add_link(&mut self, link: &Link) -> Result<InsertLink, StoreFailure> {
        let sql = "INSERT INTO links (issuer, subject, user_id, linked_at) SELECT $1, $2, $3, $4 \
                   WHERE EXISTS (SELECT 1 FROM users WHERE id = $3) ON CONFLICT DO NOTHING";
        let insert = query(sql)
            .bind(link.identity.issuer().to_owned())
            .bind(link.identity.subject().to_owned())
            .bind(link.user.as_bytes().to_vec())
            .bind(link.linked_at.unix_micros());
        if self.changed(insert).await? {
            return Ok(InsertLink::Inserted);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $3), (SELECT user_id = $3 FROM links WHERE issuer = $1 AND subject = $2)";
        let why = query(sql)
            .bind(link.identity.issuer().to_owned())
            .bind(link.identity.subject().to_owned())
            .bind(link.user.as_bytes().to_vec());
        let why = self
            .one(why, |row| {
                let columns = &mut Columns::of(row);
                Ok((columns.flag()?, columns.optional_flag()?))
            })
            .await?;
        Ok(match why {
            Some((true, Some(true))) => InsertLink::Inserted,
            Some((true, Some(false))) => InsertLink::IdentityTaken,
            Some((true, None)) => InsertLink::IssuerTaken,
            _ => InsertLink::NotFound,
        })
    }
}

#[async_trait]
impl LinkStore for PostgresTransaction<'_> {
    async fn find_linked(&mut self, identity: &ExternalIdentity) -> Result<Option<User>, StoreError> {
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            " FROM links JOIN users ON users.id = user_id WHERE issuer = $1 AND subject = $2"
        );
        let find = query(sql).bind(identity.issuer().to_owned()).bind(identity.subject().to_owned());
        Ok(self.one(find, user).await?)
    }

    async fn links_of(&mut self, user: UserId) -> Result<Vec<Link>, StoreError> {
        let sql = "SELECT user_id, issuer, subject, linked_at FROM links WHERE user_id = $1 ORDER BY linked_at, issuer";
        Ok(self.all(query(sql).bind(user.as_bytes().to_vec()), link).await?)
    }

    async fn insert_link(&mut self, permit: &LinkPermit) -> Result<InsertLink, StoreError> {
        Ok(self.add_link(permit.link()).await?)
    }

    async fn insert_first_link(&mut self, link: &Link) -> Result<InsertLink, StoreError> {
        let sql = "SELECT 1 FROM links WHERE user_id = $1 AND NOT (issuer = $2 AND subject = $3) LIMIT 1";
        let other = query(sql)
            .bind(link.user.as_bytes().to_vec())
            .bind(link.identity.issuer().to_owned())
            .bind(link.identity.subject().to_owned());
        if self.one(other, |_| Ok(())).await?.is_some() {
            return Ok(InsertLink::IssuerTaken);
        }
        Ok(self.add_link(link).await?)
    }

    async fn remove_link(&mut self, user: UserId, issuer: &str) -> Result<RemoveLink, StoreError> {
        let sql = "DELETE FROM links WHERE user_id = $1 AND issuer = $2 AND (EXISTS (SELECT 1 FROM passwords WHERE user_id = $1) \
                   OR EXISTS (SELECT 1 FROM links AS other WHERE other.user_id = $1 AND other.issuer <> $2))";
        if self
            .changed(query(sql).bind(user.as_bytes().to_vec()).bind(issuer.to_owned()))
            .await?
        {
            return Ok(RemoveLink::Removed);
        }
        let sql = "SELECT 1 FROM links WHERE user_id = $1 AND issuer = $2";
        let left = self
            .one(query(sql).bind(user.as_bytes().to_vec()).bind(issuer.to_owned()), |_| Ok(()))
            .await?;
        Ok(if left.is_some() {
            RemoveLink::LastFactor
        } else {
            RemoveLink::NotFound
        })
    }
}
