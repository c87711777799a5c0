//! Athletes: who they are, what they consented to, and forgetting them.

use super::entry::merged;
use crate::api::access::consent;
use crate::api::access::gate::{Gate, Symptoms};
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path};
use crate::api::problem::Problem;
use crate::store::AthleteId;
use crate::store::journal::{AthleteFacts, Body, Day, Entry, EntryId, EntryQuery, Journal as _, Kind, Purpose};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An athlete in a list.
#[derive(Serialize, ToSchema)]
struct AthleteItem {
    /// Id.
    id: AthleteId,
    /// Name as shown; the id where there is none.
    name: String,
    /// Groups.
    groups: Vec<String>,
    /// Start of the latest session, µs UTC.
    last_session_us: Option<i64>,
}

/// A consent as it stands.
#[derive(Serialize, ToSchema)]
struct ConsentItem {
    /// For what.
    #[schema(value_type = String)]
    purpose: Purpose,
    /// For whom; empty for everybody with that role.
    recipient: String,
    /// Given or withdrawn.
    given: bool,
    /// Since which day.
    day: Day,
}

/// An athlete.
#[derive(Serialize, ToSchema)]
struct AthleteFull {
    /// Id.
    id: AthleteId,
    /// Who they are.
    #[serde(flatten)]
    #[schema(value_type = BTreeMap<String, Value>)]
    facts: AthleteFacts,
    /// What they consented to.
    consents: Vec<ConsentItem>,
}

/// Some facts about an athlete.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
struct FactsPatch(BTreeMap<String, Value>);

pub(super) fn endpoints() -> Vec<Endpoint> {
    let one = "/athletes/{athlete}";
    vec![
        Endpoint::get(
            "/athletes",
            Resource::Athlete,
            "Athletes whom the caller reaches.",
            list,
        )
        .answers_list::<AthleteItem>(200),
        Endpoint::get(one, Resource::Athlete, "Who an athlete is.", get).answers::<AthleteFull>(200),
        Endpoint::patch(one, Resource::Athlete, "Change what is known of an athlete.", patch)
            .body::<FactsPatch>()
            .answers::<AthleteFull>(200),
    ]
}

/// Everybody who has a session or an entry, by id, with facts and the start of the latest session.
///
/// # Errors
/// Those of the store. Blocks.
pub(in crate::api) fn everybody(app: &App) -> Result<BTreeMap<AthleteId, (AthleteFacts, Option<i64>)>, Problem> {
    let mut all: BTreeMap<AthleteId, (AthleteFacts, Option<i64>)> = BTreeMap::new();
    for (athlete, start) in app.reader().athletes()? {
        all.entry(athlete).or_default().1 = Some(start.micros());
    }
    let said = app.journal().entries(&EntryQuery {
        kinds: vec![Kind::Athlete],
        ..EntryQuery::default()
    })?;
    for entry in said {
        if let Body::Athlete(facts) = entry.body {
            all.entry(entry.athlete).or_default().0 = facts;
        }
    }
    Ok(all)
}

async fn list(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    let items = app
        .ask(move |app| {
            let mut all = everybody(app)?;
            let reached = gate.reached(app, all.keys().cloned().collect())?;
            let item = |(id, _): (AthleteId, _)| {
                let (facts, last) = all.remove(&id).unwrap_or_default();
                AthleteItem {
                    name: shown_name(&id, &facts),
                    groups: facts.groups,
                    last_session_us: last,
                    id,
                }
            };
            Ok::<_, Problem>(reached.into_iter().map(item).collect::<Vec<_>>())
        })
        .await?;
    answer::json(&List::whole(items))
}

/// The name people see.
pub(super) fn shown_name(id: &AthleteId, facts: &AthleteFacts) -> String {
    if facts.name.is_empty() {
        id.to_string()
    } else {
        facts.name.clone()
    }
}

fn said(app: &App, athlete: &AthleteId) -> Result<(Option<Entry>, Vec<Entry>), Problem> {
    let entries = app.journal().entries(&EntryQuery {
        athlete: Some(athlete.clone()),
        kinds: vec![Kind::Athlete, Kind::Consent],
        ..EntryQuery::default()
    })?;
    let (mut facts, consents): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|e| e.body.kind() == Kind::Athlete);
    Ok((facts.pop(), consents))
}

fn full(app: &App, gate: &Gate, athlete: &AthleteId) -> Result<AthleteFull, Problem> {
    let sight = gate.athlete(app, athlete)?;
    let (entry, consents) = said(app, athlete)?;
    let known = entry.is_some() || !consents.is_empty() || app.reader().athletes()?.iter().any(|(a, _)| a == athlete);
    if !known {
        return Err(Problem::not_found("such athlete"));
    }
    let entry = match sight.symptoms {
        Symptoms::Shown => entry,
        Symptoms::Hidden => entry.and_then(consent::without_symptoms),
    };
    let facts = match entry.map(|e| e.body) {
        Some(Body::Athlete(facts)) => facts,
        _ => AthleteFacts::default(),
    };
    let mut latest: BTreeMap<(String, String), (&Entry, ConsentItem)> = BTreeMap::new();
    for entry in &consents {
        let Body::Consent(c) = &entry.body else { continue };
        let key = (format!("{:?}", c.purpose), c.recipient.clone());
        if latest.get(&key).is_some_and(|(old, _)| old.at > entry.at) {
            continue;
        }
        let item = ConsentItem {
            purpose: c.purpose,
            recipient: c.recipient.clone(),
            given: c.given,
            day: entry.day,
        };
        latest.insert(key, (entry, item));
    }
    Ok(AthleteFull {
        id: athlete.clone(),
        facts,
        consents: match sight.symptoms {
            Symptoms::Shown => latest.into_values().map(|(_, item)| item).collect(),
            Symptoms::Hidden => Vec::new(),
        },
    })
}

async fn get(State(app): State<App>, gate: Gate, Path(athlete): Path<String>) -> Result<Response, Problem> {
    let athlete = extract::athlete(&athlete)?;
    let full = app.ask(move |app| full(app, &gate, &athlete)).await?;
    answer::json(&full)
}

async fn patch(
    State(app): State<App>,
    gate: Gate,
    Path(athlete): Path<String>,
    Json(FactsPatch(changes)): Json<FactsPatch>,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&athlete)?;
    let full = app
        .ask(move |app| {
            gate.athlete(app, &athlete)?;
            let before = said(app, &athlete)?.0;
            let facts = match before.map(|e| e.body) {
                Some(Body::Athlete(facts)) => facts,
                _ => AthleteFacts::default(),
            };
            let now = app.now();
            let entry = Entry {
                id: EntryId::parse("athlete")?,
                athlete: athlete.clone(),
                day: Day::of_utc(now),
                at: now,
                body: Body::Athlete(merged(&facts, changes)?),
            };
            app.journal().put(&entry, now)?;
            app.renew_flags(&athlete)?;
            full(app, &gate, &athlete)
        })
        .await?;
    // Groups decide whom coaches reach.
    app.access_changed();
    answer::json(&full)
}
