# `cpack` in the build folder writes spillway_VERSION_ARCH.deb. What Debian asks for beyond the files
# of `cmake --install` (deploy/debian/) is laid into the staged folder by FinishPackage.cmake.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME spillway)
set(CPACK_PACKAGE_CONTACT "The Spillway authors <spillway@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "scheduler and router for mixed fleets of CPUs, GPUs and NPUs")
set(CPACK_PACKAGE_HOMEPAGE_URL "")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus, prometheus-alertmanager, slurm-client")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Spillway puts every AI job and every inference request on the cheapest hardware
that can do it in time: CPUs with matrix units, NPUs and rented accelerators
claim what they are able to do, NVIDIA GPUs take the rest.

It speaks REST for jobs and OpenAI's API for inference, books what each piece
of work cost and would have cost elsewhere, explains every decision, and
answers what-if questions about cost, latency, energy and carbon with the very
code that decides live.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
    ${PROJECT_SOURCE_DIR}/deploy/debian/prerm ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/FinishPackage.cmake)
set(CPACK_SPILLWAY_SOURCE_DIR ${PROJECT_SOURCE_DIR})
include(CPack)
