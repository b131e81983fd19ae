//! Relays that reach each other through real NATS servers: what is published arrives, once, whoever
//! dies meanwhile.
#![cfg(all(unix, feature = "nats"))]

mod common;

#[path = "nats/access.rs"]
mod access;
#[path = "nats/bench.rs"]
mod bench;
#[path = "nats/cluster.rs"]
mod cluster;
#[path = "nats/edges.rs"]
mod edges;
#[path = "nats/limits.rs"]
mod limits;
#[path = "nats/outages.rs"]
mod outages;
#[path = "nats/publishers.rs"]
mod publishers;
#[path = "nats/stage.rs"]
mod stage;
#[path = "nats/stations.rs"]
mod stations;
