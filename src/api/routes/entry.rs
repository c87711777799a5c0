//! Entries of the journal as they are sent: flat, with `kind` beside their fields.

use crate::api::problem::Problem;
use crate::store::journal::{Body, Day, Entry, EntryId};
use crate::store::{AthleteId, UtcMicros};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An entry as it is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(super) struct FlatEntry {
    /// Its id.
    id: EntryId,
    /// Whom it is about.
    athlete: AthleteId,
    /// The local day it is about.
    day: Day,
    /// The instant it is about, µs UTC.
    at_us: i64,
    /// Its kind.
    kind: String,
    /// What it says; the fields follow the kind.
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}

impl FlatEntry {
    /// An entry as it is sent.
    ///
    /// # Errors
    /// 500 when it cannot be written.
    pub(super) fn of(entry: &Entry) -> Result<Self, Problem> {
        let Ok(Value::Object(fields)) = serde_json::to_value(&entry.body) else {
            return Err(Problem::ours("An entry could not be written."));
        };
        let kind = entry.body.kind().name().to_owned();
        Ok(Self {
            id: entry.id.clone(),
            athlete: entry.athlete.clone(),
            day: entry.day,
            at_us: entry.at.micros(),
            fields: fields.into_iter().filter(|(name, _)| *name != "kind").collect(),
            kind,
        })
    }
}

/// An entry as it comes: `day`, `at_us` where the instant is known, `kind`, and the fields of that kind.
#[derive(Clone, Debug, serde::Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = EntryBody)]
pub(super) struct EntryBody(pub(super) BTreeMap<String, Value>);

impl EntryBody {
    /// The entry that is meant. Without `at_us` it is about the start of its day.
    ///
    /// # Errors
    /// 422 for what is no entry of its kind.
    pub(super) fn entry(self, athlete: AthleteId, id: EntryId) -> Result<Entry, Problem> {
        let mut fields: Map<String, Value> = self.0.into_iter().collect();
        let refused = |why: String| {
            Problem::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "lope::journal::entry",
                "The entry does not say what its kind says.",
            )
            .fact(why)
        };
        for (name, own) in [("id", id.as_str()), ("athlete", athlete.as_str())] {
            if fields.remove(name).is_some_and(|said| said != own) {
                return Err(refused(format!("{name} is not the one of the address")));
            }
        }
        let day = fields.remove("day").ok_or_else(|| refused("`day` lacks".to_owned()))?;
        let day: Day = serde_json::from_value(day).map_err(|e| refused(e.to_string()))?;
        let at = match fields.remove("at_us") {
            None | Some(Value::Null) => UtcMicros::from_micros(i64::from(day.days()) * 86_400_000_000),
            Some(at) => serde_json::from_value(at).map_err(|e| refused(e.to_string()))?,
        };
        let body: Body = serde_json::from_value(Value::Object(fields)).map_err(|e| refused(e.to_string()))?;
        Ok(Entry {
            id,
            athlete,
            day,
            at,
            body,
        })
    }
}

/// A value with some of its fields replaced. A field that is null goes back to what it is when nobody said anything.
///
/// # Errors
/// 422 for a field that the value does not have, or that says something it cannot say.
pub(super) fn merged<T: Serialize + serde::de::DeserializeOwned>(
    value: &T,
    changes: BTreeMap<String, Value>,
) -> Result<T, Problem> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(value) else {
        return Err(Problem::ours("An entry could not be written."));
    };
    for (name, change) in changes {
        if change.is_null() {
            if fields.remove(&name).is_none() {
                return Err(Problem::parameter(&name, "there is no such field"));
            }
        } else {
            fields.insert(name, change);
        }
    }
    serde_json::from_value(Value::Object(fields)).map_err(|e| {
        Problem::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            "lope::journal::entry",
            "A field does not fit.",
        )
        .fact(e.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::journal::{CheckIn, Score, SessionNote};
    use serde_json::json;

    fn body(value: Value) -> EntryBody {
        serde_json::from_value(value).expect("an object")
    }

    fn ids() -> (AthleteId, EntryId) {
        (AthleteId::parse("ada").expect("id"), EntryId::parse("c1").expect("id"))
    }

    #[test]
    fn an_entry_comes_back_as_it_was_sent() {
        let sent = json!({ "day": "2026-03-01", "at_us": 5, "kind": "check_in", "back_now": 3, "ticks": ["numb"] });
        let (athlete, id) = ids();
        let entry = body(sent.clone()).entry(athlete, id).expect("an entry");
        let want = CheckIn {
            back_now: Some(Score::new(3).expect("score")),
            ticks: vec!["numb".to_owned()],
            ..CheckIn::default()
        };
        assert_eq!(entry.body, Body::CheckIn(want));
        let back = serde_json::to_value(FlatEntry::of(&entry).expect("flat")).expect("json");
        for (name, value) in sent.as_object().expect("object") {
            assert_eq!(&back[name], value, "{name}");
        }
        assert_eq!((&back["athlete"], &back["id"]), (&json!("ada"), &json!("c1")));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for wrong in [
            json!({ "kind": "check_in" }),
            json!({ "day": "2026-02-30", "kind": "check_in" }),
            json!({ "day": "2026-03-01" }),
            json!({ "day": "2026-03-01", "kind": "wish" }),
            json!({ "day": "2026-03-01", "kind": "check_in", "back_now": 11 }),
            json!({ "day": "2026-03-01", "kind": "check_in", "colour": "red" }),
            json!({ "day": "2026-03-01", "kind": "check_in", "athlete": "ben" }),
            json!({ "day": "2026-03-01", "kind": "check_in", "at_us": "noon" }),
        ] {
            let (athlete, id) = ids();
            let problem = body(wrong.clone()).entry(athlete, id).expect_err("refused");
            assert_eq!(problem.status.as_u16(), 422, "{wrong}");
        }
    }

    #[test]
    fn a_change_leaves_the_rest_and_null_takes_back() {
        let note = SessionNote {
            km: Some(10.0),
            text: Some("wind".to_owned()),
            ..SessionNote::default()
        };
        let changes = |v: Value| v.as_object().expect("object").clone().into_iter().collect();
        let new = merged(&note, changes(json!({ "text": null, "effort": 7 }))).expect("merged");
        assert_eq!(
            (new.km, new.text, new.effort.map(Score::get)),
            (Some(10.0), None, Some(7))
        );
        for wrong in [
            json!({ "nonsense": null }),
            json!({ "nonsense": 1 }),
            json!({ "effort": 11 }),
        ] {
            assert!(merged(&note, changes(wrong)).is_err());
        }
    }
}
