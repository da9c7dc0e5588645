//! tomlkit's `Container` and `OutOfOrderTableProxy`: how it adds to a table and joins the parts of one out of order.

use std::collections::HashMap;

/// Why the model stops: tomlkit raises, or there is too much to do.
pub(super) enum Stop {
    Refused,
    Exhausted,
}

pub(super) type Step<T> = Result<T, Stop>;

#[derive(Clone, Copy)]
pub(super) struct Name {
    id: u32,
    /// Whether it is a part of a dotted key that others follow.
    is_dotted: bool,
}

impl Name {
    pub(super) fn plain(id: u32) -> Self {
        Self { id, is_dotted: false }
    }
}

pub(super) enum Item {
    Value,
    Table(Table),
    Tables(Vec<Table>),
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) body: Container,
    /// Made by a longer header or by a dotted key.
    pub(super) is_super: bool,
    pub(super) is_element: bool,
}

#[derive(Default)]
pub(super) struct Container {
    body: Vec<(Name, Item)>,
    /// Where each name is in the body; more than one place is a table out of order.
    pub(super) places: HashMap<u32, Vec<usize>>,
    last_table: Option<u32>,
    out_of_order: Vec<u32>,
    /// For tables out of order: how many parts were joined, and what they make so far.
    joined: HashMap<u32, (usize, Container)>,
}

impl Container {
    /// `Container._raw_append`
    pub(super) fn raw_append(&mut self, name: Name, item: Item) -> Step<()> {
        let places = self.places.entry(name.id).or_default();
        if let Some(&last) = places.last() {
            if !matches!(self.body[last].1, Item::Table(_)) {
                return Err(Stop::Refused);
            }
            if places.len() == 1 {
                self.out_of_order.push(name.id);
            }
        }
        places.push(self.body.len());
        if matches!(item, Item::Table(_)) {
            self.last_table = Some(name.id);
        }
        self.body.push((name, item));
        Ok(())
    }

    fn last_place(&self, id: u32) -> Option<usize> {
        self.places.get(&id)?.last().copied()
    }

    fn is_out_of_order(&self, id: u32) -> bool {
        self.places.get(&id).is_some_and(|places| places.len() > 1)
    }
}

pub(super) struct Model {
    left: u32,
}

impl Model {
    pub(super) fn new(budget: u32) -> Self {
        Self { left: budget }
    }

    fn spend(&mut self) -> Step<()> {
        self.left = self.left.checked_sub(1).ok_or(Stop::Exhausted)?;
        Ok(())
    }

    /// A key with a value; a dotted one as in `Container._handle_dotted_key`.
    pub(super) fn append_key(&mut self, container: &mut Container, key: &[u32], validate: bool) -> Step<()> {
        let Some((&last, parents)) = key.split_last() else { return Ok(()) };
        let mut name = Name::plain(last);
        let mut item = Item::Value;
        for &parent in parents.iter().rev() {
            let mut table = Table {
                is_super: true,
                ..Table::default()
            };
            table.body.raw_append(name, item)?;
            name = Name {
                id: parent,
                is_dotted: true,
            };
            item = Item::Table(table);
        }
        self.append(container, name, item, validate || !parents.is_empty())
    }

    /// `Container.append`
    pub(super) fn append(&mut self, container: &mut Container, name: Name, item: Item, validate: bool) -> Step<()> {
        self.spend()?;
        let item = match container.last_place(name.id) {
            None => item,
            Some(last) => {
                let follows = container.last_table == Some(name.id);
                let (current_name, current) = &mut container.body[last];
                let is_apart = name.is_dotted || current_name.is_dotted || !follows;
                match self.join(current, current_name.is_dotted, is_apart, item)? {
                    Joined::Done => return Ok(()),
                    Joined::Apart(item) => {
                        container.raw_append(name, item)?;
                        return if validate { self.validate(container, name.id) } else { Ok(()) };
                    }
                }
            }
        };
        container.raw_append(name, item)?;
        if validate { self.validate(container, name.id) } else { Ok(()) }
    }

    /// The part of `Container.append` for a name that is there already.
    fn join(&mut self, current: &mut Item, is_dotted: bool, is_apart: bool, item: Item) -> Step<Joined> {
        let table = match (&mut *current, item) {
            (Item::Tables(elements), Item::Tables(more)) => {
                elements.extend(more);
                return Ok(Joined::Done);
            }
            (Item::Value, _) | (_, Item::Value | Item::Tables(_)) => return Err(Stop::Refused),
            (_, Item::Table(table)) => table,
        };
        match current {
            Item::Value => Err(Stop::Refused),
            Item::Tables(elements) if table.is_element => {
                elements.push(table);
                Ok(Joined::Done)
            }
            Item::Tables(elements) => match elements.last_mut() {
                Some(last) if table.is_super => {
                    for (name, item) in table.body.body {
                        self.append(&mut last.body, name, item, true)?;
                    }
                    Ok(Joined::Done)
                }
                _ => Err(Stop::Refused),
            },
            Item::Table(existing) if table.is_element => {
                *current = Item::Tables(vec![std::mem::take(existing), table]);
                Ok(Joined::Done)
            }
            Item::Table(existing) if existing.is_super && table.is_super => {
                if is_apart {
                    return Ok(Joined::Apart(Item::Table(table)));
                }
                for (name, item) in table.body.body {
                    self.append(&mut existing.body, name, item, true)?;
                    self.look_up(&existing.body, name.id)?;
                }
                Ok(Joined::Done)
            }
            Item::Table(existing) => {
                let is_redefined = if existing.is_super { is_dotted } else { !table.is_super };
                if is_redefined {
                    return Err(Stop::Refused);
                }
                self.validate_candidate(&existing.body, &table.body)?;
                Ok(Joined::Apart(Item::Table(table)))
            }
        }
    }

    /// `Container._validate_table_candidate`
    fn validate_candidate(&mut self, current: &Container, candidate: &Container) -> Step<()> {
        for (name, new) in &candidate.body {
            self.spend()?;
            let Some(last) = current.last_place(name.id) else { continue };
            self.look_up(current, name.id)?;
            // A table in several parts is a proxy there, which is no table.
            let existing = if current.is_out_of_order(name.id) {
                &Item::Value
            } else {
                &current.body[last].1
            };
            if matches!(existing, Item::Value) != matches!(new, Item::Value) {
                return Err(Stop::Refused);
            }
            if name.is_dotted && !matches!(existing, Item::Table(table) if table.is_super) {
                return Err(Stop::Refused);
            }
            if let (Item::Table(existing), Item::Table(new)) = (existing, new) {
                if !existing.is_super && !new.is_super {
                    return Err(Stop::Refused);
                }
                self.validate_candidate(&existing.body, &new.body)?;
            }
        }
        Ok(())
    }

    /// `Container._validate_out_of_order_table` for every name
    pub(super) fn validate_all(&mut self, container: &mut Container) -> Step<()> {
        for index in 0..container.out_of_order.len() {
            self.spend()?;
            self.validate(container, container.out_of_order[index])?;
        }
        Ok(())
    }

    /// `Container._validate_out_of_order_table` for one name, with `OutOfOrderTableProxy.validate`
    fn validate(&mut self, container: &mut Container, id: u32) -> Step<()> {
        if !container.is_out_of_order(id) {
            return Ok(());
        }
        let (done, mut joined) = container.joined.remove(&id).unwrap_or_default();
        let places = container.places.get(&id).map(Vec::as_slice).unwrap_or_default();
        for &place in places.get(done..).unwrap_or_default() {
            if let Item::Table(table) = &container.body[place].1 {
                for (name, item) in &table.body.body {
                    let copy = self.copy(item)?;
                    self.append(&mut joined, *name, copy, true)?;
                }
            }
        }
        self.validate_all(&mut joined)?;
        let done = places.len();
        container.joined.insert(id, (done, joined));
        Ok(())
    }

    /// `Container.__getitem__`, which joins a table out of order
    pub(super) fn look_up(&mut self, container: &Container, id: u32) -> Step<()> {
        if container.is_out_of_order(id) {
            self.proxy(container, id).map(drop)
        } else {
            Ok(())
        }
    }

    /// `OutOfOrderTableProxy.__init__`
    fn proxy(&mut self, container: &Container, id: u32) -> Step<Container> {
        let mut joined = Container::default();
        for &place in container.places.get(&id).map(Vec::as_slice).unwrap_or_default() {
            let Item::Table(table) = &container.body[place].1 else { continue };
            for (name, item) in &table.body.body {
                let copy = self.copy(item)?;
                let existing = match joined.places.get(&name.id).map(Vec::as_slice) {
                    Some(&[place]) => Some(&mut joined.body[place].1),
                    _ => None,
                };
                match (existing, copy) {
                    (Some(Item::Tables(elements)), Item::Tables(more)) => elements.extend(more),
                    (_, copy) => joined.raw_append(*name, copy)?,
                }
            }
        }
        self.validate_all(&mut joined)?;
        Ok(joined)
    }

    /// `copy.deepcopy`, which leaves out what was joined
    fn copy(&mut self, item: &Item) -> Step<Item> {
        Ok(match item {
            Item::Value => Item::Value,
            Item::Table(table) => Item::Table(self.copy_table(table)?),
            Item::Tables(tables) => Item::Tables(tables.iter().map(|table| self.copy_table(table)).collect::<Step<_>>()?),
        })
    }

    fn copy_table(&mut self, table: &Table) -> Step<Table> {
        let mut body = Container {
            places: table.body.places.clone(),
            last_table: table.body.last_table,
            out_of_order: table.body.out_of_order.clone(),
            ..Container::default()
        };
        for (name, item) in &table.body.body {
            self.spend()?;
            body.body.push((*name, self.copy(item)?));
        }
        Ok(Table { body, ..*table })
    }

    /// `Container.unwrap`
    fn unwrap(&mut self, container: &Container) -> Step<()> {
        for &id in container.places.keys() {
            self.unwrap_name(container, id)?;
        }
        Ok(())
    }

    pub(super) fn unwrap_name(&mut self, container: &Container, id: u32) -> Step<()> {
        self.spend()?;
        if container.is_out_of_order(id) {
            let joined = self.proxy(container, id)?;
            return self.unwrap(&joined);
        }
        let Some(place) = container.last_place(id) else { return Ok(()) };
        match &container.body[place].1 {
            Item::Value => Ok(()),
            Item::Table(table) => self.unwrap(&table.body),
            Item::Tables(tables) => tables.iter().try_for_each(|table| self.unwrap(&table.body)),
        }
    }
}

/// What becomes of a name that is there already.
enum Joined {
    /// It took the new item in.
    Done,
    /// The new item stands beside it.
    Apart(Item),
}
