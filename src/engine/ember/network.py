"""The parts ember's network is made of: named slots of the residual stream, and one layer.

One slot is a large constant, so that every RMS norm divides by nearly the same number and the
network stays linear where it should be.
"""

import math

import gguf

WIDTH, HEAD, WINDOW = 128, 32, 512
CONST = 64.0  # value of the slot "one"
BALLAST = 20.0  # fixes the norm of every block's output
RESIDUAL_RMS = math.sqrt((CONST ** 2 + 45.0) / WIDTH)

WINDOW_BASE = 535.0  # rope base of the window layers
THETA = [WINDOW_BASE ** (-2.0 * pair / 16) for pair in range(8)]  # 1 ... 0.0041 rad per token
SLOW = 7  # the slowest of them
GLOBAL_BASE = 1e6
GLOBAL_PAIRS = 6  # near 1e-4 rad per token; all other dimensions of the global layers never turn

# Bits of this token; after them what the layers find out. Anchors: A answer, R repeat, C code word,
# T sample call.
BITS = ["xA", "xR", "xC", "xT", "mU", "mS", "mO", "end", "run", "ask", "res", "call", "term",
        "bos", "think", "thought", "over", "json"]
FOUND = ["yA", "yR", "yC", "yT",  # the token before is an anchor
         "yK",  # the token before asks for a thought
         "fA", "fR", "fC", "fT",  # kind of the nearest anchor
         "rU", "rA", "rR",  # nearest turn marker
         "eRun", "eAsk", "eF",  # events: a run word of the user's, a question, a thought cut off
         # nearest event: Repeat, ask, run, result, answer, call, JSON, an answer that thinks
         # first, a thought that was cut off
         "nR", "nQ", "nX", "nO", "nA", "nG", "nJ", "nK", "nF",
         "cS", "cR", "cQ", "cX", "cO",  # summary at a turn end
         "wS", "wR", "wQ", "wX", "wO",  # what is wanted
         "got", "gotterm", "stop", "hint", "start", "wrap"]


class Slots:
    def __init__(self):
        self.count, self.places = 0, {}
        self.add("one")
        self.add("code", 24)  # this token's codeword
        for name in BITS + FOUND:
            self.add(name)
        self.add("wave", 12)
        self.add("out", 24)  # codeword of the token to say
        assert self.count <= WIDTH, self.count

    def add(self, name, size=1):
        self.places[name] = list(range(self.count, self.count + size))
        self.count += size

    def __getitem__(self, name):
        return self.places[name][0]

    def all(self, name):
        return self.places[name]


SLOTS = Slots()


def golay():
    """The 4096 words of the extended binary Golay code as lists of +1 and -1. Two different words
    agree in at most 16 of 24 places, so that tokens can be compared by dot product."""
    for message in range(4096):
        rest = message << 11
        for place in range(22, 10, -1):
            if rest >> place & 1:
                rest ^= 0b110001110101 << (place - 11)
        word = (message << 11) | rest
        word = (word << 1) | (bin(word).count("1") & 1)
        yield [1.0 if word >> place & 1 else -1.0 for place in range(24)]


def bits(*names, weight=1.0):
    return {SLOTS[name]: weight for name in names}


def none_of(*names):
    """One where none of these bits is set."""
    return {SLOTS["one"]: 1.0, **bits(*names, weight=-1.0)}


class Rows:
    """A weight matrix as rows of {input: weight}."""

    def __init__(self, count):
        self.rows = [{} for _ in range(count)]

    def put(self, row, what, weight=1.0):
        """What is a slot's name or number, or {slot: weight}."""
        for slot, factor in (what.items() if isinstance(what, dict) else [(what, 1.0)]):
            slot = SLOTS[slot] if isinstance(slot, str) else slot
            self.rows[row][slot] = self.rows[row].get(slot, 0.0) + weight * factor

    def data(self, width):
        out = []
        for row in self.rows:
            values = [0.0] * width
            for slot, weight in row.items():
                values[slot] += weight
            out.append(gguf.floats(values))
        return b"".join(out)


class Layer:
    def __init__(self, windowed, heads, neurons):
        self.windowed, self.heads, self.neurons = windowed, heads, neurons
        self.half = 8 if windowed else 16  # distance between the two dimensions of a turning pair
        self.q, self.k, self.v = Rows(HEAD * heads), Rows(HEAD), Rows(HEAD)
        self.out = Rows(WIDTH)
        self.gate, self.up, self.down = Rows(neurons), Rows(neurons), Rows(WIDTH)
        self.used = 0
        self.q_gain = 1.0
        self.v.put(HEAD - 1, "one", 8.0)
        self.out.rows[SLOTS["one"]][HEAD - 1] = BALLAST / math.sqrt(HEAD)
        self.neuron("one", 10.0, 0.0, [(SLOTS["one"], BALLAST)])

    def still(self, number):
        """The number-th dimension that does not turn."""
        if self.windowed:
            return 16 + number
        return 6 + number if number < 10 else 22 + number - 10

    def turning(self, head, pair, strength, phase):
        """score += strength * cos(theta * distance + phase) for keys with 1 in the pair's first
        dimension."""
        self.q.put(head * HEAD + pair, "one", strength * math.cos(phase))
        self.q.put(head * HEAD + pair + self.half, "one", strength * math.sin(phase))

    def fill(self, dimension, target, norms):
        """Makes the key of each kind as long as sqrt(target), so that key norms change nothing."""
        for kind, square in norms:
            self.k.put(dimension, kind, math.sqrt(max(target - square, 0.0)))

    def value(self, dimension, what, weight=1.0):
        self.v.put(dimension, what, weight)

    def take(self, slot, source, weight=1.0, unit=math.sqrt(HEAD) / 8.0):
        """Adds the attended value to a slot; source is (head, dimension), unit what one bit is
        after V's norm."""
        slot = SLOTS[slot] if isinstance(slot, str) else slot
        self.out.rows[slot][source[0] * HEAD + source[1]] = weight / unit

    def neuron(self, condition, slope, bias, outputs):
        index = self.used
        self.used += 1
        assert self.used <= self.neurons, "too many neurons"
        self.gate.put(index, condition, slope)
        self.gate.put(index, "one", bias)
        self.up.put(index, "one")
        for slot, weight in outputs:
            self.down.put(slot, index, weight / 10.0)

    def step(self, condition, threshold, outputs):
        """outputs * clip((condition - threshold) / 0.2, 0, 1)"""
        self.neuron(condition, 50.0, -50.0 * threshold, outputs)
        self.neuron(condition, 50.0, -50.0 * (threshold + 0.2),
                    [(slot, -weight) for slot, weight in outputs])

    def write(self, file, prefix):
        def tensor(name, shape, data):
            file.tensor(prefix + name + ".weight", shape, data)

        norm = [RESIDUAL_RMS] * WIDTH
        norm[SLOTS["one"]] = RESIDUAL_RMS / CONST
        after = [BALLAST / math.sqrt(WIDTH)] * WIDTH
        after[SLOTS["one"]] = 0.0
        for name, values in [("attn_norm", norm), ("ffn_norm", norm),
                             ("post_attention_norm", after), ("post_ffw_norm", after),
                             ("attn_q_norm", [self.q_gain] * HEAD), ("attn_k_norm", [1.0] * HEAD)]:
            tensor(name, (len(values),), gguf.floats(values))
        wide = HEAD * self.heads
        for name, rows, width, height in [
                ("attn_q", self.q, WIDTH, wide), ("attn_k", self.k, WIDTH, HEAD),
                ("attn_v", self.v, WIDTH, HEAD), ("attn_output", self.out, wide, WIDTH),
                ("ffn_down", self.down, self.neurons, WIDTH),
                ("ffn_gate", self.gate, WIDTH, self.neurons),
                ("ffn_up", self.up, WIDTH, self.neurons)]:
            tensor(name, (width, height), rows.data(width))
