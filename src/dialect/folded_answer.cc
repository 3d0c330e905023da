#include "dialect/folded_answer.h"

namespace nl::dialect {

void FoldedAnswer::add(const chat::Event& event) {
  switch (event.kind) {
    case chat::EventKind::block_start:
      if (event.block == chat::BlockKind::tool) {
        calls.push_back({std::string(event.id.escaped), std::string(event.name.escaped), {}});
      }
      return;
    case chat::EventKind::delta:
      break;
    case chat::EventKind::finish:
      stop = event.stop;
      return;
    case chat::EventKind::start:
    case chat::EventKind::block_stop:
    case chat::EventKind::usage:
    case chat::EventKind::ping:
    case chat::EventKind::progress:
    case chat::EventKind::error:
      return;
  }
  switch (event.delta) {
    case chat::DeltaKind::text:
      text += event.text.escaped;
      return;
    case chat::DeltaKind::thinking:
      thinking += event.text.escaped;
      return;
    case chat::DeltaKind::arguments:
      if (!calls.empty()) calls.back().arguments += event.text.escaped;
      return;
    case chat::DeltaKind::signature:
    case chat::DeltaKind::opaque:
      return;
  }
}

}  // namespace nl::dialect
