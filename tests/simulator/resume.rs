//! Where a client starts that comes, or comes back.

use andross::protocol::{ClientToken, Cursor};
use andross::simulator::Options;

use super::console_client::{ConsoleClient, PATIENCE, Said};
use super::*;

#[test]
fn the_last_client_resumes_where_it_was() {
    let events = game(2_000, 60);
    let simulator = start(Options { fps: 2_000.0, ..options(&[&events]) });
    let addr = simulator.local_addr();
    let (mut client, token, mut pos) = ConsoleClient::fresh(addr);
    let mut received = Vec::new();
    for wanted in [1_000, 50_000, 100_000] {
        while received.len() < wanted {
            let (at, force_pos, data) = client.next_replay();
            assert_eq!((at, force_pos), (pos, false));
            pos = pos.plus(data.len());
            received.extend(data);
        }
        simulator.drop_client();
        let (again, same_token, same_pos) = ConsoleClient::resume(addr, token, pos);
        assert_eq!((same_token, same_pos), (token, pos));
        client = again;
    }
    received.extend(client.events(pos, end_of(&events)));
    assert_same(&received, &events);
    assert_eq!(simulator.clients_served(), 4);
}

#[test]
fn only_the_very_last_clients_token_resumes() {
    let events = unended_game(100, 60);
    let simulator = start(options(&[&events]));
    let addr = simulator.local_addr();
    let somewhere = Cursor(82);

    let (mut first, first_token, _) = ConsoleClient::fresh(addr);
    first.events(Cursor(0), end_of(&events));
    simulator.drop_client();
    let (mut second, second_token, pos) =
        ConsoleClient::resume(addr, ClientToken(first_token.0 ^ 1), somewhere);
    assert_eq!(pos, Cursor(0), "a foreign token: from the start of the game");
    assert_ne!(second_token, first_token);
    assert_same(&second.events(pos, end_of(&events)), &events);

    simulator.drop_client();
    let (_third, third_token, pos) = ConsoleClient::resume(addr, first_token, somewhere);
    assert_eq!(pos, Cursor(0), "another client has come since");
    simulator.drop_client();
    let (_fourth, token, pos) = ConsoleClient::resume(addr, third_token, somewhere);
    assert_eq!((token, pos), (third_token, somewhere));
    simulator.drop_client();
    let (_fifth, token, pos) = ConsoleClient::resume(addr, third_token, end_of(&events).plus(1));
    assert_eq!((token, pos), (third_token, Cursor(0)), "ahead of the console");
}

#[test]
fn a_reboot_forgets_everything_and_the_game_begins_anew() {
    let first = game(10, 60);
    let second = game(2_000, 60);
    let simulator = start(Options { fps: 2_000.0, ..options(&[&first, &second]) });
    let addr = simulator.local_addr();
    let (mut client, token, pos) = ConsoleClient::fresh(addr);
    client.events(pos, end_of(&first));
    let (pos, ..) = client.next_replay();
    simulator.reboot();
    while client.next() != Said::End {}
    let (mut client, new_token, new_pos) = ConsoleClient::resume(addr, token, pos);
    assert_ne!(new_token, token);
    assert_eq!(new_pos, Cursor(0));
    assert_same(&client.events(new_pos, end_of(&second)), &second);
    assert!(simulator.wait_until_played(PATIENCE));
}

#[test]
fn between_games_a_new_client_waits_and_the_last_one_finishes_its_game() {
    let events = game(10, 60);
    let simulator = start(options(&[&events]));
    let addr = simulator.local_addr();
    let (mut first, _, pos) = ConsoleClient::fresh(addr);
    assert_same(&first.events(pos, end_of(&events)), &events);
    simulator.drop_client();
    let (_second, token, pos) = ConsoleClient::fresh(addr);
    assert_eq!(pos, end_of(&events), "a new client waits for the next game");
    simulator.drop_client();
    let (mut again, token, pos) = ConsoleClient::resume(addr, token, Cursor(20));
    assert_eq!(pos, Cursor(20));
    assert_same(&again.events(pos, end_of(&events)), &events[20..]);
    simulator.drop_client();
    let (_again, _, pos) = ConsoleClient::resume(addr, token, Cursor(1_000_000));
    assert_eq!(pos, end_of(&events), "ahead of the console");
}
