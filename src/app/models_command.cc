#include "app/models_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "models/catalogue.h"
#include "models/model_details.h"
#include "models/model_list.h"
#include "models/removal.h"
#include "models/size_choice.h"
#include "models/size_table.h"

namespace nl::app {
namespace {

int complain(std::string_view text) {
  fmt::print(stderr, "nightlight: {}\n", text);
  return 1;
}

int list_sizes(const CliOptions& options, const Environment& environment) {
  const engine::Machine machine = models::measured_machine(
      environment, options.measure ? models::Measure::anew : models::Measure::once);
  if (options.form == Form::json) {
    fmt::print("{}\n", models::sizes_json(models::catalogue(), machine));
  } else {
    fmt::print("{}", models::sizes_text(models::catalogue(), machine));
  }
  return 0;
}

}  // namespace

int list_models(const CliOptions& options, const Environment& environment) {
  if (options.fit) return list_sizes(options, environment);
  const models::ModelList list = models::model_list(environment);
  if (options.form == Form::json) {
    fmt::print("{}\n", models::list_json(list));
  } else {
    fmt::print("{}", models::list_text(list));
  }
  return 0;
}

int show_model(const CliOptions& options, const config::Config& config,
               const Environment& environment) {
  const auto details = models::model_details(options.subject, config.engine, environment);
  if (!details) return complain(details.error().message);
  if (options.form == Form::json) {
    fmt::print("{}\n", models::details_json(*details));
  } else {
    fmt::print("{}", models::details_text(*details));
  }
  return 0;
}

int remove_model(const CliOptions& options, const Environment& environment) {
  const engine::ModelStore store = models::model_store(environment);
  const auto removal = options.subject.empty() ? models::remove_unfinished(store)
                                               : models::remove_model(store, options.subject);
  if (!removal) return complain(removal.error().message);
  fmt::print("{}\n", options.form == Form::json ? models::removal_json(*removal)
                                                : models::removal_text(*removal));
  return 0;
}

}  // namespace nl::app
