// Any bytes as a Messages request, stream, whole answer and error: nothing may crash, what is
// accepted must have a form in both dialects that they accept again, and what a writer makes of an
// answer its own reader must read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "dialect/anthropic.h"
#include "dialect/dialect.h"

namespace {

using namespace nl::dialect;

constexpr DialectId kBoth[] = {DialectId::anthropic, DialectId::openai_chat};

void require(bool holds) {
  if (!holds) std::abort();
}

class Nothing final : public EventSink {
 public:
  void on_event(const nl::chat::Event&) override {}
};

// Writes every event in both dialects and both modes.
class Relay final : public EventSink {
 public:
  Relay() {
    AnswerContext context;
    context.model = "m";
    context.id = "i";
    for (std::size_t at = 0; at < 2; ++at) writers_[at] = dialect(kBoth[at]).make_writer(context);
  }
  void on_event(const nl::chat::Event& event) override {
    for (std::size_t at = 0; at < 2; ++at) {
      writers_[at]->event(event, streams_[at]);
      writers_[at]->fold(event);
    }
  }
  void check() {
    for (std::size_t at = 0; at < 2; ++at) {
      Document document;
      require(document.parse(writers_[at]->whole()).has_value());
      const auto reader = dialect(kBoth[at]).make_reader();
      SseFramer framer;
      Nothing nothing;
      require(framer.feed(streams_[at]).has_value());
      while (const auto frame = framer.next()) require(reader->frame(*frame, nothing).has_value());
    }
  }

 private:
  std::unique_ptr<Writer> writers_[2];
  std::string streams_[2];
};

void fuzz_request(std::string_view text) {
  const Dialect& ours = dialect(DialectId::anthropic);
  Document document;
  if (!document.parse(text, DuplicateKeys::refuse_top_level)) return;
  const auto request = ours.decode_request(document);
  if (!request) return;
  (void)estimate_tokens(*request);
  Document again;
  require(again
              .parse(ours.splice(document, {"m", ClientMarks::remove, {}}),
                     DuplicateKeys::refuse_top_level)
              .has_value());
  for (const DialectId id : kBoth) {
    EncodeOptions options;
    options.model = "m";
    options.reasoning = true;
    options.images = text.size() % 2 == 0;
    options.drop_sampling = text.size() % 3 == 0;
    const auto encoded = dialect(id).encode_request(*request, options);
    if (!encoded) continue;
    require(again.parse(*encoded, DuplicateKeys::refuse_top_level).has_value());
    const auto read = dialect(id).decode_request(again);
    require(read.has_value());
    const auto twice = dialect(id).encode_request(*read, options);
    require(twice.has_value());
    if (id == DialectId::anthropic) require(*twice == *encoded);
  }
}

void fuzz_stream(std::string_view text) {
  const auto reader = dialect(DialectId::anthropic).make_reader();
  SseFramer framer;
  Relay relay;
  std::string renamed;
  if (!framer.feed(text)) return;
  while (const auto frame = framer.next()) {
    dialect(DialectId::anthropic).append_renamed(*frame, {"i", "m"}, renamed);
    if (!reader->frame(*frame, relay)) break;
  }
  if (!reader->finished()) reader->end(relay);
  relay.check();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 4) {
    case 0:
      fuzz_request(text);
      break;
    case 1:
      fuzz_stream(text);
      break;
    case 2: {
      Relay relay;
      if (dialect(DialectId::anthropic).make_reader()->whole(text, relay)) relay.check();
      break;
    }
    default:
      (void)dialect(DialectId::anthropic).read_error(529, text);
      break;
  }
  return 0;
}
