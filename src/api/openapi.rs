//! The description of the interface, OpenAPI 3.1 (OAS 3.2 where utoipa writes it), made from the list of routes.

use super::endpoint::Endpoint;
use super::problem::ProblemBody;
use axum::http::Method;
use std::collections::BTreeMap;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr, Required, ResponseBuilder, Schema,
    SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};

/// What may go wrong with any request.
const PROBLEMS: [(u16, &str); 7] = [
    (401, "It is not known who asks."),
    (403, "The caller may not do this."),
    (404, "There is no such thing, or it is not the caller's to see."),
    (409, "It contradicts what is kept, or another program writes."),
    (422, "A parameter or the body cannot be used."),
    (429, "Too often; Retry-After says when again."),
    (503, "It took too long, or the record cannot be reached."),
];

/// The description of these routes.
#[must_use]
pub fn describe(endpoints: &[Endpoint]) -> OpenApi {
    let mut paths = Paths::new();
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    for endpoint in endpoints {
        for (name, schema) in &endpoint.schemas {
            schemas.entry(name.clone()).or_insert_with(|| schema.clone());
        }
        let path = format!("/api/v1{}", endpoint.path);
        paths.add_path_operation(path, vec![method(&endpoint.method)], operation(endpoint));
    }
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", bearer)
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("lope")
                .version("1")
                .description(Some(
                    "Running form as lope keeps it. SI units; times in _us are microseconds UTC since 1970, t_s seconds since the \
                     start of the session, days are YYYY-MM-DD. What is not known is null or missing, never 0.",
                ))
                .build(),
        )
        .paths(paths)
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]))
        .build()
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Names in braces in a path.
fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
}

fn operation(endpoint: &Endpoint) -> OperationBuilder {
    let id = format!(
        "{} {}",
        endpoint.method.as_str().to_lowercase(),
        endpoint.path.trim_start_matches('/')
    );
    let id: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(endpoint.summary))
        .tag(format!("{:?}", endpoint.resource).to_lowercase());
    for name in path_names(endpoint.path) {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        operation = operation.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(Schema::Object(schema)))
                .build(),
        );
    }
    for parameter in &endpoint.parameters {
        operation = operation.parameter(parameter.clone());
    }
    if let Some(body) = &endpoint.body {
        let content = ContentBuilder::new().schema(Some(body.clone())).build();
        operation = operation.request_body(Some(
            RequestBodyBuilder::new()
                .content("application/json", content)
                .required(Some(Required::True))
                .build(),
        ));
    }
    let mut told: BTreeMap<u16, ResponseBuilder> = BTreeMap::new();
    for answer in &endpoint.answers {
        let response = told
            .remove(&answer.status)
            .unwrap_or_else(|| ResponseBuilder::new().description("As asked."));
        let response = match answer.media {
            Some(media) => response.content(media, ContentBuilder::new().schema(answer.schema.clone()).build()),
            None => response,
        };
        told.insert(answer.status, response);
    }
    for (status, response) in told {
        operation = operation.response(status.to_string(), response.build());
    }
    let problem = || RefOr::<Schema>::Ref(Ref::from_schema_name(ProblemBody::name()));
    for (status, words) in PROBLEMS {
        let content = ContentBuilder::new().schema(Some(problem())).build();
        let response = ResponseBuilder::new()
            .description(words)
            .content("application/problem+json", content)
            .build();
        operation = operation.response(status.to_string(), response);
    }
    operation
}
