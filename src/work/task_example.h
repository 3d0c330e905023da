// An example of a task as it is put into a prompt: its text, or what can be read of its file.
//
// Blocks on the disk; any thread.
#pragma once

#include "base/error.h"
#include "work/task.h"
#include "work/task_asking.h"
#include "work/task_store.h"

namespace nl::work {

// Errors: of documents::read_document().
Result<ExampleInput> example_input(const TaskStore& store, const Task& task,
                                   const TaskExample& example);

}  // namespace nl::work
