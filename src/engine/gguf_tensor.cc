#include "engine/gguf_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/gguf.h"

namespace nl::engine {
namespace {

constexpr std::uint32_t kDimensionsMax = 4;
constexpr std::uint64_t kElementsMax = 1ULL << 48U;

// Elements of a block and its bytes, by the type's number; no bytes = no such type in a file.
struct Packing {
  std::uint16_t elements = 0;
  std::uint16_t bytes = 0;
};
constexpr std::array<Packing, 43> kPackings = {{
    {1, 4},     {1, 2},     {32, 18},   {32, 20},  {0, 0},     {0, 0},     {32, 22},  // f32 q5_0
    {32, 24},   {32, 34},   {32, 36},   {256, 84}, {256, 110}, {256, 144},            // q5_1 q4_K
    {256, 176}, {256, 210}, {256, 292}, {256, 66}, {256, 74},  {256, 98},             // q5_K iq3
    {256, 50},  {32, 18},   {256, 110}, {256, 82}, {256, 136},                        // iq1_s iq4
    {1, 1},     {1, 2},     {1, 4},     {1, 8},    {1, 8},                            // i8 f64
    {256, 56},  {1, 2},     {0, 0},     {0, 0},    {0, 0},                            // iq1_m bf16
    {256, 54},  {256, 66},  {0, 0},     {0, 0},    {0, 0},                            // tq1_0
    {32, 17},   {64, 36},   {128, 18},  {64, 18},                                     // mxfp4
}};

bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == ':';
  }) && name.find("..") == std::string::npos;
}

struct Shape {
  std::uint64_t row = 0;  // elements of the first dimension
  std::uint64_t elements = 1;
};

Result<Shape> read_shape(GgufReader& reader, const std::string& name) {
  const auto dimensions = reader.u32();
  if (!dimensions) return std::unexpected(dimensions.error());
  if (*dimensions == 0 || *dimensions > kDimensionsMax) {
    return fail(ErrorCode::config, fmt::format("tensor {} has {} dimensions, 1 to {} are possible",
                                               name, *dimensions, kDimensionsMax));
  }
  Shape shape;
  for (std::uint32_t i = 0; i < *dimensions; ++i) {
    const auto size = reader.u64();
    if (!size) return std::unexpected(size.error());
    if (*size == 0 || *size > kElementsMax || shape.elements > kElementsMax / *size) {
      return fail(ErrorCode::config,
                  fmt::format("tensor {} has an impossible size, {} in dimension {}", name,
                              static_cast<std::int64_t>(*size), i + 1));
    }
    if (i == 0) shape.row = *size;
    shape.elements *= *size;
  }
  return shape;
}

}  // namespace

Result<GgufTensor> read_tensor(GgufReader& reader) {
  GgufTensor tensor;
  auto name = reader.string(kNameBytesMax, "the name of a tensor");
  if (!name) return std::unexpected(std::move(name.error()));
  if (!is_name(*name)) {
    return fail(ErrorCode::config, "has a tensor whose name is empty or no plain name");
  }
  tensor.name = std::move(*name);
  const auto shape = read_shape(reader, tensor.name);
  if (!shape) return std::unexpected(shape.error());
  const auto type = reader.u32();
  if (!type) return std::unexpected(type.error());
  const Packing packing = *type < kPackings.size() ? kPackings[*type] : Packing();
  if (packing.bytes == 0) {
    return fail(ErrorCode::config,
                fmt::format("tensor {} has the unknown type {}", tensor.name, *type));
  }
  if (shape->row % packing.elements != 0) {
    return fail(ErrorCode::config, fmt::format("tensor {} has rows of {} elements, not a multiple "
                                               "of {} as its type needs",
                                               tensor.name, shape->row, packing.elements));
  }
  tensor.elements = shape->elements;
  // Below 2^48 elements and 292 bytes a block this cannot overflow.
  tensor.bytes = shape->elements / packing.elements * packing.bytes;
  const auto offset = reader.u64();
  if (!offset) return std::unexpected(offset.error());
  tensor.offset = *offset;
  return tensor;
}

}  // namespace nl::engine
