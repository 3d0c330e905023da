// JSON made shorter without changing what it means to a machine: a tool's schema without long
// descriptions, a call's arguments without their long texts.
//
// Keys, types, enumerations and required fields stay, in their order. What does not parse comes
// back as it was. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/text.h"
#include "standby/cut_text.h"

namespace nl::standby {

// Descriptions within at most `description_bytes` each; titles, examples and $schema left out.
std::string short_schema(chat::JsonRaw schema, std::size_t description_bytes);

// Strings that are worth cutting are cut to `size`.
std::string short_arguments(std::string_view json, CutSize size);

}  // namespace nl::standby
