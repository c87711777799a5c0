//! This machine: kits of sensors, checks, and who looked at an athlete's data.

use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::{App, KitItem, MachineCheck};
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Query};
use crate::api::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Looks told at once.
const LOOKS: usize = 1000;

/// Kits.
#[derive(Serialize, ToSchema)]
struct Kits {
    /// By name.
    kits: Vec<KitItem>,
}

/// Checks.
#[derive(Serialize, ToSchema)]
struct Doctor {
    /// Each thing that was looked at.
    checks: Vec<MachineCheck>,
}

/// Whose log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Whose {
    /// The athlete.
    athlete: String,
}

/// A look at an athlete's data.
#[derive(Serialize, ToSchema)]
struct AccessItem {
    /// When, µs UTC.
    at_us: i64,
    /// Who.
    actor: String,
    /// In which role.
    role: String,
    /// What was done.
    action: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sensors",
            Resource::Sensors,
            "Kits of sensors of this machine.",
            sensors,
        )
        .answers::<Kits>(200),
        Endpoint::get(
            "/doctor",
            Resource::Doctor,
            "What works on this machine, and what mends the rest.",
            doctor,
        )
        .answers::<Doctor>(200),
        Endpoint::get(
            "/access-log",
            Resource::AccessLog,
            "Who looked at an athlete's data, the latest first.",
            log,
        )
        .query::<Whose>()
        .answers_list::<AccessItem>(200),
    ]
}

async fn sensors(State(app): State<App>, _gate: Gate) -> Result<Response, Problem> {
    answer::json(&Kits {
        kits: app.kits().to_vec(),
    })
}

async fn doctor(State(app): State<App>, _gate: Gate) -> Result<Response, Problem> {
    let checks = app.ask(|app| Ok::<_, Problem>(app.checks())).await?;
    answer::json(&Doctor { checks })
}

async fn log(State(app): State<App>, gate: Gate, Query(whose): Query<Whose>) -> Result<Response, Problem> {
    let athlete = extract::athlete(&whose.athlete)?;
    let items = app
        .ask(move |app| {
            gate.sight(app, &athlete)?;
            let item = |a: crate::store::access::Access| AccessItem {
                at_us: a.at.micros(),
                actor: a.actor,
                role: a.role.name().to_owned(),
                action: a.action,
            };
            Ok::<_, Problem>(
                app.access()
                    .accesses(&athlete, LOOKS)?
                    .into_iter()
                    .map(item)
                    .collect::<Vec<_>>(),
            )
        })
        .await?;
    answer::json(&List::whole(items))
}
