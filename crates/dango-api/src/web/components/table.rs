//! Tables: searched, sorted and paged by the server, through the query of the page, so that they work without script and with many rows.

use std::cmp::Ordering;
use std::fmt::Write as _;

use askama::Template;
use askama::filters::HtmlSafe;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::query::Query;

/// The rows of one page.
const ROWS: usize = 50;
/// A table with fewer rows is not worth searching.
const WORTH_SEARCHING: usize = 8;
/// What is looked for is no longer than that.
const LONGEST_SEARCH: usize = 200;

/// How a table is looked at: what is searched, by which column it is sorted, which page.
#[derive(Clone, Debug)]
pub(crate) struct Sorting {
    /// What the parameters of this table begin with, where a page has several.
    prefix: &'static str,
    /// The id of the section, to which links lead back.
    section: &'static str,
    search: String,
    column: &'static str,
    is_descending: bool,
    page: usize,
}

impl Sorting {
    /// Reads a query. Columns that there are none of, and pages that are no number, count as not said.
    pub(crate) fn read(
        query: &Query,
        prefix: &'static str,
        section: &'static str,
        columns: &[Column],
        usual: (&'static str, bool),
    ) -> Self {
        let value = |name: &str| query.value(&format!("{prefix}{name}")).ok().flatten().unwrap_or_default();
        let asked = columns.iter().find(|column| column.is_sortable() && column.name == value("sort"));
        let (column, is_descending) = match asked {
            Some(column) => (column.name, value("dir") == "desc"),
            None => usual,
        };
        let search: String = value("q")
            .trim()
            .chars()
            .filter(|letter| !letter.is_control())
            .take(LONGEST_SEARCH)
            .collect();
        Self {
            prefix,
            section,
            search,
            column,
            is_descending,
            page: value("page").parse().unwrap_or(1),
        }
    }

    /// The column by which it is sorted.
    pub(crate) const fn column(&self) -> &'static str {
        self.column
    }

    /// The rows that are shown of all, and what stands around them. Nothing of a row is copied.
    pub(crate) fn show<'a, T>(
        &self,
        rows: impl Iterator<Item = &'a T>,
        is_found: impl Fn(&T, &str) -> bool,
        compare: impl Fn(&T, &T) -> Ordering,
    ) -> (Vec<&'a T>, Pager) {
        let mut all = 0;
        let wanted = self.search.to_lowercase();
        let counted = rows.inspect(|_| all += 1);
        let mut found: Vec<&T> = counted.filter(|row| wanted.is_empty() || is_found(row, &wanted)).collect();
        found.sort_by(|one, other| {
            let order = compare(one, other);
            if self.is_descending { order.reverse() } else { order }
        });
        let (all, matching) = (all, found.len());
        let pages = matching.div_ceil(ROWS).max(1);
        let page = self.page.clamp(1, pages);
        let first = (page - 1) * ROWS;
        let shown: Vec<&T> = found.into_iter().skip(first).take(ROWS).collect();
        let pager = Pager {
            sorting: self.clone(),
            all,
            matching,
            first: if matching == 0 { 0 } else { first + 1 },
            last: first + shown.len(),
            page,
            pages,
        };
        (shown, pager)
    }

    /// The address of the same page with another order or another page of rows.
    fn link(&self, column: &str, is_descending: bool, page: usize) -> String {
        let prefix = self.prefix;
        let direction = if is_descending { "desc" } else { "asc" };
        let mut link = format!("?{prefix}sort={column}&{prefix}dir={direction}");
        if !self.search.is_empty() {
            let search = utf8_percent_encode(&self.search, NON_ALPHANUMERIC);
            write!(link, "&{prefix}q={search}").expect("a String takes every text");
        }
        if page > 1 {
            write!(link, "&{prefix}page={page}").expect("a String takes every text");
        }
        link.push('#');
        link.push_str(self.section);
        link
    }
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its name in the query; empty where nobody sorts by it.
    pub(crate) name: &'static str,
    /// Its heading.
    pub(crate) label: &'static str,
}

impl Column {
    pub(crate) const fn sorted(name: &'static str, label: &'static str) -> Self {
        Self { name, label }
    }

    pub(crate) const fn fixed(label: &'static str) -> Self {
        Self { name: "", label }
    }

    const fn is_sortable(&self) -> bool {
        !self.name.is_empty()
    }
}

/// What stands around the rows: the head of the table, the search before it, the pages behind it.
#[derive(Clone, Debug, Template)]
#[template(path = "components/pager.html")]
pub(crate) struct Pager {
    sorting: Sorting,
    all: usize,
    matching: usize,
    first: usize,
    last: usize,
    page: usize,
    pages: usize,
}

impl HtmlSafe for Pager {}

impl Pager {
    /// Whether there is nothing at all.
    pub(crate) const fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// Whether nothing was found of what there is.
    pub(crate) const fn found_nothing(&self) -> bool {
        self.matching == 0
    }

    /// Whether there is enough to search in.
    pub(crate) fn is_searchable(&self) -> bool {
        self.all > WORTH_SEARCHING || !self.sorting.search.is_empty()
    }

    pub(crate) fn search(&self) -> &str {
        &self.sorting.search
    }

    fn previous(&self) -> Option<String> {
        (self.page > 1).then(|| self.to(self.page - 1))
    }

    fn next(&self) -> Option<String> {
        (self.page < self.pages).then(|| self.to(self.page + 1))
    }

    fn to(&self, page: usize) -> String {
        self.sorting.link(self.sorting.column, self.sorting.is_descending, page)
    }
}

/// The head and the search of a table.
#[derive(Clone, Debug, Template)]
#[template(path = "components/table_head.html")]
pub(crate) struct Table<'a> {
    columns: &'a [Column],
    sorting: &'a Sorting,
}

impl HtmlSafe for Table<'_> {}

impl<'a> Table<'a> {
    pub(crate) const fn head(columns: &'a [Column], pager: &'a Pager) -> Self {
        Self {
            columns,
            sorting: &pager.sorting,
        }
    }

    fn order(&self, column: &Column) -> Option<&'static str> {
        let is_this = column.is_sortable() && column.name == self.sorting.column;
        is_this.then_some(if self.sorting.is_descending { "descending" } else { "ascending" })
    }

    /// The order turns round where it is this column's already.
    fn link(&self, column: &Column) -> String {
        let turned = column.name == self.sorting.column && !self.sorting.is_descending;
        self.sorting.link(column.name, turned, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [Column::sorted("name", "Name"), Column::fixed("Value")];

    fn sorting(query: &str) -> Sorting {
        let query = Query::parse(Some(query)).expect("a query");
        Sorting::read(&query, "v_", "variables", &COLUMNS, ("name", false))
    }

    fn shown(query: &str, rows: &[String]) -> (Vec<String>, Pager) {
        let (shown, pager) = sorting(query).show(rows.iter(), |row, wanted| row.to_lowercase().contains(wanted), Ord::cmp);
        (shown.into_iter().cloned().collect(), pager)
    }

    #[test]
    fn rows_are_searched_sorted_and_paged() {
        let rows: Vec<String> = (0..120).rev().map(|number| format!("ROW_{number:03}")).collect();
        let (first, pager) = shown("", &rows);
        assert_eq!((first.len(), first[0].as_str(), pager.pages), (50, "ROW_000", 3));
        let (last, pager) = shown("v_page=3&v_dir=desc&v_sort=name", &rows);
        assert_eq!((last.len(), last[19].as_str()), (20, "ROW_000"));
        assert_eq!((pager.first, pager.last, pager.matching), (101, 120, 120));
        let (found, pager) = shown("v_q=w_11&q=nothing", &rows);
        assert_eq!((found.len(), pager.all, pager.matching), (10, 120, 10));
        let (none, pager) = shown("v_q=zzz", &rows);
        assert!(none.is_empty() && pager.found_nothing() && !pager.is_empty());
    }

    #[test]
    fn what_cannot_be_is_as_if_it_was_not_said() {
        let rows: Vec<String> = (0..3).map(|number| number.to_string()).collect();
        for odd in [
            "v_page=0",
            "v_page=99",
            "v_page=x",
            "v_page=-1",
            "v_sort=value&v_dir=desc",
            "v_sort=%3Cscript%3E",
            "v_page=1&v_page=2",
        ] {
            assert_eq!(shown(odd, &rows).0, ["0", "1", "2"], "{odd}");
        }
        assert_eq!(sorting(&format!("v_q={}", "x".repeat(1000))).search.len(), LONGEST_SEARCH);
    }

    #[test]
    fn links_hold_the_search_and_nothing_that_is_html() {
        let rows: Vec<String> = (0..80).map(|number| format!("\"><b>{number}")).collect();
        let (_, pager) = shown("v_q=%22%3E%3Cb%3E", &rows);
        let html = format!("{}{pager}", Table::head(&COLUMNS, &pager));
        assert!(html.contains("aria-sort=\"ascending\"") && html.contains("v_q=%22%3E%3Cb%3E"));
        assert!(!html.contains("\"><b>"), "{html}");
    }
}
