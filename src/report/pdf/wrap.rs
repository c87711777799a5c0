//! Breaking text into lines with the letters' own widths.
//!
//! Lines break at spaces; a word wider than the line is broken where it has to be. A line keeps its last space, unseen, so
//! that words stay apart when the text is copied or read aloud.

use super::super::chart::scene::Weight;
use super::super::document::{Run, Text};
use super::face::Faces;

/// A stretch of a line in one weight.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Where it begins, points from the begin of the line.
    pub(super) x: f64,
    /// Its words.
    pub(super) text: String,
    /// Its weight.
    pub(super) weight: Weight,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// From left to right.
    pub(super) stretches: Vec<Stretch>,
    /// Its width without the space at its end.
    pub(super) width: f64,
}

struct Breaker<'a> {
    faces: &'a Faces,
    size: f64,
    room: f64,
    lines: Vec<Line>,
    line: Line,
    /// Width with the space at the end.
    at: f64,
}

impl Breaker<'_> {
    fn end(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
        self.at = 0.0;
    }

    /// Adds a piece that is not broken any more; `bare` is its width without the space at its end.
    fn add(&mut self, piece: &str, weight: Weight, bare: f64, full: f64) {
        match self.line.stretches.last_mut().filter(|s| s.weight == weight) {
            Some(last) => last.text.push_str(piece),
            None => self.line.stretches.push(Stretch {
                x: self.at,
                text: piece.to_owned(),
                weight,
            }),
        }
        if bare > 0.0 {
            self.line.width = self.at + bare;
        }
        self.at += full;
    }

    fn word(&mut self, word: &str, weight: Weight) {
        let face = self.faces.of(weight);
        let bare = face.width(word.trim_end_matches(' '), self.size);
        let full = face.width(word, self.size);
        if self.at > 0.0 && self.at + bare > self.room {
            self.end();
        }
        if bare <= self.room {
            self.add(word, weight, bare, full);
            return;
        }
        // Wider than a line: letter by letter.
        let mut piece = String::new();
        let mut width = 0.0;
        for c in word.chars() {
            let advance = self.size * self.faces.of(weight).letter(c).advance;
            if width > 0.0 && width + advance > self.room && c != ' ' {
                self.add(&piece, weight, width, width);
                self.end();
                piece.clear();
                width = 0.0;
            }
            piece.push(c);
            width += advance;
        }
        let bare = self.faces.of(weight).width(piece.trim_end_matches(' '), self.size);
        self.add(&piece, weight, bare, width);
    }
}

/// The lines of a text; at least one, empty where there are no words.
pub(super) fn wrap(text: &Text, faces: &Faces, size: f64, room: f64) -> Vec<Line> {
    let mut breaker = Breaker {
        faces,
        size,
        room: room.max(size),
        lines: Vec::new(),
        line: Line::default(),
        at: 0.0,
    };
    for run in &text.0 {
        let (words, weight) = match run {
            Run::Plain(words) => (words, Weight::Regular),
            Run::Strong(words) => (words, Weight::Bold),
        };
        for word in words.split_inclusive(' ') {
            breaker.word(word, weight);
        }
    }
    if !breaker.line.stretches.is_empty() || breaker.lines.is_empty() {
        breaker.end();
    }
    breaker.lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<String> {
        let of = |l: &Line| l.stretches.iter().map(|s| s.text.as_str()).collect::<String>();
        lines.iter().map(of).collect()
    }

    #[test]
    fn no_line_is_wider_than_its_room_and_no_letter_is_lost() {
        let faces = Faces::load().expect("fonts");
        let text = Text::plain("How far ahead of the pelvis the foot lands. ")
            .then_strong("Pelvic drop ")
            .then("against standing; Donaudampfschifffahrtsgesellschaftskapitänsmütze and 李小龙 too");
        for room in [30.0, 60.0, 121.0, 400.0] {
            let lines = wrap(&text, &faces, 9.0, room);
            assert!(lines.iter().all(|l| l.width <= room + 1e-6), "{room}");
            assert_eq!(texts(&lines).concat(), text.words());
            for line in &lines {
                let seen: f64 = line
                    .stretches
                    .iter()
                    .map(|s| faces.of(s.weight).width(&s.text, 9.0))
                    .sum();
                assert!(line.width <= seen + 1e-6 && seen - line.width < 9.0);
            }
        }
    }

    #[test]
    fn lines_break_at_spaces_and_keep_them() {
        let faces = Faces::load().expect("fonts");
        let lines = wrap(
            &"one two three".into(),
            &faces,
            10.0,
            faces.of(Weight::Regular).width("one two", 10.0) + 0.1,
        );
        assert_eq!(texts(&lines), ["one two ", "three"]);
        assert_eq!(texts(&wrap(&"".into(), &faces, 10.0, 50.0)), [""]);
    }
}
