//! Where a sink sends to, checked before anything is built from it.
//!
//! The client library panics on a malformed address and silently drops a path, and a token sent over plain HTTP is a
//! token given away. So addresses are taken apart here, and what cannot work is refused with the reason.

use super::super::error::StoreError;
use reqwest::Url;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A secret. It can be sent; it cannot be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token in this text; space around it is not part of it.
    ///
    /// # Errors
    /// `Rejected` when nothing is left, or it holds what no header may hold. The message does not repeat it.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(StoreError::rejected(
                "the token",
                "it must be one word of printable ASCII, without spaces or line ends inside",
            ));
        }
        Ok(Self(token.to_owned()))
    }

    /// The text, for a header and nothing else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Whether a token may travel unencrypted to another machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plaintext {
    /// Only to this machine.
    #[default]
    Loopback,
    /// Anywhere: the owner of the network says so.
    Allowed,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a whole request.
    pub request: Duration,
    /// For a connection.
    pub connect: Duration,
    /// Before an idle connection is closed.
    pub idle: Duration,
    /// For an answer to a question.
    pub query: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(15),
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            query: Duration::from_secs(10),
        }
    }
}

/// A server, a place in it, and the right to write there.
#[derive(Clone, Debug)]
pub struct Destination {
    url: Url,
    /// Organisation; may be empty where the server knows none.
    pub org: String,
    /// Bucket (a database of version 1).
    pub bucket: String,
    /// The token.
    pub token: Token,
    /// Certificate of a private authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// Waiting times.
    pub patience: Patience,
}

impl Destination {
    /// The destination with these parts.
    ///
    /// # Errors
    /// `Rejected` with the reason, for an address that is not `http(s)://host[:port]`, for plain HTTP to another
    /// machine unless allowed, and for a missing bucket.
    pub fn new(url: &str, org: &str, bucket: &str, token: Token, plaintext: Plaintext) -> Result<Self, StoreError> {
        let url = parse_url(url, plaintext)?;
        let plain = |text: &str| !text.chars().any(char::is_control) && text.len() <= 200;
        if bucket.is_empty() || !plain(bucket) || !plain(org) {
            return Err(StoreError::rejected(
                "bucket or org",
                "a bucket is needed; names are up to 200 bytes without control characters",
            ));
        }
        Ok(Self {
            url,
            org: org.to_owned(),
            bucket: bucket.to_owned(),
            token,
            ca_file: None,
            patience: Patience::default(),
        })
    }

    /// Address, organisation and bucket in words; no secret.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} org={} bucket={}", self.base(), self.org, self.bucket)
    }

    /// The address without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

fn parse_url(text: &str, plaintext: Plaintext) -> Result<Url, StoreError> {
    // Refusals do not repeat the text: a password may stand in it.
    let refuse = |why: &str| StoreError::rejected("the address", why);
    let url = Url::parse(text.trim()).map_err(|e| refuse(&format!("it is not http(s)://host[:port] ({e})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse(
            "user and password do not belong into it; the token goes into a file of its own",
        ));
    }
    let host = match url.host_str() {
        Some(host) if matches!(url.scheme(), "http" | "https") => host,
        _ => return Err(refuse("it is not http(s)://host[:port]")),
    };
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refuse(
            "a path cannot be used: the client would drop it and write to the root of the server. Give \
             http(s)://host[:port], and let a reverse proxy listen on a name or port of its own",
        ));
    }
    if url.scheme() == "http" && plaintext == Plaintext::Loopback && !is_loopback(host) {
        return Err(refuse(
            "plain http would show the token to the network; use https, or allow it with --allow-plaintext",
        ));
    }
    Ok(url)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::parse(" s3cret-token\n").expect("a token")
    }

    fn at(url: &str, plaintext: Plaintext) -> Result<Destination, StoreError> {
        Destination::new(url, "club", "lope", token(), plaintext)
    }

    #[test]
    fn a_token_is_never_shown() {
        let there = at("https://tsdb.example.org", Plaintext::Loopback).expect("a good address");
        for shown in [format!("{there:?}"), format!("{:?}", there.token), there.describe()] {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        assert_eq!(there.token.reveal(), "s3cret-token");
        let refused = format!("{:?}", Token::parse("two words").expect_err("not a token"));
        assert!(!refused.contains("words"), "{refused}");
    }

    #[test]
    fn an_address_that_cannot_work_is_refused_with_the_reason() {
        for (url, why) in [
            ("", "http(s)"),
            ("tsdb", "http(s)"),
            ("ftp://x", "http(s)"),
            ("http://", "http(s)"),
            ("https://x/influx", "a path"),
            ("https://x/?a=1", "a path"),
            ("https://eve:pw@x", "user and password"),
            ("http://tsdb.example.org:8086", "plain http"),
            ("http://127.0.0.1.example.org", "plain http"),
            ("http://localhost.example.org", "plain http"),
        ] {
            let refused = at(url, Plaintext::Loopback).expect_err(url).to_string();
            assert!(refused.contains(why) && !refused.contains("pw@"), "{url}: {refused}");
        }
    }

    #[test]
    fn this_machine_may_be_spoken_to_in_plain_and_others_when_allowed() {
        for url in [
            "http://localhost:8086",
            "http://127.0.0.9:1",
            "http://[::1]:8086/",
            "https://x.example.org",
        ] {
            at(url, Plaintext::Loopback).expect(url);
        }
        let there = at("http://10.0.0.2:8086/", Plaintext::Allowed).expect("allowed");
        assert_eq!(there.describe(), "http://10.0.0.2:8086 org=club bucket=lope");
    }
}
