//! API keys.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    Administration, AllowList, ApiKeyId, ApiKeyName, ApiKeyPrefix, ApiKeyRecord, ApiKeyStore, ApiKeyUse, ApiKeyWrite, KeyScopes,
    Permission, PermissionSet, Retirement, StoreError, TokenDigest, UserId, kind,
};
use dango_store::StoreFailure;

use super::session::client;
use crate::column::Columns;
use crate::connection::{Row, query};
use crate::transaction::PostgresTransaction;

/// The columns that [`key`] reads.
macro_rules! key_columns {
    () => {
        "id, family_id, owner_id, name, prefix, digest, created_at, revoked_at, permissions, administers, allow_list, expires_at, \
         retiring_until, last_used_at, last_used_address, last_used_agent, mac"
    };
}

/// Finds the key with the digest `$1`.
const FIND_KEY: &str = concat!("SELECT ", key_columns!(), " FROM api_keys WHERE digest = $1");

/// Reads [`key_columns`].
fn key(row: &Row<'_>) -> Result<ApiKeyRecord, StoreFailure> {
    key_behind(row, 0)
}

/// Reads [`key_columns`] behind so many others.
///
/// As with sessions: what a key may do is either what was written, or nothing, with a code that cannot be right.
pub(crate) fn key_behind(row: &Row<'_>, others: usize) -> Result<ApiKeyRecord, StoreFailure> {
    let columns = &mut Columns::behind(row, others);
    let mut record = ApiKeyRecord {
        id: columns.id(ApiKeyId::from_bytes)?,
        family: columns.id(ApiKeyId::from_bytes)?,
        owner: columns.id(UserId::from_bytes)?,
        name: ApiKeyName::parse(columns.text()?).map_err(|_| columns.bad())?,
        prefix: ApiKeyPrefix::parse(columns.text()?).ok_or_else(|| columns.bad())?,
        digest: TokenDigest::from_bytes(columns.bytes()?),
        created_at: columns.time()?,
        revoked_at: columns.optional_time()?,
        scopes: KeyScopes {
            permissions: Some(PermissionSet::EMPTY),
            administration: Administration::Withheld,
        },
        allow_list: AllowList::default(),
        expires_at: None,
        retiring_until: None,
        last_used: None,
        mac: [0; 32],
    };
    if let Ok(rest) = rights(columns) {
        (record.scopes, record.allow_list, record.expires_at, record.retiring_until) =
            (rest.scopes, rest.allow_list, rest.expires_at, rest.retiring_until);
        (record.last_used, record.mac) = (rest.last_used, rest.mac);
    }
    Ok(record)
}

struct Rights {
    scopes: KeyScopes,
    allow_list: AllowList,
    expires_at: Option<Timestamp>,
    retiring_until: Option<Timestamp>,
    last_used: Option<ApiKeyUse>,
    mac: [u8; 32],
}

fn rights(columns: &mut Columns<'_>) -> Result<Rights, StoreFailure> {
    let permissions = columns.optional_text()?.map(permissions).transpose();
    let scopes = KeyScopes {
        permissions: permissions.map_err(StoreFailure::damaged)?,
        administration: if columns.flag()? {
            Administration::Granted
        } else {
            Administration::Withheld
        },
    };
    let networks = columns.text()?.split(',').filter(|network| !network.is_empty());
    let allow_list = AllowList::parse(networks).map_err(StoreFailure::damaged)?;
    let (expires_at, retiring_until, last_used_at) = (columns.optional_time()?, columns.optional_time()?, columns.optional_time()?);
    let client = client(columns)?;
    Ok(Rights {
        scopes,
        allow_list,
        expires_at,
        retiring_until,
        last_used: last_used_at.map(|at| ApiKeyUse { at, client }),
        mac: columns.bytes()?,
    })
}

fn permissions(text: &str) -> Result<PermissionSet, dango_identity::ParsePermissionError> {
    text.split(' ')
        .filter(|name| !name.is_empty())
        .map(str::parse::<Permission>)
        .collect()
}

impl PostgresTransaction<'_> {
    async fn add_key(&mut self, record: &ApiKeyRecord) -> Result<bool, StoreFailure> {
        // A key of an earlier version may begin like another.
        let sql = "INSERT INTO api_keys (id, family_id, owner_id, name, prefix, digest, permissions, administers, allow_list, created_at, \
                   expires_at, retiring_until, revoked_at, last_used_at, last_used_address, last_used_agent, mac) \
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 \
                   WHERE EXISTS (SELECT 1 FROM users WHERE users.id = $3) AND NOT (starts_with($5, 'dak_') AND EXISTS ( \
                   SELECT 1 FROM api_keys AS other WHERE other.owner_id = $3 AND other.prefix = $5 AND other.revoked_at IS NULL)) \
                   ON CONFLICT DO NOTHING";
        let names = |set: PermissionSet| set.iter().map(Permission::name).collect::<Vec<_>>().join(" ");
        let last_used = record.last_used.as_ref();
        let insert = query(sql)
            .bind(record.id.as_bytes().to_vec())
            .bind(record.family.as_bytes().to_vec())
            .bind(record.owner.as_bytes().to_vec())
            .bind(record.name.as_str().to_owned())
            .bind(record.prefix.as_str().to_owned())
            .bind(record.digest.as_bytes().to_vec())
            .bind(record.scopes.permissions.map(names))
            .bind(record.scopes.administration == Administration::Granted)
            .bind(record.allow_list.to_string())
            .bind(record.created_at.unix_micros())
            .bind(record.expires_at.map(Timestamp::unix_micros))
            .bind(record.retiring_until.map(Timestamp::unix_micros))
            .bind(record.revoked_at.map(Timestamp::unix_micros))
            .bind(last_used.map(|used| used.at.unix_micros()))
            .bind(last_used.and_then(|used| used.client.address).map(|address| address.to_string()))
            .bind(
                last_used
                    .and_then(|used| used.client.user_agent.as_ref())
                    .map(|agent| agent.as_str().to_owned()),
            )
            .bind(record.mac.to_vec());
        self.changed(insert).await
    }

    /// Revokes all keys of an owner that are not revoked; answers how many.
    pub(super) async fn revoke_keys_of(&mut self, owner: UserId, now: Timestamp) -> Result<u64, StoreFailure> {
        let sql = "UPDATE api_keys SET revoked_at = $2 WHERE owner_id = $1 AND revoked_at IS NULL";
        self.change(query(sql).bind(owner.as_bytes().to_vec()).bind(now.unix_micros()))
            .await
    }
}

#[async_trait]
impl ApiKeyStore for PostgresTransaction<'_> {
    async fn insert_api_key(&mut self, record: &ApiKeyRecord) -> Result<ApiKeyWrite, StoreError> {
        Ok(if self.add_key(record).await? {
            ApiKeyWrite::Written
        } else {
            ApiKeyWrite::Taken
        })
    }

    async fn rotate_api_key(&mut self, old: &Retirement, record: &ApiKeyRecord) -> Result<ApiKeyWrite, StoreError> {
        let sql = "SELECT 1 FROM api_keys WHERE id = $1 AND revoked_at IS NULL AND retiring_until IS NULL";
        if self.one(query(sql).bind(old.id.as_bytes().to_vec()), |_| Ok(())).await?.is_none() {
            return Ok(ApiKeyWrite::Stale);
        }
        if !self.add_key(record).await? {
            return Ok(ApiKeyWrite::Taken);
        }
        let sql = "UPDATE api_keys SET retiring_until = $2, mac = $3 WHERE id = $1";
        let retire = query(sql)
            .bind(old.id.as_bytes().to_vec())
            .bind(old.until.unix_micros())
            .bind(old.mac.to_vec());
        self.change(retire).await?;
        Ok(ApiKeyWrite::Written)
    }

    async fn find_api_key(&mut self, digest: &TokenDigest<kind::ApiKey>) -> Result<Option<ApiKeyRecord>, StoreError> {
        Ok(self.one(query(FIND_KEY).bind(digest.as_bytes().to_vec()), key).await?)
    }

    async fn api_key_of(&mut self, owner: UserId, id: ApiKeyId) -> Result<Option<ApiKeyRecord>, StoreError> {
        let sql = concat!("SELECT ", key_columns!(), " FROM api_keys WHERE owner_id = $1 AND id = $2");
        Ok(self
            .one(query(sql).bind(owner.as_bytes().to_vec()).bind(id.as_bytes().to_vec()), key)
            .await?)
    }

    async fn api_keys_of(&mut self, owner: UserId) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let sql = concat!(
            "SELECT ",
            key_columns!(),
            " FROM api_keys WHERE owner_id = $1 ORDER BY created_at DESC, id DESC"
        );
        Ok(self.all(query(sql).bind(owner.as_bytes().to_vec()), key).await?)
    }

    async fn touch_api_key(&mut self, id: ApiKeyId, last_used: &ApiKeyUse, not_after: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET last_used_at = $2, last_used_address = $3, last_used_agent = $4 \
                   WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $5)";
        let touch = query(sql)
            .bind(id.as_bytes().to_vec())
            .bind(last_used.at.unix_micros())
            .bind(last_used.client.address.map(|address| address.to_string()))
            .bind(last_used.client.user_agent.as_ref().map(|agent| agent.as_str().to_owned()))
            .bind(not_after.unix_micros());
        Ok(self.changed(touch).await?)
    }

    async fn revoke_api_key(&mut self, owner: UserId, id: ApiKeyId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET revoked_at = $3 WHERE owner_id = $1 AND id = $2 AND revoked_at IS NULL";
        let revoke = query(sql)
            .bind(owner.as_bytes().to_vec())
            .bind(id.as_bytes().to_vec())
            .bind(now.unix_micros());
        Ok(self.changed(revoke).await?)
    }

    async fn revoke_api_key_family(&mut self, family: ApiKeyId, now: Timestamp) -> Result<u64, StoreError> {
        let sql = "UPDATE api_keys SET revoked_at = $2 WHERE family_id = $1 AND revoked_at IS NULL";
        Ok(self
            .change(query(sql).bind(family.as_bytes().to_vec()).bind(now.unix_micros()))
            .await?)
    }

    async fn revoke_api_keys_of(&mut self, owner: UserId, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.revoke_keys_of(owner, now).await?)
    }
}
