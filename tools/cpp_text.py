"""Reads C++ as text, well enough for the house rules: no parser, a few careful scans.

strip() blanks comments and literals but keeps every line break and column, so that offsets into its
result are offsets into the file. The other functions take stripped text.
"""

import re

_LITERAL = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r'|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def _blank(match):
    text = match.group(0)
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    return text[0] + re.sub(r"[^\n]", "_", text[1:-1]) + text[-1]


def strip(text):
    """The text with comments turned to spaces and the insides of literals to underscores."""
    return _LITERAL.sub(_blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def _kind(preamble):
    """What a brace opens outside of a function, told by the text since the last ; { or }."""
    words = preamble.strip()
    if re.search(r"\)\s*(noexcept\s*)?:(?!:)", words) and re.search(r"[\w>]$", words):
        return "member"
    if re.search(r"=$", words) or re.match(r"(inline |static )*(constexpr|const)\b.*=", words):
        return "value"
    if re.search(r"\b(namespace|enum|union)\b|\bextern\b\s*\"", words):
        return "scope"
    if re.search(r"\b(class|struct)\b", words) and not words.endswith(")"):
        return "scope"
    return "function" if ")" in words else "value"


def functions(code):
    """Yields (first line, last line) of every function body; lambdas count to their function."""
    stack, preamble, function_at = [], "", None
    for offset, char in enumerate(code):
        if char == "{":
            kind = "inner" if function_at is not None else _kind(preamble)
            if kind == "function":
                function_at = len(stack)
                start = line_of(code, offset)
            stack.append((kind, preamble))
            preamble = ""
        elif char == "}" and stack:
            kind, before = stack.pop()
            if kind == "function" and function_at == len(stack):
                function_at = None
                yield start, line_of(code, offset)
            preamble = before + "{}" if kind == "member" else ""
        elif char == ";":
            preamble = ""
        elif char == "#" and not preamble.strip():
            preamble = ""
        else:
            preamble += char


_BLOCK_BEFORE = re.compile(
    r"(?:[;{})]|\belse|\bdo|\btry|\bconst|\bnoexcept|\boverride|\bmutable"
    r"|->\s*[\w:<>,&*\s]+|[^:]:)\s*\Z"
)
_SAFE_TYPE = re.compile(r"(?:std::(?!array\b)|asio::|boost::)[\w:]*(?:<[\w:<>, ]*>)?\s*\Z")
_CAPTURING = re.compile(r"(?<![\w\])])\[\s*[^\]\s][^\]]*\]\s*(?:\([^()]*\)|mutable|\{)")


def _is_block(code, brace):
    before = code[max(0, brace - 160):brace]
    return not before.strip() or bool(_BLOCK_BEFORE.search(before))


def _statement(code, await_at):
    """The full expression around an await: from the last to the next boundary of statements."""
    begin, depth = await_at, 0
    while begin > 0:
        char = code[begin - 1]
        if char == "}":
            depth += 1
        elif char == "{":
            if depth == 0 and _is_block(code, begin - 1):
                break
            depth = max(0, depth - 1)
        elif char == ";" and depth == 0:
            break
        if char == "}" and depth == 1 and re.match(r"\s*[A-Za-z_]", code[begin:]):
            break  # the end of the block before this statement
        begin -= 1
    end, parens = await_at, 0
    while end < len(code):
        char = code[end]
        if char == ";" or (char == "}" and parens <= 0):
            break
        if char == "{" and parens <= 0 and _is_block(code, end):
            break
        parens += (char in "({[") - (char in ")}]")
        end += 1
    return begin, end


def await_temporaries(code):
    """Offsets of temporaries that g++ 12 destroys twice: braces and capturing lambdas in one full
    expression with co_await, and a co_await that is chosen by a conditional operator."""
    seen = set()
    for found in re.finditer(r"\bco_await\b", code):
        begin, end = _statement(code, found.start())
        statement = code[begin:end]
        chosen = statement.find("?", 0, found.start() - begin)
        if chosen >= 0:
            seen.add(begin + chosen)
        for capture in _CAPTURING.finditer(statement):
            # A subscript follows a name, a structured binding follows auto.
            if not re.search(r"[\w\])]\s*\Z|\bauto\s*[&]*\s*\Z", statement[:capture.start()]):
                seen.add(begin + capture.start())
        for brace in re.finditer(r"\{", statement):
            at = begin + brace.start()
            if _is_block(code, at) or _SAFE_TYPE.search(code[max(0, at - 120):at]):
                continue
            seen.add(at)
    return sorted(seen)
