//! What an athlete did not consent to is not seen, wherever one looks; and who looked stands in the log.

use super::{Server, consent, request};
use lope::api::Entrance;
use lope::api::access::roles::Verb;
use lope::api::routes;
use lope::store::access::Role;
use lope::store::journal::Purpose;
use serde_json::{Value, json};

/// Every looking address of ada's data.
fn addresses() -> Vec<String> {
    let mut all = Vec::new();
    for endpoint in routes::all() {
        if endpoint.verb != Verb::Read || endpoint.path.starts_with("/live/") {
            continue;
        }
        let mut path = endpoint.path.to_owned();
        for (name, value) in [
            ("session", "s1"),
            ("athlete", "ada"),
            ("id", "s1"),
            ("flag", "SY1"),
            ("idx", "3"),
        ] {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        let mut sign = '?';
        for parameter in &endpoint.parameters {
            let value = match parameter.name.as_str() {
                "athlete" => "ada",
                "metric" | "metrics" => "cadence",
                "a" | "b" => "last",
                "from_s" => "0",
                "to_s" => "5",
                _ => continue,
            };
            path.push_str(&format!("{sign}{}={value}", parameter.name));
            sign = '&';
        }
        all.push(format!("/api/v1{path}"));
    }
    all.push("/plain".to_owned());
    all.push("/plain/session/s1".to_owned());
    all.push("/plain/flags".to_owned());
    all
}

#[tokio::test]
async fn a_coach_sees_no_word_and_no_score_of_a_back_without_consent() {
    let server = Server::new(Entrance::Tokens);
    for role in [Role::Coach, Role::Share] {
        let bearer = format!("Bearer {}", server.token(role));
        for path in addresses() {
            let text = server.get(&path, &[("authorization", &bearer)]).await.text();
            for secret in ["secret words", "back_worst\":6", "back_now\":4", "pain 4"] {
                assert!(
                    !text.contains(secret),
                    "{} reads {secret} at {path}:\n{text}",
                    role.name()
                );
            }
        }
    }
    let bearer = format!("Bearer {}", server.token(Role::Coach));
    let flags = server
        .get("/api/v1/flags?athlete=ada", &[("authorization", &bearer)])
        .await
        .json();
    let hidden: Vec<&str> = flags["flags"]
        .as_array()
        .expect("flags")
        .iter()
        .filter(|f| f["hidden"] == true)
        .filter_map(|f| f["id"].as_str())
        .collect();
    assert!(hidden.contains(&"SY1") && hidden.contains(&"HX1"), "{hidden:?}");
    let trend = server
        .get(
            "/api/v1/trends?athlete=ada&metric=cadence",
            &[("authorization", &bearer)],
        )
        .await
        .json();
    assert_eq!(trend["symptoms"], Value::Null);
}

#[tokio::test]
async fn with_consent_a_coach_sees_what_was_said_and_after_a_withdrawal_no_more() {
    let server = Server::new(Entrance::Tokens);
    let bearer = format!("Bearer {}", server.token(Role::Coach));
    let path = "/api/v1/journal?athlete=ada&kinds=check_in";
    let seen = async || {
        let answer = server.get(path, &[("authorization", &bearer)]).await.json();
        answer["items"].as_array().map(Vec::len)
    };
    assert_eq!(seen().await, Some(0));
    consent(server.dir.path(), Purpose::Coach, true);
    assert_eq!(seen().await, Some(1));
    consent(server.dir.path(), Purpose::Coach, false);
    assert_eq!(seen().await, Some(0));
}

#[tokio::test]
async fn a_coach_writes_no_entry_and_acts_on_no_hidden_flag() {
    let server = Server::new(Entrance::Tokens);
    let bearer = format!("Bearer {}", server.token(Role::Coach));
    let headers = [("authorization", bearer.as_str())];
    let act = |id: &str| json!({ "athlete": "ada", "id": format!("act-{id}"), "action": "note", "note": "looked" });
    let hidden = server
        .send(request(
            "POST",
            "/api/v1/flags/SY1/actions",
            &headers,
            Some(&act("SY1")),
        ))
        .await;
    assert_eq!(hidden.is_problem(404), "lope::api::not_found");
    let done = server
        .send(request(
            "POST",
            "/api/v1/flags/FS1/actions",
            &headers,
            Some(&act("FS1")),
        ))
        .await;
    assert_eq!(
        (done.status.as_u16(), done.json()["actor"].as_str().map(str::to_owned)),
        (201, Some("the coach".to_owned()))
    );
}

#[tokio::test]
async fn who_looked_stands_in_the_log_and_who_looks_at_themselves_does_not() {
    let server = Server::new(Entrance::Tokens);
    let coach = format!("Bearer {}", server.token(Role::Coach));
    let runner = format!("Bearer {}", server.token(Role::Runner));
    for _ in 0..3 {
        assert_eq!(
            server
                .get("/api/v1/sessions/s1", &[("authorization", &coach)])
                .await
                .status,
            200
        );
        assert_eq!(
            server
                .get("/api/v1/sessions/s1", &[("authorization", &runner)])
                .await
                .status,
            200
        );
    }
    let _ = server.get("/api/v1/sessions/s2", &[("authorization", &coach)]).await;
    assert_eq!(
        server
            .get("/api/v1/flags?athlete=ada", &[("authorization", &coach)])
            .await
            .status,
        200
    );
    let log = server
        .get("/api/v1/access-log?athlete=ada", &[("authorization", &runner)])
        .await
        .json();
    let told: Vec<(&str, &str, &str)> = log["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|i| {
            (
                i["actor"].as_str().unwrap_or(""),
                i["role"].as_str().unwrap_or(""),
                i["action"].as_str().unwrap_or(""),
            )
        })
        .collect();
    // The same look within minutes is told once.
    assert_eq!(
        told,
        [
            ("the coach", "coach", "read flags"),
            ("the coach", "coach", "read session")
        ]
    );
    let owner = format!("Bearer {}", server.token(Role::Owner));
    let of_ben = server
        .get("/api/v1/access-log?athlete=ben", &[("authorization", &owner)])
        .await
        .json();
    assert_eq!(
        of_ben["items"].as_array().map(Vec::len),
        Some(0),
        "what was refused was not seen"
    );
}

#[tokio::test]
async fn a_link_leads_to_its_session_and_nowhere_else_and_ends() {
    let server = Server::new(Entrance::Tokens);
    let owner = format!("Bearer {}", server.token(Role::Owner));
    let headers = [("authorization", owner.as_str())];
    let want =
        json!({ "athlete": "ada", "what": "session", "session": "s1", "expires_us": super::NOW_US + 60_000_000 });
    let made = server
        .send(request("POST", "/api/v1/shares", &headers, Some(&want)))
        .await
        .json();
    let url = made["url"].as_str().expect("an address").to_owned();
    let followed = server.get(&url, &[]).await;
    assert_eq!(
        (followed.status.as_u16(), followed.header("location")),
        (303, "/plain/session/s1")
    );
    let cookie = followed
        .header("set-cookie")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let with = [("cookie", cookie.as_str())];
    assert_eq!(server.get("/plain/session/s1", &with).await.status, 200);
    assert_eq!(server.get("/api/v1/sessions/s1", &with).await.status, 200);
    assert_eq!(server.get("/plain/session/s2", &with).await.status, 404);
    assert_eq!(
        server.get("/api/v1/sessions/s2", &with).await.is_problem(404),
        "lope::api::not_found"
    );
    let listed = server.get("/api/v1/sessions", &with).await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["items"][0]["id"], "s1");
    let prefix = made["prefix"].as_str().expect("a prefix");
    let revoke = request("DELETE", &format!("/api/v1/shares/{prefix}"), &headers, None);
    assert_eq!(server.send(revoke).await.status, 204);
    assert_eq!(
        server.get("/api/v1/sessions/s1", &with).await.is_problem(401),
        "lope::access::who"
    );
    assert_eq!(server.get(&url, &[]).await.status, 404);
    for wrong in [
        json!({ "athlete": "ada", "what": "session", "session": "s2", "expires_us": super::NOW_US + 60_000_000 }),
        json!({ "athlete": "ada", "what": "session", "session": "s1", "expires_us": super::NOW_US - 1 }),
        json!({ "athlete": "ada", "what": "session", "session": "s1", "expires_us": super::NOW_US + 100 * super::DAY_US }),
        json!({ "athlete": "ada", "what": "session", "expires_us": super::NOW_US + 1 }),
    ] {
        let answer = server
            .send(request("POST", "/api/v1/shares", &headers, Some(&wrong)))
            .await;
        assert!(
            matches!(answer.status.as_u16(), 404 | 422),
            "{wrong}: {}",
            answer.text()
        );
    }
}
