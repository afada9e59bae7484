# `cmake --install`: the program, what it reads, its manual, completions and what runs beside it.
# `cpack` in the build folder: the same as a Debian package (cmake/SpillwayPackage.cmake).
include(GNUInstallDirs)

install(TARGETS spillway RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

set(SPILLWAY_SHARE ${CMAKE_INSTALL_DATADIR}/spillway)
install(DIRECTORY configs/ DESTINATION ${SPILLWAY_SHARE})
foreach(part prometheus alertmanager grafana)
  if(EXISTS ${PROJECT_SOURCE_DIR}/deploy/${part})
    install(DIRECTORY deploy/${part} DESTINATION ${SPILLWAY_SHARE}
            PATTERN node_modules EXCLUDE PATTERN "*.ts" EXCLUDE PATTERN "package*.json" EXCLUDE
            PATTERN src EXCLUDE PATTERN build EXCLUDE PATTERN tsconfig.json EXCLUDE PATTERN .npmrc EXCLUDE)
  endif()
endforeach()
install(FILES deploy/spillway.yaml DESTINATION ${SPILLWAY_SHARE})
install(FILES deploy/systemd/local-jobs.conf DESTINATION ${SPILLWAY_SHARE}/systemd)
install(FILES deploy/systemd/spillway.service DESTINATION lib/systemd/system)
install(FILES README.md CHANGELOG.md NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Written by the program itself, from its table of commands.
set(written ${PROJECT_BINARY_DIR}/written)
add_custom_command(
  OUTPUT ${written}/man/spillway.1 ${written}/spillway.bash ${written}/_spillway ${written}/spillway.fish
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${written}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${written}
  COMMAND spillway help --man-pages ${written}/man
  COMMAND spillway completion bash > ${written}/spillway.bash
  COMMAND spillway completion zsh > ${written}/_spillway
  COMMAND spillway completion fish > ${written}/spillway.fish
  COMMENT "Writing manual pages and completions"
  VERBATIM)
add_custom_target(spillway_manual ALL DEPENDS ${written}/man/spillway.1)
install(DIRECTORY ${written}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${written}/spillway.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME spillway)
install(FILES ${written}/_spillway DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${written}/spillway.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

include(SpillwayPackage)
