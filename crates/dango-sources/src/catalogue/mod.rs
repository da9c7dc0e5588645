//! The catalogue of source types: what each is called, which credentials it needs and where dlt reads them.
//!
//! It is a static table, not a file that is parsed: the compiler checks it, reading it costs nothing, and no user
//! could edit an embedded file either. The rows are in the modules below, one per group of categories.

mod applications;
mod infrastructure;
mod local;
mod marketing;
mod spec;
mod suggest;
#[cfg(test)]
mod tests;

use dango_core::SourceType;

pub use spec::{AuthKind, Category, FieldKind, FieldProblem, FieldSpec, Place, TypeSpec, Variant};

/// Every source type that Dango knows.
#[derive(Debug)]
pub struct Catalogue {
    groups: [&'static [TypeSpec]; 4],
}

static CATALOGUE: Catalogue = Catalogue {
    groups: [local::TYPES, marketing::TYPES, applications::TYPES, infrastructure::TYPES],
};

/// The catalogue.
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// Every type, by category and then by title.
    pub fn types(&self) -> Vec<&'static TypeSpec> {
        let mut types: Vec<_> = self.unordered().collect();
        types.sort_by_key(|spec| (spec.category, spec.title.to_ascii_lowercase()));
        types
    }

    /// What is known of a type.
    pub fn find(&self, source_type: &SourceType) -> Option<&'static TypeSpec> {
        self.unordered().find(|spec| spec.name == source_type.as_str())
    }

    /// The type that somebody may have meant who wrote something else: by its title, another name, a part of its
    /// name or a slip of the finger.
    pub fn suggest(&self, text: &str) -> Option<&'static TypeSpec> {
        suggest::nearest(self.unordered(), text)
    }

    fn unordered(&self) -> impl Iterator<Item = &'static TypeSpec> + Clone + use<> {
        self.groups.into_iter().flatten()
    }
}
