//! An address of a database as it is given to others: everything that [`DatabaseUrl::parse`] takes but the password, and that apart.

use dango_core::SecretValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::url::{DatabaseUrl, is_here};

/// What would end a part, or be taken for something else.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl DatabaseUrl {
    /// The password, for whoever seals it for another program that has to connect, too.
    pub fn password_to_hand_over(&self) -> Option<SecretValue> {
        self.password().and_then(|password| SecretValue::new(password.to_owned()).ok())
    }

    /// The address without its password. What [`DatabaseUrl::parse`] makes of it is the same but for that.
    pub fn to_address(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let mut parameters: Vec<String> = Vec::new();
        let host = match self.host() {
            folder if folder.starts_with('/') => {
                parameters.push(format!("host={}", encoded(folder)));
                String::new()
            }
            host if host.contains(':') => format!("[{host}]"),
            host => encoded(host),
        };
        let mode = match (self.is_encrypted(), self.asks_for_name(), is_here(self.host())) {
            (false, _, true) | (true, true, false) => None,
            (false, _, false) => Some("disable"),
            (true, true, true) => Some("verify-full"),
            (true, false, _) => Some("verify-ca"),
        };
        parameters.extend(mode.map(|mode| format!("sslmode={mode}")));
        parameters.extend(
            self.root_file()
                .map(|file| format!("sslrootcert={}", encoded(&file.to_string_lossy()))),
        );
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!(
            "postgres://{}@{host}:{}/{}{mark}{}",
            encoded(self.user()),
            self.port(),
            encoded(self.database()),
            parameters.join("&")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_everything_again_but_the_password() {
        for (text, expected) in [
            ("postgres://dango:canary@localhost/d", "postgres://dango@localhost:5432/d"),
            (
                "postgresql://a%40b:canary@db.example:6432/my%20base",
                "postgres://a%40b@db.example:6432/my%20base",
            ),
            (
                "postgres://d@[::1]/d?sslmode=verify-full",
                "postgres://d@[::1]:5432/d?sslmode=verify-full",
            ),
            (
                "postgres://d@h/d?sslmode=verify-ca&sslrootcert=/a%20b",
                "postgres://d@h:5432/d?sslmode=verify-ca&sslrootcert=%2Fa%20b",
            ),
            (
                "postgres://d@/d?host=/run/postgresql",
                "postgres://d@:5432/d?host=%2Frun%2Fpostgresql",
            ),
            ("postgres://d@h/d?sslmode=disable", "postgres://d@h:5432/d?sslmode=disable"),
        ] {
            let address = DatabaseUrl::parse(text).expect("an address").to_address();
            assert_eq!(address, expected);
            let again = DatabaseUrl::parse(&address).expect("an address");
            assert_eq!(again.to_address(), expected);
        }
    }
}
