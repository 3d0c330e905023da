// Profile: the short rendering of one client's system text, reminders and tools for a small model.
//
// A client is known by its user-agent. Its own long instructions give way to a few lines of ours;
// what it says of the user's machine and project stays: the sections and reminders that the profile
// does not name, texts of the user's own, and every tool with its name, its schema and its required
// fields. A client without a profile keeps everything but the length of tool descriptions. Pure;
// any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request.h"

namespace nl::standby {

struct ToolWords {
  std::string name;
  std::string description;
  // Beginnings of paragraphs of the client's description that stay behind it, and the list behind
  // them, each line cut to its first words: the names that an argument may take.
  std::vector<std::string> keep = {};

  friend bool operator==(const ToolWords&, const ToolWords&) = default;
};

struct Profile {
  std::string name;
  std::vector<std::string> agents;  // globs over the user-agent
  // A system text that holds one of these (ahead of the first line of `begins`) is the client's
  // own; others are kept whole.
  std::vector<std::string> marks;
  std::string system;  // put in its place; empty = it stays
  // Beginnings of lines. From the first such line on, a system text tells of the machine, the
  // project and the user, and stays, but for `leave_sections`. A text with none of them, and
  // without `ends`, is of a layout that is not known, and is kept whole.
  std::vector<std::string> begins;
  // Beginnings of the client's own last paragraphs: what stands behind them was added by somebody
  // else (`--append-system-prompt`) and stays.
  std::vector<std::string> ends;
  std::vector<std::string> keep_sections;  // headings ("# Environment") that stay of it
  // Beginnings of lines and paragraphs that are left out of what stays and of reminders. A list
  // behind such a paragraph goes with it.
  std::vector<std::string> leave_out;
  // Headings, with their marks ("## Types"), whose sections are left out of what stays from
  // `begins` on. A section ends at the next paragraph that begins with a heading of
  // any level, or is a rule ("---").
  std::vector<std::string> leave_sections;
  std::vector<ToolWords> tools;         // descriptions in place of the client's
  std::vector<std::string> core_tools;  // never slimmed away
  std::vector<std::string> tools_out;   // of no use on this machine's model
  std::size_t description_bytes = 240;  // of a tool without words of ours
  std::size_t property_bytes = 120;     // of a field in a schema

  friend bool operator==(const Profile&, const Profile&) = default;
};

// For clients that no profile names: over-long tool descriptions only.
const Profile& generic_profile();

// The first whose agents match; the generic one else.
const Profile& profile_for(std::span<const Profile> profiles, std::string_view client_agent);

// `request` in the profile's form. A stable function: the same message always becomes the same.
chat::Request profiled(const chat::Request& request, const Profile& profile);

}  // namespace nl::standby
