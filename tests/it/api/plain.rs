//! The pages without a script.

use super::{Server, request};
use lope::api::Entrance;
use lope::store::access::Role;
use serde_json::json;

#[tokio::test]
async fn plain_pages_are_whole_and_hold_nothing_that_runs() {
    let server = Server::new(Entrance::ThisMachine);
    let hostile = json!({ "text": "<script>alert(1)</script>\" onload=\"x" });
    assert_eq!(
        server
            .send(request("PATCH", "/api/v1/sessions/s1", &[], Some(&hostile)))
            .await
            .status,
        200
    );
    for (path, words) in [
        ("/plain", "Sessions"),
        ("/plain/live", "ada"),
        ("/plain/session/s1", "Cadence"),
        ("/plain/flags", "Flags"),
        ("/plain/session/none", "Not Found"),
    ] {
        let page = server.get(path, &[]).await;
        let text = page.text();
        assert!(page.header("content-type").starts_with("text/html"), "{path}: {text}");
        assert!(
            text.contains(words) && text.contains("<html lang=\"en\">") && text.contains("<h1>"),
            "{path}: {text}"
        );
        assert!(
            !text.contains("<script") && !text.contains(" style=") && !text.contains("<style"),
            "{path}: {text}"
        );
        assert!(
            text.contains("<a class=\"skip\" href=\"#main\">") && text.contains("id=\"main\""),
            "{path}"
        );
        assert!(!text.contains("onload=\"x"), "{path}: {text}");
    }
    assert!(
        server
            .get("/plain/live", &[])
            .await
            .text()
            .contains("http-equiv=\"refresh\" content=\"2\"")
    );
    let chart = server.get("/plain/session/s1", &[]).await.text();
    assert!(
        chart.contains("<svg") && chart.contains("role=\"img\" aria-label="),
        "{chart}"
    );
    let style = server.get("/plain/style.css", &[]).await;
    assert!(style.header("content-type").starts_with("text/css") && style.text().contains("prefers-color-scheme"));
}

#[tokio::test]
async fn without_a_dashboard_the_door_leads_to_the_plain_pages() {
    let server = Server::new(Entrance::ThisMachine);
    let door = server.get("/", &[]).await;
    if lope::api::dashboard::is_built_in() {
        assert_eq!(door.status, 200);
        assert!(door.header("content-type").starts_with("text/html"));
        // A place inside the page is the page; a file that is none is not.
        assert_eq!(server.get("/run/s1/card", &[]).await.body, door.body);
        assert_eq!(server.get("/assets/none.js", &[]).await.status, 404);
    } else {
        assert_eq!((door.status.as_u16(), door.header("location")), (307, "/plain"));
        assert!(server.get("/plain", &[]).await.text().contains("./x dashboard"));
    }
}

#[tokio::test]
async fn who_is_not_known_gets_a_page_that_says_so() {
    let server = Server::new(Entrance::Tokens);
    let page = server.get("/plain", &[]).await;
    assert_eq!(page.status, 401);
    assert!(
        page.header("content-type").starts_with("text/html") && page.text().contains("Sign in"),
        "{}",
        page.text()
    );
}

/// A form of a page without a script.
fn form(path: &str, headers: &[(&str, &str)], body: &str) -> axum::http::Request<axum::body::Body> {
    let mut request = axum::http::Request::post(path).header("host", "lope.example");
    request = request.header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.to_owned().into()).expect("a request")
}

#[tokio::test]
async fn one_signs_in_and_out_without_a_script() {
    let server = Server::new(Entrance::Tokens);
    let token = server.token(Role::Runner);
    let closed = server.get("/plain/live", &[]).await;
    assert_eq!(closed.status, 401);
    let text = closed.text();
    assert!(
        text.contains("<form method=\"post\" action=\"/plain/sign-in\">"),
        "{text}"
    );
    assert!(text.contains("name=\"back\" value=\"/plain/live\""), "{text}");
    assert!(
        text.contains("<meta name=\"referrer\" content=\"same-origin\">"),
        "{text}"
    );
    let own = ("origin", "http://lope.example");
    let filled = format!("token={token}&back=%2Fplain%2Flive");
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(server.send(form("/plain/sign-in", &foreign, &filled)).await.status, 403);
    assert_eq!(
        server
            .send(form("/plain/sign-in", &[("origin", "null")], &filled))
            .await
            .status,
        403
    );
    let wrong = server
        .send(form("/plain/sign-in", &[own], "token=nonsense&back="))
        .await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("<form") && wrong.header("set-cookie").is_empty());
    let signed = server.send(form("/plain/sign-in", &[own], &filled)).await;
    assert_eq!(
        (signed.status.as_u16(), signed.header("location")),
        (303, "/plain/live"),
        "{}",
        signed.text()
    );
    let cookie = signed
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    assert!(signed.header("set-cookie").contains("HttpOnly; SameSite=Strict"));
    let page = server.get("/plain/live", &[("cookie", &cookie)]).await;
    assert!(page.status == 200 && page.text().contains("ada"), "{}", page.text());
    let who = server.get("/plain/sign-in", &[("cookie", &cookie)]).await.text();
    assert!(who.contains("role runner") && who.contains("Sign out"), "{who}");
    // A form does these two things and nothing else.
    let lap = form(
        "/api/v1/live/live-ada/events",
        &[own, ("cookie", &cookie)],
        "id=a&kind=lap",
    );
    assert_eq!(server.send(lap).await.status, 415);
    let out = server
        .send(form("/plain/sign-out", &[own, ("cookie", &cookie)], ""))
        .await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/plain/sign-in"));
    assert_eq!(server.get("/plain/live", &[("cookie", &cookie)]).await.status, 401);
}
