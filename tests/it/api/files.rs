//! Files over the interface: each with its kind and name, noted in the log of accesses, and never more in them than who asks
//! may see.

#[cfg(feature = "xlsx")]
use super::consent;
use super::{Server, athlete};
use lope::api::Entrance;
use lope::store::SqliteAccess;
use lope::store::access::Role;

const FIT: &str = "application/vnd.ant.fit";
#[cfg(feature = "xlsx")]
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async fn get(server: &Server, role: Role, path: &str) -> super::Answer {
    let authorization = format!("Bearer {}", server.token(role));
    server
        .get(&format!("/api/v1{path}"), &[("authorization", &authorization)])
        .await
}

#[tokio::test]
async fn a_run_is_given_out_in_each_form_with_kind_and_name_and_that_is_noted() {
    let server = Server::new(Entrance::Tokens);
    for (query, media, name) in [
        ("", "text/csv; charset=utf-8", "s1-strides.csv"),
        ("?format=csv", "text/csv; charset=utf-8", "s1-strides.csv"),
        ("?format=fit", FIT, "s1.fit"),
        #[cfg(feature = "xlsx")]
        ("?format=xlsx", XLSX, "s1.xlsx"),
    ] {
        let answer = get(&server, Role::Coach, &format!("/sessions/s1/export{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert_eq!(answer.header("content-type"), media);
        assert_eq!(
            answer.header("content-disposition"),
            format!("attachment; filename=\"{name}\"")
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let access = SqliteAccess::open(server.dir.path()).expect("access");
    let noted = access.accesses(&athlete("ada"), 100).expect("a log");
    for format in ["csv", "fit"]
        .into_iter()
        .chain(cfg!(feature = "xlsx").then_some("xlsx"))
    {
        let action = format!("export {format}");
        assert!(
            noted.iter().any(|a| a.action == action && a.role == Role::Coach),
            "{action} is not in {noted:?}"
        );
    }
    let fit = get(&server, Role::Share, "/sessions/s1/export?format=fit").await;
    assert_eq!(fit.body.get(8..12), Some(b".FIT".as_slice()));
    for format in ["csv", "fit", "xlsx"] {
        let other = get(&server, Role::Coach, &format!("/sessions/s2/export?format={format}")).await;
        other.is_problem(404);
        let nobody = server
            .get(&format!("/api/v1/sessions/s1/export?format={format}"), &[])
            .await;
        nobody.is_problem(401);
    }
    get(&server, Role::Coach, "/sessions/s1/export?format=pdf")
        .await
        .is_problem(422);
    get(&server, Role::Coach, "/squad/export?format=csv")
        .await
        .is_problem(422);
    get(&server, Role::Runner, "/squad/export").await.is_problem(403);
}

#[cfg(not(feature = "xlsx"))]
#[tokio::test]
async fn a_build_without_workbooks_says_so() {
    let server = Server::new(Entrance::Tokens);
    get(&server, Role::Coach, "/sessions/s1/export?format=xlsx")
        .await
        .is_problem(415);
    get(&server, Role::Coach, "/squad/export").await.is_problem(415);
}

#[cfg(feature = "xlsx")]
#[tokio::test]
async fn a_workbook_tells_a_coach_of_symptoms_only_with_consent() {
    use crate::files::{have_read, reading_python};
    use lope::store::journal::Purpose;
    use serde_json::json;
    let Some(python) = reading_python() else { return };
    let server = Server::new(Entrance::Tokens);
    let out = tempfile::tempdir().expect("folder");
    let csv = out.path().join("s1.csv");
    let strides = get(&server, Role::Owner, "/sessions/s1/export").await;
    std::fs::write(&csv, strides.body).expect("written");
    let mut number = 0;
    let mut check = async |role: Role, symptoms: bool| {
        number += 1;
        let answer = get(&server, role, "/sessions/s1/export?format=xlsx").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let path = out.path().join(format!("{number}.xlsx"));
        std::fs::write(&path, answer.body).expect("written");
        let facts = json!({
            "end_s": 90.0, "symptoms": symptoms, "note": "secret words of ada", "flags_at_least": 5,
            "secrets": ["secret words of ada", "pain 4"],
        });
        have_read(&python, "xlsx", &[&path, &csv], &facts);
    };
    check(Role::Owner, true).await;
    check(Role::Runner, true).await;
    check(Role::Coach, false).await;
    check(Role::Share, false).await;
    consent(server.dir.path(), Purpose::Coach, true);
    check(Role::Coach, true).await;
    consent(server.dir.path(), Purpose::Coach, false);
    check(Role::Coach, false).await;

    for (role, athletes, hidden) in [
        (Role::Owner, json!(["ada", "ben"]), json!([])),
        (Role::Coach, json!(["ada"]), json!(["ada"])),
        // Without the athlete's consent a therapist's roster is empty.
        (Role::Therapist, json!([]), json!([])),
    ] {
        let answer = get(&server, role, "/squad/export?format=xlsx").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, XLSX),
            "{}",
            answer.text()
        );
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"roster.xlsx\""
        );
        let path = out.path().join(format!("roster-{}.xlsx", role.name()));
        std::fs::write(&path, answer.body).expect("written");
        have_read(
            &python,
            "roster",
            &[&path],
            &json!({ "athletes": athletes, "hidden": hidden }),
        );
    }
}
