//! What to tell a person whose radio does not work.
