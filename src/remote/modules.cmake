# vma: the laptop's client and the remote agent. Links nothing heavy.
module(remote/wire DEPENDS base LIBRARIES lib::zstd)
module(remote/sync DEPENDS base sys LIBRARIES lib::zstd TEST_LIBRARIES Threads::Threads)
