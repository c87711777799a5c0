//! The answers of check-ins as flags, and how each group joins what was said before: what is not answered stays.

use crate::cli::ask::Asking;
use crate::cli::athlete::YesNo;
use crate::cli::failure::Failure;
use crate::cli::run_note::score;
use crate::store::journal::{BodyTest, CheckIn, QuestionnaireScore, Weekly};
use clap::Args;

/// Answers of a day.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Answers of a day (before, morning, after)")]
pub struct DayArgs {
    /// How the lower back feels now: 0 nothing at all, 10 the worst imaginable
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub back_now: Option<u8>,
    /// How it feels in the morning after a run (lope checkin morning)
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub back_morning: Option<u8>,
    /// Where it hurts: names of places, several separated by commas (low_back_left)
    #[arg(long = "where", value_name = "PLACE", value_delimiter = ',')]
    pub places: Vec<String>,
    /// Tiredness: 0 fresh, 10 worn out
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub fatigue: Option<u8>,
    /// How good the night's sleep was: 0 awful, 10 great
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub sleep: Option<u8>,
    /// Hours slept
    #[arg(long, value_name = "H")]
    pub sleep_hours: Option<f64>,
    /// Soreness of muscles: 0 not at all, 10 extremely
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub soreness: Option<u8>,
    /// Stiffness of the back
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub stiffness: Option<u8>,
    /// A rest day on purpose
    #[arg(long)]
    pub rest_day: bool,
}

impl DayArgs {
    /// Whether anything was answered.
    #[must_use]
    pub fn any(&self) -> bool {
        let scores = [
            self.back_now,
            self.back_morning,
            self.fatigue,
            self.sleep,
            self.soreness,
            self.stiffness,
        ];
        scores.iter().any(Option::is_some) || !self.places.is_empty() || self.sleep_hours.is_some() || self.rest_day
    }

    /// Asks what belongs before a run.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask_before(&mut self, asking: &mut Asking<'_>, question: &dyn Fn(&str) -> String) -> Result<(), Failure> {
        self.back_now = asking.score(&question("q_back_now"))?;
        self.fatigue = asking.score(&question("q_fatigue"))?;
        self.sleep = asking.score(&question("q_sleep"))?;
        self.soreness = asking.score(&question("q_soreness"))?;
        Ok(())
    }

    /// Lays the answers over what the check-in says.
    ///
    /// # Errors
    /// A score above 10, which the command line refuses.
    pub fn apply(&self, check_in: &mut CheckIn) -> Result<(), Failure> {
        check_in.back_now = score(self.back_now)?.or(check_in.back_now);
        check_in.back_morning = score(self.back_morning)?.or(check_in.back_morning);
        check_in.fatigue = score(self.fatigue)?.or(check_in.fatigue);
        check_in.sleep_quality = score(self.sleep)?.or(check_in.sleep_quality);
        check_in.soreness = score(self.soreness)?.or(check_in.soreness);
        check_in.stiffness = score(self.stiffness)?.or(check_in.stiffness);
        check_in.sleep_hours = self.sleep_hours.or(check_in.sleep_hours);
        check_in.rest_day |= self.rest_day;
        if !self.places.is_empty() {
            check_in.places.clone_from(&self.places);
        }
        Ok(())
    }
}

/// Answers of a week.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Answers of a week (weekly)")]
pub struct WeekArgs {
    /// Planned runs left out because of the back
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=50))]
    pub left_out: Option<u8>,
    /// Runs slowed or cut short because of it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=50))]
    pub cut_short: Option<u8>,
    /// How much the back held the running back
    #[arg(long, value_name = "0-10", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub held_back: Option<u8>,
    /// Something to do freely and how well it went, up to three times: "tie shoes=7"
    #[arg(long, value_name = "WHAT=0-10", value_parser = goal)]
    pub goal: Vec<(String, u8)>,
    /// The back made ordinary things hard
    #[arg(long, value_enum)]
    pub daily_life: Option<YesNo>,
}

fn goal(text: &str) -> Result<(String, u8), String> {
    let wrong = || "expected WHAT=0-10 such as \"tie shoes=7\"".to_owned();
    let (name, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    let value = value.trim().parse::<u8>().ok().filter(|v| *v <= 10).ok_or_else(wrong)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(wrong());
    }
    Ok((name.to_owned(), value))
}

impl WeekArgs {
    /// Whether anything was answered.
    #[must_use]
    pub fn any(&self) -> bool {
        self.left_out.is_some()
            || self.cut_short.is_some()
            || self.held_back.is_some()
            || !self.goal.is_empty()
            || self.daily_life.is_some()
    }

    /// Asks all of them; goals that were named before are asked about again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask(
        &mut self,
        asking: &mut Asking<'_>,
        question: &dyn Fn(&str) -> String,
        goals: &[String],
    ) -> Result<(), Failure> {
        let count = 0.0..=50.0;
        self.left_out = asking
            .number(&question("q_week_skipped"), "count", count.clone())?
            .map(|n| n as u8);
        self.cut_short = asking.number(&question("q_week_cut"), "count", count)?.map(|n| n as u8);
        self.held_back = asking.score(&question("q_week_held"))?;
        if goals.is_empty() {
            asking.say(&question("q_week_things"))?;
            for _ in 0..3 {
                match asking.ask("", "such as: tie shoes=7", goal)? {
                    Some(one) => self.goal.push(one),
                    None => break,
                }
            }
        }
        for name in goals {
            if let Some(value) = asking.score(&format!("How well could you do this: {name}?"))? {
                self.goal.push((name.clone(), value));
            }
        }
        let yes = asking.yes(&question("q_daily_life"))?;
        self.daily_life = yes.map(|y| if y { YesNo::Yes } else { YesNo::No });
        Ok(())
    }

    /// Lays the answers over what the week says.
    ///
    /// # Errors
    /// A score above 10, which the command line refuses.
    pub fn apply(&self, weekly: &mut Weekly) -> Result<(), Failure> {
        weekly.left_out = self.left_out.or(weekly.left_out);
        weekly.cut_short = self.cut_short.or(weekly.cut_short);
        weekly.held_back = score(self.held_back)?.or(weekly.held_back);
        weekly.daily_life_hard = self.daily_life.map(YesNo::yes).or(weekly.daily_life_hard);
        for (name, value) in &self.goal {
            if let Some(value) = score(Some(*value))? {
                weekly.goals.insert(name.clone(), value);
            }
        }
        Ok(())
    }
}

/// Results of tests.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Results of tests (test)")]
pub struct TestArgs {
    /// Side plank, left, s
    #[arg(long, value_name = "S")]
    pub side_plank_left: Option<f64>,
    /// Side plank, right, s
    #[arg(long, value_name = "S")]
    pub side_plank_right: Option<f64>,
    /// Hip front or hamstrings look tight beside the picture guide
    #[arg(long, value_enum)]
    pub tight: Option<YesNo>,
    /// Measured by a therapist: thigh above horizontal on the hip-front test, degrees
    #[arg(long, value_name = "DEG", allow_negative_numbers = true)]
    pub hip_above_deg: Option<f64>,
    /// Measured by a therapist: knee extension lag at 90 degrees of hip bend, degrees
    #[arg(long, value_name = "DEG", allow_negative_numbers = true)]
    pub knee_lag_deg: Option<f64>,
    /// Score of a questionnaire filled in elsewhere: NAME=NUMBER
    #[arg(long, value_name = "NAME=NUMBER", value_parser = questionnaire)]
    pub score: Vec<(String, f64)>,
}

fn questionnaire(text: &str) -> Result<(String, f64), String> {
    let wrong = || "expected NAME=NUMBER".to_owned();
    let (name, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    let value = value
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|v| v.is_finite())
        .ok_or_else(wrong)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(wrong());
    }
    Ok((name.to_owned(), value))
}

impl TestArgs {
    /// Whether anything was answered.
    #[must_use]
    pub fn any(&self) -> bool {
        let numbers = [
            self.side_plank_left,
            self.side_plank_right,
            self.hip_above_deg,
            self.knee_lag_deg,
        ];
        numbers.iter().any(Option::is_some) || self.tight.is_some() || !self.score.is_empty()
    }

    /// Asks all of them.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ask(&mut self, asking: &mut Asking<'_>, question: &dyn Fn(&str) -> String) -> Result<(), Failure> {
        asking.say(&question("q_plank"))?;
        self.side_plank_left = asking.number("  left", "s", 0.0..=3600.0)?;
        self.side_plank_right = asking.number("  right", "s", 0.0..=3600.0)?;
        let yes = asking.yes(&question("q_flex"))?;
        self.tight = yes.map(|y| if y { YesNo::Yes } else { YesNo::No });
        asking.say(&question("q_flex_pt"))?;
        self.hip_above_deg = asking.number("  thigh above horizontal", "degrees", -60.0..=60.0)?;
        self.knee_lag_deg = asking.number("  knee extension lag", "degrees", -20.0..=110.0)?;
        Ok(())
    }

    /// Lays the results over those of the day.
    pub fn apply(&self, test: &mut BodyTest) {
        test.side_plank_left_s = self.side_plank_left.or(test.side_plank_left_s);
        test.side_plank_right_s = self.side_plank_right.or(test.side_plank_right_s);
        test.self_test_tight = self.tight.map(YesNo::yes).or(test.self_test_tight);
        test.hip_above_deg = self.hip_above_deg.or(test.hip_above_deg);
        test.knee_ext_deficit_deg = self.knee_lag_deg.or(test.knee_ext_deficit_deg);
        for (name, value) in &self.score {
            test.scores.retain(|s| s.name != *name);
            test.scores.push(QuestionnaireScore {
                name: name.clone(),
                value: *value,
            });
        }
    }
}
