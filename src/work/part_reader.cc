#include "work/part_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "documents/text_encoding.h"
#include "work/pieces.h"

namespace nl::work {
namespace {

// Where no window is known: what nearly every model takes.
constexpr std::int64_t kWindowUnknown = 16'384;
// Less than this is no part to read.
constexpr std::int64_t kPartLeast = 200;
constexpr int kTriesMax = 8;
// Of an answer that keeps to no form.
constexpr std::size_t kWordsBytesMax = 2000;
// The share of a window that estimates and templates may cost.
constexpr std::int64_t kMarginShare = 16;

bool is_callers_fault(const Error& error) {
  return error.code == ErrorCode::status &&
         (error.status == 400 || error.status == 413 || error.status == 422);
}

}  // namespace

void count(Effort& effort, const Reply& reply) {
  ++effort.asked;
  effort.input_tokens += reply.input_tokens;
  effort.output_tokens += reply.output_tokens;
  effort.cost_usd += reply.cost_usd.value_or(0);
  if (!reply.cost_usd) ++effort.unpriced;
}

Prompt PartReader::prompt_of(const Part& part) const {
  using Place = std::pair<std::string_view, std::string_view>;
  Prompt prompt = setup_.base;
  const std::string_view text =
      std::string_view(part.document.text).substr(part.from, part.to - part.from);
  const std::array places = {Place{"words", setup_.words}, Place{"document", part.document.name},
                             Place{"text", text}};
  prompt.system = fill(setup_.recipe.system, {});
  prompt.text = fill(setup_.recipe.prompt, places);
  prompt.json_schema = kClaimsSchema;
  prompt.max_tokens = setup_.recipe.max_tokens;
  if (part.document.kind == documents::Kind::image) prompt.images = part.document.images;
  return prompt;
}

// What the prompt without a text leaves free in the window of whoever would be asked now.
Result<void> PartReader::measure(const documents::Document& document) {
  const auto frame = asker_.count(prompt_of({document, 0, 0}));
  if (!frame) return std::unexpected(frame.error());
  const std::int64_t window = frame->window.value_or(kWindowUnknown);
  const std::int64_t reply = std::min<std::int64_t>(setup_.recipe.max_tokens, window / 4);
  const std::int64_t left = window - frame->tokens - reply - window / kMarginShare;
  if (left < kPartLeast) {
    return fail(ErrorCode::too_large,
                fmt::format("the window of {} ({} tokens) leaves no room for a document beside the "
                            "question ({} tokens)",
                            frame->target.empty() ? "whoever answers" : frame->target, window,
                            frame->tokens));
  }
  room_ = Room{frame->target, std::min(left, setup_.recipe.part_tokens)};
  return {};
}

// A part that is estimated to fill most of its room is counted before it is asked.
Result<PartReader::Fit> PartReader::fits(const Prompt& prompt, const Part& part) {
  const std::int64_t estimate =
      safe_tokens(std::string_view(part.document.text).substr(part.from, part.to - part.from));
  if (estimate <= room_->tokens / 2) return Fit::good;
  const auto counted = asker_.count(prompt);
  if (!counted) return std::unexpected(counted.error());
  if (!counted->compacted.empty()) return Fit::smaller;
  if (!counted->window) return Fit::good;
  const std::int64_t reply = std::min<std::int64_t>(prompt.max_tokens, *counted->window / 4);
  return counted->tokens + counted->tokens / 20 + reply <= *counted->window ? Fit::good
                                                                            : Fit::smaller;
}

// The notes on a part, or nothing when it has to be smaller.
Result<std::optional<PartNotes>> PartReader::ask(const Prompt& prompt, const Part& part) {
  const bool divisible = part.to - part.from > 500;
  std::optional<std::vector<Claim>> claims;
  std::string who;
  // Twice at most: a model that does not keep to the form once may do so the next time.
  for (int i = 0; i < 2 && !claims; ++i) {
    const Result<Reply> reply = asker_.answer(prompt, {});
    if (!reply) {
      const bool too_long = reply.error().message.find("too long") != std::string::npos;
      if (is_callers_fault(reply.error()) && too_long && divisible) return std::nullopt;
      if (!is_callers_fault(reply.error())) return std::unexpected(reply.error());
      return fail(ErrorCode::bad_request, reply.error().message, reply.error().status);
    }
    count(effort_, *reply);
    who = reply->provider + "/" + reply->model;
    // Another target has another window.
    if (room_ && !room_->target.empty() && room_->target != who) room_.reset();
    const bool shortened = !reply->compacted.empty() || reply->stop_reason == "max_tokens";
    if (shortened && divisible) return std::nullopt;
    claims = read_claims(reply->text);
    if (claims || i == 0) continue;
    // Its words must do, if there are any: a part of which nothing is kept would count as read.
    const std::string words = documents::one_line(reply->text, kWordsBytesMax);
    if (words.empty() || reply->stop_reason == "refusal") {
      return fail(ErrorCode::bad_request,
                  who + (words.empty() ? " said nothing of it" : " refused to read it"));
    }
    claims = std::vector<Claim>{{words, "", "", false}};
  }
  PartNotes notes;
  notes.from = part.from;
  notes.to = part.to;
  notes.who = who;
  if (claims) notes.claims = std::move(*claims);
  return notes;
}

Result<PartNotes> PartReader::read_part(const documents::Document& document, std::size_t from) {
  double share = 1.0;
  for (int i = 0; i < kTriesMax; ++i, share *= 0.6) {
    if (!room_) {
      if (const auto measured = measure(document); !measured) {
        return std::unexpected(measured.error());
      }
    }
    const auto tokens = static_cast<std::int64_t>(static_cast<double>(room_->tokens) * share);
    const std::size_t to =
        document.text.empty() ? 0 : piece_end(document.text, from, std::max(tokens, kPartLeast));
    const Part part{document, from, to};
    const Prompt prompt = prompt_of(part);
    const auto fit = fits(prompt, part);
    if (!fit) return std::unexpected(fit.error());
    if (*fit == Fit::smaller) continue;
    auto notes = ask(prompt, part);
    if (!notes) return std::unexpected(notes.error());
    if (*notes) return std::move(**notes);
  }
  return fail(ErrorCode::bad_request, "no part of it is small enough for whoever answers");
}

Result<void> PartReader::read(const documents::Document& document, const std::string& digest) {
  // A document without text counts as one byte long, so that it is read and noted.
  const std::size_t size = std::max<std::size_t>(document.text.size(), 1);
  std::size_t from = 0;
  while (from < size) {
    if (const auto known = journal_.part_end(digest, from)) {
      ++effort_.known;
      from = *known;
      continue;
    }
    auto notes = read_part(document, from);
    if (!notes) return std::unexpected(notes.error());
    locate(notes->claims, document, notes->from, notes->to);
    notes->document = digest;
    notes->name = document.name;
    notes->to = std::max<std::size_t>(notes->to, 1);
    if (const auto added = journal_.add(*notes); !added) return added;
    claims_ += notes->claims.size();
    who_ = notes->who;
    from = notes->to;
  }
  return {};
}

}  // namespace nl::work
