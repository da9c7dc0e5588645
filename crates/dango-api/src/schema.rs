//! JSON Schemas (2020-12) of what requests and answers carry, as the types of `wire` give them. No operation is described here.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

/// The description of a body: it comes from a type, so it cannot be misspelt.
#[derive(Clone, Copy)]
pub struct Shape(fn(&mut Named) -> Schema);

impl Shape {
    /// The shape of a type.
    pub(crate) const fn of<T: Described + ?Sized>() -> Self {
        Self(T::schema)
    }

    pub(crate) fn schema(self, named: &mut Named) -> Schema {
        (self.0)(named)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shape({})", self.schema(&mut Named::default()).into_value())
    }
}

/// A type whose JSON has a schema.
pub(crate) trait Described {
    /// Whether a request may leave out a member of this type.
    const IS_OPTIONAL: bool = false;

    /// The schema of its JSON.
    fn schema(named: &mut Named) -> Schema;

    /// The schema of a member of this type whose values are described more closely.
    fn closer(schema: Schema) -> Schema {
        schema
    }
}

macro_rules! plain {
    ($($type:ty = $schema:expr;)*) => {$(
        impl Described for $type {
            fn schema(_: &mut Named) -> Schema {
                $schema
            }
        }
    )*};
}

plain! {
    bool = Schema::of("boolean");
    i64 = Schema::of("integer").with("format", "int64");
    u32 = Schema::count();
    u64 = Schema::count();
    String = Schema::text();
    &str = Schema::text();
}

impl<T: Described> Described for Option<T> {
    const IS_OPTIONAL: bool = true;

    fn schema(named: &mut Named) -> Schema {
        T::schema(named).or_null()
    }

    fn closer(schema: Schema) -> Schema {
        T::closer(schema).or_null()
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema(named: &mut Named) -> Schema {
        Schema::list(T::schema(named))
    }
}

impl<T: Described> Described for [T] {
    fn schema(named: &mut Named) -> Schema {
        Schema::list(T::schema(named))
    }
}

/// The schemas that have a name, each described once.
#[derive(Default)]
pub(crate) struct Named(BTreeMap<&'static str, Schema>);

impl Named {
    /// A reference to a schema, which is described if nobody has referred to it before.
    pub(crate) fn refer(&mut self, name: &'static str, describe: impl FnOnce(&mut Self) -> Schema) -> Schema {
        if !self.0.contains_key(name) {
            let schema = describe(self);
            self.0.insert(name, schema);
        }
        Schema::default().with("$ref", format!("#/components/schemas/{name}"))
    }

    /// A schema that was described.
    pub(crate) fn find(&self, name: &str) -> Option<&Schema> {
        self.0.get(name)
    }

    pub(crate) fn into_value(self) -> Value {
        let schemas = self.0.into_iter();
        Value::Object(schemas.map(|(name, schema)| (name.to_owned(), schema.into_value())).collect())
    }
}

/// A JSON Schema, as OpenAPI 3.1 has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema(Map<String, Value>);

impl Schema {
    /// Any value of a type of JSON.
    pub(crate) fn of(name: &str) -> Self {
        Self::default().with("type", name)
    }

    pub(crate) fn text() -> Self {
        Self::of("string")
    }

    /// A whole number that is not negative.
    pub(crate) fn count() -> Self {
        Self::of("integer").with("minimum", 0)
    }

    /// An id of a row: UUIDv7 in its one spelling.
    pub(crate) fn id() -> Self {
        Self::text().with("format", "uuid")
    }

    /// A time in UTC.
    pub(crate) fn time() -> Self {
        Self::text().with("format", "date-time")
    }

    /// An address of a person; other scripts than Latin are taken.
    pub(crate) fn email() -> Self {
        Self::text().with("format", "idn-email").lengths(3, 254)
    }

    /// One of some words.
    pub(crate) fn word(words: impl IntoIterator<Item = &'static str>) -> Self {
        Self::text().with("enum", words.into_iter().collect::<Vec<_>>())
    }

    pub(crate) fn list(items: Self) -> Self {
        Self::of("array").with("items", items.into_value())
    }

    /// Exactly one value.
    pub(crate) fn constant(value: impl Into<Value>) -> Self {
        Self::default().with("const", value)
    }

    /// One of some schemas, which exclude each other.
    pub(crate) fn either(schemas: impl IntoIterator<Item = Self>) -> Self {
        let schemas: Vec<Value> = schemas.into_iter().map(Self::into_value).collect();
        Self::default().with("oneOf", schemas)
    }

    /// An object without members so far; it may have others than are described.
    pub(crate) fn object() -> Self {
        Self::of("object").with("required", json!([])).with("properties", json!({}))
    }

    /// Adds a member to an object.
    pub(crate) fn member(mut self, name: &str, schema: Self, presence: Presence) -> Self {
        if let (Some(Value::Array(required)), Presence::Required) = (self.0.get_mut("required"), presence) {
            required.push(name.into());
        }
        if let Some(Value::Object(properties)) = self.0.get_mut("properties") {
            properties.insert(name.to_owned(), schema.into_value());
        }
        self
    }

    /// An object that has no other members than are described.
    pub(crate) fn closed(self) -> Self {
        self.with("additionalProperties", false)
    }

    pub(crate) fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.0.insert(keyword.to_owned(), value.into());
        self
    }

    /// How many characters a text has at least and at most.
    pub(crate) fn lengths(self, least: usize, most: usize) -> Self {
        self.with("minLength", least).with("maxLength", most)
    }

    pub(crate) fn between(self, least: i64, most: i64) -> Self {
        self.with("minimum", least).with("maximum", most)
    }

    pub(crate) fn pattern(self, pattern: &str) -> Self {
        self.with("pattern", pattern)
    }

    /// A sentence for people; nothing is added for an empty one.
    pub(crate) fn about(self, text: &str) -> Self {
        match text.trim() {
            "" => self,
            text => self.with("description", text),
        }
    }

    /// A text that clients hide while it is typed, and that no answer holds.
    pub(crate) fn secret(self) -> Self {
        self.with("format", "password").with("writeOnly", true)
    }

    /// The same, or `null`.
    pub(crate) fn or_null(mut self) -> Self {
        let Some(kind) = self.0.get_mut("type") else {
            return Self::default().with("anyOf", json!([self.into_value(), {"type": "null"}]));
        };
        *kind = json!([kind.take(), "null"]);
        if let Some(Value::Array(words)) = self.0.get_mut("enum") {
            words.push(Value::Null);
        }
        self
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Whether an object always has a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Always.
    Required,
    /// It may be left out.
    Optional,
}

/// The schema of a member of a type, described more closely or not.
pub(crate) fn of_member<T: Described>(named: &mut Named, closer: Option<Schema>) -> Schema {
    closer.map_or_else(|| T::schema(named), T::closer)
}

/// The schema of an object of a request, or of an answer: each member with its type, and a closer description where there is one.
macro_rules! object {
    ($named:ident, $optional:expr; $($(#[doc = $about:literal])* $member:ident: $type:ty $(= $closer:expr)?),* $(,)?) => {
        $crate::schema::Schema::object()
        $(
            .member(
                stringify!($member),
                $crate::schema::of_member::<$type>($named, $crate::schema::object!(@ $($closer)?)).about(concat!($($about),*)),
                if $optional && <$type as $crate::schema::Described>::IS_OPTIONAL {
                    $crate::schema::Presence::Optional
                } else {
                    $crate::schema::Presence::Required
                },
            )
        )*
    };
    (@) => {
        None
    };
    (@ $closer:expr) => {
        Some($closer)
    };
}
pub(crate) use object;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_null_says_so_whatever_its_schema_is() {
        assert_eq!(Schema::time().or_null().into_value()["type"], json!(["string", "null"]));
        let word = Schema::word(["a"]).or_null().into_value();
        assert_eq!(word["enum"], json!(["a", null]));
        let mut named = Named::default();
        let reference = named.refer("A", |_| Schema::text()).or_null().into_value();
        assert_eq!(reference, json!({"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}));
    }

    #[test]
    fn a_name_is_described_once() {
        let mut named = Named::default();
        named.refer("A", |_| Schema::text());
        named.refer("A", |_| Schema::count());
        assert_eq!(named.into_value(), json!({"A": {"type": "string"}}));
    }
}
