//! A model of how tomlkit 0.15.2, dlt's parser, puts tables together: names and nesting only, no text and no values.
//!
//! tomlkit keeps the parts of a table that is defined in several places apart and joins them when the data is asked
//! for. Some orders of headers that TOML allows fail there. The functions follow those of tomlkit's `parser.py` and
//! `container.py`, whose names they bear in the comments; a difference is a document refused for nothing or one that
//! dlt cannot read.

mod container;

use std::collections::HashMap;

use container::{Container, Item, Model, Name, Step, Stop, Table};

/// A header or a key of a document. Names are numbers.
pub(super) enum Line {
    Header { path: Vec<u32>, is_array: bool, section: usize },
    Key(Vec<u32>),
}

/// How much work is done before a document counts as one that tomlkit takes; far more than any usual file needs.
const BUDGET: u32 = 4_000_000;

/// The number of the section on which tomlkit fails, if it does.
pub(super) fn refused_section(lines: &[Line]) -> Option<usize> {
    let mut parser = Parser {
        lines,
        at: 0,
        arrays: Vec::new(),
        section: 0,
        model: Model::new(BUDGET),
    };
    match parser.document() {
        Err(Stop::Refused) => Some(parser.section),
        Err(Stop::Exhausted) | Ok(()) => None,
    }
}

struct Parser<'a> {
    lines: &'a [Line],
    at: usize,
    /// The arrays of tables that are being read.
    arrays: Vec<Vec<u32>>,
    /// The section to name where tomlkit fails.
    section: usize,
    model: Model,
}

impl Parser<'_> {
    /// `Parser.parse`, then `Container.unwrap`
    fn document(&mut self) -> Step<()> {
        let mut root = Container::default();
        while let Some(Line::Key(key)) = self.lines.get(self.at) {
            self.at += 1;
            self.model.append_key(&mut root, key, true)?;
        }
        let mut groups = HashMap::new();
        while self.at < self.lines.len() {
            let start = self.at;
            let (id, item) = self.table(&[])?;
            if let Some(Line::Header { section, .. }) = self.lines.get(start) {
                self.section = *section;
                groups.insert(id, *section);
            }
            self.model.append(&mut root, Name::plain(id), item, true)?;
        }
        let names: Vec<u32> = root.places.keys().copied().collect();
        for id in names {
            self.section = groups.get(&id).copied().unwrap_or(self.section);
            self.model.unwrap_name(&root, id)?;
        }
        Ok(())
    }

    /// `Parser._parse_table`; `parent` is the header that this one's path continues.
    fn table(&mut self, parent: &[u32]) -> Step<(u32, Item)> {
        let lines = self.lines;
        let Some(Line::Header { path, is_array, section }) = lines.get(self.at) else {
            return Err(Stop::Exhausted);
        };
        self.at += 1;
        self.section = *section;
        let names = path.get(parent.len()..).unwrap_or_default();
        let mut table = Table {
            is_element: *is_array,
            ..Table::default()
        };
        self.contents(&mut table, path)?;
        self.model.validate_all(&mut table.body)?;
        let (Some(&first), Some(&last)) = (names.first().or(path.last()), path.last()) else {
            return Err(Stop::Exhausted);
        };
        if names.len() <= 1 {
            if *is_array && self.arrays.last() != Some(path) {
                return Ok((first, Item::Tables(self.array(table, path)?)));
            }
            return Ok((first, Item::Table(table)));
        }
        let mut item = if *is_array { Item::Tables(vec![table]) } else { Item::Table(table) };
        let mut id = last;
        for (depth, &name) in names.iter().enumerate().rev().skip(1) {
            let mut above = Table {
                is_super: true,
                is_element: depth == 0 && *is_array && self.arrays.iter().any(|array| *array == [first]),
                ..Table::default()
            };
            above.body.raw_append(Name::plain(id), item)?;
            item = Item::Table(above);
            id = name;
        }
        Ok((first, item))
    }

    /// The keys below a header and the headers that continue its path.
    fn contents(&mut self, table: &mut Table, path: &[u32]) -> Step<()> {
        while let Some(Line::Key(key)) = self.lines.get(self.at) {
            self.at += 1;
            self.model.append_key(&mut table.body, key, false)?;
            if let Some(&first) = key.first() {
                self.model.look_up(&table.body, first)?;
            }
        }
        while let Some(Line::Header { path: next, .. }) = self.lines.get(self.at)
            && next.len() > path.len()
            && next.starts_with(path)
        {
            let (id, item) = self.table(path)?;
            self.model.append(&mut table.body, Name::plain(id), item, false)?;
            self.model.look_up(&table.body, id)?;
        }
        Ok(())
    }

    /// `Parser._parse_aot`
    fn array(&mut self, first: Table, path: &[u32]) -> Step<Vec<Table>> {
        let mut elements = vec![first];
        self.arrays.push(path.to_vec());
        while let Some(Line::Header {
            path: next,
            is_array: true,
            ..
        }) = self.lines.get(self.at)
            && next == path
        {
            match self.table(path)?.1 {
                Item::Table(table) => elements.push(table),
                Item::Value | Item::Tables(_) => return Err(Stop::Refused),
            }
        }
        self.arrays.pop();
        Ok(elements)
    }
}
