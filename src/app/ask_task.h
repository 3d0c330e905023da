// AskTask: what `ask` was asked for, sorted and checked, and the work on it by way.
//
// Made by ask_command.cc; each function asks, prints and returns the exit status. Main thread.
#pragma once

#include <string>
#include <vector>

#include "app/cli.h"
#include "app/input_documents.h"
#include "config/config.h"
#include "work/endpoint.h"
#include "work/recipe.h"

namespace nl::app {

struct AskTask {
  const work::Recipe& recipe;
  std::vector<std::string> files;  // as given; "-" is standard input
  std::string words;
  work::Prompt base;  // route, task, model, and the answer's limit where one was given
  Form form = Form::people;
  std::string out;     // research, mail-triage: a folder for what is made; empty = none
  bool fresh = false;  // research: what an earlier run has read is not used
  std::string state_dir;
  // What an empty standard input is: nobody has named it where a shell has only left it open.
  EmptyInput empty_input = EmptyInput::mistake;
};

// One question about a few documents.
int ask_once(const AskTask& task, work::Asker& asker);
// A question to many documents, part by part.
int ask_research(const AskTask& task, work::Asker& asker);
// A mailbox, mail by mail.
int ask_mail(const AskTask& task, work::Asker& asker);

// One line on standard error and the exit status that goes with the error.
int complain_about(const Error& error);

}  // namespace nl::app
