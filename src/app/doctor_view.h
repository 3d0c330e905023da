// What the doctor has found, told to people or to programs; commands print it.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "app/doctor_look.h"

namespace nl::app {

enum class Ink : std::uint8_t { plain, coloured };

// Ends with a line end.
std::string diagnosis_text(const Diagnosis& diagnosis, Ink ink);
std::string diagnosis_json(const Diagnosis& diagnosis);

}  // namespace nl::app
