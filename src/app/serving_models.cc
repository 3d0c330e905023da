#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <filesystem>

#include "app/serving.h"
#include "base/log.h"
#include "models/model_record.h"

namespace nl::app {

namespace asio = boost::asio;

namespace {

constexpr auto kLookEvery = std::chrono::seconds(2);

// Changes when a model is pulled or removed, or when the file `model` comes or goes.
std::string stamp_of(const engine::ModelStore& store, const std::string& model) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(store.folder() + "/manifests", error);
  const auto ticks = error ? 0 : written.time_since_epoch().count();
  return fmt::format("{} {}", ticks, std::filesystem::is_regular_file(model, error));
}

}  // namespace

// Looks for a better model for as long as there is none, or the self-test model stands in for one.
// Two looks at the disk's memory of a folder, every two seconds.
void Serving::watch_models() {
  if (!engine_ || (engine_choice_->trouble.empty() && !engine_choice_->self_test)) return;
  // The first look follows in any case: one may have come since the choice was made.
  if (!models_timer_) {
    models_timer_ = std::make_unique<asio::steady_timer>(workers_.front()->loop.io());
  }
  models_timer_->expires_after(kLookEvery);
  models_timer_->async_wait([this](const boost::system::error_code& error) {
    if (!error) look_for_models();
  });
}

void Serving::look_for_models() {
  std::string stamp = stamp_of(models::model_store(environment_), engine_choice_->wanted.model);
  if (draining_ || restarting_ || stamp == models_stamp_) return watch_models();
  models_stamp_ = std::move(stamp);
  chooser_ = std::jthread([this, wanted = config_.engine, &loop = workers_.front()->loop]() {
    auto choice = models::choose_engine(wanted, environment_, models::program_folder());
    asio::post(loop.io(), [this, choice = std::move(choice)]() { take_choice(choice); });
  });
}

void Serving::take_choice(models::EngineChoice choice) {
  if (choice.trouble.empty() && !choice.self_test) {
    log::info("engine: takes the model {} that has appeared", choice.model.name);
    engine_choice_ = std::move(choice);
    engine_->use(*engine_choice_);
    publish(published_);
  }
  watch_models();
}

}  // namespace nl::app
