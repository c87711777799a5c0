//! What a misspelt name was probably meant to be.

/// Letters that may differ.
const MOST_EDITS: usize = 2;

/// The known name nearest to `name`, where one is near enough to be meant.
pub(super) fn near_miss<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|k| (edits(name, k), k));
    let nearest = near.min_by_key(|(n, _)| *n)?;
    (nearest.0 <= MOST_EDITS && nearest.0 < name.chars().count()).then_some(nearest.1)
}

/// Letters to add, drop or change (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        assert_eq!(near_miss("back_worts", ["back_pre", "back_worst"]), Some("back_worst"));
        assert_eq!(near_miss("colour", ["back_pre", "back_worst"]), None);
        assert_eq!(near_miss("x", ["y"]), None);
    }
}
