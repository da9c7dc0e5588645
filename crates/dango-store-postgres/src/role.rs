//! Two roles: the owner, who makes the schema, and the one that serves, which cannot change what the log says. Or one that is both, where
//! nobody asked for two: then triggers alone stand before the log.

use dango_store::StoreFailure;

use crate::column::Columns;
use crate::connection::{Connection, query};

/// Whom a store serves as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServingRole {
    /// A role that owns nothing. One that could change what the log says is refused.
    Apart,
    /// Any role. Where it could change what the log says, triggers refuse it, and it could take them away.
    Any,
}

/// A role cannot be the one that serves, or not the one that makes the schema.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoleError {
    #[error("the role that serves is not there: CREATE ROLE makes it")]
    Missing,
    #[error(
        "the role that serves has to be another one than the owner of the schema, and neither a superuser nor a member of the owner's role"
    )]
    TooMuch,
    #[error("the role may change or delete records of the audit log: serve as a role that owns nothing")]
    MayRewrite,
    #[error("the schema is not this role's, so it is not for it to make or change")]
    NotOwner,
}

/// Asks whether the current role may make the schema, or owns the one that is there.
const MAY_MIGRATE: &str = "SELECT coalesce((SELECT nspowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) \
                           FROM pg_catalog.pg_namespace WHERE nspname = 'dango'), \
                           has_database_privilege(current_database(), 'CREATE'))";

/// Asks whether the role `$1` may serve, where the one that asks owns the schema.
const FIND_ROLE: &str = "SELECT rolsuper OR pg_has_role(rolname, current_user, 'member') FROM pg_catalog.pg_roles WHERE rolname = $1";

/// Asks whether the current role could change what the log says: as itself, as a role that it may become, or by columns alone. Before
/// PostgreSQL 16, one that may make roles may make itself a member of any.
const MAY_REWRITE: &str = "SELECT bool_or(rolsuper OR (rolcreaterole AND current_setting('server_version_num')::int < 160000) \
                           OR roles.oid = nspowner OR has_schema_privilege(roles.oid, nspname, 'CREATE') \
                           OR EXISTS (SELECT FROM (VALUES \
                             ('audit', 'UPDATE, DELETE, TRUNCATE, TRIGGER', 'UPDATE'), \
                             ('audit_head', 'DELETE, TRUNCATE, TRIGGER', NULL), \
                             ('audit_set_back', 'UPDATE, DELETE, TRUNCATE, TRIGGER', 'UPDATE'), \
                             ('audit_personal', 'UPDATE, TRUNCATE, TRIGGER', 'UPDATE'), \
                             ('audit_segments', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER', 'INSERT, UPDATE'), \
                             ('audit_rules', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER', 'INSERT, UPDATE'), \
                             ('audit_retired', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER', 'INSERT, UPDATE'), \
                             ('audit_retired_heads', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER', 'INSERT, UPDATE'), \
                             ('audit_retired_segments', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER', 'INSERT, UPDATE') \
                           ) AS kept (name, rights, of_columns) WHERE has_table_privilege(roles.oid, 'dango.' || name, rights) \
                             OR has_any_column_privilege(roles.oid, 'dango.' || name, of_columns))) \
                           FROM pg_catalog.pg_roles AS roles, pg_catalog.pg_namespace \
                           WHERE nspname = 'dango' AND pg_has_role(roles.oid, 'member') HAVING count(*) > 0";

/// What gives a role the rights that serving takes, and takes every other from it.
///
/// # Errors
///
/// The role is not there, or has rights of its own that make this worthless.
pub(crate) async fn grants_to(connection: &Connection, role: &str) -> Result<String, StoreFailure> {
    let ask = query(FIND_ROLE).bind(role.to_owned());
    match connection.one(&ask, |row| Columns::of(row).flag()).await? {
        None => return Err(StoreFailure::forbidden(RoleError::Missing)),
        Some(true) => return Err(StoreFailure::forbidden(RoleError::TooMuch)),
        Some(false) => {}
    }
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    Ok(format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA dango FROM {role}; REVOKE ALL ON SCHEMA dango FROM {role}; \
         GRANT USAGE ON SCHEMA dango TO {role}; \
         GRANT SELECT ON ALL TABLES IN SCHEMA dango TO {role}; \
         GRANT INSERT, UPDATE, DELETE ON users, passwords, invites, bootstrap_claim, links, attempts, sessions, totp, recovery_sets, \
         recovery_codes, factor_attempts, api_keys, settings, imports, oauth_flows TO {role}; \
         GRANT UPDATE ON turn TO {role}; \
         GRANT INSERT, UPDATE, DELETE ON writers TO {role}; \
         GRANT UPDATE (settled) ON arrival TO {role}; \
         GRANT INSERT, UPDATE ON project_files TO {role}; \
         GRANT INSERT, UPDATE, DELETE ON project_claims TO {role}; \
         GRANT INSERT ON audit, audit_set_back TO {role}; \
         GRANT INSERT, UPDATE ON audit_head TO {role}; \
         GRANT INSERT, DELETE ON audit_personal TO {role}; \
         GRANT EXECUTE ON FUNCTION audit_seal(bigint, bigint, bigint, bigint, bytea, bytea, bytea), audit_prune(bigint, bigint), audit_retire() TO {role}"
    ))
}

/// Whether the current role could change what the log says.
///
/// # Errors
///
/// There is no schema.
pub(crate) async fn may_rewrite(connection: &Connection) -> Result<bool, StoreFailure> {
    let told = connection.one(&query(MAY_REWRITE), |row| Columns::of(row).flag()).await?;
    told.ok_or(StoreFailure::Missing)
}

/// Whether the current role may make the schema or bring it up to date.
pub(crate) async fn may_migrate(connection: &Connection) -> Result<bool, StoreFailure> {
    let told = connection.one(&query(MAY_MIGRATE), |row| Columns::of(row).flag()).await?;
    Ok(told.unwrap_or(false))
}
