// standby_trace: four agent windows, a cloud that may fail at any moment, and an engine that reads
// at a given rate: how often does a failover land warm, and how long is it to the first token?
//
// A simulation: windows, cloud and engine are made up by rule, on a clock of its own; what decides
// what is read when is the real ConversationBook over real rendered requests. A failover is warm
// when nothing but the turn that fails over is left to read. The local profile is the size of the
// system text and tools that the local tier is asked with. Prints a Markdown table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "standby/conversation_book.h"

namespace {

using namespace nl;
using standby::ConversationBook;
using standby::Job;

constexpr double kBytesPerToken = 4;
constexpr int kWindows = 4;
constexpr int kBatchTokens = 256;
constexpr double kHours = 3;
constexpr std::size_t kCompactAtTokens = 24'000;

Instant at(double seconds) {
  return Instant(std::chrono::hours(1)) +
         std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::string text(std::size_t tokens) {
  std::string made;
  const auto bytes = static_cast<std::size_t>(static_cast<double>(tokens) * kBytesPerToken);
  while (made.size() < bytes) made += "a line of what an agent reads ";
  made.resize(bytes);
  return made;
}

class LlamaRenderer final : public standby::Renderer {
 public:
  Result<std::string> render(const chat::Request& request) const override {
    dialect::EncodeOptions options;
    options.model = "m";
    options.server = dialect::Server::llama_server;
    options.purpose = dialect::Purpose::read_ahead;
    return dialect::dialect(dialect::DialectId::openai_chat).encode_request(request, options);
  }
};

// One turn of one window: the request, and how long the cloud takes for its answer.
struct Turn {
  double began = 0;
  double answered = 0;
  int window = 0;
  std::string id;
  std::string messages;  // of the request
  std::size_t tokens = 0;
  std::size_t fresh = 0;  // of them, those of the newest message
  std::size_t answer = 0;
};

// An agent works in bursts of turns, then its person reads and thinks.
std::vector<Turn> window_turns(int window, std::mt19937& random) {
  std::vector<Turn> turns;
  std::lognormal_distribution<double> result(6.3, 0.9);  // half of them below 545 tokens
  std::uniform_real_distribution<double> cloud(6, 20), tool(1, 12), think(60, 420);
  std::uniform_int_distribution<int> burst(4, 16), said(60, 500);
  double now = 30.0 * window;
  std::string messages;
  std::size_t tokens = 0;
  int number = 0;
  while (now < kHours * 3600) {
    for (int left = burst(random); left > 0 && now < kHours * 3600; --left) {
      Turn turn;
      turn.window = window;
      turn.fresh = std::clamp<std::size_t>(static_cast<std::size_t>(result(random)), 60, 6000);
      if (tokens + turn.fresh > kCompactAtTokens) {
        messages.clear();  // the client sums up and goes on
        tokens = 0;
        turn.fresh = 2500;
      }
      messages += messages.empty() ? "" : ",";
      messages += fmt::format(R"({{"role":"user","content":"{} {} {}"}})", window, number,
                              text(turn.fresh));
      tokens += turn.fresh;
      turn.id = fmt::format("{}-{}", window, number++);
      turn.messages = messages;
      turn.tokens = tokens;
      turn.began = now;
      turn.answered = now + cloud(random);
      turn.answer = static_cast<std::size_t>(said(random));
      messages +=
          fmt::format(R"(,{{"role":"assistant","content":[{{"type":"text","text":"{}"}}]}})",
                      text(turn.answer));
      tokens += turn.answer;
      now = turn.answered + tool(random);
      turns.push_back(std::move(turn));
    }
    now += think(random);
  }
  return turns;
}

chat::KeptAnswer answer_of(const Turn& turn) {
  chat::KeptAnswer kept;
  chat::Event event;
  event.kind = chat::EventKind::block_start;
  kept.add(event);
  event.kind = chat::EventKind::delta;
  const std::string said = text(turn.answer);
  event.text = chat::JsonText{said};
  kept.add(event);
  event.kind = chat::EventKind::finish;
  kept.add(event);
  return kept;
}

struct Setup {
  double rate = 0;          // tokens a second
  std::size_t profile = 0;  // tokens of system text and tools
  bool reads_ahead = true;
};

struct Failover {
  double first_token = 0;
  bool warm = false;
};

class Simulation {
 public:
  Simulation(const Setup& setup, const std::vector<Turn>& turns)
      : setup_(setup), turns_(turns), system_(text(setup.profile)) {}

  std::vector<Failover> run() {
    std::size_t began = 0;
    std::vector<const Turn*> open;
    while (began < turns_.size() || !open.empty()) {
      const auto first = std::ranges::min_element(open, {}, &Turn::answered);
      const bool answers = first != open.end() &&
                           (began == turns_.size() || (*first)->answered < turns_[began].began);
      const double when = answers ? (*first)->answered : turns_[began].began;
      read_until(when);
      if (answers) {
        book_.turn_answered((*first)->id, answer_of(**first), at(now_));
        open.erase(first);
      } else {
        const Turn& turn = turns_[began++];
        failovers_.push_back(failover(turn));  // as if the cloud were gone just now
        begin(turn);
        open.push_back(&turn);
      }
    }
    return failovers_;
  }

 private:
  void begin(const Turn& turn) {
    standby::SeenTurn seen;
    seen.id = turn.id;
    seen.conversation = static_cast<std::uint64_t>(turn.window + 1);
    seen.body = body(turn);
    seen.dialect = dialect::DialectId::anthropic;
    seen.renderer = renderer_;
    if (setup_.reads_ahead) book_.turn_began(std::move(seen), at(now_));
  }

  std::string body(const Turn& turn) const {
    return fmt::format(R"({{"model":"c","max_tokens":9,"system":"{}","messages":[{}],"tools":[{{)"
                       R"("name":"Bash","input_schema":{{"type":"object","properties":{{}}}}}}]}})",
                       system_, turn.messages);
  }

  static std::size_t tokens(std::size_t bytes) {
    return static_cast<std::size_t>(static_cast<double>(bytes) / kBytesPerToken);
  }

  // The first token of `turn`, were it asked here now: what is left to read, and the batch that is
  // under way.
  Failover failover(const Turn& turn) const {
    dialect::Document document;
    const std::string asked = body(turn);
    if (!document.parse(asked)) return {};
    auto request = dialect::dialect(dialect::DialectId::anthropic).decode_request(document);
    const auto prompt = standby::Prompt::of(*renderer_->render(*request));
    std::size_t held = shared_ ? shared_bytes_ : 0;
    for (const auto& [key, mark] : held_) {
      if (prompt->begins_with(mark)) held = std::max(held, mark.bytes);
    }
    if (job_ && prompt->begins_with(job_->prompt.mark())) held = std::max(held, job_bytes_);
    const double left = static_cast<double>(tokens(prompt->mark().bytes - held));
    Failover made;
    made.first_token = (left + (job_ ? kBatchTokens / 2.0 : 0.0)) / setup_.rate;
    made.warm = left <= static_cast<double>(turn.fresh) * 1.05 + 40;
    return made;
  }

  // The engine's work up to `when`, a batch at a time.
  void read_until(double when) {
    while (now_ < when) {
      if (!job_) take();
      if (!job_) {
        now_ = when;
        return;
      }
      const double step = kBatchTokens / setup_.rate;
      if (now_ + step > when && left_ > kBatchTokens) {
        // The batch goes on behind the event; its end is seen there.
        const double part = (when - now_) * setup_.rate;
        left_ -= part;
        job_bytes_ = total_bytes_ - bytes_of(left_);
        now_ = when;
        if (book_.outdated(*job_, at(now_))) drop();
        return;
      }
      const double reads = std::min<double>(left_, kBatchTokens);
      now_ += reads / setup_.rate;
      left_ -= reads;
      job_bytes_ = total_bytes_ - bytes_of(left_);
      book_.progress(*job_, static_cast<std::int64_t>(tokens(job_bytes_)),
                     static_cast<std::int64_t>(tokens(total_bytes_)));
      if (left_ < 1) {
        finish();
      } else if (book_.outdated(*job_, at(now_))) {
        drop();
      }
    }
  }

  static std::size_t bytes_of(double count) {
    return static_cast<std::size_t>(std::max(0.0, count) * kBytesPerToken);
  }

  void take() {
    if (!setup_.reads_ahead) return;
    job_ = book_.next(at(now_));
    if (!job_) return;
    total_bytes_ = job_->prompt.mark().bytes;
    std::size_t held = shared_ ? shared_bytes_ : 0;
    const auto own = held_.find(job_->key);
    if (own != held_.end() && job_->prompt.begins_with(own->second)) {
      held = std::max(held, own->second.bytes);
    }
    const auto part = parts_.find(job_->key);
    if (part != parts_.end() && part->second.first == job_->prompt.mark()) {
      held = std::max(held, part->second.second);
    }
    held = job_->place == standby::Place::empty ? 0 : std::min(held, total_bytes_);
    job_bytes_ = held;
    left_ = static_cast<double>(tokens(total_bytes_ - held)) + 1;
    started_ = now_;
    reads_ = left_;
  }

  void finish() {
    standby::Outcome outcome;
    outcome.tokens = static_cast<std::int64_t>(tokens(total_bytes_));
    outcome.read = static_cast<std::int64_t>(reads_);
    outcome.read_ms = static_cast<std::int64_t>((now_ - started_) * 1000);
    if (job_->kind == standby::JobKind::prefix) {
      shared_ = true;
      shared_bytes_ = total_bytes_;
    } else {
      held_[job_->key] = job_->prompt.mark();
    }
    book_.finished(*job_, outcome, at(now_));
    job_.reset();
  }

  void drop() {
    parts_[job_->key] = {job_->prompt.mark(), job_bytes_};
    book_.interrupted(*job_);
    job_.reset();
  }

  const Setup setup_;
  const std::vector<Turn>& turns_;
  const std::string system_;
  std::shared_ptr<const standby::Renderer> renderer_ = std::make_shared<LlamaRenderer>();
  ConversationBook book_{standby::BookLimits()};
  std::vector<Failover> failovers_;
  std::map<std::uint64_t, standby::Mark> held_;
  std::map<std::uint64_t, std::pair<standby::Mark, std::size_t>> parts_;
  std::optional<Job> job_;
  double now_ = 0;
  double left_ = 0;
  double reads_ = 0;
  double started_ = 0;
  std::size_t total_bytes_ = 0;
  std::size_t job_bytes_ = 0;
  std::size_t shared_bytes_ = 0;
  bool shared_ = false;
};

void print_row(const std::string& name, const Setup& setup, const std::vector<Turn>& turns) {
  std::vector<Failover> found = Simulation(setup, turns).run();
  std::vector<double> times;
  double warm = 0;
  for (const Failover& one : found) {
    times.push_back(one.first_token);
    warm += one.warm ? 1 : 0;
  }
  std::ranges::sort(times);
  const auto percentile = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  };
  fmt::print("| {:.0f} | {} | {:.0f} % | {:.1f} s | {:.1f} s |\n", setup.rate, name,
             100 * warm / static_cast<double>(times.size()), percentile(0.5), percentile(0.9));
}

}  // namespace

int main() {
  std::vector<Turn> turns;
  std::mt19937 random(20'260'402);
  for (int window = 0; window < kWindows; ++window) {
    for (Turn& turn : window_turns(window, random)) turns.push_back(std::move(turn));
  }
  std::ranges::sort(turns, {}, &Turn::began);
  fmt::print("{} windows, {:.0f} hours, {} turns, each of them once the failover\n\n", kWindows,
             kHours, turns.size());
  fmt::print(
      "| reads, tokens/s | standby; system and tools | land warm | first token p50 | p90 |\n");
  fmt::print("|---|---|---|---|---|\n");
  for (const double rate : {45.0, 85.0, 400.0, 1600.0}) {
    print_row("none; 14,000 tokens", {rate, 14'000, false}, turns);
    print_row("none; local profile, 3,000 tokens", {rate, 3'000, false}, turns);
    print_row("on; 14,000 tokens", {rate, 14'000, true}, turns);
    print_row("on; local profile, 3,000 tokens", {rate, 3'000, true}, turns);
  }
  return 0;
}
