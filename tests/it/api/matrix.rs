//! Every route with every role: what the table says is what happens.

use super::{Answer, NOW_US, Server, consent, request};
use lope::api::Entrance;
use lope::api::access::roles::{Reach, Resource, Verb, reach};
use lope::api::endpoint::Endpoint;
use lope::api::routes;
use lope::store::access::Role;
use lope::store::journal::Purpose;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Whose data is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    /// Of the athlete in scope.
    Ada,
    /// Of somebody else.
    Ben,
}

/// The address of a route, its placeholders filled with things of this athlete; and whether the route names any of them.
fn address(endpoint: &Endpoint, whose: Whose, prefix: &str) -> (String, bool) {
    let ada = whose == Whose::Ada;
    let live = endpoint.path.starts_with("/live/");
    let own = |ada_s: &'static str, ben_s: &'static str| if ada { ada_s } else { ben_s };
    let of = |name: &str| -> (String, bool) {
        match name {
            "session" if live => (own("live-ada", "live-ben").to_owned(), true),
            "session" => (own("s1", "s2").to_owned(), true),
            "athlete" => (own("ada", "ben").to_owned(), true),
            "id" => ("n1".to_owned(), false),
            "flag" => ("FS1".to_owned(), false),
            "idx" => ("3".to_owned(), false),
            "prefix" => (prefix.to_owned(), endpoint.path.starts_with("/shares")),
            other => panic!("what is {{{other}}}?"),
        }
    };
    let (mut path, mut names) = ("/api/v1".to_owned(), false);
    let mut rest = endpoint.path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a closing brace");
        let (value, is_somebody) = of(name);
        path.push_str(before);
        path.push_str(&value);
        names |= is_somebody;
        rest = after;
    }
    path.push_str(rest);
    let mut sign = '?';
    for parameter in &endpoint.parameters {
        let value = match parameter.name.as_str() {
            "athlete" => {
                names = true;
                own("ada", "ben")
            }
            "metric" | "metrics" => "cadence",
            "a" | "b" => "last",
            "from_s" => "0",
            "to_s" => "5",
            _ => continue,
        };
        path.push_str(&format!("{sign}{}={value}", parameter.name));
        sign = '&';
    }
    (path, names)
}

/// A body that the route takes, of this athlete.
fn body(endpoint: &Endpoint, whose: Whose) -> Option<Value> {
    let (who, session) = if whose == Whose::Ada {
        ("ada", "s1")
    } else {
        ("ben", "s2")
    };
    Some(match (endpoint.method.as_str(), endpoint.path) {
        ("PATCH", "/athletes/{athlete}") => json!({ "height_m": 1.7 }),
        ("DELETE", "/athletes/{athlete}") => json!({ "confirm": who }),
        ("PATCH", "/sessions/{session}") => json!({ "effort": 3 }),
        ("DELETE", "/sessions/{session}") => json!({ "confirm": session }),
        ("POST", "/sessions/{session}/events") => json!({ "id": "e1", "t_s": 9.0, "kind": "lap" }),
        ("PUT", "/sessions/{session}/strides/{idx}/verdict") => json!({ "bad": true }),
        ("PUT", "/journal/{athlete}/{id}") => {
            json!({ "day": "2026-03-02", "kind": "clinician_note", "author": "dr", "text": "stretch" })
        }
        ("POST", "/flags/{flag}/actions") => {
            // An action of one caller is not another's to change, so each has an id of its own.
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let id = format!("a{}", NEXT.fetch_add(1, Ordering::Relaxed));
            json!({ "athlete": who, "id": id, "action": "acknowledge" })
        }
        ("POST", "/live/{session}/events") => json!({ "id": "l1", "kind": "lap" }),
        ("POST", "/tokens") => json!({ "name": "new", "role": "coach", "athletes": ["ada"] }),
        ("POST", "/shares") => {
            json!({ "athlete": who, "what": "session", "session": session, "expires_us": NOW_US + 1_000_000 })
        }
        ("POST", "/logout") => json!({}),
        ("POST", "/login") => json!({ "token": "none" }),
        (method, path) => {
            assert!(endpoint.body.is_none(), "a body for {method} {path}");
            return None;
        }
    })
}

/// Digits of a token that may be revoked, and of a link to each athlete's session.
async fn victims(server: &Server) -> [String; 3] {
    let owner = format!("Bearer {}", server.token(Role::Owner));
    let headers = [("authorization", owner.as_str())];
    let make = async |path: &str, body: Value| {
        let made = server.send(request("POST", path, &headers, Some(&body))).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["prefix"].as_str().expect("a prefix").to_owned()
    };
    let share = |who: &str, session: &str| json!({ "athlete": who, "what": "session", "session": session, "expires_us": NOW_US + 1_000_000 });
    [
        make(
            "/api/v1/tokens",
            json!({ "name": "v", "role": "coach", "athletes": ["ada"] }),
        )
        .await,
        make("/api/v1/shares", share("ada", "s1")).await,
        make("/api/v1/shares", share("ben", "s2")).await,
    ]
}

async fn ask(server: &Server, endpoint: &Endpoint, token: Option<&str>, whose: Whose) -> (Answer, bool) {
    let prefix = if endpoint.path.contains("{prefix}") && endpoint.verb == Verb::Delete {
        let [token, ada, ben] = victims(server).await;
        match (endpoint.resource, whose) {
            (Resource::Tokens, _) => token,
            (_, Whose::Ada) => ada,
            (_, Whose::Ben) => ben,
        }
    } else {
        String::new()
    };
    let (path, names) = address(endpoint, whose, &prefix);
    let body = body(endpoint, whose);
    let names = names || body.as_ref().is_some_and(|b| b.get("athlete").is_some());
    let authorization = token.map(|t| format!("Bearer {t}"));
    let headers: Vec<(&str, &str)> = authorization.iter().map(|a| ("authorization", a.as_str())).collect();
    let request = request(endpoint.method.as_str(), &path, &headers, body.as_ref());
    if endpoint.path.starts_with("/live/") && endpoint.verb == Verb::Read {
        // A stream has no end: its head is enough.
        use tower::ServiceExt as _;
        let response = server.router().oneshot(request).await.expect("infallible");
        let answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: if response.status().is_success() {
                Vec::new()
            } else {
                axum::body::to_bytes(response.into_body(), 1 << 20)
                    .await
                    .expect("a body")
                    .to_vec()
            },
        };
        return (answer, names);
    }
    (server.send(request).await, names)
}

#[tokio::test]
async fn each_role_reaches_exactly_what_the_table_says() {
    let mut told = 0;
    let mut reused: Option<Server> = None;
    for endpoint in routes::all() {
        if endpoint.resource == Resource::Login {
            continue;
        }
        for role in Role::ALL {
            for whose in [Whose::Ada, Whose::Ben] {
                // What deletes leaves nothing to ask for.
                let server = match reused.take() {
                    Some(server) if endpoint.verb != Verb::Delete => server,
                    _ => {
                        let server = Server::new(Entrance::Tokens);
                        consent(server.dir.path(), Purpose::Therapist, true);
                        server
                    }
                };
                let token = server.token(role);
                let (answer, names) = ask(&server, &endpoint, Some(&token), whose).await;
                let reach = reach(role, endpoint.resource, endpoint.verb);
                let what = format!(
                    "{endpoint:?} as {}, {}",
                    role.name(),
                    if whose == Whose::Ada { "ada" } else { "ben" }
                );
                // A link lists its own session whoever is asked for.
                let own_list = reach == Reach::Linked && endpoint.path == "/sessions";
                let other = names && whose == Whose::Ben && !own_list;
                let want = match reach {
                    Reach::Nobody => 403,
                    Reach::All => 200,
                    Reach::Own | Reach::Scope | Reach::Consented | Reach::Linked if other => 404,
                    // A link reads its session, not lists of them.
                    Reach::Linked if !names => 200,
                    _ => 200,
                };
                match want {
                    200 => assert!(
                        answer.status.is_success(),
                        "{what}: {} {}",
                        answer.status,
                        answer.text()
                    ),
                    status => {
                        let code = answer.is_problem(status);
                        assert!(code.starts_with("lope::access") || status == 404, "{what}: {code}");
                    }
                }
                told += 1;
                if endpoint.verb != Verb::Delete {
                    reused = Some(server);
                }
            }
        }
    }
    assert!(told > 300, "{told}");
}

#[tokio::test]
async fn nobody_unknown_reaches_anything_but_the_door() {
    let server = Server::new(Entrance::Tokens);
    for endpoint in routes::all() {
        let (path, _) = address(&endpoint, Whose::Ada, "ffff");
        let body = body(&endpoint, Whose::Ada);
        let answer = server
            .send(request(endpoint.method.as_str(), &path, &[], body.as_ref()))
            .await;
        if endpoint.resource != Resource::Login {
            assert_eq!(answer.is_problem(401), "lope::access::who", "{endpoint:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[tokio::test]
async fn a_therapist_without_consent_reaches_nothing_of_an_athlete() {
    let server = Server::new(Entrance::Tokens);
    let token = server.token(Role::Therapist);
    for endpoint in routes::all() {
        if reach(Role::Therapist, endpoint.resource, endpoint.verb) != Reach::Consented {
            continue;
        }
        let (answer, names) = ask(&server, &endpoint, Some(&token), Whose::Ada).await;
        if names {
            assert_eq!(answer.is_problem(403), "lope::access::consent", "{endpoint:?}");
        } else {
            // Lists are empty, streams silent; that the workbook of a squad has no row is looked at where it is read.
            assert!(answer.status.is_success(), "{endpoint:?}: {}", answer.text());
            if answer.body.starts_with(b"PK") {
                continue;
            }
            let empty = answer.body.is_empty() || answer.json()["items"].as_array().is_some_and(Vec::is_empty);
            assert!(empty, "{endpoint:?}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn what_the_owner_of_this_machine_asks_needs_no_token() {
    let server = Server::new(Entrance::ThisMachine);
    for endpoint in routes::all() {
        if endpoint.verb == Verb::Read {
            let (answer, _) = ask(&server, &endpoint, None, Whose::Ben).await;
            assert!(answer.status.is_success(), "{endpoint:?}: {}", answer.text());
        }
    }
}
