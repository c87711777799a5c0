//! A file of the project, with its Rust text taken apart: code, comments and literals, test code and the rest.
//!
//! Not a parser. A scanner that knows comments, strings and characters is enough to keep a rule about code from tripping
//! over a sentence in a comment, and stays small enough to be believed.

/// Something a rule found.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Line, from 1.
    pub(crate) line: usize,
    /// What is wrong, with the facts.
    pub(crate) what: String,
}

/// A text file with its path relative to the project, `/` between folders.
pub(crate) struct File {
    /// Relative path.
    pub(crate) path: String,
    /// Whole text.
    pub(crate) text: String,
    /// For Rust: the text with comments and the insides of literals blanked, line for line. Else empty.
    pub(crate) code: String,
    /// For Rust: line number and content of each string literal. Else empty.
    pub(crate) literals: Vec<(usize, String)>,
    /// Whether the whole file is compiled for tests only, because its parent declares it under `#[cfg(test)]`.
    pub(crate) test_only: bool,
    test_lines: Vec<bool>,
}

impl File {
    /// Takes the text apart if the path ends in `.rs`.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let (code, literals) = if path.ends_with(".rs") {
            take_apart(text)
        } else {
            Default::default()
        };
        let test_lines = test_lines(&code);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            literals,
            test_only: false,
            test_lines,
        }
    }

    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The top-level module a source file of the library belongs to: `gait` for `src/gait/stride.rs`. `None` for `lib.rs`,
    /// `main.rs` and everything outside `src/`.
    pub(crate) fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((module, _)) => Some(module),
            None => inside.strip_suffix(".rs").filter(|m| !["lib", "main"].contains(m)),
        }
    }

    /// How many modules deep the file is: 1 for `src/gait/mod.rs`, 2 for `src/gait/stride.rs`.
    pub(crate) fn depth(&self) -> usize {
        let inside = self
            .path
            .trim_start_matches("src/")
            .trim_end_matches(".rs")
            .trim_end_matches("/mod");
        inside.split('/').count()
    }

    /// Whether line `line` (from 1) is compiled for tests only: under `#[cfg(test)]`, or the file is named for tests.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        !self.path.starts_with("src/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || self.test_only
            || self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    /// The files, without `.rs` or `/mod.rs`, of the modules that this one declares under `#[cfg(test)]`.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let folder = match self.path.strip_suffix("/mod.rs").or(self.path.strip_suffix("/lib.rs")) {
            Some(folder) => folder,
            None => self.path.trim_end_matches(".rs"),
        };
        let declared = self.code.match_indices("#[cfg(test)]").filter_map(|(at, attribute)| {
            let item = self.code[at + attribute.len()..].split([';', '{']).next()?;
            let name = item.trim().rsplit("mod ").next().filter(|_| item.contains("mod "))?;
            Some(format!("{folder}/{}", name.trim()))
        });
        declared.collect()
    }
}

/// Whether a file of that name is text that the rules look at.
pub(crate) fn is_text(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some(("", _)) => name == ".gitignore",
        Some((_, ext)) => [
            "rs", "md", "toml", "py", "sh", "lock", "txt", "json", "yml", "ts", "tsx", "css", "html",
        ]
        .contains(&ext),
        None => ["x", "run"].contains(&name) || name.starts_with("LICENSE"),
    }
}

/// Line number, from 1, of byte `at`.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Whether `c` can be part of an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Byte positions at which `word` stands in `text` as a whole word (or path, if it holds `::`).
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let bounded =
            |c: Option<char>, edge: Option<char>| edge.is_none_or(|e| !is_word(e)) || c.is_none_or(|c| !is_word(c));
        bounded(before, word.chars().next()) && bounded(after, word.chars().next_back())
    })
}

/// Code with everything else blanked, and the string literals with their lines.
fn take_apart(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut literals) = (String::with_capacity(text.len()), Vec::new());
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let end = match (chars[i], chars.get(i + 1).copied()) {
            ('/', Some('/')) => until(&chars, i, |c, at| c[at] == '\n'),
            ('/', Some('*')) => block_comment_end(&chars, i),
            ('"', _) => string_end(&chars, i + 1),
            ('r', Some('"' | '#')) if i == 0 || !is_word(chars[i - 1]) || chars[i - 1] == 'b' => {
                raw_string_end(&chars, i).unwrap_or(i)
            }
            ('\'', Some('\\')) => until(&chars, i + 3, |c, at| c[at] == '\'') + 1,
            ('\'', Some(_)) if chars.get(i + 2) == Some(&'\'') => i + 3,
            _ => i,
        };
        if end == i {
            code.push(chars[i]);
            line += usize::from(chars[i] == '\n');
            i += 1;
            continue;
        }
        let end = end.min(chars.len());
        let piece: String = chars[i..end].iter().collect();
        if !piece.starts_with('/') && !piece.starts_with('\'') {
            literals.push((line, unwrap_continued_lines(&piece)));
        }
        code.extend(chars[i..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        line += piece.matches('\n').count();
        i = end;
    }
    (code, literals)
}

fn until(chars: &[char], from: usize, stop: impl Fn(&[char], usize) -> bool) -> usize {
    (from..chars.len()).find(|&at| stop(chars, at)).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut i) = (0, from);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut i = from;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn raw_string_end(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars[from + 1..].iter().take_while(|&&c| c == '#').count();
    let open = from + 1 + hashes;
    (chars.get(open) == Some(&'"')).then(|| {
        let closes = |c: &[char], at: usize| {
            c[at] == '"' && c[at + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
        };
        until(chars, open + 1, closes) + 1 + hashes
    })
}

/// A literal as the program prints it, where it is continued over lines with a backslash.
fn unwrap_continued_lines(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |joined, part| joined + part.trim_start())
}

/// For each line, whether it lies in an item under `#[cfg(test)]`.
fn test_lines(code: &str) -> Vec<bool> {
    let mut lines = vec![false; code.lines().count()];
    for (at, _) in code.match_indices("#[cfg(test)]") {
        let (mut depth, mut end) = (0_usize, code.len());
        for (i, c) in code[at..].char_indices().skip("#[cfg(test)]".len()) {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && (c == '}' || c == ';') {
                end = at + i;
                break;
            }
        }
        for line in line_of(code, at)..=line_of(code, end) {
            if let Some(l) = lines.get_mut(line - 1) {
                *l = true;
            }
        }
    }
    lines
}

#[test]
fn modules_declared_for_tests_only_are_known_by_their_files() {
    let file = File::new(
        "src/gait/mod.rs",
        "mod a;\n#[cfg(test)]\nmod laws;\n#[cfg(test)]\npub(crate) mod recorded;\n#[cfg(test)]\nuse x;\n",
    );
    assert_eq!(file.test_modules(), ["src/gait/laws", "src/gait/recorded"]);
    let file = File::new("src/gait/stride.rs", "#[cfg(test)]\nmod tests;\n");
    assert_eq!(file.test_modules(), ["src/gait/stride/tests"]);
}

#[test]
fn comments_and_literals_are_taken_out_of_the_code_line_for_line() {
    let file = File::new(
        "src/a/b.rs",
        "//! crate::no\nlet a = \"todo!() // not a comment\"; /* /* nested */ no */ let c = '\"'; let d: &'static str = r#\"raw \"x\" \"#;\nlet e = '\\'';\nkept();\n#[cfg(test)]\nmod tests {\n    fn t() {}\n}\nfn last() {}\n",
    );
    assert_eq!(file.code.lines().count(), file.text.lines().count());
    assert!(
        !file.code.contains("no") && !file.code.contains("todo") && !file.code.contains("raw"),
        "{}",
        file.code
    );
    assert!(
        file.code.contains("let d: &'static str =") && file.code.contains("kept();"),
        "{}",
        file.code
    );
    assert_eq!(file.literals.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(
        (1..=9).filter(|&l| file.is_test_line(l)).collect::<Vec<_>>(),
        [5, 6, 7, 8]
    );
    assert_eq!((file.module(), file.depth()), (Some("a"), 2));
}
