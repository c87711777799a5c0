//! The routes put together, and served.

use super::access::guard;
use super::app::App;
use super::problem::Problem;
use super::{dashboard, openapi, plain, routes};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::get;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

/// Largest body.
const BODY_MAX: usize = 1024 * 1024;
/// Streams and questions are given this long to end when the server does.
const FAREWELL: Duration = Duration::from_secs(2);

/// The description of the interface as text, ending in a line break.
///
/// # Errors
/// Never in practice: it is made of text.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Ok(openapi::describe(&routes::all()).to_pretty_json()? + "\n")
}

/// Everything that is served.
pub fn router(app: App) -> Router {
    let mut api = Router::new();
    for endpoint in routes::all() {
        let (path, handler) = endpoint.into_route();
        api = api.route(path, handler);
    }
    let description = openapi_json().unwrap_or_default();
    let api = api
        .route(
            "/openapi.json",
            get(move |headers: HeaderMap| async move {
                super::answer::marked(&headers, "application/json", description.clone().into_bytes())
            }),
        )
        .fallback(async || Problem::not_found("such address"));
    Router::new()
        .nest("/api/v1", api)
        .nest("/plain", plain::routes())
        .route("/share/{secret}", get(routes::follow_share))
        .fallback(dashboard::serve)
        .method_not_allowed_fallback(async || {
            let detail = "This address does not do that.";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "lope::api::method", detail).into_response()
        })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(app.clone(), guard::admit))
        .layer(CompressionLayer::new())
        .layer(from_fn(guard::outermost))
        .with_state(app)
}

/// Serves on `listener` until `stop` is done; then everyone is told, and given a moment.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let hub = app.hub().clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let (ending, ended) = tokio::sync::oneshot::channel::<()>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        hub.close();
        // Nobody listens when the listener has failed.
        let _ = ending.send(());
    });
    let mut serving = std::pin::pin!(serving.into_future());
    tokio::select! {
        done = &mut serving => return done,
        _ = ended => {}
    }
    // Who does not go is left.
    tokio::time::timeout(FAREWELL, serving).await.unwrap_or(Ok(()))
}
