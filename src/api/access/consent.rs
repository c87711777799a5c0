//! What an athlete consented to, from the journal, and what of the journal is a symptom.

use crate::store::journal::{Body, Entry, Kind, Purpose, SessionNote};

/// Kinds of entries that tell of symptoms as a whole.
pub const SYMPTOM_KINDS: [Kind; 5] = [
    Kind::CheckIn,
    Kind::Weekly,
    Kind::BodyTest,
    Kind::ClinicianNote,
    Kind::Consent,
];

/// Families of flags that speak of symptoms or history.
pub const SYMPTOM_FAMILIES: [&str; 2] = ["SY", "HX"];

/// Whether `name` may see what the purpose is about: the latest word counts, one for everybody with that role too.
#[must_use]
pub fn given(entries: &[Entry], purpose: Purpose, name: &str) -> bool {
    let words = entries.iter().filter_map(|e| match &e.body {
        Body::Consent(c) if c.purpose == purpose && (c.recipient == name || c.recipient.is_empty()) => {
            Some((e.at, c.given))
        }
        _ => None,
    });
    // Of two at one instant a withdrawal counts: with `given` turned round it is the larger.
    words
        .max_by_key(|(at, given)| (*at, !*given))
        .is_some_and(|(_, given)| given)
}

/// An entry without what tells of symptoms; `None` when nothing is left.
#[must_use]
pub fn without_symptoms(mut entry: Entry) -> Option<Entry> {
    if SYMPTOM_KINDS.contains(&entry.body.kind()) {
        return None;
    }
    match &mut entry.body {
        Body::SessionNote(note) => strip(note),
        Body::Activity(activity) => strip(&mut activity.note),
        Body::Athlete(facts) => {
            facts.prior_lbp_episodes = None;
            facts.medical_history = None;
            facts.bone_stress = None;
        }
        // Why a stride is bad may be told with the back.
        Body::StrideVerdict(verdict) => verdict.note = None,
        Body::FlagAction(action) if SYMPTOM_FAMILIES.iter().any(|f| action.flag.starts_with(f)) => return None,
        _ => {}
    }
    Some(entry)
}

/// Takes symptoms, and free words that may tell of them, out of a note.
pub fn strip(note: &mut SessionNote) {
    note.back_before = None;
    note.back_worst = None;
    note.onset = None;
    note.onset_minute = None;
    note.stopped_for_back = None;
    note.eased_for_back = None;
    note.text = None;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::journal::{Consent, Day, EntryId, Score};
    use crate::store::{AthleteId, UtcMicros};

    fn entry(at: i64, body: Body) -> Entry {
        Entry {
            id: EntryId::parse(&format!("e{at}")).expect("id"),
            athlete: AthleteId::parse("ada").expect("id"),
            day: Day::from_days(1),
            at: UtcMicros::from_micros(at),
            body,
        }
    }

    fn consent(at: i64, recipient: &str, given: bool) -> Entry {
        entry(
            at,
            Body::Consent(Consent {
                purpose: Purpose::Coach,
                recipient: recipient.to_owned(),
                given,
            }),
        )
    }

    #[test]
    fn nothing_is_consented_to_until_it_is_and_a_withdrawal_ends_it() {
        assert!(!given(&[], Purpose::Coach, "kim"));
        let mut said = vec![consent(1, "", true)];
        assert!(given(&said, Purpose::Coach, "kim") && !given(&said, Purpose::Therapist, "kim"));
        said.push(consent(2, "kim", false));
        assert!(!given(&said, Purpose::Coach, "kim") && given(&said, Purpose::Coach, "lee"));
        said.push(consent(3, "kim", true));
        assert!(given(&said, Purpose::Coach, "kim"));
        said.push(consent(4, "", false));
        assert!(!given(&said, Purpose::Coach, "kim") && !given(&said, Purpose::Coach, "lee"));
        said.push(consent(5, "kim", true));
        assert!(given(&said, Purpose::Coach, "kim") && !given(&said, Purpose::Coach, "lee"));
        said.push(consent(5, "kim", false));
        assert!(
            !given(&said, Purpose::Coach, "kim"),
            "at one instant the withdrawal counts"
        );
    }

    #[test]
    fn a_note_keeps_the_shoe_and_loses_the_back() {
        let note = SessionNote {
            shoe: Some(EntryId::parse("ghost").expect("id")),
            back_worst: Some(Score::new(6).expect("score")),
            text: Some("my back hurt".to_owned()),
            ..SessionNote::default()
        };
        let left = without_symptoms(entry(1, Body::SessionNote(note.clone()))).expect("kept");
        let want = SessionNote {
            shoe: note.shoe,
            ..SessionNote::default()
        };
        assert_eq!(left.body, Body::SessionNote(want));
        for body in [Body::CheckIn(Default::default()), Body::Weekly(Default::default())] {
            assert_eq!(without_symptoms(entry(1, body)), None);
        }
    }
}
