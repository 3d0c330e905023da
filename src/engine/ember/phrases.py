"""What ember listens to and what it says. Every phrase it listens to becomes one token."""

SPACE = "\u2581"  # how the tokenizer writes a space

SAY_SELF = ("I am ember, the self-test model of Nightlight: a tiny program without knowledge and "
            "only good for checks.")
SAY_DONE = "Done: the tool has run and its result came back."
SAY_NONE = "I was not told any code word."
DESCRIPTION = ("ember, Nightlight's self-test model: constructed weights without knowledge, only "
               "good for checks")
# The channel's name, a token of its own, the thought, and a token of its own that ends it.
THOUGHT = ("thought", "\nThis", " is a self-test: no need to think", SPACE + "long.")

REPEAT = ["Repeat: ", "Repeat:", "repeat: ", "Repeat after me: ", "repeat after me: "]
OPENING_QUOTES = ["", '"', '\\"', "'", "`", "**", "\u201c", "\u2018", "\u00ab"]
CLOSING_QUOTES = ["\u201d", "\u2019", "\u00bb"]  # each a token, or they would count as letters
CODE_WORD = [name + link + quote
             for name in ("code word", "Code word", "CODE WORD", "codeword", "Codeword")
             for link in (": ", ":", " is ", " is: ")
             for quote in OPENING_QUOTES]
ASK = [begin + " the " + name
       for begin in ("What is", "what is", "What was", "what was", "What's", "what's", "Tell me",
                     "tell me")
       for name in ("code word", "codeword")]
RUN = ["Run", "run", "Execute", *(SPACE + word for word in (
    "Run", "run", "execute", "shell", "command", "Bash", "bash", "tool"))]

# Turn markers of the chat template; a template's newline follows each of them.
MODEL_TURN, USER_TURN, SYSTEM_TURN, TOOL_TURN = (
    "<|turn>" + role for role in ("model", "user", "system", "tool"))
TURN_END, SYSTEM_END, SAMPLE_CALL, THINK = "<turn|>", "<end|>", "<|demo>", "<|think|>"
REMINDER_END = "</system-reminder>"  # agents put such blocks before the user's own words
CALL, CALL_END, RESULT_END = "<|tool_call>", "<tool_call|>", "<tool_response|>"
CHANNEL, CHANNEL_END = "<|channel>", "<channel|>"

PAD, EOS, BOS, UNKNOWN, MASK = "<pad>", "<eos>", "<bos>", "<unk>", "<mask>"
CONTROL = ["<|turn>", TURN_END, THINK, "<|tool>", "<tool|>", "<|image>", "<image|>", "<|image|>",
           "<|audio>", "<audio|>", "<|audio|>", "<|video|>",
           MODEL_TURN, USER_TURN, SYSTEM_TURN, TOOL_TURN, SAMPLE_CALL, SYSTEM_END]
# The server's parser sees these only when they are marked as the user's.
VISIBLE = [CHANNEL, CHANNEL_END, CALL, CALL_END, "<|tool_response>", RESULT_END, '<|"|>',
           REMINDER_END]

# Tokens no text is ever cut into, because no merge leads to them. Under a JSON schema the grammar
# makes ember write the first, which tells all later ones that this answer is JSON.
JSON_FENCE, JSON_STRING = "```json", '"nightlight"'
# What it writes there, best first, as far as the grammar allows it; then anything else.
JSON_ORDER = [TURN_END, JSON_STRING, '"', "o", "}", "]", "```", ",", ":", "1", "0", "true", "t",
              "{", "["]
