//! The pages without a script.

use super::{Server, request};
use lope::api::Entrance;
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
