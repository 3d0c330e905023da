// Any bytes as a client's request, an upstream's stream, whole answer and error: nothing may crash,
// and what the dialect accepts it must be able to write in a form that it accepts again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dialect/ollama.h"

namespace {

using namespace nl::dialect;

const Ollama kDialect;

// Writes every event as a client would get it, in both modes.
class Relay final : public EventSink {
 public:
  Relay() : writer_(kDialect.make_writer({})) {}
  void on_event(const nl::chat::Event& event) override {
    writer_->event(event, out_);
    writer_->fold(event);
  }
  void check_whole() {
    Document document;
    if (!document.parse(writer_->whole())) std::abort();
  }

 private:
  std::unique_ptr<Writer> writer_;
  std::string out_;
};

void fuzz_request(std::string_view text) {
  Document document;
  if (!document.parse(text, DuplicateKeys::refuse_top_level)) return;
  const auto request = kDialect.decode_request(document);
  if (!request) return;
  EncodeOptions options;
  options.model = "m";
  options.reasoning = true;
  Document again;
  const std::string spliced = kDialect.splice(document, {"m", ClientMarks::keep, "\"x\":1"});
  if (!again.parse(spliced, DuplicateKeys::refuse_top_level)) std::abort();
  const auto encoded = kDialect.encode_request(*request, options);
  if (!encoded) return;
  if (!again.parse(*encoded, DuplicateKeys::refuse_top_level)) std::abort();
  if (!kDialect.decode_request(again)) std::abort();
}

std::size_t lines_of(std::string_view text, std::size_t piece_bytes) {
  NdjsonFramer framer;
  std::size_t lines = 0;
  while (!text.empty()) {
    if (!framer.feed(text.substr(0, piece_bytes))) std::abort();
    text.remove_prefix(std::min(piece_bytes, text.size()));
    while (framer.next()) ++lines;
  }
  while (framer.finish()) ++lines;
  return lines;
}

// The lines do not depend on the pieces.
void check_pieces(std::string_view text) {
  if (lines_of(text, text.size() + 1) != lines_of(text, 1)) std::abort();
}

void fuzz_stream(std::string_view text) {
  const auto reader = kDialect.make_reader();
  Framer framer(kDialect.framing());
  Relay relay;
  std::string renamed;
  bool failed = !framer.feed(text);
  while (auto frame = framer.next()) {
    if (failed) break;
    (void)kDialect.closes_answer(*frame);
    kDialect.append_renamed(*frame, {"i", "m"}, renamed);
    failed = !reader->frame(*frame, relay);
  }
  if (!failed) reader->end(relay);
  relay.check_whole();
  check_pieces(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  Relay relay;
  switch (bytes[0] % 4) {
    case 0:
      fuzz_request(text);
      break;
    case 1:
      fuzz_stream(text);
      break;
    case 2:
      (void)kDialect.make_reader()->whole(text, relay);
      break;
    default:
      (void)kDialect.read_error(400, text);
      break;
  }
  return 0;
}
