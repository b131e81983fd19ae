//! What the stream no longer has, and streams that are somebody else's.

use async_nats::jetstream::stream;

use super::common::cable::Cable;
use super::common::nats::{self, NatsServer};
use super::common::{ConsoleSpectator, assert_same_bytes};
use super::stage::{
    assert_watched, at, evening_of, ingest, ready_edge, wait_until_published, watch_to_end,
};

/// Lets go of all messages but the newest ones, as limits do.
fn forget_all_but_the_newest(server: &NatsServer) {
    at(&server.url(), |context| async move {
        let stream = context.get_stream("andross").await.unwrap();
        stream.purge().keep(20).await.unwrap();
    });
}

#[test]
fn a_stream_of_somebody_else_is_left_alone() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    at(&server.url(), |context| async move {
        let config = stream::Config {
            name: "andross".into(),
            subjects: vec!["films".into()],
            ..stream::Config::default()
        };
        context.create_stream(config).await.unwrap();
    });
    let process = ingest(([127, 0, 0, 1], 9).into(), &server.url(), &[]);
    let line = process.wait_for_log("is not andross's");
    assert!(line.contains("films") && line.contains(&server.address.to_string()), "{line}");
    at(&server.url(), |context| async move {
        let stream = context.get_stream("andross").await.unwrap();
        assert_eq!(stream.cached_info().config.subjects, ["films"]);
    });
}

#[test]
fn limits_are_as_the_publisher_says_and_change_with_it() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let nobody = ([127, 0, 0, 1], 9).into();
    // Somebody's hand has made answers from servers that may be behind possible.
    at(&server.url(), |context| async move {
        for (name, subject) in
            [("andross", "andross.*"), ("KV_andross-stations", "$KV.andross-stations.>")]
        {
            let config = stream::Config {
                name: name.into(),
                description: Some("andross: the streams of Melee consoles".into()),
                subjects: vec![subject.into()],
                max_messages_per_subject: if name == "andross" { -1 } else { 1 },
                allow_rollup: name != "andross",
                allow_direct: true,
                ..stream::Config::default()
            };
            context.create_stream(config).await.unwrap();
        }
    });
    let check = |age: u64, bytes: i64| {
        at(&server.url(), |context| async move {
            let stream = context.get_stream("andross").await.unwrap();
            let config = &stream.cached_info().config;
            assert_eq!((config.max_age.as_secs(), config.max_bytes), (age, bytes));
            for name in ["andross", "KV_andross-stations"] {
                let stream = context.get_stream(name).await.unwrap();
                assert!(!stream.cached_info().config.allow_direct, "{name}");
            }
        });
    };
    let mut first = ingest(nobody, &server.url(), &["--publish-max-age=600"]);
    wait_until_published(&first);
    check(600, 4 << 30);
    first.signal("-TERM");
    first.wait();
    let second = ingest(nobody, &server.url(), &["--publish-max-bytes=2M"]);
    wait_until_published(&second);
    check(7200, 2 << 20);
}

#[test]
fn a_message_of_somebody_else_stops_nobody() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(2_400, 240.0);
    let console = evening.console();
    let mut first = ingest(console.local_addr(), &server.url(), &[]);
    let (edge, address) = ready_edge(&server.url());
    let mut far = ConsoleSpectator::connect(address);
    let speak = || {
        at(&server.url(), |context| async move {
            let said = context.publish("andross.stream", "hello".into()).await.unwrap();
            said.await.unwrap();
        });
    };
    far.read_bytes(evening.first_end + 100_000);
    speak();
    edge.wait_for_log("none of andross's are left out");
    first.wait_for_log("is none of andross's");
    far.read_bytes(evening.first_end + 200_000);
    // Whoever finds it there goes on behind it, too.
    first.signal("-KILL");
    first.wait();
    speak();
    let second = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&second);
    watch_to_end(&mut far, &evening.all);
    assert_watched("far", &far, &evening.all);
}

#[test]
fn what_the_stream_lost_is_a_gap_at_the_edge_and_nothing_else() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(3_600, 240.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &server.url(), &[]);
    wait_until_published(&ingest);
    let cable = Cable::to(server.address);
    let (edge, address) = ready_edge(&format!("nats://{}", cable.address()));
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    let mut far = ConsoleSpectator::connect(address);
    far.read_bytes(evening.first_end + 50_000);
    cable.pull();
    near.read_bytes(evening.first_end + 1_000_000);
    forget_all_but_the_newest(&server);
    cable.put_back();
    edge.wait_for_log("a gap");
    let all = &evening.all;
    while far.cursor.0 < all.len() as u64 {
        assert!(far.read_message(), "the edge hung up");
    }
    let gaps: Vec<u64> =
        far.replays.iter().filter(|(_, forced)| *forced).map(|(pos, _)| pos.0).collect();
    assert_eq!(gaps.len(), 1, "one gap, and it is told");
    let behind = usize::try_from(gaps[0]).unwrap();
    let before = far.data.len() - (all.len() - behind);
    assert!(before < behind, "something is missing");
    assert_same_bytes("before the gap", &far.data[..before], &all[..before]);
    assert_same_bytes("behind the gap", &far.data[before..], &all[behind..]);
}

#[test]
fn an_edge_waits_for_the_next_game_when_the_beginning_is_gone() {
    if !nats::is_there() {
        return;
    }
    let server = NatsServer::start(&[]);
    let evening = evening_of(2_400, 240.0);
    let console = evening.console();
    let ingest = ingest(console.local_addr(), &server.url(), &[]);
    let mut near = ConsoleSpectator::connect(ingest.spectators());
    near.read_bytes(evening.first_end + 300_000);
    forget_all_but_the_newest(&server);
    let (edge, address) = ready_edge(&server.url());
    edge.wait_for_log("no longer has the beginning");
    let mut far = ConsoleSpectator::connect(address);
    near.read_bytes(evening.all.len());
    let end = evening.all.len() as u64;
    while far.cursor.0 < end {
        assert!(far.read_message(), "the edge hung up");
    }
    let start = evening.all.len() - far.data.len();
    assert_eq!(evening.all[start], 0x35, "the start of a game");
    assert_same_bytes("the next game", &far.data, &evening.all[start..]);
}
