#include "work/synthesis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "http/digest.h"
#include "work/part_reader.h"
#include "work/pieces.h"

namespace nl::work {
namespace {

constexpr std::int64_t kWindowUnknown = 16'384;
constexpr std::int64_t kNotesLeast = 200;
constexpr std::int64_t kMarginShare = 16;
// Notes are never more than this at once, however large the window is: a model reads many notes
// worse than few.
constexpr std::int64_t kNotesMost = 24'000;
// A group becomes so much smaller at least, or nothing would ever fit.
constexpr std::int64_t kShrink = 4;
constexpr int kRoundsMax = 12;
constexpr int kTriesMax = 4;

std::int64_t tokens_of(const std::vector<Note>& notes) {
  std::int64_t tokens = 0;
  for (const Note& note : notes) tokens += safe_tokens(line_of(note));
  return tokens;
}

bool is_too_long(const Error& error) {
  return error.code == ErrorCode::status && error.status == 400 &&
         error.message.find("too long") != std::string::npos;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string text_of(const std::vector<Note>& notes) {
  std::string text;
  for (const Note& note : notes) text += line_of(note);
  return text;
}

// The first notes that fit in `tokens`; one at least.
std::vector<Note> first_that_fit(std::vector<Note>& notes, std::int64_t tokens) {
  std::vector<Note> group;
  std::int64_t taken = 0;
  std::size_t count = 0;
  for (; count < notes.size(); ++count) {
    taken += safe_tokens(line_of(notes[count]));
    if (count > 0 && taken > tokens) break;
  }
  const auto end = notes.begin() + static_cast<std::ptrdiff_t>(count);
  group.assign(std::make_move_iterator(notes.begin()), std::make_move_iterator(end));
  notes.erase(notes.begin(), end);
  return group;
}

}  // namespace

// Numbers every claim, in the order of the documents. Claims themselves stay in the journal.
Result<void> Synthesis::number(const std::vector<ReadDocument>& documents) {
  parts_.clear();
  notes_ = 0;
  documents_ = documents.size();
  for (const ReadDocument& document : documents) {
    for (const std::uint64_t place : journal_.parts_of(document.digest)) {
      const auto part = journal_.read(place);
      if (!part) return std::unexpected(part.error());
      if (part->claims.empty()) continue;
      parts_.push_back({place, notes_ + 1, &document});
      notes_ += part->claims.size();
    }
  }
  return {};
}

Prompt Synthesis::prompt_of(std::string_view text, const std::string& notes) const {
  using Place = std::pair<std::string_view, std::string_view>;
  const std::string documents =
      fmt::format("{} document{}", documents_, documents_ == 1 ? "" : "s");
  const std::array places = {Place{"words", setup_.words}, Place{"documents", documents},
                             Place{"notes", notes}};
  Prompt prompt = setup_.base;
  prompt.system = fill(setup_.recipe.system, {});
  prompt.text = fill(text, places);
  prompt.max_tokens = setup_.recipe.answer_tokens;
  return prompt;
}

Result<void> Synthesis::measure() {
  const auto frame = asker_.count(prompt_of(setup_.recipe.answer, ""));
  if (!frame) return std::unexpected(frame.error());
  const std::int64_t window = frame->window.value_or(kWindowUnknown);
  const std::int64_t reply = std::min<std::int64_t>(setup_.recipe.answer_tokens, window / 4);
  const std::int64_t left = window - frame->tokens - reply - window / kMarginShare;
  room_ = std::min(static_cast<std::int64_t>(static_cast<double>(left) * share_), kNotesMost);
  if (room_ < kNotesLeast) {
    return fail(ErrorCode::too_large, fmt::format("the window of {} ({} tokens) is too small for "
                                                  "notes beside the question",
                                                  frame->target, window));
  }
  return {};
}

// Asks, unless the journal has what came of the same words before.
Result<MadeText> Synthesis::made(const Prompt& prompt, const OnText& on_text) {
  const std::string digest =
      http::sha256_hex(fmt::format("{}\n{}", prompt.max_tokens, prompt.text));
  if (auto known = journal_.text(digest)) {
    if (on_text) on_text(known->text);
    return std::move(*known);
  }
  const Result<Reply> reply = asker_.answer(prompt, on_text);
  if (!reply && is_too_long(reply.error())) {
    return fail(ErrorCode::too_large, reply.error().message);
  }
  if (!reply) return std::unexpected(reply.error());
  count(effort_, *reply);
  who_ = reply->provider + "/" + reply->model;
  if (!reply->compacted.empty()) {
    return fail(ErrorCode::too_large, fmt::format("{} has a smaller window than was said and left "
                                                  "out: {}",
                                                  who_, reply->compacted));
  }
  if (reply->stop_reason == "refusal") {
    return fail(ErrorCode::not_an_answer, who_ + " refused to answer from the notes");
  }
  // Silence is not kept: the next time there may be words.
  if (is_blank(reply->text)) return MadeText();
  MadeText text{reply->text, reply->stop_reason == "max_tokens"};
  if (const auto added = journal_.add_text(digest, text); !added) {
    return std::unexpected(added.error());
  }
  return text;
}

// One group in fewer words. Notes of which nothing comes back held nothing on the question; that is
// told.
Result<std::vector<Note>> Synthesis::shortened(const std::vector<Note>& group, ResearchView& view) {
  Prompt prompt = prompt_of(setup_.recipe.merge, text_of(group));
  prompt.max_tokens = static_cast<std::uint32_t>(std::max(room_ / kShrink, kNotesLeast));
  const auto text = made(prompt, {});
  if (!text) return std::unexpected(text.error());
  // What was behind the cut would be lost.
  if (text->cut && group.size() > 1) return halved(group, view);
  if (text->cut) return group;
  std::vector<std::size_t> known;
  for (const Note& note : group) {
    known.insert(known.end(), note.sources.begin(), note.sources.end());
  }
  auto notes = read_notes(text->text, [&known](std::size_t number) {
    return std::ranges::find(known, number) != known.end();
  });
  if (notes.empty()) {
    view.note(fmt::format("{} notes held nothing on the question when they were shortened",
                          group.size()));
  }
  return notes;
}

Result<std::vector<Note>> Synthesis::halved(const std::vector<Note>& group, ResearchView& view) {
  const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
  auto notes = shortened({group.begin(), middle}, view);
  if (!notes) return notes;
  auto rest = shortened({middle, group.end()}, view);
  if (!rest) return rest;
  std::ranges::move(*rest, std::back_inserter(*notes));
  return notes;
}

Result<std::vector<Note>> Synthesis::condensed(std::vector<Note> notes, ResearchView& view) {
  std::vector<Note> fewer;
  while (!notes.empty()) {
    const std::vector<Note> group = first_that_fit(notes, room_);
    auto shorter = shortened(group, view);
    if (!shorter) return shorter;
    std::ranges::move(*shorter, std::back_inserter(fewer));
  }
  return fewer;
}

// All notes as they were made, shortened group by group while they are read, so that only what is
// short is kept.
Result<std::vector<Note>> Synthesis::first_notes(ResearchView& view) {
  std::vector<Note> kept;
  std::vector<Note> group;
  std::int64_t tokens = 0;
  bool fits = true;
  for (const Numbered& part : parts_) {
    const auto notes = journal_.read(part.place);
    if (!notes) return std::unexpected(notes.error());
    for (std::size_t i = 0; i < notes->claims.size(); ++i) {
      Note note{{part.first + i}, without_numbers(notes->claims[i].text)};
      const std::int64_t more = safe_tokens(line_of(note));
      if (!group.empty() && tokens + more > room_) {
        fits = false;
        auto shorter = shortened(group, view);
        if (!shorter) return shorter;
        std::ranges::move(*shorter, std::back_inserter(kept));
        group.clear();
        tokens = 0;
      }
      tokens += more;
      group.push_back(std::move(note));
    }
  }
  if (fits) return group;
  auto shorter = shortened(group, view);
  if (!shorter) return shorter;
  std::ranges::move(*shorter, std::back_inserter(kept));
  return kept;
}

Result<std::string> Synthesis::answer(const std::vector<ReadDocument>& documents,
                                      ResearchView& view, const OnText& on_text) {
  if (const auto numbered = number(documents); !numbered) return std::unexpected(numbered.error());
  if (notes_ == 0) return std::string();
  for (int i = 1; i < kTriesMax; ++i, share_ *= 0.7) {
    auto answer = from_notes(view, on_text);
    if (answer || answer.error().code != ErrorCode::too_large) return answer;
    view.note(answer.error().message + "; trying with fewer notes at once");
  }
  return from_notes(view, on_text);
}

Result<std::string> Synthesis::from_notes(ResearchView& view, const OnText& on_text) {
  if (const auto measured = measure(); !measured) return std::unexpected(measured.error());
  auto notes = first_notes(view);
  if (!notes) return std::unexpected(notes.error());
  for (int round = 0; tokens_of(*notes) > room_; ++round) {
    const std::int64_t before = tokens_of(*notes);
    notes = condensed(std::move(*notes), view);
    if (!notes) return std::unexpected(notes.error());
    if (round == kRoundsMax || tokens_of(*notes) >= before) {
      return fail(ErrorCode::too_large,
                  "whoever answers does not make the notes shorter, so that they do not fit in one "
                  "answer; choose another target with --tier");
    }
  }
  if (notes->empty()) return std::string();
  auto answer = made(prompt_of(setup_.recipe.answer, text_of(*notes)), on_text);
  if (!answer) return std::unexpected(answer.error());
  if (is_blank(answer->text)) {
    return fail(ErrorCode::empty_answer, who_ + " said nothing when it was asked for the answer");
  }
  cut_ = answer->cut;
  return std::move(answer->text);
}

Result<std::vector<Source>> Synthesis::sources(const std::vector<std::size_t>& numbers) const {
  std::vector<Source> sources;
  for (const std::size_t number : numbers) {
    if (number == 0 || number > notes_) continue;
    const auto behind = std::ranges::upper_bound(parts_, number, {}, &Numbered::first);
    const Numbered& part = *std::prev(behind);
    const auto notes = journal_.read(part.place);
    if (!notes) return std::unexpected(notes.error());
    const Claim& claim = notes->claims.at(number - part.first);
    sources.push_back(
        {number, part.document->name, claim.place, claim.text, claim.quote, claim.found});
  }
  return sources;
}

}  // namespace nl::work
