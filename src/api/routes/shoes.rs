//! Shoes: how far each pair has come, and how it feels.

use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Query};
use crate::api::problem::Problem;
use crate::store::AthleteId;
use crate::store::journal::{Body, Day, EntryId, EntryQuery, Journal as _, Kind, SessionNote};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Whose shoes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// The athlete.
    athlete: String,
}

/// A pair.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ShoeItem {
    /// Its id.
    id: EntryId,
    /// Name as shown.
    name: String,
    /// Distance on it, km, with what it had before.
    km: f64,
    /// Distance on it when it was added, km.
    km_before: Option<f64>,
    /// Runs it was worn in.
    runs: u32,
    /// Runs among them whose distance is not known, and so not in `km`.
    runs_without_km: u32,
    /// Comfort, 0 to 10, the latest answer.
    comfort: Option<u8>,
    /// One heel is clearly more worn, by the latest answer.
    uneven_heel: Option<bool>,
    /// The day it was retired.
    retired: Option<Day>,
    /// The last day it was worn.
    last_worn: Option<Day>,
    /// Change of impact since it was new, %; null while nobody computes it.
    impact_change_pct: Option<f64>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/shoes", Resource::Shoes, "Pairs of shoes, and how far they have come.", list)
            .query::<Whose>()
            .answers::<List<ShoeItem>>(200),
    ]
}

async fn list(State(app): State<App>, gate: Gate, Query(whose): Query<Whose>) -> Result<Response, Problem> {
    let athlete = extract::athlete(&whose.athlete)?;
    let items = app
        .ask(move |app| {
            gate.athlete(app, &athlete)?;
            shoes(app, &athlete)
        })
        .await?;
    answer::json(&List::whole(items))
}

fn shoes(app: &App, athlete: &AthleteId) -> Result<Vec<ShoeItem>, Problem> {
    let entries = app.journal().entries(&EntryQuery {
        athlete: Some(athlete.clone()),
        kinds: vec![Kind::Shoe, Kind::ShoeCheck, Kind::SessionNote, Kind::Activity],
        ..EntryQuery::default()
    })?;
    let mut pairs: BTreeMap<EntryId, ShoeItem> = BTreeMap::new();
    for entry in &entries {
        if let Body::Shoe(facts) = &entry.body {
            let item = ShoeItem {
                id: entry.id.clone(),
                name: if facts.name.is_empty() { entry.id.to_string() } else { facts.name.clone() },
                km: facts.km_before.unwrap_or(0.0),
                km_before: facts.km_before,
                runs: 0,
                runs_without_km: 0,
                comfort: None,
                uneven_heel: None,
                retired: facts.retired,
                last_worn: None,
                impact_change_pct: None,
            };
            pairs.insert(entry.id.clone(), item);
        }
    }
    // By day, so that the latest answer is what stands at the end.
    for entry in &entries {
        match &entry.body {
            Body::ShoeCheck(check) => {
                if let Some(pair) = pairs.get_mut(&check.shoe) {
                    pair.comfort = check.comfort.map(|c| c.get()).or(pair.comfort);
                    pair.uneven_heel = check.uneven_heel.or(pair.uneven_heel);
                }
            }
            Body::SessionNote(note) => {
                let km = note.km.or_else(|| measured_km(app, athlete, &entry.id));
                worn(&mut pairs, note, km, entry.day);
            }
            Body::Activity(activity) => {
                worn(&mut pairs, &activity.note, activity.note.km.or(activity.km), entry.day);
            }
            _ => {}
        }
    }
    Ok(pairs.into_values().collect())
}

fn worn(pairs: &mut BTreeMap<EntryId, ShoeItem>, note: &SessionNote, km: Option<f64>, day: Day) {
    let Some(pair) = note.shoe.as_ref().and_then(|id| pairs.get_mut(id)) else {
        return;
    };
    pair.runs += 1;
    match km {
        Some(km) => pair.km += km,
        None => pair.runs_without_km += 1,
    }
    pair.last_worn = pair.last_worn.max(Some(day));
}

/// What the feet measured of a session; `None` where they did not.
fn measured_km(_app: &App, _athlete: &AthleteId, _session: &EntryId) -> Option<f64> {
    None
}
