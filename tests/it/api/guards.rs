//! What is refused before any handler, and in which shape.

use super::{Server, request};
use lope::api::access::rate::Rate;
use lope::api::{Entrance, Limits};
use lope::store::access::Role;
use serde_json::json;

const PUT: &str = "/api/v1/journal/ada/c9";

fn check_in() -> serde_json::Value {
    json!({ "day": "2026-03-03", "kind": "check_in", "back_now": 1 })
}

#[tokio::test]
async fn a_page_that_rebinds_its_name_to_this_machine_is_refused() {
    let server = Server::new(Entrance::ThisMachine);
    for host in [
        "evil.example",
        "evil.example:8787",
        "127.0.0.1.evil.example",
        "10.1.2.3:8787",
        "0.0.0.0:8787",
    ] {
        for path in ["/api/v1/sessions", "/", "/plain"] {
            let answer = server.get(path, &[("host", host)]).await;
            assert_eq!(answer.is_problem(403), "lope::access::host", "{host} {path}");
        }
    }
    for host in ["localhost", "localhost:8787", "127.0.0.1:8787", "[::1]:8787"] {
        assert_eq!(
            server.get("/api/v1/sessions", &[("host", host)]).await.status,
            200,
            "{host}"
        );
    }
    let mut nameless = request("GET", "/api/v1/sessions", &[], None);
    nameless.headers_mut().remove("host");
    assert_eq!(server.send(nameless).await.is_problem(403), "lope::access::host");
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let server = Server::new(Entrance::ThisMachine);
    let foreign: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:9999")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://localhost:8787")],
    ];
    for headers in foreign {
        let answer = server.send(request("PUT", PUT, headers, Some(&check_in()))).await;
        assert_eq!(answer.is_problem(403), "lope::access::origin", "{headers:?}");
    }
    let own: [&[(&str, &str)]; 2] = [
        &[],
        &[("origin", "http://localhost:8787"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in own {
        assert_eq!(
            server
                .send(request("PUT", PUT, headers, Some(&check_in())))
                .await
                .status,
            200,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn what_a_form_could_send_is_refused() {
    let server = Server::new(Entrance::ThisMachine);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
    ] {
        let answer = server
            .send(request("PUT", PUT, &[("content-type", kind)], Some(&check_in())))
            .await;
        assert_eq!(answer.is_problem(415), "lope::api::content_type", "{kind}");
    }
    let mut bare = request("PUT", PUT, &[], Some(&check_in()));
    bare.headers_mut().remove("content-type");
    assert_eq!(server.send(bare).await.is_problem(415), "lope::api::content_type");
    let answer = server.send(request("POST", "/api/v1/logout", &[], None)).await;
    assert_eq!(answer.is_problem(415), "lope::api::content_type");
}

#[tokio::test]
async fn a_cookie_needs_its_word_and_ends_with_its_token() {
    let server = Server::new(Entrance::Tokens);
    let token = server.token(Role::Runner);
    let wrong = server
        .send(request(
            "POST",
            "/api/v1/login",
            &[],
            Some(&json!({ "token": "wrong" })),
        ))
        .await;
    assert_eq!(wrong.is_problem(401), "lope::access::token");
    let login = server
        .send(request("POST", "/api/v1/login", &[], Some(&json!({ "token": token }))))
        .await;
    assert_eq!(login.status, 200, "{}", login.text());
    let set = login.header("set-cookie").to_owned();
    assert!(
        set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/"),
        "{set}"
    );
    assert!(!set.contains("Secure"), "not over https: {set}");
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    let csrf = login.json()["csrf"].as_str().expect("a word").to_owned();
    let health = server.get("/api/v1/health", &[("cookie", &cookie)]).await.json();
    assert_eq!(
        (health["role"].as_str(), health["csrf"].as_str()),
        (Some("runner"), Some(csrf.as_str()))
    );
    for said in [None, Some("wrong"), Some("")] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(said.map(|s| ("x-lope-csrf", s)));
        let answer = server.send(request("PUT", PUT, &headers, Some(&check_in()))).await;
        assert_eq!(answer.is_problem(403), "lope::access::csrf", "{said:?}");
    }
    let with_word = [("cookie", cookie.as_str()), ("x-lope-csrf", csrf.as_str())];
    assert_eq!(
        server
            .send(request("PUT", PUT, &with_word, Some(&check_in())))
            .await
            .status,
        200
    );
    let access = lope::store::SqliteAccess::open(server.dir.path()).expect("access");
    let hash = lope::store::access::TokenRow::hash_of(&token);
    access
        .revoke(&hash[..12], lope::store::UtcMicros::from_micros(super::NOW_US))
        .expect("revoked");
    assert_eq!(
        server
            .get("/api/v1/health", &[("cookie", &cookie)])
            .await
            .is_problem(401),
        "lope::access::who"
    );
}

#[tokio::test]
async fn a_cookie_over_https_of_a_trusted_proxy_is_secure_and_signing_out_ends_it() {
    let server = Server::new(Entrance::Tokens);
    let token = server.token(Role::Owner);
    let https = [("x-forwarded-proto", "https")];
    let login = server
        .send(request(
            "POST",
            "/api/v1/login",
            &https,
            Some(&json!({ "token": token })),
        ))
        .await;
    assert!(
        login.header("set-cookie").ends_with("; Secure"),
        "{}",
        login.header("set-cookie")
    );
    let cookie = login
        .header("set-cookie")
        .split(';')
        .next()
        .expect("a cookie")
        .to_owned();
    let csrf = login.json()["csrf"].as_str().expect("a word").to_owned();
    let headers = [("cookie", cookie.as_str()), ("x-lope-csrf", csrf.as_str())];
    let out = server
        .send(request("POST", "/api/v1/logout", &headers, Some(&json!({}))))
        .await;
    assert_eq!(out.status, 204, "{}", out.text());
    assert_eq!(
        server
            .get("/api/v1/health", &[("cookie", &cookie)])
            .await
            .is_problem(401),
        "lope::access::who"
    );
}

#[tokio::test]
async fn tokens_that_are_none_or_have_ended_open_nothing() {
    let server = Server::new(Entrance::ThisMachine);
    for token in ["Bearer wrong", "bearer ", "Basic b3duZXI6", "x"] {
        let answer = server.get("/api/v1/health", &[("authorization", token)]).await;
        assert_eq!(
            answer.is_problem(401),
            "lope::access::token",
            "{token}: a wrong token is not nobody"
        );
    }
}

#[tokio::test]
async fn bodies_that_are_too_large_or_no_json_are_problems() {
    let server = Server::new(Entrance::ThisMachine);
    let large = json!({ "day": "2026-03-03", "kind": "check_in", "text": "x".repeat(1024 * 1024) });
    assert_eq!(
        server
            .send(request("PUT", PUT, &[], Some(&large)))
            .await
            .is_problem(413),
        "lope::api::too_large"
    );
    let broken = axum::http::Request::builder()
        .method("PUT")
        .uri(PUT)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(axum::body::Body::from("{\"day\": "))
        .expect("a request");
    assert_eq!(server.send(broken).await.is_problem(400), "lope::api::body");
    let list = server.send(request("PUT", PUT, &[], Some(&json!([1, 2])))).await;
    assert_eq!(list.is_problem(422), "lope::api::body");
}

#[tokio::test]
async fn addresses_and_methods_that_are_none_are_problems() {
    let server = Server::new(Entrance::ThisMachine);
    for path in [
        "/api/v1/nothing",
        "/api/v1",
        "/api/v2/sessions",
        "/api",
        "/api/v1/sessions/s1/nothing",
    ] {
        assert_eq!(
            server.get(path, &[]).await.is_problem(404),
            "lope::api::not_found",
            "{path}"
        );
    }
    for (method, path) in [
        ("DELETE", "/api/v1/health"),
        ("POST", "/api/v1/sessions"),
        ("PUT", "/api/v1/flags"),
        ("POST", "/"),
    ] {
        let answer = server.send(request(method, path, &[], Some(&json!({})))).await;
        assert_eq!(answer.is_problem(405), "lope::api::method", "{method} {path}");
    }
    for path in [
        "/api/v1/sessions?limit=0",
        "/api/v1/sessions?limit=x",
        "/api/v1/sessions?nothing=1",
        "/api/v1/journal",
    ] {
        assert_eq!(
            server.get(path, &[]).await.is_problem(422),
            "lope::api::parameter",
            "{path}"
        );
    }
    assert_eq!(
        server.get("/api/v1/sessions/a%00b", &[]).await.is_problem(404),
        "lope::api::not_found"
    );
    assert_eq!(
        server.get("/api/v1/sessions/%ff", &[]).await.is_problem(404),
        "lope::api::not_found"
    );
}

#[tokio::test]
async fn who_asks_too_often_waits_and_others_do_not() {
    let rate = Rate { per_s: 2.0, burst: 5.0 };
    let limits = Limits {
        requests: Some(rate),
        ..Limits::default()
    };
    let server = Server::with(Entrance::Tokens, limits);
    let (runner, owner) = (server.token(Role::Runner), server.token(Role::Owner));
    let as_runner = format!("Bearer {runner}");
    let as_owner = format!("Bearer {owner}");
    for _ in 0..5 {
        assert_eq!(
            server
                .get("/api/v1/health", &[("authorization", &as_runner)])
                .await
                .status,
            200
        );
    }
    let refused = server.get("/api/v1/health", &[("authorization", &as_runner)]).await;
    assert_eq!(refused.is_problem(429), "lope::api::rate");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(
        server
            .get("/api/v1/health", &[("authorization", &as_owner)])
            .await
            .status,
        200
    );
    server.ms.store(1000, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(
        server
            .get("/api/v1/health", &[("authorization", &as_runner)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn guessing_tokens_at_the_door_is_slow() {
    let server = Server::new(Entrance::Tokens);
    for _ in 0..5 {
        let answer = server
            .send(request(
                "POST",
                "/api/v1/login",
                &[],
                Some(&json!({ "token": "guess" })),
            ))
            .await;
        assert_eq!(answer.is_problem(401), "lope::access::token");
    }
    let answer = server
        .send(request(
            "POST",
            "/api/v1/login",
            &[],
            Some(&json!({ "token": "guess" })),
        ))
        .await;
    assert_eq!(answer.is_problem(429), "lope::api::rate");
    // Of another address, as the trusted proxy says.
    let other = [("x-forwarded-for", "6.6.6.6, 192.0.2.7")];
    let answer = server
        .send(request(
            "POST",
            "/api/v1/login",
            &other,
            Some(&json!({ "token": "guess" })),
        ))
        .await;
    assert_eq!(answer.is_problem(401), "lope::access::token");
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_it_in() {
    let server = Server::new(Entrance::ThisMachine);
    for path in ["/api/v1/health", "/plain", "/", "/api/v1/nothing"] {
        let answer = server.get(path, &[]).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {part}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(
            answer.header("permissions-policy").contains("screen-wake-lock=(self)"),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}
