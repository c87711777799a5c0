//! The gate before an athlete's data: whether this caller reaches this athlete, how much of it, and the note that it looked.

use super::caller::Caller;
use super::consent;
use super::roles::{Reach, Resource, Verb};
use crate::api::app::App;
use crate::api::problem::Problem;
use crate::store::access::{Access, Role};
use crate::store::journal::{Body, Entry, EntryQuery, Journal as _, Kind, Purpose};
use crate::store::{AthleteId, SessionId, StoreError};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::sync::Arc;

/// What a caller may see of an athlete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Whether symptoms are among it.
    pub symptoms: Symptoms,
}

/// Whether symptoms are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptoms {
    /// They are.
    Shown,
    /// They are not, because the athlete did not consent.
    Hidden,
}

/// A caller before the table's answer for one resource and verb.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// For what.
    pub resource: Resource,
    /// To do what.
    pub verb: Verb,
    /// How far their role reaches in it.
    pub reach: Reach,
}

impl<S: Send + Sync> FromRequestParts<S> for Gate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Set by the guard of every route; without it nothing is open.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::ours("This address has no guard."))
    }
}

impl Gate {
    /// Passes the gate to one athlete's data. Blocks: it reads consents and groups, and notes the look.
    ///
    /// # Errors
    /// 404 for an athlete out of reach, as if there were none; 403 where only the athlete's consent lacks.
    pub fn athlete(&self, app: &App, athlete: &AthleteId) -> Result<Sight, Problem> {
        let sight = self.sight(app, athlete)?;
        self.note(app, athlete)?;
        Ok(sight)
    }

    /// Passes the gate to a session of this athlete. Blocks, as [`Gate::athlete`].
    ///
    /// # Errors
    /// As [`Gate::athlete`]; a link reaches its own session only.
    pub fn session(&self, app: &App, athlete: &AthleteId, session: &SessionId) -> Result<Sight, Problem> {
        if self.reach != Reach::Linked {
            return self.athlete(app, athlete);
        }
        if self.caller.scope.session.as_ref() != Some(session) {
            return Err(Problem::not_found("such session"));
        }
        self.note(app, athlete)?;
        Ok(Sight {
            symptoms: Symptoms::Hidden,
        })
    }

    /// As [`Gate::athlete`] without the note, for lists in which most athletes are passed over. Blocks.
    ///
    /// # Errors
    /// As [`Gate::athlete`].
    pub fn sight(&self, app: &App, athlete: &AthleteId) -> Result<Sight, Problem> {
        let shown = |symptoms| Ok(Sight { symptoms });
        let caller = &self.caller;
        match self.reach {
            Reach::Nobody | Reach::Linked => Err(Problem::not_found("such athlete")),
            Reach::All => shown(Symptoms::Shown),
            Reach::Own if caller.scope.athletes.contains(athlete) => shown(Symptoms::Shown),
            Reach::Own => Err(Problem::not_found("such athlete")),
            Reach::Scope | Reach::Consented => {
                let said = said_of(app, athlete)?;
                if !caller.has_in_scope(athlete, groups(&said)) {
                    return Err(Problem::not_found("such athlete"));
                }
                let purpose = if caller.role == Role::Therapist {
                    Purpose::Therapist
                } else {
                    Purpose::Coach
                };
                match (consent::given(&said, purpose, &caller.name), self.reach) {
                    (true, _) => shown(Symptoms::Shown),
                    (false, Reach::Scope) => shown(Symptoms::Hidden),
                    (false, _) => Err(Problem::new(
                        StatusCode::FORBIDDEN,
                        "lope::access::consent",
                        "The athlete has not consented to that.",
                    )),
                }
            }
        }
    }

    /// Athletes whom this caller reaches among these, each with what may be seen. Blocks.
    ///
    /// # Errors
    /// Those of the store.
    pub fn reached(&self, app: &App, athletes: Vec<AthleteId>) -> Result<Vec<(AthleteId, Sight)>, Problem> {
        let mut reached = Vec::new();
        for athlete in athletes {
            match self.sight(app, &athlete) {
                Ok(sight) => reached.push((athlete, sight)),
                Err(problem) if problem.status.is_server_error() => return Err(problem),
                Err(_) => {}
            }
        }
        Ok(reached)
    }

    /// Notes that the caller looked at, or changed, an athlete's data. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note(&self, app: &App, athlete: &AthleteId) -> Result<(), StoreError> {
        let resource = format!("{:?}", self.resource).to_lowercase();
        self.note_as(app, athlete, format!("{} {resource}", self.verb.name()))
    }

    /// Notes that the caller took an athlete's data away as a file of this format. Blocks.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note_export(&self, app: &App, athlete: &AthleteId, format: &str) -> Result<(), StoreError> {
        self.note_as(app, athlete, format!("export {format}"))
    }

    fn note_as(&self, app: &App, athlete: &AthleteId, action: String) -> Result<(), StoreError> {
        if !self.caller.is_noted(athlete) {
            return Ok(());
        }
        app.note(Access {
            at: app.now(),
            actor: self.caller.name.clone(),
            role: self.caller.role,
            athlete: athlete.clone(),
            action,
        })
    }
}

fn said_of(app: &App, athlete: &AthleteId) -> Result<Vec<Entry>, StoreError> {
    app.journal().entries(&EntryQuery {
        athlete: Some(athlete.clone()),
        kinds: vec![Kind::Athlete, Kind::Consent],
        ..EntryQuery::default()
    })
}

fn groups(said: &[Entry]) -> &[String] {
    let facts = said.iter().rev().find_map(|e| match &e.body {
        Body::Athlete(facts) => Some(facts.groups.as_slice()),
        _ => None,
    });
    facts.unwrap_or_default()
}
