//! Marking a stride as bad: who may, what goes without it, what is told of who and when, and taking it back.

use super::{NOW_US, STRIDES, Server, athlete, consent, request};
use lope::api::Entrance;
use lope::store::access::Role;
use lope::store::journal::{Journal as _, Purpose};
use lope::store::{SqliteJournal, SqliteReader};
use serde_json::{Value, json};

const VERDICT: &str = "/api/v1/sessions/s1/strides/3/verdict?side=left";

async fn say(server: &Server, role: Role, body: Value) -> super::Answer {
    let token = format!("Bearer {}", server.token(role));
    server
        .send(request("PUT", VERDICT, &[("authorization", &token)], Some(&body)))
        .await
}

async fn look(server: &Server, role: Role, path: &str) -> Value {
    let token = format!("Bearer {}", server.token(role));
    let answer = server
        .send(request(
            "GET",
            &format!("/api/v1{path}"),
            &[("authorization", &token)],
            None,
        ))
        .await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// How many left strides the summary counts for cadence, and what the run amounts to.
async fn counted(server: &Server) -> (u64, Value) {
    let full = look(server, Role::Owner, "/sessions/s1").await;
    let summary = full["summary"].as_array().expect("a summary");
    let row = summary.iter().find(|r| r["metric"] == "cadence" && r["side"] == "left");
    let n = row.and_then(|r| r["n"].as_u64()).expect("cadence of the left foot");
    (n, json!([full["usable_share"], full["cadence_spm"], full["speed_ms"]]))
}

#[tokio::test]
async fn a_marked_stride_is_kept_and_shown_and_counts_nowhere_until_it_is_taken_back() {
    let server = Server::new(Entrance::Tokens);
    let before = counted(&server).await;
    let series = "/sessions/s1/series?metrics=cadence&side=left&buckets=1";
    let drawn = |s: &Value| s["series"]["cadence"]["left"]["n"][0].as_u64().expect("a count");
    let drawn_before = drawn(&look(&server, Role::Owner, series).await);

    let said = say(&server, Role::Runner, json!({ "bad": true, "note": " stumbled " })).await;
    assert_eq!(said.status, 200, "{}", said.text());
    let said = said.json();
    assert_eq!(said["verdict"]["bad"], true);
    assert_eq!(
        (&said["verdict"]["role"], &said["verdict"]["note"]),
        (&json!("runner"), &json!("stumbled"))
    );
    assert!(said["verdict"]["by"].as_str().is_some_and(|n| !n.is_empty()));
    assert_eq!(said["verdict"]["said_us"], NOW_US);

    let (n, run) = counted(&server).await;
    assert_eq!(n, before.0 - 1);
    assert_ne!(run, before.1, "what the run amounts to was computed anew");
    assert_eq!(drawn(&look(&server, Role::Owner, series).await), drawn_before - 1);
    let all = look(&server, Role::Owner, "/sessions/s1/strides?side=left&limit=500").await;
    let rows = all["items"].as_array().expect("rows");
    assert_eq!(rows.len(), STRIDES as usize, "it is kept");
    let marked: Vec<&Value> = rows.iter().filter(|r| !r["verdict"].is_null()).collect();
    assert_eq!(marked.len(), 1);
    assert_eq!(
        (&marked[0]["idx"], &marked[0]["flags"]),
        (&json!(3), &json!(["marked_bad"]))
    );
    assert!(marked[0]["metrics"]["cadence"].is_number(), "its numbers are shown");
    let chosen = look(&server, Role::Owner, "/sessions/s1/strides?select=marked").await;
    assert_eq!(chosen["items"].as_array().map(Vec::len), Some(1));
    for choice in ["typical", "longest", "shortest", "most_asymmetric"] {
        let path = format!("/sessions/s1/strides?select={choice}&limit=500");
        let found = look(&server, Role::Owner, &path).await;
        let found = found["items"].as_array().expect("rows");
        let ours = |r: &Value| r["idx"] == 3 && r["side"] == "left";
        assert!(!found.is_empty() && !found.iter().any(ours), "{choice}");
    }
    let explained = look(&server, Role::Owner, "/sessions/s1/strides/3/explain?side=left").await;
    assert!(explained["ruled_out"].to_string().contains("a person marked it as bad"));

    // The same again changes nothing; the other foot's stride of that number is another stride.
    say(&server, Role::Runner, json!({ "bad": true })).await;
    let other = look(&server, Role::Owner, "/sessions/s1/strides/3/verdict?side=right").await;
    assert_eq!((&other["verdict"], &other["past"]), (&Value::Null, &json!([])));

    let undone = say(&server, Role::Owner, json!({ "bad": false })).await.json();
    assert_eq!(
        (&undone["verdict"]["bad"], &undone["verdict"]["role"]),
        (&json!(false), &json!("owner"))
    );
    let past = undone["past"].as_array().expect("what was said before");
    assert_eq!(past.len(), 1, "one word each: {undone}");
    assert_eq!((&past[0]["bad"], &past[0]["note"]), (&json!(true), &json!("stumbled")));
    assert_eq!(counted(&server).await, before);
    assert_eq!(drawn(&look(&server, Role::Owner, series).await), drawn_before);
}

#[tokio::test]
async fn a_coach_may_mark_and_reads_no_words_of_others_and_a_therapist_needs_consent() {
    let server = Server::new(Entrance::Tokens);
    say(
        &server,
        Role::Runner,
        json!({ "bad": true, "note": "my back hurt there" }),
    )
    .await;
    let get = "/sessions/s1/strides/3/verdict?side=left";
    let seen = look(&server, Role::Coach, get).await;
    assert_eq!(seen["verdict"]["bad"], true);
    assert_eq!(seen["verdict"]["note"], Value::Null, "free words may tell of symptoms");
    let journal = look(&server, Role::Coach, "/journal?athlete=ada&kinds=stride_verdict").await;
    assert!(!journal.to_string().contains("hurt"), "{journal}");
    let said = say(&server, Role::Coach, json!({ "bad": false, "note": "looks fine" }))
        .await
        .json();
    assert_eq!(
        (&said["verdict"]["role"], &said["verdict"]["note"]),
        (&json!("coach"), &json!("looks fine"))
    );
    assert_eq!(said["past"][0]["note"], Value::Null);

    say(&server, Role::Therapist, json!({ "bad": true }))
        .await
        .is_problem(403);
    consent(server.dir.path(), Purpose::Therapist, true);
    assert_eq!(say(&server, Role::Therapist, json!({ "bad": true })).await.status, 200);
    say(&server, Role::Share, json!({ "bad": true })).await.is_problem(403);
}

#[tokio::test]
async fn who_said_it_cannot_be_made_up_nor_taken_out_of_the_record() {
    let server = Server::new(Entrance::Tokens);
    say(&server, Role::Coach, json!({ "bad": true })).await;
    let journal = SqliteJournal::open(server.dir.path()).expect("journal");
    let entries = journal.entries(&Default::default()).expect("entries");
    let entry = entries
        .iter()
        .find(|e| e.id.as_str().starts_with("stride-left-"))
        .expect("it is in the journal");
    assert_eq!(entry.athlete, athlete("ada"));
    let path = format!("/api/v1/journal/ada/{}", entry.id);
    let token = format!("Bearer {}", server.token(Role::Runner));
    let headers = [("authorization", token.as_str())];
    let mut forged = serde_json::to_value(&entry.body).expect("json");
    forged["day"] = json!("2026-03-02");
    forged["by"] = json!("somebody");
    server
        .send(request("PUT", &path, &headers, Some(&forged)))
        .await
        .is_problem(422);
    server
        .send(request("DELETE", &path, &headers, None))
        .await
        .is_problem(422);
    assert_eq!(
        journal.entry(&entry.athlete, &entry.id).expect("read").as_ref(),
        Some(entry)
    );
    for wrong in [
        json!({}),
        json!({ "bad": 1 }),
        json!({ "bad": true, "note": "x".repeat(501) }),
    ] {
        say(&server, Role::Runner, wrong).await.is_problem(422);
    }
}

#[tokio::test]
async fn an_export_carries_the_words_and_the_mark() {
    let server = Server::new(Entrance::Tokens);
    say(&server, Role::Coach, json!({ "bad": true, "note": "caught a kerb" })).await;
    let reader = SqliteReader::open(server.dir.path()).expect("reader");
    let mut lines = Vec::new();
    reader
        .dump_of_athlete("journal", &athlete("ada"), &mut lines)
        .expect("dumped");
    let lines = String::from_utf8(lines).expect("text");
    assert!(
        lines.contains("\"stride_verdict\"") && lines.contains("caught a kerb"),
        "{lines}"
    );
    let token = format!("Bearer {}", server.token(Role::Owner));
    let csv = server
        .send(request(
            "GET",
            "/api/v1/sessions/s1/export",
            &[("authorization", &token)],
            None,
        ))
        .await
        .text();
    let head: Vec<&str> = csv.lines().next().expect("a head").split(',').collect();
    let column = head.iter().position(|c| *c == "marked_bad").expect("the column");
    let marked = csv.lines().skip(1).filter(|l| l.split(',').nth(column) == Some("1"));
    assert_eq!(marked.count(), 1);
}
