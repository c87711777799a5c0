//! A route: its address, the resource and verb that authorisation is read from, its handler, and its description.
//!
//! The router, the description of the interface (OpenAPI) and the test that walks every route with every role are all made
//! from the same list of these, so that none of them can forget a route.

use super::access::guard;
use super::access::roles::{Resource, Verb};
use super::answer::List;
use super::app::App;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::routing::{MethodFilter, MethodRouter, on};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

/// Schemas by name.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// What a route answers with.
#[derive(Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Media type, where there is a body.
    pub media: Option<&'static str>,
    /// Shape of a JSON body.
    pub schema: Option<RefOr<Schema>>,
}

/// A route.
pub struct Endpoint {
    /// Method.
    pub method: Method,
    /// Address below `/api/v1`.
    pub path: &'static str,
    /// What is asked for.
    pub resource: Resource,
    /// To do what.
    pub verb: Verb,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// Query parameters.
    pub parameters: Vec<Parameter>,
    /// Shape of the body.
    pub body: Option<RefOr<Schema>>,
    /// What it answers with when all is well.
    pub answers: Vec<Answer>,
    /// Schemas that it names.
    pub schemas: Schemas,
    handler: MethodRouter<App>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Endpoint {
    /// A route that only looks.
    pub fn get<H, T>(path: &'static str, resource: Resource, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::of(
            (Method::GET, MethodFilter::GET),
            path,
            (resource, Verb::Read),
            summary,
            handler,
        )
    }

    /// A route that makes something.
    pub fn post<H, T>(path: &'static str, resource: Resource, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::of(
            (Method::POST, MethodFilter::POST),
            path,
            (resource, Verb::Write),
            summary,
            handler,
        )
    }

    /// A route that puts something under an id.
    pub fn put<H, T>(path: &'static str, resource: Resource, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::of(
            (Method::PUT, MethodFilter::PUT),
            path,
            (resource, Verb::Write),
            summary,
            handler,
        )
    }

    /// A route that changes a part of something.
    pub fn patch<H, T>(path: &'static str, resource: Resource, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::of(
            (Method::PATCH, MethodFilter::PATCH),
            path,
            (resource, Verb::Write),
            summary,
            handler,
        )
    }

    /// A route that removes something.
    pub fn delete<H, T>(path: &'static str, resource: Resource, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let method = (Method::DELETE, MethodFilter::DELETE);
        Self::of(method, path, (resource, Verb::Delete), summary, handler)
    }

    fn of<H, T>(
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        (resource, verb): (Resource, Verb),
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let guard = from_fn(move |request: Request, next: Next| guard::at_route(resource, verb, request, next));
        Self {
            method,
            path,
            resource,
            verb,
            summary,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            schemas: Vec::new(),
            handler: on(filter, handler).route_layer(guard),
        }
    }

    /// Describes the query parameters.
    #[must_use]
    pub fn query<Q: IntoParams>(mut self) -> Self {
        self.parameters.extend(Q::into_params(|| Some(ParameterIn::Query)));
        self
    }

    /// Describes the body.
    #[must_use]
    pub fn body<B: ToSchema>(mut self) -> Self {
        self.body = Some(self.named::<B>());
        self
    }

    /// Describes a JSON answer.
    #[must_use]
    pub fn answers<A: ToSchema>(mut self, status: u16) -> Self {
        let schema = Some(self.named::<A>());
        self.answers.push(Answer {
            status,
            media: Some("application/json"),
            schema,
        });
        self
    }

    /// Describes a list as the JSON answer.
    #[must_use]
    pub fn answers_list<A: ToSchema>(mut self, status: u16) -> Self {
        // The list's own schema refers to that of its items and does not bring it along.
        self.named::<A>();
        self.answers::<List<A>>(status)
    }

    /// Describes an answer that is not JSON of ours.
    #[must_use]
    pub fn answers_as(mut self, status: u16, media: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            media: Some(media),
            schema: None,
        });
        self
    }

    /// Describes an answer without a body.
    #[must_use]
    pub fn answers_nothing(mut self, status: u16) -> Self {
        self.answers.push(Answer {
            status,
            media: None,
            schema: None,
        });
        self
    }

    /// The handler behind its guard.
    pub fn into_route(self) -> (&'static str, MethodRouter<App>) {
        (self.path, self.handler)
    }

    fn named<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        let name = T::name();
        self.schemas.push((name.to_string(), T::schema()));
        RefOr::Ref(Ref::from_schema_name(name))
    }
}
