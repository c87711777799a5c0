//! Flags: now, one in full, over time, what was done about them, and those of several athletes.

use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path, Query};
use crate::api::looked::Looked;
use crate::api::problem::Problem;
use crate::review::flags::{flag_detail, flag_history, flags_now};
use crate::review::roster::{inbox_of, squad_row};
use crate::review::{FlagDetail, FlagHistory, FlagsNow, InboxItem, SquadRow};
use crate::store::AthleteId;
use crate::store::journal::{Body, Day, Entry, FlagAction, FlagActionKind, Journal as _};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Whose flags, of which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// Whose.
    athlete: String,
    /// At the end of this day; today where it is missing, or the last day known of an old record.
    day: Option<String>,
}

/// Whose history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct WhoseHistory {
    /// Whose.
    athlete: String,
}

/// Which athletes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Group {
    /// Of this group; all whom the caller reaches where it is missing.
    group: Option<String>,
}

/// Something that is done about a flag.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAction {
    /// Whose flag.
    athlete: AthleteId,
    /// Chosen by whoever sends it: the same again changes nothing.
    id: String,
    /// `acknowledge`, `note`, `ask_runner`, `mute` or `hand_to_therapist`.
    #[schema(value_type = String)]
    action: FlagActionKind,
    /// In words.
    note: Option<String>,
    /// Until when, for `mute`.
    until: Option<Day>,
}

/// An action as it was kept.
#[derive(Serialize, ToSchema)]
struct ActionKept {
    /// Id of its entry.
    id: String,
    /// The flag.
    flag: String,
    /// By whom.
    actor: String,
    /// Of which day.
    day: Day,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/flags",
            Resource::Flags,
            "All flags of an athlete at the end of a day.",
            now,
        )
        .query::<Whose>()
        .answers::<FlagsNow>(200),
        Endpoint::get("/flags/history", Resource::Flags, "Flags over all days.", history)
            .query::<WhoseHistory>()
            .answers::<FlagHistory>(200),
        Endpoint::get(
            "/flags/{flag}",
            Resource::Flags,
            "One flag with everything behind it.",
            detail,
        )
        .query::<Whose>()
        .answers::<FlagDetail>(200),
        Endpoint::post(
            "/flags/{flag}/actions",
            Resource::Flags,
            "Note what is done about a flag.",
            act,
        )
        .body::<NewAction>()
        .answers::<ActionKept>(201),
        Endpoint::get("/inbox", Resource::Roster, "Flags that wait for a look.", inbox)
            .query::<Group>()
            .answers_list::<InboxItem>(200),
        Endpoint::get(
            "/squad",
            Resource::Roster,
            "A squad at a glance, those first that need a look most.",
            squad,
        )
        .query::<Group>()
        .answers_list::<SquadRow>(200),
    ]
}

/// An athlete's past as this caller may see it. Blocks.
fn looked(app: &App, gate: &Gate, athlete: &AthleteId, day: Option<Day>) -> Result<Arc<Looked>, Problem> {
    let sight = gate.athlete(app, athlete)?;
    // Every day up to it is evaluated, and nothing is known of those to come.
    if day.is_some_and(|day| day > app.today().plus(1)) {
        return Err(Problem::parameter("day", "it lies ahead"));
    }
    app.looked(athlete, day, sight)
}

async fn now(
    State(app): State<App>,
    gate: Gate,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&whose.athlete)?;
    let day = extract::day("day", whose.day.as_deref())?;
    let now = app
        .ask(move |app| {
            let looked = looked(app, &gate, &athlete, day)?;
            Ok::<_, Problem>(flags_now(app.rules(), &looked.past, looked.sight))
        })
        .await?;
    answer::json_marked(&headers, &now)
}

async fn history(
    State(app): State<App>,
    gate: Gate,
    Query(whose): Query<WhoseHistory>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&whose.athlete)?;
    let history = app
        .ask(move |app| {
            let looked = looked(app, &gate, &athlete, None)?;
            Ok::<_, Problem>(flag_history(app.rules(), &looked.past, looked.sight))
        })
        .await?;
    answer::json_marked(&headers, &history)
}

async fn detail(
    State(app): State<App>,
    gate: Gate,
    Path(flag): Path<String>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&whose.athlete)?;
    let day = extract::day("day", whose.day.as_deref())?;
    let detail = app
        .ask(move |app| {
            let looked = looked(app, &gate, &athlete, day)?;
            let detail = flag_detail(app.rules(), &looked.past, looked.sight, &flag);
            detail.ok_or_else(|| Problem::not_found("such flag"))
        })
        .await?;
    answer::json_marked(&headers, &detail)
}

async fn act(
    State(app): State<App>,
    gate: Gate,
    Path(flag): Path<String>,
    Json(new): Json<NewAction>,
) -> Result<Response, Problem> {
    let id = extract::entry(&new.id)?;
    if new.until.is_some() && new.action != FlagActionKind::Mute {
        return Err(Problem::parameter("until", "only muting has an end"));
    }
    let kept = app
        .ask(move |app| {
            let sight = gate.athlete(app, &new.athlete)?;
            let rules = app.rules();
            let known = rules.flags.iter().find(|f| f.id == flag);
            let seen = known.filter(|f| !crate::api::looked::sight_of(sight).hides(rules, f));
            let flag = seen.ok_or_else(|| Problem::not_found("such flag"))?.id.clone();
            let today = app.day_for(&new.athlete)?;
            // Sent again, it is the same entry: of the day and instant at which it was first sent.
            let before = app.journal().entry(&new.athlete, &id)?;
            if let Some(Body::FlagAction(old)) = before.as_ref().map(|e| &e.body)
                && old.actor != gate.caller.name
            {
                let detail = "This id belongs to an action of somebody else.";
                return Err(Problem::new(StatusCode::CONFLICT, "lope::store::conflict", detail));
            }
            let (day, at) = before.map_or_else(|| (today, app.now()), |e| (e.day, e.at));
            let entry = Entry {
                id,
                athlete: new.athlete,
                day,
                at,
                body: Body::FlagAction(FlagAction {
                    flag: flag.clone(),
                    action: new.action,
                    actor: gate.caller.name.clone(),
                    note: new.note,
                    until: new.until,
                }),
            };
            app.journal().put(&entry, app.now())?;
            Ok::<_, Problem>(ActionKept {
                id: entry.id.to_string(),
                flag,
                actor: gate.caller.name.clone(),
                day,
            })
        })
        .await?;
    answer::json_with(StatusCode::CREATED, &kept)
}

/// The pasts of all athletes whom the caller reaches, of one group where one is named. Blocks.
fn roster(app: &App, gate: &Gate, group: Option<&str>) -> Result<Vec<Arc<Looked>>, Problem> {
    let all = super::athletes::everybody(app)?;
    let of_group = |groups: &[String]| group.is_none_or(|g| groups.iter().any(|own| own == g));
    let wanted = all.iter().filter(|(_, (facts, _))| of_group(&facts.groups));
    let reached = gate.reached(app, wanted.map(|(a, _)| a.clone()).collect())?;
    let mut pasts = Vec::new();
    for (athlete, sight) in reached {
        gate.note(app, &athlete)?;
        pasts.push(app.looked(&athlete, None, sight)?);
    }
    Ok(pasts)
}

async fn inbox(State(app): State<App>, gate: Gate, Query(wanted): Query<Group>) -> Result<Response, Problem> {
    let items = app
        .ask(move |app| {
            let pasts = roster(app, &gate, wanted.group.as_deref())?;
            let mut items: Vec<InboxItem> = pasts
                .iter()
                .flat_map(|l| inbox_of(app.rules(), &l.past, l.sight))
                .collect();
            items.sort_by(|a, b| {
                (b.flag.level, &a.since, &a.athlete_name).cmp(&(a.flag.level, &b.since, &b.athlete_name))
            });
            Ok::<_, Problem>(items)
        })
        .await?;
    answer::json(&List::whole(items))
}

/// The squad of which the caller may see something, those first that need a look most. Blocks.
///
/// # Errors
/// Those of the store.
pub(super) fn squad_rows(app: &App, gate: &Gate, group: Option<&str>) -> Result<Vec<SquadRow>, Problem> {
    let pasts = roster(app, gate, group)?;
    let mut rows: Vec<SquadRow> = pasts.iter().map(|l| squad_row(app.rules(), &l.past, l.sight)).collect();
    rows.sort_by(|a, b| (b.triage, &a.name, &a.athlete).cmp(&(a.triage, &b.name, &b.athlete)));
    Ok(rows)
}

async fn squad(State(app): State<App>, gate: Gate, Query(wanted): Query<Group>) -> Result<Response, Problem> {
    let rows = app
        .ask(move |app| squad_rows(app, &gate, wanted.group.as_deref()))
        .await?;
    answer::json(&List::whole(rows))
}
