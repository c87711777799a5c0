//! The description of the interface: the committed file is what the code says, and what the server serves.

use super::Server;
use lope::api::access::roles::{Reach, reach};
use lope::api::{Entrance, openapi_json, routes};
use lope::store::access::Role;
use serde_json::Value;
use std::collections::BTreeSet;

const FILE: &str = "docs/reference/openapi.json";

#[test]
fn the_committed_description_is_what_the_code_says() {
    let says = openapi_json().expect("json");
    let path = crate::support::project_root().join(FILE);
    if std::env::var_os("LOPE_BLESS").is_some() {
        std::fs::write(&path, &says).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    // Not assert_eq: the files are long.
    assert!(
        committed == says,
        "{FILE} is not what the code says; LOPE_BLESS=1 cargo test --test it api:: rewrites it"
    );
}

#[tokio::test]
async fn the_server_serves_it() {
    let server = Server::new(Entrance::ThisMachine);
    let served = server.get("/api/v1/openapi.json", &[]).await;
    assert_eq!(served.text(), openapi_json().expect("json"));
}

/// Every `$ref` below a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                found.insert(to.clone());
            }
            fields.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_route_answers_something() {
    let document: Value = serde_json::from_str(&openapi_json().expect("json")).expect("json");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for to in &found {
        let pointer = to.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{to} leads nowhere");
    }
    for endpoint in routes::all() {
        assert!(!endpoint.answers.is_empty(), "{endpoint:?} answers nothing");
        let body_wanted = matches!(endpoint.method.as_str(), "PUT" | "PATCH");
        assert!(
            endpoint.body.is_some() || !body_wanted,
            "{endpoint:?} describes no body"
        );
        assert_eq!(
            reach(Role::Owner, endpoint.resource, endpoint.verb),
            Reach::All,
            "{endpoint:?} is not in the table"
        );
    }
}
