//! The tables that are moved, each with its columns in the order of its key. The tests of the backends hold it against their schemas.

use super::Cell;

/// Of what kind a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A number of 64 bits with a sign.
    Integer,
    /// A text.
    Text,
    /// Bytes.
    Blob,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Of what kind it is.
    pub kind: Kind,
}

/// How what changes in a table is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// The keys of changed rows are noted. Such a row is taken away and put anew.
    Noted,
    /// The same, but rows of other tables belong to these, and would go with them: such a row is changed where it is.
    NotedInPlace,
    /// Rows are only added, in the order of the key.
    Appended,
    /// It is one row, and copied each time.
    Whole,
}

impl Following {
    /// Whether keys of changed rows are noted.
    pub const fn is_noted(self) -> bool {
        matches!(self, Self::Noted | Self::NotedInPlace)
    }
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; those of the key come first.
    pub columns: &'static [Column],
    /// How many columns make the key by which rows are found: one or two.
    pub key: usize,
    /// Whether no two rows have the same key. Else those that do are moved together.
    pub is_unique: bool,
    /// How its changes are found.
    pub following: Following,
}

impl Table {
    /// The columns of the key.
    pub fn key_columns(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }

    /// The key of a row.
    pub fn key_of<'r>(&self, row: &'r [Cell]) -> &'r [Cell] {
        &row[..self.key]
    }
}

/// The place of a table among [`TABLES`].
pub fn position(name: &str) -> Option<usize> {
    TABLES.iter().position(|table| table.name == name)
}

macro_rules! tables {
    ($($name:ident ($key:literal $uniqueness:ident, $following:ident) { $($kind:ident $($column:ident)+;)+ })+) => {
        /// Every table that holds people, what belongs to them, settings and the log; whom others belong to comes before them.
        ///
        /// Not among them is what belongs to one engine: its migrations, whose turn it is to write, the files of projects.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            columns: &[$($(Column { name: stringify!($column), kind: Kind::$kind },)+)+],
            key: $key,
            is_unique: uniqueness!($uniqueness),
            following: Following::$following,
        },)+];
    };
}

macro_rules! uniqueness {
    (unique) => {
        true
    };
    (group) => {
        false
    };
}

tables! {
    users (1 unique, NotedInPlace) {
        Blob id;
        Text email email_canonical email_likeness role;
        Flag active;
        Integer invite_expires_at;
        Flag must_change_password;
        Integer epoch created_at updated_at last_login_at;
    }
    passwords (1 unique, Noted) {
        Blob user_id;
        Text record;
        Integer set_at expires_at;
        Flag used;
    }
    invites (1 unique, Noted) {
        Blob digest id user_id;
        Integer expires_at;
    }
    bootstrap_claim (1 unique, Noted) {
        Integer one;
        Blob digest;
        Integer expires_at;
    }
    links (2 unique, Noted) {
        Text issuer subject;
        Blob user_id;
        Integer linked_at;
    }
    attempts (2 unique, Noted) {
        Blob account device_id;
        Integer failures total level window locked_until last_at;
    }
    sessions (1 unique, Noted) {
        Blob digest id user_id;
        Text stage;
        Integer factors authenticated_at stepped_up_at second_factor_at epoch created_at expires_at last_active_at;
        Text address user_agent;
        Blob device_id mac;
        Integer attempts;
    }
    totp (1 unique, Noted) {
        Blob id user_id;
        Text algorithm;
        Integer digits period_seconds;
        Blob secret;
        Integer created_at expires_at confirmed_at last_step;
    }
    recovery_sets (1 unique, NotedInPlace) {
        Blob user_id id;
        Integer created_at;
    }
    recovery_codes (2 unique, Noted) {
        Blob user_id digest;
    }
    factor_attempts (1 group, Noted) {
        Blob user_id;
        Integer at;
    }
    api_keys (1 unique, Noted) {
        Blob id family_id owner_id;
        Text name prefix;
        Blob digest;
        Text permissions;
        Flag administers;
        Text allow_list;
        Integer created_at expires_at retiring_until revoked_at last_used_at;
        Text last_used_address last_used_agent;
        Blob mac;
    }
    settings (1 unique, Noted) {
        Integer one;
        Text admission;
        Integer updated_at;
    }
    imports (1 unique, Noted) {
        Blob mark;
        Integer imported_at;
    }
    oauth_flows (1 unique, Noted) {
        Integer number;
        Blob state user_id session_id browser sealed;
        Integer expires_at;
    }
    audit_personal (1 unique, Noted) {
        Blob id lookup;
        Text subject label ip user_agent;
        Blob salt;
    }
    audit_retired (2 unique, Appended) {
        Integer chain seq at;
        Text event actor target outcome origin request_id details;
        Blob prev_hash hash;
    }
    audit_retired_segments (2 unique, Appended) {
        Integer chain last_seq first_seq first_at last_at;
        Blob hash frontier tag;
    }
    audit_retired_heads (1 unique, Appended) {
        Integer chain seq;
        Blob hash;
        Integer count;
        Blob frontier tag;
    }
    audit_segments (1 unique, Appended) {
        Integer last_seq first_seq first_at last_at;
        Blob hash frontier tag;
    }
    audit (1 unique, Appended) {
        Integer seq at;
        Text event actor target outcome origin request_id details;
        Blob prev_hash hash;
    }
    audit_head (1 unique, Whole) {
        Integer one seq;
        Blob hash;
        Integer count;
        Blob frontier tag;
    }
}
