//! Reading a TOML table key by key, gathering everything that is wrong with its line instead of stopping at the first.

use super::super::near_miss::near_miss;
use super::RuleProblem;
use std::cell::RefCell;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong so far, and where lines begin.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: RefCell<Vec<RuleProblem>>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.text.as_bytes()[..at.min(self.text.len())]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1
    }

    pub(super) fn add(&self, at: usize, place: &str, what: String) {
        self.found.borrow_mut().push(RuleProblem {
            line: self.line(at),
            place: place.to_owned(),
            what,
        });
    }

    pub(super) fn into_found(self) -> Vec<RuleProblem> {
        self.found.into_inner()
    }
}

/// A table being read. Keys that nobody asked for are a problem.
pub(super) struct Fields<'a> {
    pub(super) place: String,
    /// Where the table begins, bytes.
    pub(super) at: usize,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
    problems: &'a Problems<'a>,
}

fn shown(value: &DeValue) -> String {
    match value {
        DeValue::String(s) => format!("\"{s}\""),
        DeValue::Integer(i) => i.as_str().to_owned(),
        DeValue::Float(x) => x.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        other => format!("a {}", other.type_str()),
    }
}

fn number(value: &DeValue) -> Option<f64> {
    let text = match value {
        DeValue::Float(x) => x.as_str(),
        DeValue::Integer(i) if i.radix() == 10 => i.as_str(),
        _ => return None,
    };
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

impl<'a> Fields<'a> {
    pub(super) fn new(place: String, at: usize, table: &'a DeTable<'a>, problems: &'a Problems<'a>) -> Self {
        Self {
            place,
            at,
            table,
            asked: RefCell::new(Vec::new()),
            problems,
        }
    }

    fn inner(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn optional(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    fn required(&self, key: &'static str, expected: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.optional(key);
        if value.is_none() {
            self.problems
                .add(self.at, &self.place, format!("`{key}` is missing; expected {expected}"));
        }
        value
    }

    pub(super) fn refuse(&self, key: &str, expected: &str) {
        let value = self.table.get(key);
        let found = value.map_or_else(|| "nothing".to_owned(), |v| shown(v.get_ref()));
        let at = value.map_or(self.at, |v| v.span().start);
        self.problems
            .add(at, &self.place, format!("`{key}` is {found}; expected {expected}"));
    }

    fn read<T>(&self, key: &'static str, expected: &str, as_t: impl FnOnce(&'a DeValue<'a>) -> Option<T>) -> Option<T> {
        let value = self.required(key, expected)?;
        let read = as_t(value.get_ref());
        if read.is_none() {
            self.refuse(key, expected);
        }
        read
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> String {
        self.read(key, "a text", |v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    pub(super) fn text_if_any(&self, key: &'static str) -> Option<String> {
        self.has(key).then(|| self.text(key))
    }

    pub(super) fn number(&self, key: &'static str) -> f64 {
        self.read(key, "a number", number).unwrap_or_default()
    }

    /// A number not below 0.
    pub(super) fn size(&self, key: &'static str) -> f64 {
        let expected = "a number not below 0";
        self.read(key, expected, |v| number(v).filter(|x| *x >= 0.0))
            .unwrap_or_default()
    }

    /// A whole number not below 0.
    pub(super) fn count<T: TryFrom<u32> + Default>(&self, key: &'static str) -> T {
        let whole = |v: &DeValue| match v {
            DeValue::Integer(i) => i.as_str().parse::<u32>().ok().filter(|n| *n <= 100_000),
            _ => None,
        };
        let read = self.read(key, "a whole number, 0 to 100000", |v| whole(v)?.try_into().ok());
        read.unwrap_or_default()
    }

    pub(super) fn yes(&self, key: &'static str) -> bool {
        self.read(key, "true or false", DeValue::as_bool).unwrap_or_default()
    }

    pub(super) fn yes_if_any(&self, key: &'static str) -> bool {
        self.has(key) && self.yes(key)
    }

    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|c| c.0).collect();
        let expected = format!("one of {}", names.join(", "));
        self.read(key, &expected, |v| {
            let text = v.as_str()?;
            choices.iter().find(|c| c.0 == text).map(|c| c.1)
        })
    }

    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        self.read(key, "a list of texts", texts_of).unwrap_or_default()
    }

    pub(super) fn texts_if_any(&self, key: &'static str) -> Vec<String> {
        if self.has(key) { self.texts(key) } else { Vec::new() }
    }

    pub(super) fn lists(&self, key: &'static str) -> Vec<Vec<String>> {
        let lists = |v: &'a DeValue<'a>| v.as_array()?.iter().map(|x| texts_of(x.get_ref())).collect();
        self.read(key, "a list of lists of texts", lists).unwrap_or_default()
    }

    pub(super) fn counts(&self, key: &'static str) -> Vec<u32> {
        let counts = |v: &'a DeValue<'a>| {
            let one = |x: &DeValue| {
                number(x)
                    .filter(|n| n.fract() == 0.0 && (0.0..1e6).contains(n))
                    .map(|n| n as u32)
            };
            v.as_array()?.iter().map(|x| one(x.get_ref())).collect()
        };
        self.read(key, "a list of whole numbers", counts).unwrap_or_default()
    }

    /// A table of its own; an empty one where it is missing or no table.
    pub(super) fn table(&self, key: &'static str) -> Option<Fields<'a>> {
        let value = self.required(key, "a table")?;
        let Some(table) = value.get_ref().as_table() else {
            self.refuse(key, "a table");
            return None;
        };
        Some(Self::new(self.inner(key), value.span().start, table, self.problems))
    }

    /// A list of tables.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        let Some(value) = self.required(key, "a list of tables") else {
            return Vec::new();
        };
        self.tables_of(key, value)
    }

    fn tables_of(&self, key: &'static str, value: &'a Spanned<DeValue<'a>>) -> Vec<Fields<'a>> {
        let items = value.get_ref().as_array().map(|a| a.iter().collect::<Vec<_>>());
        let tables: Option<Vec<_>> = items.and_then(|items| {
            let one = |(i, x): (usize, &'a Spanned<DeValue<'a>>)| {
                let table = x.get_ref().as_table()?;
                let place = self.inner(&format!("{key}[{}]", i + 1));
                Some(Self::new(place, x.span().start, table, self.problems))
            };
            items.into_iter().enumerate().map(one).collect()
        });
        if tables.is_none() {
            self.refuse(key, "a list of tables");
        }
        tables.unwrap_or_default()
    }

    /// A list of lists of tables.
    pub(super) fn table_lists(&self, key: &'static str) -> Vec<Vec<Fields<'a>>> {
        let Some(value) = self.optional(key) else {
            return Vec::new();
        };
        let Some(lists) = value.get_ref().as_array() else {
            self.refuse(key, "a list of lists of conditions");
            return Vec::new();
        };
        lists.iter().map(|list| self.tables_of(key, list)).collect()
    }

    /// Every entry as a table of its own, in the order of the file; the keys are names.
    pub(super) fn named(&self) -> Vec<(String, Fields<'a>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut named = Vec::new();
        for (key, value) in entries {
            let (name, at) = (key.get_ref().to_string(), key.span().start);
            let place = self.inner(&name);
            match value.get_ref().as_table() {
                Some(table) => named.push((name, Self::new(place, at, table, self.problems))),
                None => self
                    .problems
                    .add(at, &place, format!("is {}; expected a table", shown(value.get_ref()))),
            }
        }
        named
    }

    /// Every entry as a text, in the order of the file; the keys are names.
    pub(super) fn named_texts(&self) -> Vec<(String, String)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut named = Vec::new();
        for (key, value) in entries {
            match value.get_ref().as_str() {
                Some(text) => named.push((key.get_ref().to_string(), text.to_owned())),
                None => {
                    let place = self.inner(key.get_ref());
                    self.problems.add(
                        value.span().start,
                        &place,
                        format!("is {}; expected a text", shown(value.get_ref())),
                    );
                }
            }
        }
        named
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in self
            .table
            .iter()
            .filter(|(key, _)| !asked.contains(&key.get_ref().as_ref()))
        {
            let name = key.get_ref();
            let mut what = format!("`{name}` is no key of this place");
            match near_miss(name, asked.iter().copied()) {
                Some(meant) => what.push_str(&format!("; did you mean `{meant}`?")),
                None => what.push_str(&format!("; expected {}", asked.join(", "))),
            }
            self.problems.add(key.span().start, &self.place, what);
        }
    }
}

fn texts_of(value: &DeValue) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|x| x.get_ref().as_str().map(str::to_owned))
        .collect()
}
