# The self-test model, made by Python's standard library beside the binary as ember.gguf.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB ember_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/engine/ember/*)
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/ember.gguf
  COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/src/engine/ember/make_ember.py
    ${PROJECT_BINARY_DIR}/ember.gguf
  DEPENDS ${ember_sources} COMMENT "Making ember.gguf" VERBATIM)
add_custom_target(ember ALL DEPENDS ${PROJECT_BINARY_DIR}/ember.gguf)
if(TARGET nightlight)
  add_dependencies(nightlight ember)
endif()
