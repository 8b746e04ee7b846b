# 32-bit boxes, ARMv7 with floating point, in a build root as for arm64.
set(CROSS_TRIPLET arm-linux-gnueabihf)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)  # a note about how g++ 7 passed some arguments
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
