#include "standby/summary_writer.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dialect/framer.h"

namespace nl::standby {
namespace {

namespace asio = boost::asio;

constexpr Duration kSilenceMax = std::chrono::seconds(300);
constexpr std::size_t kTextBytesMax = 64 * 1024;
// Less than this tells nothing.
constexpr std::size_t kSummaryBytesMin = 40;
constexpr std::size_t kSummaryBytesMax = 8 * 1024;
// A text goes in circles where most runs of so many words were met before.
constexpr std::size_t kRunOfWords = 6;
constexpr std::size_t kRunsMin = 24;
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kMarkup[] = {"<|", "|>", "<tool_call", "<channel", "</think"};

class Collector final : public dialect::EventSink {
 public:
  std::string escaped;
  chat::StopReason stop = chat::StopReason::none;
  Result<void> said{};

  void on_event(const chat::Event& event) override {
    switch (event.kind) {
      case chat::EventKind::delta:
        if (event.delta == chat::DeltaKind::text && event.block == chat::BlockKind::text) {
          escaped += event.text.escaped;
        }
        break;
      case chat::EventKind::finish:
        stop = event.stop;
        break;
      case chat::EventKind::error:
        said = fail(ErrorCode::stream_error, "the local server: " + event.error_message);
        break;
      case chat::EventKind::start:
      case chat::EventKind::block_start:
      case chat::EventKind::block_stop:
      case chat::EventKind::usage:
      case chat::EventKind::ping:
      case chat::EventKind::progress:
        break;
    }
  }
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool has_controls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && kSpace.find(c) == std::string_view::npos) ||
           c == 0x7f;
  });
}

bool goes_in_circles(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  if (words.size() < kRunsMin + kRunOfWords) return false;
  const std::size_t runs = words.size() - kRunOfWords + 1;
  std::unordered_set<std::string_view> met;
  for (std::size_t i = 0; i < runs; ++i) {
    const std::string_view last = words[i + kRunOfWords - 1];
    met.emplace(words[i].data(), static_cast<std::size_t>(last.end() - words[i].begin()));
  }
  return met.size() * 2 < runs;
}

}  // namespace

asio::awaitable<Result<Written>> written_answer(provider::Provider& provider,
                                                const std::string& body, ReadingSink& sink,
                                                http::Cancel& cancel) {
  const http::RequestHead nobody;
  provider::Try attempt;
  attempt.client.head = &nobody;
  attempt.body = body;
  attempt.stream = true;
  attempt.head_until = std::chrono::steady_clock::now() + kSilenceMax;
  auto opened = co_await provider.open(attempt, cancel);
  if (auto* refusal = std::get_if<std::unique_ptr<provider::Refusal>>(&opened)) {
    co_return std::unexpected(std::move((*refusal)->error));
  }
  provider::Opening& opening = std::get<provider::Opening>(opened);
  dialect::Framer framer(provider.dialect().framing());
  const std::unique_ptr<dialect::Reader> reader = provider.dialect().make_reader();
  Collector collector;
  while (collector.escaped.size() < kTextBytesMax) {
    const Instant until = std::chrono::steady_clock::now() + kSilenceMax;
    Result<std::string_view> piece = co_await opening.read(until);
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) break;
    Result<void> taken = framer.feed(*piece);
    while (taken) {
      const std::optional<dialect::SseFrame> frame = framer.next();
      if (!frame) break;
      sink.on_progress(0, 0);
      taken = reader->frame(*frame, collector);
    }
    if (taken) taken = collector.said;
    if (!taken) co_return std::unexpected(std::move(taken.error()));
  }
  reader->end(collector);
  if (!reader->finished()) co_return fail(ErrorCode::truncated, "the summary was broken off");
  Written written;
  written.text = chat::JsonText{collector.escaped}.utf8();
  written.stop = collector.stop;
  co_return written;
}

std::string usable_summary(const Written& written) {
  std::string_view text = trimmed(written.text);
  const bool whole = written.stop == chat::StopReason::end_turn;
  if (!whole && written.stop != chat::StopReason::max_tokens) return {};
  if (text.size() > kSummaryBytesMax || has_controls(text) || goes_in_circles(text)) return {};
  for (const std::string_view mark : kMarkup) {
    if (text.find(mark) != std::string_view::npos) return {};
  }
  // What ran out of room ends with the last thing it said whole.
  if (!whole) text = text.substr(0, text.find_last_of(".\n") + 1);
  text = trimmed(text);
  return text.size() < kSummaryBytesMin ? std::string() : std::string(text);
}

}  // namespace nl::standby
