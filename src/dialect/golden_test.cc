// Golden files: each case of tests/golden/<client>__<upstream>/ shows one turn on its whole way.
//
// A case is a head line, sections of input (client request, upstream stream or body or error, loss)
// and sections that the dialects make of them, in the order of the path. NL_GOLDEN=rewrite writes
// what they make now into the files: the diff is the review. Every case's stream is also read at
// every byte split, and read back from what the writer made of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/conversation_dump.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

namespace nl::dialect {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "tests/golden";
constexpr std::string_view kRule = "=== ";

struct Section {
  std::string name;
  std::string text;
};

// One file: its head and sections, in order.
struct Case {
  fs::path path;
  std::string head;
  std::vector<Section> sections;

  const std::string* find(std::string_view name) const {
    const auto found = std::ranges::find(sections, name, &Section::name);
    return found == sections.end() ? nullptr : &found->text;
  }
  // True when the head's options name `word`.
  bool has_option(std::string_view word) const { return head.find(word) != std::string::npos; }
};

Case read_case(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Case made{path, {}, {}};
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(kRule)) {
      made.sections.push_back({line.substr(kRule.size()), {}});
    } else {
      (made.sections.empty() ? made.head : made.sections.back().text) += line + "\n";
    }
  }
  return made;
}

void write_case(const Case& made) {
  std::ofstream file(made.path, std::ios::binary);
  file << made.head;
  for (const Section& section : made.sections) {
    file << kRule << section.name << "\n" << section.text;
    if (!section.text.empty() && section.text.back() != '\n') file << "\n";
  }
}

const Dialect& dialect_of(const std::string& word) {
  if (word == "anthropic") return dialect(DialectId::anthropic);
  return dialect(word == "ollama" ? DialectId::ollama : DialectId::openai_chat);
}

struct Pair {
  const Dialect& client;
  const Dialect& upstream;
};

Pair pair_of(const Case& made) {
  const std::string folder = made.path.parent_path().filename().string();
  const auto seam = folder.find("__");
  return {dialect_of(folder.substr(0, seam)), dialect_of(folder.substr(seam + 2))};
}

EncodeOptions options_of(const Case& made) {
  EncodeOptions options;
  options.model = "upstream-model";
  options.reasoning = made.has_option("reasoning");
  options.images = !made.has_option("no_images");
  options.drop_sampling = made.has_option("drop_sampling");
  options.max_completion_tokens = !made.has_option("max_tokens_name");
  return options;
}

AnswerContext context_of(const chat::Request& request) {
  AnswerContext context;
  context.model = request.model.utf8();
  context.id = "answer_1";
  context.created = 1700000000;
  context.include_usage = request.include_usage;
  context.input_estimate = 321;
  return context;
}

// Feeds `frames` to a reader until it fails; what went wrong at the end is a line of its own.
class StreamRun final : public EventSink {
 public:
  StreamRun(const Dialect& upstream, Writer* writer)
      : reader_(upstream.make_reader()), writer_(writer), framer_(upstream.framing()) {}

  void feed(std::string_view bytes) {
    if (!framer_.feed(bytes)) lines_.add("failed: frame");
    while (auto frame = framer_.next()) take(*frame);
  }
  void end() {
    if (auto frame = framer_.finish()) take(*frame);
    if (!failed_) reader_->end(*this);
    if (!failed_ && !reader_->finished() && !saw_error_)
      give_up({ErrorCode::truncated, "cut", 502});
  }
  void on_event(const chat::Event& event) override {
    saw_error_ |= event.kind == chat::EventKind::error;
    lines_.on_event(event);
    if (writer_ != nullptr) {
      writer_->event(event, client_);
      writer_->fold(event);
    }
  }
  const EventLines& lines() const { return lines_; }
  const std::string& client() const { return client_; }
  bool is_complete() const { return reader_->finished() && !failed_ && !saw_error_; }

 private:
  void take(const SseFrame& frame) {
    if (failed_) return;
    const auto read = reader_->frame(frame, *this);
    if (!read) give_up(read.error());
  }
  void give_up(const Error& error) {
    failed_ = true;
    lines_.add(fmt::format("failed: {}: {}", name(error.code), error.message));
    if (writer_ != nullptr) writer_->error(error, client_);
  }

  std::unique_ptr<Reader> reader_;
  Writer* writer_;
  Framer framer_;
  EventLines lines_;
  std::string client_;
  bool failed_ = false;
  bool saw_error_ = false;
};

EventLines read_stream(const Dialect& from, std::string_view bytes) {
  StreamRun run(from, nullptr);
  run.feed(bytes);
  run.end();
  return run.lines();
}

EventLines read_whole(const Dialect& from, std::string_view body) {
  EventLines lines;
  const auto read = from.make_reader()->whole(body, lines);
  if (!read)
    lines.add(fmt::format("failed: {}: {}", name(read.error().code), read.error().message));
  return lines;
}

// The sections of a case as the dialects make them now.
class Way {
 public:
  explicit Way(const Case& made) : case_(made), pair_(pair_of(made)) {}

  Case walk() {
    Case out{case_.path, case_.head, {}};
    sections_ = &out.sections;
    request();
    if (case_.find("upstream stream") != nullptr) stream();
    if (case_.find("upstream body") != nullptr) body();
    if (case_.find("upstream error") != nullptr) error();
    if (case_.find("loss") != nullptr) keep("loss");
    return out;
  }

 private:
  void keep(const std::string& name) { sections_->push_back({name, *case_.find(name)}); }
  void add(const std::string& name, std::string text) {
    if (!text.empty() && text.back() != '\n') text += '\n';
    sections_->push_back({name, std::move(text)});
  }

  void request() {
    if (case_.find("client request") == nullptr) return;
    keep("client request");
    text_ = *case_.find("client request");
    if (const auto parsed = document_.parse(text_, DuplicateKeys::refuse_top_level); !parsed) {
      return add("canonical", "refused: " + parsed.error().message);
    }
    auto decoded = pair_.client.decode_request(document_);
    if (!decoded) return add("canonical", "refused: " + decoded.error().message);
    request_ = std::move(*decoded);
    add("canonical", dump(request_));
    if (pair_.client.id() == pair_.upstream.id()) {
      const ClientMarks marks =
          case_.has_option("marks_removed") ? ClientMarks::remove : ClientMarks::keep;
      add("upstream request, passed through",
          pair_.upstream.splice(document_, {"upstream-model", marks, {}}));
    }
    const auto encoded = pair_.upstream.encode_request(request_, options_of(case_));
    add("upstream request", encoded ? pretty(*encoded) : "refused: " + encoded.error().message);
  }

  void stream() {
    keep("upstream stream");
    const auto writer = pair_.client.make_writer(context_of(request_));
    StreamRun run(pair_.upstream, writer.get());
    run.feed(*case_.find("upstream stream"));
    run.end();
    add("canonical events", run.lines().text());
    add("client stream", run.client());
    if (run.is_complete()) add("client body", pretty(writer->whole()));
  }

  void body() {
    keep("upstream body");
    const EventLines lines = read_whole(pair_.upstream, *case_.find("upstream body"));
    add("canonical events", lines.text());
    if (lines.text().find("failed:") != std::string::npos) return;
    const auto writer = pair_.client.make_writer(context_of(request_));
    Folder folder(*writer);
    (void)pair_.upstream.make_reader()->whole(*case_.find("upstream body"), folder);
    add("client body", pretty(writer->whole()));
  }

  // The first line is the status, the rest the body.
  void error() {
    keep("upstream error");
    const std::string& text = *case_.find("upstream error");
    int status = 0;
    for (const char digit : text.substr(0, 3)) status = status * 10 + (digit - '0');
    const UpstreamError read = pair_.upstream.read_error(status, text.substr(text.find('\n') + 1));
    add("error read",
        fmt::format("type={} code={} source={} resets_in_s={} message={}", read.type, read.code,
                    read.source, read.resets_in_s.value_or(-1), read.message));
    add("client error",
        pair_.client.error_body({ErrorCode::status, read.message, status}, "req_1"));
  }

  struct Folder final : EventSink {
    explicit Folder(Writer& to) : writer(to) {}
    void on_event(const chat::Event& event) override { writer.fold(event); }
    Writer& writer;
  };

  const Case& case_;
  Pair pair_;
  std::vector<Section>* sections_ = nullptr;
  Document document_;
  std::string text_;
  chat::Request request_;
};

bool is_rewriting() {
  const char* mode = std::getenv("NL_GOLDEN");
  return mode != nullptr && std::string_view(mode) == "rewrite";
}

// The cases of the pairs; with `section`, those that have it.
std::vector<fs::path> case_files(std::string_view section = {}) {
  std::vector<fs::path> files;
  if (!fs::is_directory(kFolder)) return files;
  for (const auto& folder : fs::directory_iterator(kFolder)) {
    if (folder.path().filename().string().find("__") == std::string::npos) continue;
    for (const auto& file : fs::directory_iterator(folder)) {
      if (section.empty() || read_case(file.path()).find(section) != nullptr) {
        files.push_back(file.path());
      }
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string test_name(const testing::TestParamInfo<fs::path>& file) {
  return file.param.parent_path().filename().string() + "__" + file.param.stem().string();
}

class Golden : public testing::TestWithParam<fs::path> {};
class GoldenStream : public Golden {};
class GoldenRequest : public Golden {};

TEST_P(Golden, CaseIsAsReviewed) {
  const Case reviewed = read_case(GetParam());
  const Case made = Way(reviewed).walk();
  if (is_rewriting()) return write_case(made);
  ASSERT_EQ(reviewed.sections.size(), made.sections.size());
  for (std::size_t at = 0; at < made.sections.size(); ++at) {
    EXPECT_EQ(reviewed.sections[at].name, made.sections[at].name);
    EXPECT_EQ(reviewed.sections[at].text, made.sections[at].text) << made.sections[at].name;
  }
}

TEST_P(GoldenStream, EveryByteSplitGivesTheSameEvents) {
  const Case made = read_case(GetParam());
  const std::string* stream = made.find("upstream stream");
  ASSERT_NE(stream, nullptr);
  const Dialect& upstream = pair_of(made).upstream;
  const std::string whole = read_stream(upstream, *stream).text();
  for (std::size_t at = 1; at < stream->size(); ++at) {
    StreamRun run(upstream, nullptr);
    run.feed(std::string_view(*stream).substr(0, at));
    run.feed(std::string_view(*stream).substr(at));
    run.end();
    ASSERT_EQ(run.lines().text(), whole) << "split at byte " << at;
  }
  StreamRun bytewise(upstream, nullptr);
  for (const char byte : *stream) bytewise.feed(std::string_view(&byte, 1));
  bytewise.end();
  EXPECT_EQ(bytewise.lines().text(), whole);
}

TEST_P(GoldenStream, BothModesOfTheWriterSayTheSame) {
  const Case made = read_case(GetParam());
  const std::string* stream = made.find("upstream stream");
  ASSERT_NE(stream, nullptr);
  const Pair pair = pair_of(made);
  AnswerContext context;
  context.model = "m";
  context.id = "id";
  context.include_usage = true;
  const auto writer = pair.client.make_writer(context);
  StreamRun run(pair.upstream, writer.get());
  run.feed(*stream);
  run.end();
  if (!run.is_complete()) return;  // what broke off has no whole form
  const std::string from_stream = read_stream(pair.client, run.client()).gist();
  const EventLines whole = read_whole(pair.client, writer->whole());
  if (whole.text().starts_with("failed: empty_answer")) return;
  EXPECT_EQ(from_stream, whole.gist());
  if (pair.client.id() == pair.upstream.id() && !made.has_option("opaque_blocks")) {
    EXPECT_EQ(from_stream, run.lines().gist());
  }
}

TEST_P(GoldenRequest, EncodingIsStable) {
  const Case made = read_case(GetParam());
  const std::string* text = made.find("client request");
  ASSERT_NE(text, nullptr);
  const Dialect& upstream = pair_of(made).upstream;
  Document document;
  if (!document.parse(*text)) return;
  const auto request = pair_of(made).client.decode_request(document);
  if (!request) return;
  EncodeOptions options = options_of(made);
  options.model = request->model.utf8();
  const auto once = upstream.encode_request(*request, options);
  if (!once) return;
  Document again;
  ASSERT_TRUE(again.parse(*once, DuplicateKeys::refuse_top_level)) << *once;
  const auto read = upstream.decode_request(again);
  ASSERT_TRUE(read) << read.error().message;
  const auto twice = upstream.encode_request(*read, options);
  ASSERT_TRUE(twice) << twice.error().message;
  EXPECT_EQ(*once, *twice);
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(case_files()), test_name);
INSTANTIATE_TEST_SUITE_P(Cases, GoldenStream, testing::ValuesIn(case_files("upstream stream")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Cases, GoldenRequest, testing::ValuesIn(case_files("client request")),
                         test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Golden);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenStream);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenRequest);

TEST(GoldenFiles, AreThere) {
  EXPECT_FALSE(case_files().empty()) << "run from the repository root";
}

}  // namespace
}  // namespace nl::dialect
