//! The one encoding of several fields as bytes: each preceded by its length, so no two lists of fields encode alike.

/// Fields, each preceded by its length in bytes as 8 bytes, big-endian.
#[derive(Default)]
pub(crate) struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// A list that begins with what it is for.
    pub(crate) fn of(subject: &str) -> Self {
        Self::default().with(subject)
    }

    /// Adds one field.
    pub(crate) fn with(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        self.bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(field);
        self
    }

    /// Adds one field, or one byte that says there is none.
    pub(crate) fn with_option(self, field: Option<impl AsRef<[u8]>>) -> Self {
        match field {
            Some(field) => self.with([1]).with(field),
            None => self.with([0]),
        }
    }

    /// All fields, taken over.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// All fields.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_join_alike_encode_differently() {
        let none: Option<&str> = None;
        let lists = [
            Fields::of("ab").with("c"),
            Fields::of("a").with("bc"),
            Fields::of("abc"),
            Fields::of("ab").with_option(Some("c")),
            Fields::of("ab").with_option(none),
            Fields::of("ab").with_option(Some("")),
        ];
        for (i, one) in lists.iter().enumerate() {
            for other in &lists[i + 1..] {
                assert_ne!(one.as_bytes(), other.as_bytes());
            }
        }
        assert_eq!(Fields::of("ab").as_bytes(), b"\0\0\0\0\0\0\0\x02ab");
    }
}
