//! The OpenAPI description says what is served, and what it says is served.

use std::collections::BTreeSet;

use serde_json::Value;

use super::desk::Desk;

/// All that is served but the start page and the description itself.
const SERVED: &[(&str, &str)] = &[
    ("get", "/api/status"),
    ("get", "/api/stations"),
    ("post", "/api/stations"),
    ("get", "/api/stations/{id}"),
    ("patch", "/api/stations/{id}"),
    ("delete", "/api/stations/{id}"),
    ("get", "/api/stations/{id}/health"),
    ("get", "/api/stations/{id}/health.svg"),
    ("get", "/api/clients"),
    ("delete", "/api/clients/{id}"),
    ("post", "/api/program"),
    ("post", "/api/reload"),
    ("post", "/api/shutdown"),
    ("get", "/api/replays"),
    ("get", "/api/replays/facets"),
    ("get", "/api/replays.zip"),
    ("get", "/replays/{path}"),
    ("get", "/api/events"),
    ("get", "/ws/{station}"),
    ("get", "/ws/{station}/state"),
    ("get", "/stations/{station}/live.slp"),
    ("get", "/healthz"),
    ("get", "/metrics"),
];

#[test]
fn every_call_is_described_and_every_description_is_a_call() {
    let desk = Desk::new();
    let description = desk.get("/api/openapi.json").json();
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.clone(), path.clone()));
            assert!(operation["summary"].is_string(), "{method} {path} says nothing");
            let responses = operation["responses"].as_object().unwrap();
            assert!(!responses.is_empty());
            for (status, response) in responses {
                let text = response["description"].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{method} {path} {status} is not described");
            }
        }
    }
    let served = SERVED.iter().map(|(m, p)| ((*m).to_owned(), (*p).to_owned())).collect();
    assert_eq!(described, served);

    // The last ends the server.
    let (last, others): (Vec<_>, Vec<_>) =
        described.iter().partition(|(_, path)| path == "/api/shutdown");
    for (method, path) in others.into_iter().chain(last) {
        let path =
            path.replace("{id}", "77").replace("{station}", "77").replace("{path}", "none.slp");
        let answer = desk.call(&method.to_uppercase(), &path, &[], None);
        let known = [200, 202, 400, 409, 415, 422].contains(&answer.status)
            || answer.status == 404 && answer.json()["code"] != "not-found";
        assert!(known, "{method} {path}: {answer:?}");
    }
}

#[test]
fn every_schema_that_is_named_is_there() {
    let description = Desk::new().get("/api/openapi.json").json();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    let mut named = BTreeSet::new();
    collect(&description, &mut named);
    assert!(named.len() > 10, "{named:?}");
    for name in &named {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{name} is named but not there");
    }
    assert!(schemas.contains_key("Event") && schemas.contains_key("Snapshot"));
    let properties = schemas["StationStatus"]["properties"].as_object().unwrap();
    assert!(properties.contains_key("consoleAddress"), "{properties:?}");
    assert!(!properties.contains_key("newest"), "what stays inside of the program: {properties:?}");
}

#[test]
fn games_for_an_archive_are_named_again_and_again_or_not_at_all() {
    let description = Desk::new().get("/api/openapi.json").json();
    let parameters = &description["paths"]["/api/replays.zip"]["get"]["parameters"];
    assert_eq!(parameters.as_array().unwrap().len(), 1, "{parameters}");
    let path = &parameters[0];
    assert_eq!((&path["name"], &path["in"]), (&"path".into(), &"query".into()), "{path}");
    assert_eq!(path["required"], false, "{path}");
    assert!(path["description"].as_str().unwrap().contains("repeated"), "{path}");
    let schema = &path["schema"];
    let kinds =
        schema["type"].as_array().map_or(vec![&schema["type"]], |kinds| kinds.iter().collect());
    assert!(kinds.contains(&&Value::from("array")), "{path}");
    assert_eq!(schema["items"]["type"], "string", "{path}");
}

fn collect(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(name) if key == "$ref" => drop(named.insert(name.clone())),
                    _ => collect(value, named),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, named)),
        _ => {}
    }
}
