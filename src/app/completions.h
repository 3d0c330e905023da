// Completions: the scripts by which bash, zsh and fish complete `nightlight`, from its own words.
//
// The scripts run nothing of ours while somebody types. Pure.
#pragma once

#include <string>
#include <vector>

#include "app/command_words.h"

namespace nl::app {

std::string bash_completions(const std::vector<CommandWords>& commands);
std::string zsh_completions(const std::vector<CommandWords>& commands);
std::string fish_completions(const std::vector<CommandWords>& commands);

}  // namespace nl::app
