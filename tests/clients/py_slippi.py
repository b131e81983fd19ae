# python py_slippi.py FILE...
#
# What py-slippi makes of each file. Answers with a line a file: an object, or {"error"}. Floats are
# said as their bits.
import json
import os
import struct
import sys

from slippi import Game


def stand(data):
    return [struct.unpack(">I", struct.pack(">f", data.post.damage))[0], int(data.post.stocks)]


def read(path):
    game = Game(path)
    last = game.frames[-1]
    return {
        "stage": int(game.start.stage),
        "players": [[n, int(player.character)] for n, player in enumerate(game.start.players) if player],
        "frames": len({frame.index for frame in game.frames}),
        "last": {
            "frame": last.index,
            "players": {str(n): stand(port.leader) for n, port in enumerate(last.ports) if port},
        },
    }


def read_or_say_why(path):
    try:
        return read(path)
    except Exception as error:
        # It names the file.
        return {"error": str(error).replace(path, os.path.basename(path))}


for path in sys.argv[1:]:
    print(json.dumps(read_or_say_why(path)), flush=True)
