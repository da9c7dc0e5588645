//! The parser's events made into a [`Tree`], with TOML's rules on what may be defined where.

use toml_parser::decoder::Encoding;
use toml_parser::parser::{EventReceiver, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source, Span as SourceSpan};

use super::error::{DocumentError, DocumentProblem};
use super::position::line_and_column;
use super::tree::{Children, Key, Kind, MAX_DEPTH, NodeId, Origin, Section, Span, Tree, narrow};
use super::{encoding, scalar, syntax};

/// Parses a text that [`encoding::check`] let pass.
pub(super) fn build(text: &str) -> Result<Tree, DocumentError> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut builder = Builder::new(text);
    let mut errors: Option<ParseError> = None;
    // Comments and line ends need no validation of their own: `encoding::check` refused what they cannot hold.
    parse_document(&tokens, &mut builder, &mut errors);
    let syntax = errors.map(|error| {
        let at = error.unexpected().or(error.context()).map_or(0, |span| span.start());
        (at, DocumentProblem::Syntax(syntax::explain(error.description())))
    });
    let first = match (syntax, builder.failure) {
        (Some(syntax), Some(failure)) => Some(if syntax.0 <= failure.0 { syntax } else { failure }),
        (syntax, failure) => syntax.or(failure),
    };
    match first {
        None => Ok(builder.tree),
        Some((offset, problem)) => {
            let (line, column) = line_and_column(text, offset);
            Err(DocumentError { line, column, problem })
        }
    }
}

struct Builder<'a> {
    text: &'a str,
    tree: Tree,
    /// The first error that is not one of syntax, with its offset; nothing is built behind it.
    failure: Option<(usize, DocumentProblem)>,
    /// The table of the last header.
    current: NodeId,
    /// Where the header began that is being read.
    header: usize,
    /// The parts of the key that is being read.
    keys: Vec<Key>,
    /// The arrays and inline tables that are open.
    open: Vec<NodeId>,
    /// Where the next value goes: its table, its key and where its statement began.
    target: Option<(NodeId, Key, usize)>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            tree: Tree::new(encoding::bom_length(text), text.len()),
            failure: None,
            current: Tree::ROOT,
            header: 0,
            keys: Vec::new(),
            open: Vec::new(),
            target: None,
        }
    }

    fn fail(&mut self, at: usize, problem: DocumentProblem) {
        self.failure.get_or_insert((at, problem));
    }

    fn fail_at(&mut self, table: NodeId, key: &Key, problem: fn(dango_core::CredentialPath) -> DocumentProblem) {
        let name = key.name(self.text);
        let path = match self.tree.path(self.text, table) {
            Some(parent) => Some(parent.child(name)),
            None => dango_core::CredentialPath::from_parts([name]),
        };
        if let Some(path) = path {
            self.fail(key.span.start(), problem(path));
        }
    }

    /// Adds a node, unless that goes too deep.
    fn add(&mut self, parent: NodeId, key: Key, begin: usize, kind: Kind) -> Option<NodeId> {
        if usize::from(self.tree.node(parent).depth) >= MAX_DEPTH {
            let at = if key.span.start() == key.span.end() {
                begin
            } else {
                key.span.start()
            };
            self.fail(at, DocumentProblem::TooDeep { limit: MAX_DEPTH });
            return None;
        }
        Some(self.tree.add(self.text, parent, key, begin, kind))
    }

    /// Finds or makes the table that a dotted key names without its last part.
    fn descend(&mut self, mut table: NodeId, keys: &mut Vec<Key>, begin: usize, dotted: bool) -> Option<NodeId> {
        for key in keys.drain(..) {
            let Some(child) = self.tree.child(self.text, table, key.name(self.text)) else {
                let origin = if dotted { Origin::Dotted } else { Origin::Implied };
                let children = Children::default();
                table = self.add(table, key, begin, Kind::Table { origin, children })?;
                continue;
            };
            let extensible = match &mut self.tree.node_mut(child).kind {
                Kind::Table { origin, .. } => match origin {
                    Origin::Header(_) => !dotted,
                    Origin::Implied if dotted => {
                        *origin = Origin::Dotted;
                        true
                    }
                    Origin::Implied | Origin::Dotted => true,
                },
                Kind::Tables { .. } => true,
                _ => false,
            };
            if !extensible {
                self.fail_at(table, &key, |path| DocumentProblem::NotExtensible { path });
                return None;
            }
            table = match &self.tree.node(child).kind {
                Kind::Tables { elements } => elements.last().copied()?,
                _ => child,
            };
        }
        Some(table)
    }

    fn table_header(&mut self, end: usize, is_array: bool) {
        let mut keys = std::mem::take(&mut self.keys);
        let begin = self.header;
        let Some(last) = keys.pop() else { return };
        if self.failure.is_some() {
            return;
        }
        let parent = self.descend(Tree::ROOT, &mut keys, begin, false);
        self.keys = keys;
        let Some(parent) = parent else { return };
        let section = narrow(self.tree.sections.len());
        let table = if is_array {
            self.array_element(parent, last, begin, section)
        } else {
            self.standard_table(parent, last, begin, section)
        };
        let Some(table) = table else { return };
        self.tree.sections.push(Section {
            table,
            header: Span::new(begin, end),
            last: narrow(begin),
            end: narrow(end),
        });
        self.current = table;
    }

    fn standard_table(&mut self, parent: NodeId, key: Key, begin: usize, section: u32) -> Option<NodeId> {
        let Some(table) = self.tree.child(self.text, parent, key.name(self.text)) else {
            let (origin, children) = (Origin::Header(section), Children::default());
            return self.add(parent, key, begin, Kind::Table { origin, children });
        };
        if let Kind::Table { origin, .. } = &mut self.tree.node_mut(table).kind
            && *origin == Origin::Implied
        {
            *origin = Origin::Header(section);
            return Some(table);
        }
        self.fail_at(parent, &key, |path| DocumentProblem::DuplicateTable { path });
        None
    }

    fn array_element(&mut self, parent: NodeId, key: Key, begin: usize, section: u32) -> Option<NodeId> {
        let at = key.span.start();
        let array = match self.tree.child(self.text, parent, key.name(self.text)) {
            None => self.add(parent, key, begin, Kind::Tables { elements: Vec::new() })?,
            Some(existing) if matches!(self.tree.node(existing).kind, Kind::Tables { .. }) => existing,
            Some(_) => {
                self.fail_at(parent, &key, |path| DocumentProblem::DuplicateTable { path });
                return None;
            }
        };
        let (origin, children) = (Origin::Header(section), Children::default());
        let key = Key {
            span: Span::empty(at),
            decoded: None,
        };
        self.add(array, key, begin, Kind::Table { origin, children })
    }

    /// Where the value behind `=` goes.
    fn assignment(&mut self) -> Option<(NodeId, Key, usize)> {
        let mut keys = std::mem::take(&mut self.keys);
        if self.failure.is_some() {
            return None;
        }
        let last = keys.pop()?;
        let begin = keys.first().map_or(last.span.start(), |first| first.span.start());
        let table = self.open.last().copied().unwrap_or(self.current);
        self.tree.children(table)?;
        let dotted = !keys.is_empty();
        let table = self.descend(table, &mut keys, begin, true);
        self.keys = keys;
        let table = table?;
        let closed = matches!(
            self.tree.node(table).kind,
            Kind::Table {
                origin: Origin::Header(_),
                ..
            }
        );
        if (dotted && closed) || self.tree.child(self.text, table, last.name(self.text)).is_some() {
            self.fail_at(table, &last, |path| DocumentProblem::DuplicateKey { path });
            return None;
        }
        Some((table, last, begin))
    }

    /// Adds a value where one is expected: behind `=` or in an array.
    fn value(&mut self, span: SourceSpan, kind: Kind) -> Option<NodeId> {
        if self.failure.is_some() {
            return None;
        }
        if let Some((table, key, begin)) = self.target.take() {
            if self.open.is_empty()
                && let Some(section) = self.tree.sections.last_mut()
            {
                section.last = narrow(begin);
            }
            return self.add(table, key, begin, kind);
        }
        let array = self.open.last().copied()?;
        if !matches!(self.tree.node(array).kind, Kind::Array { .. }) {
            return None;
        }
        let at = Span::empty(span.start());
        self.add(array, Key { span: at, decoded: None }, span.start(), kind)
    }

    /// Opens an array or inline table; whether the parser may go into it.
    fn enter(&mut self, span: SourceSpan, kind: Kind) -> bool {
        match self.value(span, kind) {
            Some(id) => {
                self.open.push(id);
                true
            }
            None => {
                // Only behind an error: none of what follows is read.
                self.fail(span.start(), DocumentProblem::Syntax("this is not valid TOML"));
                false
            }
        }
    }

    fn leave(&mut self, close: SourceSpan) {
        let Some(id) = self.open.pop() else { return };
        if let Kind::Array { span, .. } | Kind::Inline { span, .. } = &mut self.tree.node_mut(id).kind {
            *span = Span::new(span.start(), close.end());
        }
        self.finish(close.end());
    }

    /// Notes where a statement of the current section ends.
    fn finish(&mut self, end: usize) {
        if self.open.is_empty()
            && let Some(section) = self.tree.sections.last_mut()
        {
            section.end = narrow(end);
        }
    }
}

impl EventReceiver for Builder<'_> {
    fn std_table_open(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.header = span.start();
        self.keys.clear();
    }

    fn std_table_close(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.table_header(span.end(), false);
    }

    fn array_table_open(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.header = span.start();
        self.keys.clear();
    }

    fn array_table_close(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.table_header(span.end(), true);
    }

    fn inline_table_open(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) -> bool {
        let children = Children::default();
        let span_so_far = Span::new(span.start(), span.end());
        self.enter(
            span,
            Kind::Inline {
                span: span_so_far,
                children,
            },
        )
    }

    fn inline_table_close(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.leave(span);
    }

    fn array_open(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) -> bool {
        let items = Vec::new();
        let span_so_far = Span::new(span.start(), span.end());
        self.enter(span, Kind::Array { span: span_so_far, items })
    }

    fn array_close(&mut self, span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.leave(span);
    }

    fn simple_key(&mut self, span: SourceSpan, encoding: Option<Encoding>, errors: &mut dyn ErrorSink) {
        if self.failure.is_some() {
            return;
        }
        let raw = self.text.get(span.start()..span.end()).unwrap_or_default();
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let plain = encoding.is_none() && !raw.is_empty() && raw.bytes().all(is_bare);
        let decoded = (!plain).then(|| {
            let mut decoded = String::new();
            Raw::new_unchecked(raw, encoding, span).decode_key(&mut decoded, errors);
            decoded.into_boxed_str()
        });
        self.keys.push(Key {
            span: Span::new(span.start(), span.end()),
            decoded,
        });
    }

    fn key_val_sep(&mut self, _span: SourceSpan, _errors: &mut dyn ErrorSink) {
        self.target = self.assignment();
    }

    fn scalar(&mut self, span: SourceSpan, encoding: Option<Encoding>, errors: &mut dyn ErrorSink) {
        if self.failure.is_some() {
            return;
        }
        let raw = self.text.get(span.start()..span.end()).unwrap_or_default();
        match scalar::check(raw, encoding, span, errors) {
            Ok(form) => {
                let own = Span::new(span.start(), span.end());
                self.value(span, Kind::Scalar { span: own, form });
                self.finish(span.end());
            }
            Err(problem) => self.fail(span.start(), problem),
        }
    }
}
