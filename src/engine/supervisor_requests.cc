#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "engine/supervisor_core.h"

namespace nl::engine {

// --- Requests ---

void Supervisor::Core::ask() {
  if (halted_ || closing_) return;
  if (policy_.given_up()) {
    // Whoever asks waits for this word before giving up as well.
    state_.trying = policy_.allow_one_more(loop_.now());
    board_->write(state_);
    if (!state_.trying) return;
  }
  asked_ = true;
  wake_.notify();
}

void Supervisor::Core::start() {
  halted_ = false;
  preparation_.allow();
  asked_ = true;
  policy_.asked();
  state_.halted = false;
  board_->write(state_);
  wake_.notify();
}

void Supervisor::Core::halt() {
  halted_ = true;
  asked_ = false;
  preparation_.stop();
  drop_question();
  wake_.notify();
}

void Supervisor::Core::use(Wanted wanted) {
  next_ = std::move(wanted);
  policy_.asked();
  wake_.notify();
}

void Supervisor::Core::report_stall() {
  if (child_ == nullptr) return;
  stall_reported_ = true;
  wake_.notify();
}

void Supervisor::Core::begin_hand_over() {
  handing_over_ = true;
  preparation_.stop();
  drop_question();
  wake_.notify();
}

void Supervisor::Core::close() {
  closing_ = true;
  if (child_ != nullptr) child_->kill();
  if (begun_ > 0) kill_group(begun_, SIGKILL);
  if (adopted_) kill_group(adopted_->pid, SIGKILL);
  preparation_.stop();
  wake_.notify();
  worker_.join();
  preparation_.clean_up();
}

// --- What others see ---

void Supervisor::Core::show(Condition condition, std::string reason) {
  const Condition before = state_.condition;
  const bool news = before != condition || state_.reason != reason;
  state_.condition = condition;
  state_.reason = std::move(reason);
  state_.halted = halted_;
  state_.trying = condition == Condition::failed && !policy_.given_up();
  state_.pid = child_ == nullptr ? -1 : child_->pid();
  if (child_ == nullptr) state_.resident_bytes = 0;
  if (condition == Condition::ready && before != condition) state_.ready_since = loop_.now();
  board_->write(state_);
  if (!news) return;
  const char* const colon = state_.reason.empty() ? "" : ": ";
  if (condition == Condition::failed) {
    log::warn("engine {}{}{}", name(condition), colon, state_.reason);
  } else {
    log::info("engine {}{}{}", name(condition), colon, state_.reason);
  }
}

void Supervisor::Core::describe(const Prepared& prepared) {
  state_.program = prepared.plan.program;
  state_.program_version = prepared.program_version;
  state_.model_path = prepared.plan.model;
  state_.model_name = prepared.facts.name;
  if (state_.model_name.empty()) {
    state_.model_name = std::filesystem::path(prepared.plan.model).stem().string();
  }
  state_.is_ember = prepared.facts.is_ember;
  state_.takes_images = !prepared.plan.projector.empty();
  state_.senses.reset();
  state_.context_tokens = prepared.plan.context_tokens;
  state_.slots = prepared.plan.slots;
  state_.note = prepared.plan.note;
  if (prepared.known) show_rates(prepared, *prepared.known);
}

void Supervisor::Core::note_failure(std::string reason) {
  policy_.failed(loop_.now());
  last_reason_ = std::move(reason);
  if (policy_.given_up()) {
    last_reason_ = fmt::format("given up after {} ends without an answer: {}",
                               RestartPolicy::kFailuresMax, last_reason_);
    asked_ = start_ == Start::eager;
  }
  show(Condition::failed, last_reason_);
}

}  // namespace nl::engine
