//! Lists in pages, fingerprints, forms: nothing is lost between pages, nothing is sent twice to who has it.

use super::{STRIDES, Server, request};
use lope::api::Entrance;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All items of a list, page by page.
async fn all(server: &Server, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = server.get(&format!("{path}{cursor}"), &[]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
}

#[tokio::test]
async fn pages_of_strides_are_all_strides_once() {
    let server = Server::new(Entrance::ThisMachine);
    for limit in [1, 7, 100, 5000] {
        let (items, pages) = all(&server, &format!("/api/v1/sessions/s1/strides?limit={limit}")).await;
        let keys: BTreeSet<String> = items.iter().map(|s| format!("{}{}", s["side"], s["idx"])).collect();
        assert_eq!(
            (items.len(), keys.len()),
            (2 * STRIDES as usize, 2 * STRIDES as usize),
            "pages of {limit}"
        );
        assert_eq!(pages, (2 * STRIDES as usize).div_ceil(limit), "pages of {limit}");
        let times: Vec<f64> = items.iter().map(|s| s["t_s"].as_f64().expect("a time")).collect();
        assert!(times.windows(2).all(|w| w[0] <= w[1]));
    }
    let (left, _) = all(
        &server,
        "/api/v1/sessions/s1/strides?side=left&from_s=10&to_s=20&limit=3",
    )
    .await;
    assert!(
        left.iter()
            .all(|s| s["side"] == "left" && (10.0..20.0).contains(&s["t_s"].as_f64().expect("a time")))
    );
    assert_eq!(left.len(), 14);
}

#[tokio::test]
async fn pages_of_sessions_are_all_sessions_latest_first() {
    let server = Server::new(Entrance::ThisMachine);
    let (items, pages) = all(&server, "/api/v1/sessions?limit=1").await;
    let ids: Vec<&str> = items.iter().map(|s| s["id"].as_str().expect("an id")).collect();
    // A page that is just full cannot know that nothing stands behind it.
    assert_eq!((ids, pages), (vec!["s2", "s1"], 3));
    let (of_day, _) = all(&server, "/api/v1/sessions?from=2026-03-01&to=2026-03-01&limit=9").await;
    assert_eq!(of_day.len(), 1);
    assert_eq!(of_day[0]["athlete"], "ada");
    let wrong = server.get("/api/v1/sessions?cursor=zzz", &[]).await;
    assert_eq!(wrong.is_problem(422), "lope::api::parameter");
}

#[tokio::test]
async fn who_holds_an_answer_is_not_sent_it_again() {
    let server = Server::new(Entrance::ThisMachine);
    for path in [
        "/api/v1/sessions/s1",
        "/api/v1/sessions/s1/strides",
        "/api/v1/sessions/s1/series?metrics=cadence",
        "/api/v1/catalog/metrics",
        "/api/v1/catalog/rules",
        "/api/v1/openapi.json",
        "/api/v1/flags?athlete=ada",
        "/api/v1/sessions/s1/card",
    ] {
        let first = server.get(path, &[]).await;
        assert_eq!(first.status, 200, "{path}: {}", first.text());
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "{path}: {tag}");
        let again = server.get(path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), tag);
    }
    let tag = server.get("/api/v1/sessions/s1", &[]).await.header("etag").to_owned();
    let change = json!({ "effort": 9 });
    assert_eq!(
        server
            .send(request("PATCH", "/api/v1/sessions/s1", &[], Some(&change)))
            .await
            .status,
        200
    );
    let changed = server.get("/api/v1/sessions/s1", &[("if-none-match", &tag)]).await;
    assert_eq!(
        (changed.status.as_u16(), changed.json()["effort"].as_u64()),
        (200, Some(9))
    );
}

#[tokio::test]
async fn long_answers_are_packed_for_who_can_unpack_them() {
    let server = Server::new(Entrance::ThisMachine);
    let path = "/api/v1/sessions/s1/strides";
    let plain = server.get(path, &[]).await;
    let packed = server.get(path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        (plain.header("content-encoding"), packed.header("content-encoding")),
        ("", "gzip")
    );
    assert!(
        packed.body.len() * 4 < plain.body.len(),
        "{} of {}",
        packed.body.len(),
        plain.body.len()
    );
    assert_eq!(packed.body[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn strides_come_as_csv_for_who_asks_so() {
    let server = Server::new(Entrance::ThisMachine);
    for (path, accept) in [
        ("/api/v1/sessions/s1/strides", "text/csv"),
        ("/api/v1/sessions/s1/export?format=csv", "*/*"),
    ] {
        let csv = server.get(path, &[("accept", accept)]).await;
        assert!(csv.header("content-type").starts_with("text/csv"), "{}", csv.text());
        assert_eq!(csv.text().lines().count(), 1 + 2 * STRIDES as usize);
    }
    assert_eq!(
        server
            .get("/api/v1/sessions/s1/export?format=xls", &[])
            .await
            .is_problem(422),
        "lope::api::parameter"
    );
}

#[tokio::test]
async fn a_series_has_a_place_for_every_bucket_and_nothing_where_nothing_was() {
    let server = Server::new(Entrance::ThisMachine);
    let series = server
        .get("/api/v1/sessions/s1/series?metrics=cadence,pelvis_tilt&buckets=9", &[])
        .await
        .json();
    assert_eq!(series["t_s"].as_array().map(Vec::len), Some(9));
    assert_eq!(series["width_s"], 10.0);
    for side in ["both", "left", "right"] {
        let cadence = &series["series"]["cadence"][side];
        let n: u64 = cadence["n"]
            .as_array()
            .expect("n")
            .iter()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!(n, if side == "both" { 2 } else { 1 } * u64::from(STRIDES), "{side}");
        let tilt = series["series"]["pelvis_tilt"][side]["mean"].as_array().expect("means");
        assert!(tilt.iter().all(Value::is_null), "{tilt:?}");
        for i in 0..9 {
            let of = |what: &str| cadence[what][i].as_f64().expect("a number");
            assert!(of("min") <= of("mean") && of("mean") <= of("max"));
        }
    }
    let strides: u64 = series["strides"]
        .as_array()
        .expect("strides")
        .iter()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(strides, 2 * u64::from(STRIDES));
    let one = server
        .get(
            "/api/v1/sessions/s1/series?metrics=cadence&side=left&from_s=70&to_s=500&buckets=4",
            &[],
        )
        .await
        .json();
    assert_eq!(one["series"]["cadence"].as_object().map(|o| o.len()), Some(1));
    assert_eq!(
        (one["t_s"][0].as_f64(), one["width_s"].as_f64()),
        (Some(70.0), Some(5.0))
    );
}

#[tokio::test]
async fn chosen_strides_are_what_they_are_chosen_for() {
    let server = Server::new(Entrance::ThisMachine);
    let of = async |select: &str| {
        let answer = server
            .get(&format!("/api/v1/sessions/s1/strides?select={select}&limit=6"), &[])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].as_array().expect("items").clone()
    };
    let length = |s: &Value| s["metrics"]["stride_length"].as_f64().expect("a length");
    let (longest, shortest) = (of("longest").await, of("shortest").await);
    assert!(longest.iter().all(|s| length(s) > 2.235) && shortest.iter().all(|s| length(s) < 2.205));
    let poor = of("poor").await;
    assert!(poor.len() == 6 && poor.iter().all(|s| s["class"] == "C"));
    assert_eq!(of("typical").await.len(), 6);
    assert_eq!(of("most_asymmetric").await.len(), 6);
}

#[tokio::test]
async fn a_stride_is_explained_with_every_metric_and_every_part_of_its_quality() {
    let server = Server::new(Entrance::ThisMachine);
    let explain = server
        .get("/api/v1/sessions/s1/strides/5/explain?side=right", &[])
        .await
        .json();
    assert_eq!(
        (explain["stride"]["idx"].as_u64(), explain["stride"]["side"].as_str()),
        (Some(5), Some("right"))
    );
    let how = explain["how"].as_array().expect("how");
    assert_eq!(how.len(), lope::metrics::METRICS.len());
    assert!(
        how.iter().all(|h| h["value"].is_null() != h["absent"].is_null()),
        "a value or why there is none"
    );
    assert_eq!(explain["quality_parts"].as_object().map(|o| o.len()), Some(6));
    assert!(explain["steps"].as_array().is_some_and(|s| s.len() >= 4));
    assert_eq!(
        server
            .get("/api/v1/sessions/s1/strides/999/explain", &[])
            .await
            .is_problem(404),
        "lope::api::not_found"
    );
}

#[tokio::test]
async fn samples_that_were_not_kept_are_said_not_to_be() {
    let server = Server::new(Entrance::ThisMachine);
    let raw = server.get("/api/v1/sessions/s1/raw?from_s=1&to_s=2", &[]).await.json();
    assert_eq!(
        (raw["kept"].as_bool(), raw["sensors"].as_array().map(Vec::len)),
        (Some(false), Some(0))
    );
    let long = server.get("/api/v1/sessions/s1/raw?from_s=1&to_s=12", &[]).await;
    assert_eq!(long.is_problem(422), "lope::api::parameter");
}

#[tokio::test]
async fn deleting_and_forgetting_want_the_id_once_more_and_give_a_receipt() {
    let server = Server::new(Entrance::ThisMachine);
    let delete = async |path: &str, confirm: &str| {
        server
            .send(request("DELETE", path, &[], Some(&json!({ "confirm": confirm }))))
            .await
    };
    assert_eq!(
        delete("/api/v1/sessions/s2", "s1").await.is_problem(422),
        "lope::api::confirm"
    );
    assert_eq!(
        delete("/api/v1/athletes/ada", "ADA").await.is_problem(422),
        "lope::api::confirm"
    );
    let receipt = delete("/api/v1/athletes/ada", "ada").await.json();
    assert_eq!(
        (receipt["sessions"].as_u64(), receipt["strides"].as_u64()),
        (Some(1), Some(2 * u64::from(STRIDES)))
    );
    assert_eq!(receipt["entries"], 3);
    assert!(receipt["not_reachable"].as_array().is_some_and(|n| !n.is_empty()));
    assert_eq!(
        server.get("/api/v1/sessions/s1", &[]).await.is_problem(404),
        "lope::api::not_found"
    );
    assert_eq!(
        delete("/api/v1/athletes/ada", "ada").await.is_problem(404),
        "lope::api::not_found"
    );
    assert_eq!(server.get("/api/v1/sessions/s2", &[]).await.status, 200);
}

#[tokio::test]
async fn while_another_lope_writes_deleting_says_so_and_the_journal_goes_on() {
    let server = Server::new(Entrance::ThisMachine);
    let _held = lope::store::SqliteStore::open(server.dir.path(), "lope record").expect("store");
    let confirm = json!({ "confirm": "s1" });
    let answer = server
        .send(request("DELETE", "/api/v1/sessions/s1", &[], Some(&confirm)))
        .await;
    assert_eq!(answer.is_problem(409), "lope::store::busy");
    let note = server
        .send(request(
            "PATCH",
            "/api/v1/sessions/s1",
            &[],
            Some(&json!({ "effort": 2 })),
        ))
        .await;
    assert_eq!(note.status, 200, "{}", note.text());
}

#[tokio::test]
async fn an_entry_sent_twice_is_one_and_a_correction_keeps_what_was_said() {
    let server = Server::new(Entrance::ThisMachine);
    let path = "/api/v1/journal/ada/c7";
    let put = async |back: u8| {
        let body = json!({ "day": "2026-03-03", "kind": "check_in", "back_now": back });
        server.send(request("PUT", path, &[], Some(&body))).await.json()["put"].clone()
    };
    assert_eq!(
        (put(3).await, put(3).await, put(5).await),
        (json!("new"), json!("known"), json!("corrected"))
    );
    let past = server.get(&format!("{path}/past"), &[]).await.json();
    assert_eq!(
        (
            past["items"][0]["back_now"].as_u64(),
            past["items"][0]["revision"].as_u64()
        ),
        (Some(3), Some(1))
    );
    assert_eq!(server.send(request("DELETE", path, &[], None)).await.status, 204);
    assert_eq!(
        server.send(request("DELETE", path, &[], None)).await.is_problem(404),
        "lope::api::not_found"
    );
}
