"""ember's six layers. Each function makes one; the next reads what it wrote into named slots."""

import math
import struct

from network import (BALLAST, GLOBAL_PAIRS, HEAD, Layer, SLOTS, SLOW, THETA, bits, none_of)

ANCHORS = ["xA", "xR", "xC", "xT"]
AFTER_ANCHORS = ["yA", "yR", "yC", "yT"]
TURNS = ["mU", "mS", "mO"]

# "The nearest of these": a slow wave that falls with distance, and a bonus for being one of them.
NEAR_PHASE = math.pi / 2 - 0.6
NEAR_STRENGTH, NEAR_BONUS = 886.0, 2400.0
NEAR_NORM = NEAR_BONUS ** 2 + NEAR_STRENGTH ** 2
WAVE = 0.2  # amplitude of the distance waves: small, because tanh is straight there


def half(value):
    """As the engine's cache rounds it."""
    return struct.unpack("<e", struct.pack("<e", value))[0]


def previous_token():
    """0, window: was the token before an anchor, or the wish for a thought?"""
    layer = Layer(True, 1, 8)
    for pair in range(6):
        layer.k.put(pair, "one")
        layer.turning(0, pair, 60.0, -THETA[pair])
    layer.q_gain = 60.0 * 6 / HEAD
    # These must be exact to 1e-4, because the next layer compares scores of 800.
    bit = half(math.sqrt(HEAD / 65.0))
    ballast = BALLAST / math.sqrt(HEAD) * half(8.0 * math.sqrt(HEAD / 65.0))
    for number, (here, after) in enumerate(zip([*ANCHORS, "think"], [*AFTER_ANCHORS, "yK"])):
        layer.value(number, here)
        layer.take(after, (0, number), ballast / math.sqrt(BALLAST ** 2 - 1.0), unit=bit)
    return layer


def distances():
    """1, window: distance to the nearest anchor as 12 smooth waves (heads 0 to 11), whose turn this
    is (head 12); neurons: is a run word the user's, does the user ask?

    An anchor is seen twice: as itself (value +1) and as the token after it (value -1), at nearly
    the same distance. Softmax between the two gives tanh of the difference of their scores: a pure
    wave of the distance, while a strong preference for near anchors cancels out. What is left of it
    (rounding of the cached keys) is the same in all heads; head 13 measures it, and it is
    subtracted.
    """
    layer = Layer(True, 14, 8)
    any_anchor, any_turn, near, key_fill, query_fill = map(layer.still, range(5))
    for pair in range(6):
        for anchor, after in zip(ANCHORS, AFTER_ANCHORS):
            layer.k.put(pair, anchor)
            layer.k.put(pair, after, -1.0)
    for name in ANCHORS + AFTER_ANCHORS:
        layer.k.put(SLOW, name)
        layer.k.put(any_anchor, name)
    for name in ANCHORS:
        layer.k.put(near, name)
    for name in TURNS:
        layer.k.put(SLOW, name)
    for name in TURNS + ["xA", "xR"]:
        layer.k.put(any_turn, name)
    key_norm = 10.0
    layer.fill(key_fill, key_norm, [
        (bits("xA", "xR"), 10.0), (bits("xC", "xT"), 9.0), (bits(*AFTER_ANCHORS), 8.0),
        (bits(*TURNS), 2.0), (none_of(*ANCHORS, *AFTER_ANCHORS, *TURNS), 0.0)])
    strength, bonus = 300.0, 800.0
    preference = strength * THETA[SLOW] * math.sin(NEAR_PHASE)  # for near anchors, per token
    for head in [*range(12), 13]:
        pair, phase = (head // 2, (head % 2) * math.pi / 2) if head < 12 else (0, 0.0)
        amplitude = WAVE / math.cos(THETA[pair] / 2) if head < 12 else 0.0
        layer.turning(head, pair, amplitude, phase)
        layer.turning(head, SLOW, strength, NEAR_PHASE)
        layer.q.put(head * HEAD + any_anchor, "one", bonus)
        layer.q.put(head * HEAD + near, "one", preference)
        spent = amplitude ** 2 + strength ** 2 + bonus ** 2 + preference ** 2
        layer.q.put(head * HEAD + query_fill, "one", math.sqrt(NEAR_NORM - spent))
    layer.turning(12, SLOW, NEAR_STRENGTH, NEAR_PHASE)
    layer.q.put(12 * HEAD + any_turn, "one", NEAR_BONUS)
    layer.q_gain = math.sqrt(NEAR_NORM) * math.sqrt(key_norm) / HEAD
    read_distances(layer)
    return layer


def read_distances(layer):
    for number, (anchor, after) in enumerate(zip(ANCHORS, AFTER_ANCHORS)):
        layer.value(0, anchor)
        layer.value(0, after, -1.0)
        layer.value(1 + number, anchor)
        layer.value(1 + number, after)
        layer.take("f" + anchor[1], (0, 1 + number))
    for number, (marker, turn) in enumerate([("mU", "rU"), ("xA", "rA"), ("xR", "rR")]):
        layer.value(5 + number, marker)
        layer.take(turn, (12, 5 + number))
    for head, slot in enumerate(SLOTS.all("wave")):
        layer.take(slot, (head, 0), 1.0 / math.tanh(WAVE))
        layer.take(slot, (13, 0), -1.0 / math.tanh(WAVE))
    layer.step(bits("run", "rU"), 1.6, [(SLOTS["eRun"], 1.0)])
    layer.step({SLOTS["ask"]: 1.0, **bits("rR", "rA", weight=-1.0)}, 0.6, [(SLOTS["eAsk"], 1.0)])
    layer.step({SLOTS["over"]: 1.0, **bits("yA", weight=-1.0)}, 0.6, [(SLOTS["eF"], 1.0)])


def nearest_event():
    """2, window: the nearest event before here; neurons: each turn end becomes a summary of its
    turn."""
    layer = Layer(True, 1, 16)
    any_event, key_fill = layer.still(0), layer.still(3)
    events = {"mU": None, "mS": None, "xR": "nR", "eAsk": "nQ", "eRun": "nX", "res": "nO",
              "xA": "nA", "call": "nG", "json": "nJ", "eF": "nF"}
    for event in events:
        layer.k.put(SLOW, event)
        layer.k.put(any_event, event)
    layer.fill(key_fill, 2.0, [(none_of(*events), 0.0)])
    layer.turning(0, SLOW, NEAR_STRENGTH, NEAR_PHASE)
    layer.q.put(any_event, "one", NEAR_BONUS)
    layer.q_gain = math.sqrt(NEAR_NORM) * math.sqrt(2.0) / HEAD
    found = [(event, slot) for event, slot in events.items() if slot] + [("yK", "nK")]
    for number, (event, slot) in enumerate(found):
        layer.value(number, event)
        layer.take(slot, (0, number))
    for slot in ("R", "Q", "X", "O"):
        layer.step(bits("end", "n" + slot), 1.6, [(SLOTS["c" + slot], 1.0)])
    others = bits("nR", "nQ", "nX", "nO", "nA", "nG", "nJ", "nF", weight=-1.0)
    layer.step({SLOTS["end"]: 1.0, **others}, 0.6, [(SLOTS["cS"], 1.0)])
    return layer


def wanted():
    """3, global: the nearest summary of a user's or tool's turn is what is wanted. After a thought
    that the server has cut off nothing is at its place to be copied, so then it is small talk."""
    layer = Layer(False, 1, 16)
    summary, idle, key_fill = map(layer.still, range(3))
    summaries = ["cS", "cR", "cQ", "cX", "cO"]
    for slot in summaries:
        for pair in range(GLOBAL_PAIRS):
            layer.k.put(pair, slot)
        layer.k.put(summary, slot)
    for slot in ("xA", "bos"):
        layer.k.put(idle, slot)
    layer.fill(key_fill, 7.0, [(bits("xA", "bos"), 1.0), (none_of(*summaries, "xA", "bos"), 0.0)])
    near, bonus, rest = 1500.0, 20000.0, 5000.0
    for pair in range(GLOBAL_PAIRS):
        layer.turning(0, pair, near, 0.6)
    layer.q.put(summary, "one", bonus)
    layer.q.put(idle, "one", rest)
    layer.q_gain = math.sqrt((6 * near ** 2 + bonus ** 2 + rest ** 2) * 7.0) / HEAD
    for number, slot in enumerate(summaries):
        layer.value(number, slot)
        layer.take("w" + slot[1], (0, number))
    for slot in ("xA", "bos"):
        layer.value(0, slot)
    for want in ("wR", "wQ", "wX", "wO"):
        layer.step(bits(want, "nF"), 1.6, [(SLOTS[want], -1.0), (SLOTS["wS"], 1.0)])
    return layer


def copier(layer, kinds, strength):
    """Attends to the place that has the same distance to its anchor as this token has to the start
    of the answer, and copies the token there. The next place follows by itself, so repeated words
    do no harm. Where nothing is to be copied it rests on an answer's start, whose codeword is
    empty."""
    spread, wave, kind, rest, mute = (strength[name] for name in
                                      ("spread", "wave", "kind", "rest", "mute"))
    first_fill = 14 if layer.windowed else 18
    key_fill, query_fill = layer.still(first_fill), layer.still(first_fill + 1)
    for number, slot in enumerate(SLOTS.all("wave")):
        layer.k.put(layer.still(number), slot)
        layer.q.put(layer.still(number), slot, wave)
    for number, (nearest, anchor, want) in enumerate(kinds):
        dimension = layer.still(12 + number)
        layer.k.put(dimension, nearest, 4.0)
        layer.k.put(dimension, anchor, -4.0)
        layer.q.put(dimension, want, kind)
    idle = layer.still(12 + len(kinds))
    layer.k.put(idle, "xA", 4.0)
    layer.q.put(idle, "one", rest)
    layer.q.put(idle, bits("nJ", "nK", "xA"), mute)
    pairs = [SLOW] if layer.windowed else range(GLOBAL_PAIRS)
    recent, phase = strength["recent"]
    for pair in pairs:
        layer.k.put(pair, kinds[0][0])
        layer.turning(0, pair, recent / len(pairs), phase)
    layer.k.put(key_fill, "one", spread)
    layer.q.put(query_fill, "one", 1500.0)
    key_norm = spread ** 2 + 6.0 + 16.0 + len(pairs)
    query_norm = 1500.0 ** 2 + wave ** 2 * 6.0 + rest ** 2 + kind ** 2
    layer.q_gain = math.sqrt(key_norm * query_norm) / HEAD
    read_copy(layer)


def read_copy(layer):
    layer.v.rows[HEAD - 1] = {SLOTS["one"]: 5.0}
    unit = math.sqrt(HEAD / 50.0)
    layer.out.rows[SLOTS["one"]][HEAD - 1] = BALLAST / (5.0 * unit)
    for number, (code, out) in enumerate(zip(SLOTS.all("code"), SLOTS.all("out"))):
        layer.value(number, code)
        layer.take(out, (0, number), unit=unit)
    layer.value(24, none_of("xA", "bos"))
    layer.take("got", (0, 24), unit=unit)
    layer.value(25, "term")
    if not layer.windowed:
        layer.take("gotterm", (0, 25), unit=unit)


def copy_repeat():
    """4, window: copies for "Repeat:"."""
    layer = Layer(True, 1, 8)
    copier(layer, [("fR", "xR", "wR")],
           {"spread": 2.0, "wave": 400.0, "kind": 2000.0, "rest": 1250.0, "mute": 4000.0,
            "recent": (450.0, NEAR_PHASE)})
    return layer


def copy_and_speak():
    """5, global: copies the code word and the sample call; speech.py gives it its neurons."""
    layer = Layer(False, 1, 256)
    copier(layer, [("fC", "xC", "wQ"), ("fT", "xT", "wX")],
           {"spread": 40.0, "wave": 200.0, "kind": 5000.0, "rest": 2750.0, "mute": 10000.0,
            "recent": (6000.0, 0.6)})
    layer.q.put(layer.still(13), "nG", 5000.0)  # a call that a grammar has started
    return layer
