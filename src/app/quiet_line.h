// The line that a person reads while an answer is long in coming: what is waited for, and how long
// at most.
//
// A model that loads, or reads a long text, looks from here like one that is away, so the line says
// both. To standard error, on a terminal or not; answers go to standard output. Main thread.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "work/endpoint.h"

namespace nl::app {

// `route` as in work::Prompt. A cloud is often silent for a few seconds, this machine is not.
work::EndpointLimits endpoint_limits(std::string_view route);

std::string quiet_line(const config::Config& config, std::string_view target);

// Prints it, once.
work::OnQuiet say_what_is_awaited(const config::Config& config);

}  // namespace nl::app
