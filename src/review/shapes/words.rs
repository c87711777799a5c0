//! The closed sets of words in answers.

use crate::risk::Level;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// The word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

words! {
    /// How good data are. Stands beside evidence and is never multiplied with it.
    DataWord {
        /// Many windows, a full reference.
        Good = "good",
        /// Usable.
        Fair = "fair",
        /// A trend only.
        Poor = "poor",
        /// None.
        None = "none",
    }
}

words! {
    /// Where the data behind a flag come from.
    DataFrom {
        /// Sensors.
        Sensors = "sensors",
        /// What a person entered or logged.
        Entered = "entered",
    }
}

words! {
    /// A level, or that too little is known. Ordered by how far to the front it belongs.
    LevelWord {
        /// Too little is known.
        NotEnoughData = "not_enough_data",
        /// Evaluated, nothing to show.
        None = "none",
        /// A note.
        Info = "info",
        /// Worth watching.
        Watch = "watch",
        /// High.
        High = "high",
        /// The safety screen.
        Stop = "stop",
    }
}

impl From<Option<Level>> for LevelWord {
    fn from(state: Option<Level>) -> Self {
        match state {
            None => Self::NotEnoughData,
            Some(Level::None) => Self::None,
            Some(Level::Info) => Self::Info,
            Some(Level::Watch) => Self::Watch,
            Some(Level::High) => Self::High,
            Some(Level::Stop) => Self::Stop,
        }
    }
}

impl LevelWord {
    /// Whether it is info or higher.
    #[must_use]
    pub fn raised(self) -> bool {
        self >= Self::Info
    }

    /// The level by that name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::NotEnoughData,
            Self::None,
            Self::Info,
            Self::Watch,
            Self::High,
            Self::Stop,
        ]
        .into_iter()
        .find(|l| l.word() == word)
    }
}

words! {
    /// What may be said beside the flags.
    CoachingWord {
        /// Nothing stands against cues and coaching.
        Open = "open",
        /// No cues.
        NoCues = "no_cues",
        /// The safety screen stands alone.
        Silent = "silent",
    }
}

words! {
    /// How strongly a person is asked to stop.
    SafetyWord {
        /// The safety screen.
        Stop = "stop",
        /// A sign that should be looked at before the next run.
        NoCues = "no_cues",
    }
}

words! {
    /// The week's distance against the usual zone.
    LoadWord {
        /// Less.
        Below = "below",
        /// In it.
        Within = "within",
        /// More.
        Above = "above",
        /// The zone is not known yet.
        Learning = "learning",
    }
}

words! {
    /// One value of a run against the own usual.
    ChangeWord {
        /// Inside the own band.
        Usual = "usual",
        /// Above it.
        Higher = "higher",
        /// Below it.
        Lower = "lower",
        /// The usual is not known yet.
        Learning = "learning",
        /// The run cannot be compared; `why` says why.
        NotComparable = "not comparable",
    }
}

words! {
    /// What a trend amounts to.
    VerdictWord {
        /// Nothing beyond the smallest change that can be told.
        NoRealChange = "no real change",
        /// Lower than the reference.
        Lower = "lower",
        /// Higher than the reference.
        Higher = "higher",
        /// The reference is being learned.
        Learning = "learning",
        /// Too few runs to say.
        NotEnoughData = "not enough data",
    }
}

words! {
    /// How far a reference is.
    ReferenceWord {
        /// It still takes runs in.
        Learning = "learning",
        /// It no longer moves.
        Frozen = "frozen",
    }
}

words! {
    /// Whether symptoms are shown to who asks.
    SharedWord {
        /// They are.
        Shared = "shared",
        /// They are not.
        NotShared = "not shared",
    }
}

words! {
    /// What a sensor delivered over a span.
    SpanWord {
        /// All samples.
        Ok = "ok",
        /// Some were missing and filled in across short holes.
        Filled = "filled",
        /// None.
        Lost = "lost",
        /// At its limit.
        Clipped = "clipped",
        /// It sits differently since.
        Moved = "moved",
    }
}
