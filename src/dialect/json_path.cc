#include "dialect/json_path.h"

#include <fmt/format.h>

#include <cstdint>

namespace nl::dialect {
namespace {

constexpr std::size_t kPathBytesMax = 200;
constexpr int kStatusBadRequest = 400;

bool holds(const Value& outer, const Value& inner) {
  return inner.offset() >= outer.offset() && inner.offset() < outer.offset() + outer.raw().size();
}

// One step down towards `at`; absent when `at` is no child of `from`.
struct Step {
  Value child;
  std::uint32_t index = 0;
};
Step step_towards(const Value& from, const Value& at) {
  std::uint32_t index = 0;
  for (Value child = from.first(); child; child = child.next()) {
    if (holds(child, at)) return {child, index};
    ++index;
  }
  return {};
}

std::string cut(std::string path) {
  if (path.size() > kPathBytesMax) {
    path.resize(kPathBytesMax);
    // No half character: an error text is sent to the client as JSON.
    while (!path.empty() && (static_cast<unsigned char>(path.back()) & 0xC0) == 0x80) {
      path.pop_back();
    }
    if (!path.empty() && static_cast<unsigned char>(path.back()) >= 0xC0) path.pop_back();
    path += "...";
  }
  return path;
}

}  // namespace

std::string json_path(const Value& root, const Value& at) {
  std::string path;
  Value value = root;
  while (value && value.offset() != at.offset() && path.size() <= kPathBytesMax) {
    const Step step = step_towards(value, at);
    if (!step.child) break;
    if (value.is_array()) {
      path += fmt::format("[{}]", step.index);
    } else {
      if (!path.empty()) path += '.';
      path += step.child.key().utf8();
    }
    value = step.child;
  }
  return cut(std::move(path));
}

std::unexpected<Error> refuse_type(const Value& root, const Value& at, std::string_view what) {
  const std::string path = json_path(root, at);
  return fail(
      ErrorCode::bad_request,
      path.empty() ? fmt::format("expected {}", what) : fmt::format("{}: expected {}", path, what),
      kStatusBadRequest);
}

std::unexpected<Error> refuse_missing(const Value& root, const Value& object,
                                      std::string_view name) {
  const std::string path = json_path(root, object);
  return fail(ErrorCode::bad_request,
              path.empty() ? fmt::format("{}: field required", name)
                           : fmt::format("{}.{}: field required", path, name),
              kStatusBadRequest);
}

}  // namespace nl::dialect
