# python libmelee.py PORT STATES
#
# What a program that watches with libmelee does: a Console that steps from frame to frame. Answers
# with the reply's details, and, when STATES game states have come, with the frame and every
# character's place and damage (as the bits of floats) and stocks in each of them.
import json
import multiprocessing
import struct
import sys

from melee.console import Console


def say(value):
    print(json.dumps(value), flush=True)


def bits(number):
    return struct.unpack(">I", struct.pack(">f", number))[0]


def character(player):
    floats = [player.position.x, player.position.y, player.percent]
    return [bits(number) for number in floats] + [int(player.stock)]


def state(game):
    players = {str(port): character(player) for port, player in sorted(game.players.items())}
    nanas = {str(port): character(player.nana) for port, player in game.players.items() if player.nana}
    return {"frame": int(game.frame), "players": players, "nanas": nanas}


def main():
    port, states = int(sys.argv[1]), int(sys.argv[2])
    console = Console(
        is_dolphin=True,
        is_remote=True,
        tmp_home_directory=False,
        slippi_address="127.0.0.1",
        slippi_port=port,
        skip_rollback_frames=False,
        polling_mode=True,
        polling_timeout=0.05,
    )
    assert console.connect(), "libmelee cannot connect"
    while not console.connected:
        assert console.step() is None, "nothing comes before the reply"
    say({"nick": console.nick, "version": console.version})
    seen = []
    while len(seen) < states:
        game = console.step()
        if game is not None:
            seen.append(state(game))
    say(seen)
    console.stop()
    # A console without a path leaves its connection's process behind.
    for worker in multiprocessing.active_children():
        worker.terminate()


# Its connection is a process of its own.
if __name__ == "__main__":
    main()
