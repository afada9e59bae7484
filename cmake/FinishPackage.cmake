# Run by cpack on the staged files, before they are packed.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(debian ${CPACK_SPILLWAY_SOURCE_DIR}/deploy/debian)
set(doc ${root}/usr/share/doc/spillway)

# The configuration is the operator's: dpkg asks before it replaces one that was edited.
file(COPY ${root}/usr/share/spillway/spillway.yaml DESTINATION ${root}/etc/spillway)
file(COPY ${debian}/copyright DESTINATION ${doc})
file(COPY ${debian}/lintian-overrides DESTINATION ${root}/usr/share/lintian/overrides)
file(RENAME ${root}/usr/share/lintian/overrides/lintian-overrides ${root}/usr/share/lintian/overrides/spillway)

# Debian compresses what is only read by people, without a time in it.
function(compress path)
  execute_process(COMMAND gzip -9nf ${path} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
file(GLOB pages ${root}/usr/share/man/man1/*.1)
foreach(page ${pages})
  compress(${page})
endforeach()
file(COPY ${debian}/changelog DESTINATION ${doc})
compress(${doc}/changelog)
