# Toolchain for vma on 64-bit ARM; see scripts/build-aarch64. SYSROOT_ARM64 holds Debian's
# libraries for that architecture.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SYSROOT_ARM64)
set(CMAKE_FIND_ROOT_PATH ${SYSROOT_ARM64})
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
include_directories(SYSTEM ${SYSROOT_ARM64}/usr/include ${SYSROOT_ARM64}/usr/include/aarch64-linux-gnu)
