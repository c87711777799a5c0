//! Shoes: how far each pair has come, and how it feels.

use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Query};
use crate::api::problem::Problem;
use crate::review::Past;
use crate::store::journal::{Body, Day, Entry, EntryId, EntryQuery, Journal as _, Kind};
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
        Endpoint::get(
            "/shoes",
            Resource::Shoes,
            "Pairs of shoes, and how far they have come.",
            list,
        )
        .query::<Whose>()
        .answers_list::<ShoeItem>(200),
    ]
}

async fn list(State(app): State<App>, gate: Gate, Query(whose): Query<Whose>) -> Result<Response, Problem> {
    let athlete = extract::athlete(&whose.athlete)?;
    let items = app
        .ask(move |app| {
            let sight = gate.athlete(app, &athlete)?;
            let looked = app.looked(&athlete, None, sight)?;
            let checks = app.journal().entries(&EntryQuery {
                athlete: Some(athlete),
                kinds: vec![Kind::ShoeCheck],
                ..EntryQuery::default()
            })?;
            Ok::<_, Problem>(shoes(&looked.past, &checks))
        })
        .await?;
    answer::json(&List::whole(items))
}

/// The pairs of a past; `checks` by day, so that the latest answer stands at the end.
fn shoes(past: &Past, checks: &[Entry]) -> Vec<ShoeItem> {
    let mut pairs: BTreeMap<&EntryId, ShoeItem> = BTreeMap::new();
    for (id, facts) in &past.shoes {
        let item = ShoeItem {
            id: id.clone(),
            name: if facts.name.is_empty() {
                id.to_string()
            } else {
                facts.name.clone()
            },
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
        pairs.insert(id, item);
    }
    for check in checks {
        if let Body::ShoeCheck(check) = &check.body
            && let Some(pair) = pairs.get_mut(&check.shoe)
        {
            pair.comfort = check.comfort.map(|c| c.get()).or(pair.comfort);
            pair.uneven_heel = check.uneven_heel.or(pair.uneven_heel);
        }
    }
    for run in past.runs() {
        let Some(pair) = run.note.shoe.as_ref().and_then(|id| pairs.get_mut(id)) else {
            continue;
        };
        pair.runs += 1;
        match run.km {
            Some(km) => pair.km += km,
            None => pair.runs_without_km += 1,
        }
        pair.last_worn = pair.last_worn.max(Some(run.day));
    }
    pairs.into_values().collect()
}
