#include "app/serve.h"

#include <optional>

#include "app/serving.h"
#include "base/hardening.h"
#include "base/log.h"

namespace nl::app {

int serve(const CliOptions& options) {
  harden_process();
  keep_freed_memory();
  log::set_level(options.level);
  Environment environment = Environment::of_process();
  std::optional<Handover> handover = take_handover(environment);
  const Successor successor(options.words, environment);
  if (options.rehearse) return Serving(options, environment, successor).rehearse();
  for (;;) {
    int status = 0;
    {
      Serving serving(options, environment, successor);
      if (handover) serving.adopt(*std::exchange(handover, std::nullopt));
      status = serving.run();
      handover = serving.take_handover();
    }
    if (!handover) return status;
    const Error failed = successor.execute(*handover);
    log::error("restart failed, this program goes on: {}", failed.message);
  }
}

}  // namespace nl::app
