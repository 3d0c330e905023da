#!/usr/bin/env python3
"""The tidy test: house rules that a machine can hold, over every file of the tree.

Prints `path:line: rule: what to do instead` per finding and exits 1 if there is one. Each rule has
a bad example in check_test.py. Where a rule is wrong about a line, the line or the one above it
says `check: allow(rule) reason`.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cpp_text  # noqa: E402

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100
OPENING_LINES_MIN = 2
SKIPPED_FOLDERS = {"build", "node_modules", ".git", "__pycache__", ".cache", "captures"}
SOURCE = {".h", ".cc"}
SCRIPTS = {".py", ".sh", ".cmake", ".js", ".mjs", ".css"}

BANNED = [
    (r"\b(strcpy|strcat|strncpy|strtok)\s*\(", "std::string or std::string_view"),
    (r"\bv?s[n]?printf\s*\(", "fmt::format or fmt::format_to_n"),
    (r"(?<![\w.>])gets\s*\(", "std::getline"),
    (r"(?<![\w.>])(?:std::)?(atoi|atol|atof|strtol|strtoul|strtod)\s*\(", "std::from_chars"),
    (r"(?<![\w:])(?:std)?::system\s*\(|(?<![\w.>:])system\s*\(\s*\"",
     "a child process without a shell"),
    (r"(?<![\w.>])(?:::)?popen\s*\(", "a child process without a shell"),
    (r"(?<![\w.>])(?:std::)?s?rand\s*\(", "base/random.h"),
    (r"\bstd::regex\b|#include <regex>", "a small scanner: std::regex is slow and recursive"),
    (r"\busing\s+namespace\s+std\b", "qualified names"),
    (r"\bstd::cout\b|\bstd::cerr\b", "fmt::print or base/log.h"),
    (r"\.detach\s*\(\s*\)", "a thread with an owner that joins it"),
    (r"#include\s+\"\.\./", "an include by module path, as \"base/error.h\""),
    (r"\benable_shared_from_this\b", "one owner and a reference"),
    (r"\bstd::(endl|bind)\b", "'\\n' and lambdas"),
]

# System-specific calls, and the files that may make them: whole modules or single files.
SYSTEM_CALLS = [
    (r"v?fork|exec[lv]p?e?|posix_spawnp?|waitpid|waitid", ("engine/", "base/process")),
    (r"prctl|setrlimit|getrlimit",
     ("engine/", "base/process", "base/hardening", "base/confinement")),
    (r"epoll_\w+|kqueue|socket|socketpair|accept4?|setsockopt|getsockopt|recvmsg|sendmsg|writev",
     ("http/",)),
    (r"(?:SSL|BIO|X509|EVP|ERR|HMAC)_\w+", ("http/",)),
    (r"flock|getrandom|getentropy|sigaction|mmap", ("base/", "engine/", "http/")),
]

# Third-party headers and the modules that own them.
OWNERS = [
    ("boost/asio/ssl", {"http"}),
    ("boost/asio",
     {"http", "provider", "gateway", "engine", "standby", "admin", "work", "doctor", "drill",
      "app"}),
    ("boost/system",
     {"http", "provider", "gateway", "engine", "standby", "admin", "work", "doctor", "drill",
      "app"}),
    ("boost/", set()),
    ("openssl/", {"http"}),
    ("zlib.h", {"http"}),
    ("zstd.h", {"http"}),
    ("brotli/", {"http"}),
    ("sqlite3.h", {"state"}),
    ("simdjson", {"dialect"}),
    ("spdlog/", {"base"}),
    ("toml++/", {"config"}),
    ("CLI/", {"app"}),
    ("poppler/", {"documents"}),
    ("gmime/", {"documents"}),
    ("hpdf", {"sheet"}),
]
DRAWERS = re.compile(
    r"^(utils?|utility|helpers?|common|misc)(_|\.|$)|_(utils?|helpers?|common|misc)\.")
# Paths of one machine and lock entries that name a registry have no place in a public tree.
PRIVATE = [
    (re.compile(r"(?<![\w./])/wor" r"k/\w|(?<![\w./])/tmp" r"/h/"), "a path of one machine"),
    (re.compile(r"//registry" r"\.|\"resolved\"" r":"), "the name of a package registry"),
]


class Report:
    def __init__(self, root):
        self.root = root
        self.findings = []

    def add(self, path, line, rule, text):
        self.findings.append((str(path.relative_to(self.root)), line, rule, text))


def walk(root):
    for path in sorted(root.iterdir()):
        if path.is_symlink() or path.name in SKIPPED_FOLDERS:
            continue
        if path.is_dir():
            yield from walk(path)
        else:
            yield path


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def allowed(lines, line, rule):
    near = " ".join(lines[max(0, line - 2):line])
    return re.search(rf"check: allow\({re.escape(rule)}\) \w", near) is not None


class Source:
    """One C++ file: its text, the text without comments and literals, and the way to report."""

    def __init__(self, report, path, text):
        self.path, self.text, self.report = path, text, report
        self.lines = text.split("\n")
        self.code = cpp_text.strip(text)
        self.place = path.relative_to(report.root).as_posix()
        parts = self.place.split("/")
        self.module = parts[1] if parts[0] == "src" and len(parts) > 2 else None
        self.is_test = path.name.endswith("_test.cc")

    def add(self, line, rule, text):
        if not allowed(self.lines, line, rule):
            self.report.add(self.path, line, rule, text)

    def at(self, offset, rule, text):
        self.add(cpp_text.line_of(self.code, offset), rule, text)


def check_shape(source):
    count = source.text.count("\n")
    if source.module and count > FILE_LINES_MAX:
        source.add(1, "file-length", f"{count} lines, {FILE_LINES_MAX} are allowed: split by noun")
    for first, last in cpp_text.functions(source.code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            source.add(first, "function-length",
                       f"{last - first + 1} lines, {FUNCTION_LINES_MAX} are allowed")


def check_calls(source):
    # Includes are literals to strip(), so the rules about them look at the plain lines.
    for pattern, instead in BANNED:
        text = source.text if "#include" in pattern else source.code
        for found in re.finditer(pattern, text):
            source.at(found.start(), "banned-call", f"{found.group(0).strip()}: use {instead}")
    if not source.module:
        return
    inside = source.place.removeprefix("src/")
    for pattern, places in SYSTEM_CALLS:
        if source.is_test or inside.startswith(places):
            continue
        for found in re.finditer(rf"(?P<before>[\w&*>.:]*[ \t]*)\b(?:{pattern})\s*\(", source.code):
            before = found.group("before").strip()
            if before not in ("", "::", "return", "co_return"):
                continue  # a declaration, a member or another namespace's function
            source.at(found.start(), "system-call", "belongs into " + " or ".join(places))


def check_await(source):
    for offset in cpp_text.await_temporaries(source.code):
        source.at(offset, "await-temporary",
                  "g++ 12 destroys it twice: name the temporary on its own line first, and "
                  "choose between two awaits with if")


def check_includes(source, layers):
    for number, line in enumerate(source.lines, 1):
        found = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if not found or not source.module:
            continue
        header = found.group(1)
        for prefix, modules in OWNERS:
            if header.startswith(prefix):
                if source.module not in modules:
                    owners = ", ".join(sorted(modules)) or "no module"
                    source.add(number, "third-party", f"<{header}> belongs to {owners}")
                break
        target = header.split("/")[0]
        if target in layers and target != source.module:
            if target not in layers.get(source.module, set()):
                source.add(number, "layer", f"{source.module} may not include {target}")
        if header.startswith(("gtest/", "gmock/")) and not source.is_test:
            source.add(number, "third-party", f"<{header}> belongs to tests")


def check_header(source):
    if source.path.suffix != ".h":
        return
    lines = [line for line in source.lines if line.strip() and line.strip() != "#pragma once"]
    opening = 0
    while opening < len(lines) and lines[opening].startswith("//"):
        opening += 1
    if opening < OPENING_LINES_MIN:
        source.add(1, "header-opening",
                   "open with what it is, its place, threads, lifetimes and what it refuses")
    if "#pragma once" not in source.text:
        source.add(1, "header-opening", "#pragma once is missing")


def check_text(report, path, text):
    """Rules about every text file."""
    lines = text.split("\n")

    def add(number, rule, message):
        if not allowed(lines, number, rule):
            report.add(path, number, rule, message)

    is_code = path.suffix in SOURCE | SCRIPTS
    for number, line in enumerate(lines, 1):
        if is_code and len(line) > LINE_COLUMNS_MAX:
            add(number, "line-length", f"{len(line)} columns, {LINE_COLUMNS_MAX} are allowed")
        if is_code and not line.isascii():
            add(number, "ascii", "ASCII only; write an escape")
        if is_code and re.search(r"\b(FIX" r"ME|XX" r"X)\b|\bTO" r"DO\b(?!\(#\d+\))", line):
            add(number, "unfinished", "finish it, or name an issue as in TO" "DO(#12)")
        for pattern, what in PRIVATE:
            if pattern.search(line):
                add(number, "private", f"{what} has no place here")
    if DRAWERS.search(path.name) or any(DRAWERS.search(part + ".") for part in
                                        path.relative_to(report.root).parent.parts):
        report.add(path, 1, "drawer", "name the file for its noun")


def check_links(report, path, text):
    fence = re.compile(r"```.*?```", re.DOTALL)
    fenced = fence.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)
    plain = re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group(0)), fenced)
    for found in re.finditer(r"\[[^\]]*\]\(([^)\s]+)\)", plain):
        target = found.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        aim = (path.parent / name) if name else path
        line = cpp_text.line_of(plain, found.start())
        if not aim.exists():
            report.add(path, line, "link", f"{target} does not exist")
        elif anchor and aim.suffix == ".md":
            titles = re.findall(r"^#+ +(.*)$", read(aim) or "", re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}
            if anchor not in slugs:
                report.add(path, line, "link", f"{target} names no heading")


def layers_of_build(root):
    """DEPENDS by module, as the build has them."""
    text = read(root / "CMakeLists.txt") if (root / "CMakeLists.txt").exists() else ""
    text = re.sub(r"#[^\n]*", "", text or "")
    layers = {}
    for name, rest in re.findall(r"\bnl_module\(\s*(\w+)([^)]*)\)", text):
        found = re.search(r"\bDEPENDS\s+((?:[a-z]\w*\s*)+)", rest)
        layers[name] = set(found.group(1).split()) if found else set()
    return layers


def check_layer_table(report, layers):
    page = report.root / "ARCHITECTURE.md"
    if not page.exists() or not layers:
        return
    table = {}
    for block in re.findall(r"```.*?\n(.*?)```", read(page), re.DOTALL):
        if re.match(r"\s*base:-", block):
            for name, depends in re.findall(r"(\w+):(\S+)", block):
                table[name] = set() if depends == "-" else set(depends.split(","))
    for name, depends in table.items():
        if depends == {"all"}:
            table[name] = set(table) - {name}
    for name in sorted(set(table) | set(layers)):
        if table.get(name) != layers.get(name):
            report.add(page, 1, "layer-table",
                       f"{name}: page says {sorted(table.get(name, ['nothing']))}, "
                       f"CMakeLists.txt {sorted(layers.get(name, ['nothing']))}")


def check_golden(report):
    """Every client dialect with every upstream dialect has a folder of cases."""
    sources = (report.root / "src/dialect").glob("*_request.cc")
    dialects = sorted(path.name.removesuffix("_request.cc") for path in sources)
    for client in dialects:
        for upstream in dialects:
            folder = report.root / "tests/golden" / f"{client}__{upstream}"
            if not folder.is_dir() or not any(folder.iterdir()):
                report.add(report.root / "tests/golden", 1, "golden",
                           f"{client}__{upstream} has no cases")


def check_dead(report, sources):
    included = set()
    for source in sources:
        for header in re.findall(r'#include "([^"]+)"', source.text):
            included.add((source.place, header))
    for source in sources:
        if source.path.suffix != ".h" or not source.module:
            continue
        name = source.place.removeprefix("src/")
        own = {f"src/{name[:-2]}.cc", f"src/{name[:-2]}_test.cc"}
        if not any(header == name and place not in own for place, header in included):
            source.add(1, "dead-file", "no other file includes this header")


def run(root):
    report = Report(root)
    layers = layers_of_build(root)
    sources = []
    for path in walk(root):
        text = read(path)
        if text is None:
            continue
        if path.suffix in SOURCE:
            sources.append(Source(report, path, text))
        check_text(report, path, text)
        if path.suffix == ".md":
            check_links(report, path, text)
    for source in sources:
        check_shape(source)
        check_calls(source)
        check_await(source)
        check_includes(source, layers)
        check_header(source)
    check_layer_table(report, layers)
    check_golden(report)
    check_dead(report, sources)
    return sorted(set(report.findings))


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    findings = run(root.resolve())
    for path, line, rule, text in findings:
        print(f"{path}:{line}: {rule}: {text}")
    if findings:
        print(f"check: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
