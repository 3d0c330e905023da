"""The neurons of ember's last layer: fixed sentences, thoughts, and when to stop."""

import phrases
from network import SLOTS, bits, golay


class Speech:
    def __init__(self, vocabulary, layer):
        self.vocabulary, self.layer = vocabulary, layer
        self.codes = self.choose_codes()

    def choose_codes(self):
        """Codeword by token id. Without one: what is never copied and never follows by rule."""
        without = {phrases.MODEL_TURN, phrases.USER_TURN, phrases.SYSTEM_TURN, phrases.TOOL_TURN,
                   phrases.SAMPLE_CALL, phrases.SYSTEM_END, phrases.PAD, phrases.EOS, phrases.BOS,
                   phrases.UNKNOWN, phrases.MASK, phrases.JSON_FENCE, phrases.JSON_STRING,
                   phrases.THOUGHT[3]}
        words = golay()
        return {number: next(words) for number, token in enumerate(self.vocabulary.tokens)
                if token not in without}

    def at(self, token_id):
        """One where this is the token."""
        return {slot: bit / 24.0 for slot, bit in zip(SLOTS.all("code"), self.codes[token_id])}

    def say(self, token_id):
        return list(zip(SLOTS.all("out"), self.codes[token_id]))

    def write(self):
        ids = self.vocabulary.ids
        self.layer.step(bits("wQ", "got", "gotterm"), 2.6, [(SLOTS["stop"], 1.0)])
        # An answer starts after the newline of its turn, or after a thought.
        for place in ("\n", phrases.CHANNEL_END):
            self.layer.step({**self.at(ids[place]), **bits("nA", "nF")}, 1.6,
                            [(SLOTS["start"], 1.0)])
        for text, want in [(phrases.SAY_SELF, bits("wS", "wX")), (phrases.SAY_DONE, bits("wO")),
                           (phrases.SAY_NONE, bits("wQ"))]:
            self.sentence(text, want)
        self.thought()

    def sentence(self, text, want):
        ids, tokens = self.vocabulary.ids, self.vocabulary.encode(text)
        assert len(set(tokens)) == len(tokens), "a token comes twice: " + text
        want = {**want, **bits("got", "nJ", "nK", weight=-1.0)}
        first = self.say(tokens[0]) + [(SLOTS["hint"], self.call_hint(tokens[0]))]
        for place in ("\n", phrases.CHANNEL_END):
            self.layer.step({**self.at(ids[place]), **want}, 1.6, first)
        for here, following in zip(tokens, [*tokens[1:], ids[phrases.TURN_END]]):
            self.layer.step({**self.at(here), **want}, 1.6, self.say(following))

    def call_hint(self, token_id):
        """Makes a call the second choice, for a grammar that demands one."""
        call = self.codes[self.vocabulary.ids[phrases.CALL]]
        product = sum(x * y for x, y in zip(self.codes[token_id], call))
        return (96.0 - 6.0 * product) / 100.0

    def thought(self):
        """Its last token is an anchor, so that the end of the channel is to the answer what the
        newline is without a thought. Like all starts of answers it has no codeword."""
        ids, encode = self.vocabulary.ids, self.vocabulary.encode
        name, begin, text, _ = phrases.THOUGHT
        tokens = [ids["\n"], ids[phrases.CHANNEL], *encode(name), ids[begin], *encode(text)]
        assert len(set(tokens)) == len(tokens), "a token of the thought comes twice"
        for here, following in zip(tokens, tokens[1:]):
            self.layer.step({**self.at(here), SLOTS["nK"]: 1.0}, 1.6, self.say(following))
        self.layer.step({**self.at(tokens[-1]), SLOTS["nK"]: 1.0}, 1.6, [(SLOTS["wrap"], 1.0)])
        self.layer.step(bits("thought"), 0.6, self.say(ids[phrases.CHANNEL_END]))
