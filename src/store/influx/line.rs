//! Line protocol, as bytes: one point a line.
//!
//! ```text
//! gait_stride,athlete=anna,side=left contact_time=0.243,idx=17i,session="s1" 1772346600123
//! ```
//!
//! Escaping is the weak side of this format: a newline in a tag forges a second measurement, and a backslash at the end
//! of a text swallows the point after it. So nothing is escaped that can be made impossible instead: names are constants
//! of the program, tags are of a type that holds no character with a meaning, and only texts know an escape. What is
//! not a number is left out; a point without a field does not exist.

use super::super::ids::{AthleteId, SessionId};
use std::fmt::Write as _;

/// Longest text of a field, bytes; longer ones are cut at a character.
pub const TEXT_MAX: usize = 1024;
/// Longest tag value, bytes.
pub const TAG_MAX: usize = 64;
/// First instant that is not kept, ms since 1970: the year 2100.
pub const TIME_END_MS: i64 = 4_102_444_800_000;

/// A tag value: 1 to 64 of `A-Z a-z 0-9 _ . -`, so that it needs no escaping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The tag value with this text; `None` when it holds anything that could mean something.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        (!text.is_empty() && text.len() <= TAG_MAX && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&AthleteId> for Tag {
    /// Ids of athletes allow fewer characters than tags do.
    fn from(id: &AthleteId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<&SessionId> for Tag {
    /// Ids of sessions allow fewer characters than tags do.
    fn from(id: &SessionId) -> Self {
        Self(id.as_str().to_owned())
    }
}

/// A name of a measurement, tag or field: a constant `[a-z][a-z0-9_]*`, checked when the program is compiled if it is
/// made in a `const`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(&'static str);

impl Name {
    /// The name with this text.
    ///
    /// # Panics
    /// For a text that is not `[a-z][a-z0-9_]*`, or is `time`, which servers keep for themselves. The text is a
    /// constant, so a test or the compiler meets the panic, never a user.
    #[must_use]
    pub const fn of(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        assert!(
            !bytes.is_empty() && bytes[0].is_ascii_lowercase(),
            "a name begins with a letter"
        );
        let mut i = 0;
        while i < bytes.len() {
            assert!(
                bytes[i].is_ascii_lowercase() || bytes[i].is_ascii_digit() || bytes[i] == b'_',
                "a name is a-z 0-9 _"
            );
            i += 1;
        }
        assert!(
            !(bytes.len() == 4 && bytes[0] == b't' && bytes[1] == b'i' && bytes[2] == b'm' && bytes[3] == b'e'),
            "`time` belongs to the server"
        );
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Writes one point into a buffer. Tags first, then fields, then [`Point::end`].
#[derive(Debug)]
pub struct Point<'b> {
    out: &'b mut String,
    begin: usize,
    fields: usize,
}

impl<'b> Point<'b> {
    /// Begins a point at the end of `out`.
    pub fn begin(out: &'b mut String, measurement: Name) -> Self {
        let begin = out.len();
        out.push_str(measurement.as_str());
        Self { out, begin, fields: 0 }
    }

    /// Adds a tag. Tags stand in the order of their names, which servers like best.
    #[must_use]
    pub fn tag(self, name: Name, value: &Tag) -> Self {
        debug_assert_eq!(self.fields, 0, "tags stand before fields");
        self.out.push(',');
        self.out.push_str(name.as_str());
        self.out.push('=');
        self.out.push_str(value.as_str());
        self
    }

    fn field(&mut self, name: Name) {
        self.out.push(if self.fields == 0 { ' ' } else { ',' });
        self.out.push_str(name.as_str());
        self.out.push('=');
        self.fields += 1;
    }

    /// Adds a number; what is absent or not finite is left out. A field written here is of type float for ever.
    pub fn float(&mut self, name: Name, value: Option<f64>) {
        if let Some(v) = value.filter(|v| v.is_finite()) {
            self.field(name);
            let begin = self.out.len();
            // The shortest form that reads back equal; a trailing `.0` is one more byte than needed. Writing to a
            // String cannot fail.
            let _ = write!(self.out, "{v:?}");
            if self.out[begin..].ends_with(".0") {
                self.out.truncate(self.out.len() - 2);
            }
        }
    }

    /// Adds a whole number. A field written here is of type integer for ever.
    pub fn integer(&mut self, name: Name, value: i64) {
        self.field(name);
        let _ = write!(self.out, "{value}i");
    }

    /// Adds a text: control characters become spaces, at most [`TEXT_MAX`] bytes.
    pub fn text(&mut self, name: Name, value: &str) {
        self.field(name);
        let mut end = value.len().min(TEXT_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.out.push('"');
        for c in value[..end].chars() {
            match c {
                '"' | '\\' => self.out.extend(['\\', c]),
                c if c.is_control() => self.out.push(' '),
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// Ends the point at `ms` milliseconds since 1970 and says whether it is one: without a field, or outside 1970 to
    /// 2100, nothing of it stays in the buffer.
    #[must_use]
    pub fn end(self, ms: i64) -> bool {
        let whole = self.fields > 0 && (0..TIME_END_MS).contains(&ms);
        if whole {
            let _ = write!(self.out, " {ms}");
        } else {
            self.out.truncate(self.begin);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const M: Name = Name::of("m");
    const T: Name = Name::of("t");
    const F: Name = Name::of("f");

    /// A reader of one line that shares no code with the writer: (measurement, tags, fields, time).
    type Read = (String, Vec<(String, String)>, Vec<(String, String)>, i64);

    fn read(line: &str) -> Read {
        assert!(!line.contains('\n'), "one line: {line:?}");
        let (head, rest) = line.split_once(' ').expect("a space before the fields");
        let (body, time) = rest.rsplit_once(' ').expect("a space before the time");
        let mut parts = head.split(',');
        let measurement = parts.next().expect("a name").to_owned();
        let pair = |p: &str| {
            let (k, v) = p.split_once('=').expect("key=value");
            (k.to_owned(), v.to_owned())
        };
        let tags = parts.map(pair).collect();
        let (mut fields, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
        for (i, b) in body.bytes().enumerate() {
            match b {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    fields.push(pair(&body[from..i]));
                    from = i + 1;
                }
                _ => {}
            }
        }
        assert!(!quoted && !escaped, "every quote is closed: {line:?}");
        fields.push(pair(&body[from..]));
        (measurement, tags, fields, time.parse().expect("a time"))
    }

    fn unquoted(text: &str) -> String {
        let inner = text
            .strip_prefix('"')
            .and_then(|t| t.strip_suffix('"'))
            .expect("quotes");
        let (mut out, mut escaped) = (String::new(), false);
        for c in inner.chars() {
            if c == '\\' && !escaped {
                escaped = true;
            } else {
                out.push(c);
                escaped = false;
            }
        }
        out
    }

    #[test]
    fn a_point_is_written_as_the_format_has_it() {
        let mut out = String::new();
        let mut p = Point::begin(&mut out, M).tag(T, &Tag::parse("anna-1.x_").expect("a tag"));
        p.float(F, Some(0.1));
        p.float(Name::of("g"), Some(243.0));
        p.float(Name::of("h"), Some(f64::NAN));
        p.float(Name::of("k"), None);
        p.integer(Name::of("i"), -3);
        p.text(Name::of("s"), "a\"b\\ \n");
        assert!(p.end(1_772_346_600_123));
        assert_eq!(out, r#"m,t=anna-1.x_ f=0.1,g=243,i=-3i,s="a\"b\\  " 1772346600123"#);
    }

    #[test]
    fn a_point_without_a_field_or_out_of_time_leaves_nothing() {
        let mut out = String::from("before\n");
        let mut empty = Point::begin(&mut out, M);
        empty.float(F, Some(f64::INFINITY));
        assert!(!empty.end(1));
        for ms in [-1, TIME_END_MS, i64::MAX, i64::MIN] {
            let mut p = Point::begin(&mut out, M);
            p.integer(F, 1);
            assert!(!p.end(ms), "{ms}");
        }
        assert_eq!(out, "before\n");
    }

    #[test]
    fn a_tag_holds_nothing_that_means_something() {
        let long = "x".repeat(65);
        for bad in ["", "a b", "a,b", "a=b", "a\nb", "a\\", "ä", "a\"", long.as_str()] {
            assert_eq!(Tag::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    #[should_panic(expected = "belongs to the server")]
    fn no_name_is_time() {
        let _ = Name::of("time");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let mut out = String::new();
        let mut p = Point::begin(&mut out, M);
        p.text(F, &"ü".repeat(600));
        assert!(p.end(0));
        let (_, _, fields, _) = read(&out);
        assert_eq!(unquoted(&fields[0].1), "ü".repeat(512));
    }

    /// The vendor's own encoder, for what both write; control characters it lets through, we do not.
    #[test]
    fn texts_and_numbers_are_written_as_the_vendor_writes_them() {
        let text = include_str!("../../../tests/fixtures/influx/vendor-lines.json");
        let vectors: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let pairs = |name: &str| -> Vec<(String, String)> {
            serde_json::from_value(vectors[name].clone()).expect("pairs of texts")
        };
        let mut seen = 0;
        for (value, line) in pairs("strings") {
            let mut out = String::new();
            let mut p = Point::begin(&mut out, M);
            p.text(F, &value);
            assert!(p.end(1));
            assert_eq!(out, line.replace('\t', " "), "{value:?}");
            seen += 1;
        }
        for (value, line) in pairs("ints") {
            let mut out = String::new();
            let mut p = Point::begin(&mut out, M);
            p.integer(F, value.parse().expect("a whole number"));
            assert!(p.end(1));
            assert_eq!(out, line);
            seen += 1;
        }
        for (value, line) in pairs("floats") {
            let value: f64 = value.parse().expect("a number");
            let mut out = String::new();
            let mut p = Point::begin(&mut out, M);
            p.float(F, Some(value));
            assert!(p.end(1));
            // The forms of exponents differ; the numbers do not.
            let number = |line: &str| read(line).2[0].1.parse::<f64>().expect("a number").to_bits();
            assert_eq!(
                (number(&out), number(&line)),
                (value.to_bits(), value.to_bits()),
                "{out} {line}"
            );
            seen += 1;
        }
        assert!(seen > 30);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_equal(tag in "[A-Za-z0-9_.-]{1,64}", x in any::<f64>(), i in any::<i64>(),
                                              text in any::<String>(), ms in 0..TIME_END_MS) {
            let mut out = String::new();
            let mut p = Point::begin(&mut out, M).tag(T, &Tag::parse(&tag).expect("a tag"));
            p.float(F, Some(x));
            p.integer(Name::of("i"), i);
            p.text(Name::of("s"), &text);
            prop_assert!(p.end(ms));
            let (m, tags, fields, time) = read(&out);
            prop_assert_eq!((m.as_str(), time), ("m", ms));
            prop_assert_eq!(tags, vec![("t".to_owned(), tag)]);
            let mut fields = fields.into_iter();
            if x.is_finite() {
                let (_, v) = fields.next().expect("the number");
                prop_assert_eq!(v.parse::<f64>().expect("a number").to_bits(), x.to_bits());
            }
            prop_assert_eq!(fields.next(), Some(("i".to_owned(), format!("{i}i"))));
            let (_, s) = fields.next().expect("the text");
            let want: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let got = unquoted(&s);
            prop_assert!(want.starts_with(&got) && (got.len() == want.len() || text.len() > TEXT_MAX - 4));
            prop_assert_eq!(fields.next(), None);
        }
    }
}
