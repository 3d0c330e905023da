# The service files of deploy/, compiled into the program as text for `nightlight autostart`.
set(nl_service_files ${PROJECT_SOURCE_DIR}/deploy/nightlight.service
  ${PROJECT_SOURCE_DIR}/deploy/dev.nightlight.plist)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${nl_service_files})
list(GET nl_service_files 0 nl_file)
file(READ ${nl_file} nl_systemd_unit)
list(GET nl_service_files 1 nl_file)
file(READ ${nl_file} nl_launchd_agent)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/service_text.cc @ONLY CONTENT
"// Made from deploy/nightlight.service and deploy/dev.nightlight.plist.
#include \"clients/autostart.h\"

namespace nl::clients {
const std::string_view kSystemdUnit = R\"unit(@nl_systemd_unit@)unit\";
const std::string_view kLaunchdAgent = R\"plist(@nl_launchd_agent@)plist\";
}  // namespace nl::clients
")
if(TARGET clients)
  target_sources(clients PRIVATE ${PROJECT_BINARY_DIR}/service_text.cc)
endif()
