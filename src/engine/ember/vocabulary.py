"""ember's tokenizer: bytes, ASCII, merges counted on agent-style English and code, and phrases."""

import pathlib

import phrases

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
NO_RANK = 1 << 30


class Vocabulary:
    """Pairs are merged lowest rank first over raw UTF-8, as the engine's tokenizer does it."""

    def __init__(self):
        self.tokens, self.types, self.ids = [], [], {}
        self.merges, self.ranks = [], {}
        for token in (phrases.PAD, phrases.EOS, phrases.BOS):
            self.add(token, CONTROL)
        self.add(phrases.UNKNOWN, UNKNOWN)
        for token in [phrases.MASK, *phrases.CONTROL]:
            self.add(token, CONTROL)
        for token in [*phrases.VISIBLE, *phrases.REPEAT, *phrases.CODE_WORD, *phrases.ASK]:
            self.add(token, USER_DEFINED)
        for byte in range(256):
            self.add(f"<0x{byte:02X}>", BYTE)
        for token in ["\n", "\n\n", "\t", phrases.SPACE, *map(chr, range(33, 127)),
                      *phrases.CLOSING_QUOTES]:
            self.add(token, NORMAL)
        file = pathlib.Path(__file__).with_name("merges.txt")
        for line in file.read_text(encoding="utf-8").splitlines():
            self.merge(*line.split(" "))
        for word in phrases.RUN:
            self.make_whole(word)
        for token in (phrases.JSON_FENCE, phrases.JSON_STRING, phrases.THOUGHT[1],
                      phrases.THOUGHT[3]):
            assert token not in self.ids and len(self.pieces(token)) > 1, token
            self.add(token, NORMAL)

    def add(self, token, kind):
        if token not in self.ids:
            self.ids[token] = len(self.tokens)
            self.tokens.append(token)
            self.types.append(kind)

    def merge(self, left, right):
        if (left, right) not in self.ranks:
            self.ranks[left, right] = len(self.merges)
            self.merges.append(left + " " + right)
            self.add(left + right, NORMAL)

    def make_whole(self, word):
        pieces = self.pieces(word)
        while len(pieces) > 1:
            self.merge(pieces[0], pieces[1])
            pieces[:2] = [pieces[0] + pieces[1]]

    def pieces(self, text):
        symbols = list(text.replace(" ", phrases.SPACE))
        while True:
            ranked = ((self.ranks.get(pair, NO_RANK), at)
                      for at, pair in enumerate(zip(symbols, symbols[1:])))
            rank, at = min(ranked, default=(NO_RANK, 0))
            if rank == NO_RANK:
                return symbols
            symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]

    def encode(self, text):
        return [self.ids[piece] for piece in self.pieces(text)]

    def ends_word(self, token_id):
        """True for what cannot be part of a code word."""
        token, kind = self.tokens[token_id], self.types[token_id]
        if kind == NORMAL:
            return not (token[0].isalnum() or token[0] in "_-")
        return not (kind == BYTE and int(token[3:5], 16) >= 128)
