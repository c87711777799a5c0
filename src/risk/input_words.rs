//! What the inputs of the flags are called among people, and what has to be there for each to be known.
//!
//! The rule file defines an input in formulas (`distance on d-6..d / distance on d-13..d-7`); that is what a developer
//! checks and nobody's answer to "what is missing?". Here each input has a name, and the end of a sentence that begins
//! with "it takes". A test holds that no input of the rule file is without.

/// An input in people's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputWords {
    /// Its name in the rule file.
    pub input: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What has to be there: continues "it takes".
    pub takes: &'static str,
}

macro_rules! words {
    ($($input:literal, $name:literal, $takes:literal;)*) => {
        &[$(InputWords { input: $input, name: $name, takes: $takes }),*]
    };
}

/// All of them.
pub const INPUT_WORDS: &[InputWords] = words![
    "cadence_change_pct", "step rate against the own usual", "a shoe or waistband sensor and a known speed";
    "shank_change_deg", "shank angle at contact against the own usual", "a shoe and a shin sensor on the same leg and a known speed";
    "foot_ahead_change_cm", "foot ahead of the pelvis against the own usual", "both shoe sensors, a waistband sensor and a known speed";
    "brake_change_pct", "braking peak against the own usual", "a waistband sensor and a known speed";
    "tilt_change_abs_deg", "pelvic tilt against the own usual", "a waistband sensor, a quiet stand before the run and a known speed";
    "tilt_range_change_deg", "range of pelvic tilt against the own usual", "a waistband sensor and a known speed";
    "drop_change_max_deg", "pelvic drop of the side that changed more", "a waistband sensor, a quiet stand before the run and a known speed";
    "drop_diff_change_deg", "difference of pelvic drop between the sides", "a waistband sensor, a quiet stand before the run and a known speed";
    "contact_asym_change_pp", "left-right difference of contact time against the own usual", "both shoe sensors and a known speed";
    "ml_ratio_change_pct", "sideways share of movement against the own usual", "a waistband sensor, a known speed and the ground of the run";
    "sacral_peak_change_pct", "peak at the waistband against the own usual", "a waistband sensor that passed its mount check and a known speed";
    "tibial_peak_change_pct", "peak at the shin against the own usual", "a shin sensor and a known speed";
    "tibial_peak_change_g", "peak at the shin against the own usual", "a shin sensor and a known speed";
    "drift_markers", "changes late in a long run", "a run of 40 minutes or more with a known speed and at least three of the markers measured";
    "run_effort", "effort of the run", "an answer about the effort of the run";
    "run_back_worst", "worst back score in the run", "an answer about the worst back score in the run";
    "back_7d_max", "highest back score of seven days", "a back score on one of the last seven days";
    "back_day_max", "highest back score of the day", "a back score on that day";
    "back_rise", "rise of the back score in a run", "back scores before and in the same run";
    "not_settled_of3", "runs after which the back score had not settled", "back scores before three runs and on the mornings after them";
    "sudden_onset_today", "sudden onset", "an answer about how it came on, on a day with a run";
    "stopped_today", "a run ended because of the back", "an answer about whether the back changed the run";
    "pain_days_14", "days with a back score of 2 or more in 14 days", "back scores on six of the last 14 days";
    "episode_days", "days that this has gone on", "back scores on ten days of one stretch";
    "deload_done", "two easier weeks", "distances of the last six weeks, 20 km or more in the first four of them";
    "deload_ratio", "back scores after the easier weeks against before", "back scores on three days of the last week and of the two weeks before the easier ones";
    "leg_or_life_tick", "ticks about the legs or daily life", "an answer to the safety questions";
    "safety_tick", "ticks of the safety questions", "an answer to the safety questions";
    "focal_one_side_today", "a painful spot on one side", "an answer to the safety questions";
    "pain_on_impact_today", "pain on landing", "an answer to the safety questions";
    "load_or_bone", "a long run, or the optional bone question", "distances of the last 30 days or an answer to the optional bone question";
    "one_sided_pain_7d", "pain on one side in seven days", "an answer to the safety questions in the last seven days";
    "prior_episodes", "earlier back episodes", "an answer about earlier back episodes in the profile";
    "medical_history", "a history to mention", "an answer about the history in the profile";
    "spike_ratio", "distance against the longest run of 30 days", "three runs with a distance in the 30 days before it";
    "spike_extra_km", "distance beyond the longest run of 30 days", "three runs with a distance in the 30 days before it";
    "break_days", "days since the run before", "an earlier run";
    "week_jump_pct", "distance of seven days against the seven before", "two weeks of records with 10 km or more in the earlier one";
    "rest_days_7", "rest days in seven days", "two weeks of records";
    "weeks_under_2_rest", "weeks in a row with fewer than two rest days", "two whole weeks of records";
    "training_streak_days", "training days in a row", "two weeks of records";
    "low_recovery_signs", "signs of low recovery", "answers about tiredness and sleep on four of the last seven days";
    "low_recovery_days_7", "days with signs of low recovery in seven days", "answers about tiredness and sleep on four of the last seven days";
    "downhill_run_km", "steep downhill in the run", "three runs with a known grade in the 30 days before it";
    "downhill_ratio", "steep downhill against the most of 30 days", "three runs with a known grade in the 30 days before it";
    "shoe_km", "distance of the most worn pair", "the pair worn, told for four of five runs of the last eight weeks";
    "uneven_heel_worn", "unevenly worn heels", "an answer about the heels of a pair that is worn";
    "same_shoe_impact_pp", "peak at the waistband in this pair against when it was newer", "runs with a waistband sensor in the same pair, early and late";
    "comfort_min", "lowest comfort of a pair worn", "an answer about the comfort of a pair that is worn";
    "shoe_back_diff", "back score in one pair against the others", "back scores of four runs in the pair and of four in other pairs";
    "top_shoe_share", "share of the most used pair", "the pair worn, told for twelve runs of the last eight weeks";
    "runs_per_week_56d", "runs a week over eight weeks", "eight weeks of records";
    "hard_share_rise", "rise of the share on hard ground", "the ground told for most of the distance of the last eight weeks";
    "uneven_share_rise", "rise of the share on uneven ground", "the ground told for most of the distance of the last eight weeks";
    "uneven_sore_of3", "back scores after runs on uneven ground", "back scores of three runs on uneven ground";
    "warmup_missing", "no easy minutes before a harder session", "a harder session with an answer about its easy minutes";
    "no_warmup_of5", "harder sessions without easy minutes", "five harder sessions with an answer about their easy minutes";
    "hip_above", "hip-front test", "a flexibility test by a physical therapist in the last 42 days";
    "knee_ext_deficit", "knee extension test", "a flexibility test by a physical therapist in the last 42 days";
    "self_tight", "flexibility self-test", "the self-test with the picture guide in the last 42 days";
    "any_tight", "flexibility tests", "one of the flexibility tests in the last 42 days";
    "side_plank_min_s", "side plank, shorter side", "a side plank timed on both sides in the last 42 days";
    "core_sessions_7d", "core sessions in seven days", "core work being logged, for two weeks";
    "fs3_watch", "flag FS3", "enough data for the flag FS3";
    "ig1_watch", "flag IG1", "enough data for the flag IG1";
    "ff1_or_fs5_watch", "flag FF1 or FS5", "enough data for the flag FF1 or FS5";
];

/// The words of an input; `None` of one that no rule file of this project knows.
#[must_use]
pub fn of(input: &str) -> Option<&'static InputWords> {
    INPUT_WORDS.iter().find(|w| w.input == input)
}

/// Its name; of an unknown one that of the rule file with spaces.
#[must_use]
pub fn name(input: &str) -> String {
    of(input).map_or_else(|| input.replace('_', " "), |w| w.name.to_owned())
}

/// What it takes for it to be known.
#[must_use]
pub fn takes(input: &str) -> String {
    of(input).map_or_else(|| "data that are not there".to_owned(), |w| w.takes.to_owned())
}

/// A small number in words, a larger one in digits.
#[must_use]
pub fn counted(n: usize) -> String {
    let small = [
        "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    small.get(n).map_or_else(|| n.to_string(), |w| (*w).to_owned())
}

/// `needs three runs in 28 days with a waistband sensor and a known speed; there is one`: what stands before and behind it
/// is the reader's page.
#[must_use]
pub fn needs_runs(needed: usize, there: usize, days: i32, takes: &str) -> String {
    let runs = if needed == 1 { "run" } else { "runs" };
    let is = if there == 1 { "is" } else { "are" };
    format!(
        "needs {} {runs} in {days} days with {takes}; there {is} {}",
        counted(needed),
        counted(there)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_those_of_a_person() {
        let takes = takes("sacral_peak_change_pct");
        assert_eq!(
            needs_runs(3, 1, 28, &takes),
            "needs three runs in 28 days with a waistband sensor that passed its mount check and a known speed; there is one"
        );
        assert!(needs_runs(2, 0, 42, "x").ends_with("there are none"));
        assert_eq!(name("week_jump_pct"), "distance of seven days against the seven before");
    }

    #[test]
    fn no_words_hold_formulas() {
        for w in INPUT_WORDS {
            for text in [w.name, w.takes] {
                assert!(
                    !text.contains(['_', '*', '/', '[', '<', '>', '=']) && !text.contains(".."),
                    "{}: {text}",
                    w.input
                );
            }
        }
    }
}
