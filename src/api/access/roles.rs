//! The table: role × resource × verb. Every route names its resource and verb, and authorisation is read from here.

use crate::store::access::Role;

/// Kinds of what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Whether the server is there, and who is asking.
    Health,
    /// Signing in and out.
    Login,
    /// Definitions of metrics and flags.
    Catalog,
    /// Who an athlete is.
    Athlete,
    /// A session and what it amounts to.
    Session,
    /// Strides, series, events and how a number was made.
    Strides,
    /// Whether a stride counts.
    Verdicts,
    /// Samples as the sensors gave them.
    Raw,
    /// What people said; symptoms among it are filtered for those who may not see them.
    Journal,
    /// Shoes.
    Shoes,
    /// Sessions against each other: trends, comparisons, load.
    Trends,
    /// Flags.
    Flags,
    /// Several athletes at once: inbox and squad.
    Roster,
    /// A run as it happens.
    Live,
    /// Kits of sensors of this machine.
    Sensors,
    /// The state of this machine.
    Doctor,
    /// Tokens.
    Tokens,
    /// Links.
    Shares,
    /// Who looked.
    AccessLog,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Look.
    Read,
    /// Make or change.
    Write,
    /// Remove.
    Delete,
}

impl Verb {
    /// As noted in the log of accesses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// How far a role reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Not at all.
    Nobody,
    /// The one session that a link leads to.
    Linked,
    /// Themselves.
    Own,
    /// Athletes in scope.
    Scope,
    /// Athletes in scope who consented.
    Consented,
    /// Everybody.
    All,
}

/// One line of the table: owner, runner, coach, therapist, share.
type Line = (Resource, Verb, [Reach; 5]);

/// The table. What does not stand in it, nobody may do.
#[rustfmt::skip]
pub const TABLE: &[Line] = {
    use Reach::{All, Consented, Linked, Nobody as No, Own, Scope};
    use Resource as R;
    use Verb::{Delete, Read, Write};
    &[
        //                           owner runner coach   therapist  share
        (R::Health,    Read,   [All,  All,   All,    All,       All]),
        (R::Login,     Write,  [All,  All,   All,    All,       All]),
        (R::Catalog,   Read,   [All,  All,   All,    All,       All]),
        (R::Athlete,   Read,   [All,  Own,   Scope,  Consented, No]),
        (R::Athlete,   Write,  [All,  Own,   No,     No,        No]),
        (R::Athlete,   Delete, [All,  Own,   No,     No,        No]),
        (R::Session,   Read,   [All,  Own,   Scope,  Consented, Linked]),
        (R::Session,   Write,  [All,  Own,   No,     No,        No]),
        (R::Session,   Delete, [All,  Own,   No,     No,        No]),
        (R::Strides,   Read,   [All,  Own,   Scope,  Consented, Linked]),
        (R::Verdicts,  Write,  [All,  Own,   Scope,  Consented, No]),
        (R::Raw,       Read,   [All,  Own,   No,     Consented, No]),
        (R::Journal,   Read,   [All,  Own,   Scope,  Consented, No]),
        (R::Journal,   Write,  [All,  Own,   No,     Consented, No]),
        (R::Journal,   Delete, [All,  Own,   No,     No,        No]),
        (R::Shoes,     Read,   [All,  Own,   Scope,  Consented, No]),
        (R::Trends,    Read,   [All,  Own,   Scope,  Consented, No]),
        (R::Flags,     Read,   [All,  Own,   Scope,  Consented, No]),
        (R::Flags,     Write,  [All,  Own,   Scope,  Consented, No]),
        (R::Roster,    Read,   [All,  No,    Scope,  Consented, No]),
        (R::Live,      Read,   [All,  Own,   Scope,  Consented, No]),
        (R::Live,      Write,  [All,  Own,   No,     No,        No]),
        (R::Sensors,   Read,   [All,  No,    No,     No,        No]),
        (R::Doctor,    Read,   [All,  No,    No,     No,        No]),
        (R::Tokens,    Read,   [All,  No,    No,     No,        No]),
        (R::Tokens,    Write,  [All,  No,    No,     No,        No]),
        (R::Tokens,    Delete, [All,  No,    No,     No,        No]),
        (R::Shares,    Read,   [All,  Own,   No,     No,        No]),
        (R::Shares,    Write,  [All,  Own,   No,     No,        No]),
        (R::Shares,    Delete, [All,  Own,   No,     No,        No]),
        (R::AccessLog, Read,   [All,  Own,   No,     No,        No]),
    ]
};

/// How far a role reaches in this.
#[must_use]
pub fn reach(role: Role, resource: Resource, verb: Verb) -> Reach {
    let column = match role {
        Role::Owner => 0,
        Role::Runner => 1,
        Role::Coach => 2,
        Role::Therapist => 3,
        Role::Share => 4,
    };
    TABLE
        .iter()
        .find(|(r, v, _)| (*r, *v) == (resource, verb))
        .map_or(Reach::Nobody, |(_, _, line)| line[column])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_stands_once_and_the_owner_reaches_everything_in_it() {
        let mut seen = std::collections::BTreeSet::new();
        for (resource, verb, line) in TABLE {
            assert!(seen.insert((resource, verb)), "{resource:?} {verb:?} stands twice");
            assert_eq!(line[0], Reach::All, "{resource:?} {verb:?}");
        }
    }

    #[test]
    fn a_link_only_looks_and_a_coach_never_sees_samples() {
        for (resource, verb, line) in TABLE {
            let open = matches!(resource, Resource::Health | Resource::Login | Resource::Catalog);
            assert!(open || matches!(line[4], Reach::Nobody | Reach::Linked), "{resource:?}");
            assert!(
                open || *verb == Verb::Read || line[4] == Reach::Nobody,
                "{resource:?} {verb:?}"
            );
        }
        assert_eq!(reach(Role::Coach, Resource::Raw, Verb::Read), Reach::Nobody);
        assert_eq!(reach(Role::Owner, Resource::Raw, Verb::Delete), Reach::Nobody);
    }
}
