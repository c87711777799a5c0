//! `--assign left_foot=4F21,right_foot=4F30`: places given by name, for scripts and for sensors that feel no taps.

use super::failure::{Exit, Failure};
use super::sensor_words::{place, short_ids};
use super::sightings::Sighting;
use crate::model::Placement;

/// Fewest letters by which a sensor may be named.
const SHORTEST: usize = 3;

/// A place and who is to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The place.
    pub placement: Placement,
    /// Name, address, or the end of either.
    pub who: String,
}

/// Parses `PLACE=ID` for clap.
///
/// # Errors
/// What was expected.
pub fn parse(text: &str) -> Result<Assignment, String> {
    let (name, who) = text
        .split_once('=')
        .ok_or_else(|| "expected PLACE=ID, as in left_foot=4F21".to_owned())?;
    let placement = Placement::from_name(name.trim())
        .ok_or_else(|| "the place is one of left_foot, right_foot, left_shank, right_shank, sacrum".to_owned())?;
    let who = who.trim();
    if who.chars().count() < SHORTEST {
        return Err(format!("name the sensor with {SHORTEST} letters at least"));
    }
    Ok(Assignment {
        placement,
        who: who.to_owned(),
    })
}

/// The sensor meant by each assignment, by its number in `seen`.
///
/// # Errors
/// One is not there, several answer to it, or one sensor or place was given twice; all that was seen stands in the failure.
pub fn find(assignments: &[Assignment], seen: &[&Sighting]) -> Result<Vec<usize>, Failure> {
    let mut found: Vec<usize> = Vec::new();
    for (k, assignment) in assignments.iter().enumerate() {
        let who = &assignment.who;
        let fits = |how: fn(&Sighting, &str) -> bool| -> Vec<usize> {
            (0..seen.len()).filter(|i| how(seen[*i], who)).collect()
        };
        // Whole names win over ends of names.
        let mut fit = fits(is_called);
        if fit.is_empty() {
            fit = fits(ends_in);
        }
        let failure = match fit[..] {
            [] => Failure::new(
                "lope::pair::not_found",
                Exit::Outside,
                format!("No sensor called {who} was heard."),
            )
            .try_this("wake it (press its button or move it), bring it near, and look with lope scan"),
            [one] if found.contains(&one) => Failure::new(
                "lope::pair::twice",
                Exit::Usage,
                format!("{who} cannot be worn in two places."),
            )
            .try_this("give each sensor one place"),
            [_] if assignments[..k].iter().any(|a| a.placement == assignment.placement) => Failure::new(
                "lope::pair::twice",
                Exit::Usage,
                format!("Two sensors were given the {}.", place(assignment.placement)),
            )
            .try_this("give each place one sensor"),
            [one] => {
                found.push(one);
                continue;
            }
            _ => Failure::new(
                "lope::pair::ambiguous",
                Exit::Usage,
                format!("Several sensors answer to {who}."),
            )
            .try_this("give more of the id"),
        };
        return Err(failure.why(listed(seen)));
    }
    Ok(found)
}

fn listed(seen: &[&Sighting]) -> String {
    let short = short_ids(seen.iter().map(|s| s.advert.os_id.as_str()));
    let names: Vec<String> = seen
        .iter()
        .map(|s| {
            let name = super::sensor_words::clean(s.advert.name.as_deref().unwrap_or("(no name)"));
            format!("{name} ({})", short[s.advert.os_id.as_str()])
        })
        .collect();
    if names.is_empty() {
        "nothing was heard at all".to_owned()
    } else {
        format!("heard: {}", names.join(", "))
    }
}

fn is_called(seen: &Sighting, who: &str) -> bool {
    let advert = &seen.advert;
    advert.os_id.eq_ignore_ascii_case(who) || advert.name.as_deref().is_some_and(|n| n.trim() == who)
}

fn ends_in(seen: &Sighting, who: &str) -> bool {
    let bare = |text: &str| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric());
        kept.collect::<String>().to_lowercase()
    };
    let who = bare(who);
    let advert = &seen.advert;
    who.chars().count() >= SHORTEST
        && (bare(&advert.os_id).ends_with(&who) || advert.name.as_deref().is_some_and(|n| bare(n).ends_with(&who)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sightings::{Shown, Sightings};
    use crate::model::SessionTime;
    use crate::sensors::link::Advert;

    fn seen() -> Sightings {
        let mut heard = Sightings::default();
        for (k, (os_id, name)) in [
            ("C0:00:4F:21", "Movesense 12"),
            ("C0:00:4F:30", "Movesense 13"),
            ("D0:11:4F:21", "4F21"),
        ]
        .iter()
        .enumerate()
        {
            let advert = Advert {
                os_id: (*os_id).to_owned(),
                name: Some((*name).to_owned()),
                ..Advert::default()
            };
            heard.hear(advert, SessionTime::from_secs(k as f64));
        }
        heard
    }

    fn found(list: &str) -> Result<Vec<usize>, (&'static str, Exit)> {
        let wanted: Vec<Assignment> = list.split(',').map(|t| parse(t).expect("readable")).collect();
        let heard = seen();
        find(&wanted, &heard.list(Shown::Everything)).map_err(|f| {
            assert!(f.why[0].contains("Movesense 12 (04F21)"), "{f:?}");
            (f.code, f.exit)
        })
    }

    #[test]
    fn sensors_are_meant_by_name_address_or_the_end_of_either() {
        assert_eq!(found("left_foot=Movesense 12,right_foot=4f:30"), Ok(vec![0, 1]));
        assert_eq!(
            found("sacrum=4F21"),
            Ok(vec![2]),
            "a whole name wins over ends of addresses"
        );
        assert_eq!(found("left_foot=004F21"), Ok(vec![0]));
        assert_eq!(found("left_foot=4f-21"), Err(("lope::pair::ambiguous", Exit::Usage)));
        assert_eq!(found("left_foot=9999"), Err(("lope::pair::not_found", Exit::Outside)));
        assert_eq!(
            found("left_foot=4F:30,sacrum=4F:30"),
            Err(("lope::pair::twice", Exit::Usage))
        );
        assert_eq!(
            found("left_foot=4F:30,left_foot=4F21"),
            Err(("lope::pair::twice", Exit::Usage))
        );
        for wrong in ["left_foot", "hat=4F21", "left_foot=21"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
